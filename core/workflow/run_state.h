// WorkflowRun's inside: the course of a task (run.cc) and the parts that do the work, each with a
// file of its own: following the history (run_history.h), machines (run_machines.h), commands of
// the language (run_commands.h), local activities (run_local.h). They share RunData.
#ifndef CHIMERA_CORE_WORKFLOW_RUN_STATE_H_
#define CHIMERA_CORE_WORKFLOW_RUN_STATE_H_

#include <memory>
#include <string>
#include <vector>

#include "core/workflow/run.h"
#include "core/workflow/run_commands.h"
#include "core/workflow/run_data.h"
#include "core/workflow/run_history.h"
#include "core/workflow/run_local.h"
#include "core/workflow/run_machines.h"

namespace chimera::core {

class WorkflowRun::State {
 public:
  explicit State(RunOptions options) : run_(std::move(options)) {}

  void step(RunInput input, std::vector<RunOutput>& outputs);
  bool idle() const { return phase_ == Phase::kIdle; }
  bool ended() const { return run_.ended; }
  std::int64_t last_processed() const { return run_.last_processed; }
  bool has_local_work() const { return local_.executing(); }
  std::size_t memory_bytes() const;

 private:
  enum class Phase {
    kIdle,
    kPage,      // A page of history is under way.
    kLanguage,  // The language has an activation.
    kLocal,     // The task waits for local activities alone.
    kReply,     // The server has our answer.
    kEvicting,  // The language has RemoveFromCache.
    kGone,
  };

  void on(TaskInput input);
  void on(PageInput input);
  void on(LanguageDone input);
  void on(ReplyInput input);
  void on(EvictInput input);
  void on(LocalActivityDone input);
  void on(Time input);
  void fetch(bool from_start);
  void proceed();  // Follows history until something is needed from outside.
  void dispatch();
  bool ask_queries();
  void take_query_answers(std::vector<Command>& commands);
  void finish_task();
  // A heartbeat: what the task has so far; the server makes the next task at once.
  void send_completion(bool heartbeat = false);
  void end_query();
  void answer_legacy_query();
  void refuse_legacy_query(const std::string& why);
  bool fails_workflow() const;
  void fail_task(const absl::Status& status);
  void fail_task(api::failure::v1::Failure failure, api::enums::v1::WorkflowTaskFailedCause cause,
                 EvictionReason reason);
  void fail_workflow(api::failure::v1::Failure failure);
  void evict(EvictionReason reason, std::string message);
  void end_task();

  RunData run_;
  RunMachines machines_{run_, local_};
  RunLocal local_{run_, machines_};
  RunCommands commands_{run_, machines_};
  RunHistory history_{run_, machines_, local_};

  Phase phase_ = Phase::kIdle;
  EvictionReason eviction_ = EvictionReason::kUnspecified;
  std::string eviction_message_;
  bool language_knows_ = false;  // InitializeWorkflow was delivered.
  // Of the task under way. Its own events, wanted after the history from its start:
  std::shared_ptr<const HistoryPage> tail_;
  bool asking_queries_ = false, asked_queries_ = false;
  std::vector<RespondToQuery> query_answers_;
  api::enums::v1::VersioningBehavior versioning_behavior_{};
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_RUN_STATE_H_
