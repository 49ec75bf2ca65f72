// WorkflowRun's inside. Four files define it: run.cc (inputs and outputs), run_history.cc
// (following the history), run_machines.cc (events to machines to jobs), run_commands.cc (commands
// of the language to machines).
#ifndef CHIMERA_CORE_WORKFLOW_RUN_STATE_H_
#define CHIMERA_CORE_WORKFLOW_RUN_STATE_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

#include "core/history/batch.h"
#include "core/history/buffer.h"
#include "core/machines/activity.h"
#include "core/machines/cancel_external.h"
#include "core/machines/child_workflow.h"
#include "core/machines/signal_external.h"
#include "core/machines/timer.h"
#include "core/machines/update.h"
#include "core/workflow/flags.h"
#include "core/workflow/outgoing.h"
#include "core/workflow/run.h"

namespace chimera::core {

class WorkflowRun::State {
 public:
  explicit State(RunOptions options) : options_(std::move(options)) {}

  void step(RunInput input, std::vector<RunOutput>& outputs);
  bool idle() const { return phase_ == Phase::kIdle; }
  bool ended() const { return ended_; }
  std::int64_t last_processed() const { return last_processed_; }
  std::size_t memory_bytes() const;

 private:
  enum class Phase {
    kIdle,
    kPage,      // A page of history is under way.
    kLanguage,  // The language has an activation.
    kReply,     // The server has our answer.
    kEvicting,  // The language has RemoveFromCache.
    kGone,
  };
  // An update that is to be delivered before the event after its sequencing event.
  struct PendingUpdate {
    std::int64_t sequencing_event_id;
    std::string instance_id, message_id;
    const api::update::v1::Request* request;
    std::shared_ptr<const void> owner;
    bool run_validator;
  };
  struct MachineRef {
    MachineKind kind;
    std::uint32_t seq;
  };

  // --- run.cc: inputs, outputs, the course of a task
  void on(TaskInput input);
  void on(PageInput input);
  void on(LanguageDone input);
  void on(ReplyInput input);
  void on(EvictInput input);
  void fetch(bool from_start);
  void proceed();  // Follows history until something is needed from outside.
  void dispatch();
  Batch up_to_query(const Batch& batch);
  std::shared_ptr<Activation> make_activation() const;
  bool ask_queries();
  void take_query_answers(std::vector<Command>& commands);
  void finish_task();
  void send_completion();
  void answer_legacy_query();
  void refuse_legacy_query(const std::string& why);
  void fail_task(const absl::Status& status);
  void fail_task(api::failure::v1::Failure failure, api::enums::v1::WorkflowTaskFailedCause cause,
                 EvictionReason reason);
  void fail_workflow(api::failure::v1::Failure failure);
  void evict(EvictionReason reason, std::string message);
  void end_task();

  // --- run_history.cc
  absl::Status apply(const Batch& batch);
  void look_ahead(absl::Span<const HistoryEvent* const> events, const Batch& batch);
  void look_ahead_update(absl::Span<const HistoryEvent* const> events, const HistoryEvent& event);
  absl::Status apply_event(const HistoryEvent& event);
  absl::Status check_confirmed(const HistoryEvent* event);
  void apply_started(const HistoryEvent& event);
  void apply_task_started(const HistoryEvent& event);
  absl::Status match_command(const HistoryEvent& event);
  bool skip_patch_marker(const HistoryEvent& event, absl::Status& status);
  bool skip_upsert_of_patch(const HistoryEvent& event);
  void queue_messages();
  void queue_update(PendingUpdate update);
  void deliver_updates(std::int64_t before_event_id);
  void take_versions(const api::history::v1::WorkflowTaskCompletedEventAttributes& completed);

  // --- run_machines.cc
  absl::Status route(const HistoryEvent& event);
  absl::Status confirm(const OutgoingCommand& command, const HistoryEvent& event);
  absl::Status confirm_activity(const OutgoingCommand& command, const HistoryEvent& event);
  absl::Status confirm_child(const OutgoingCommand& command, const HistoryEvent& event);
  absl::Status confirm_update(const OutgoingCommand& command, const HistoryEvent& event);
  absl::Status on_activity(std::uint32_t seq, const HistoryEvent& event);
  absl::Status on_child(std::uint32_t seq, const HistoryEvent& event);
  absl::Status on_timer(std::uint32_t seq, const HistoryEvent& event);
  absl::Status on_external(MachineRef ref, const HistoryEvent& event);
  void remember(std::int64_t event_id, MachineKind kind, std::uint32_t seq) {
    by_event_[event_id] = {kind, seq};
  }
  absl::Status nondeterminism(const HistoryEvent* event, const OutgoingCommand* command,
                              const std::string& what) const;
  std::string describe(const OutgoingCommand& command) const;

  // --- run_commands.cc
  absl::Status take(std::vector<Command>& commands);
  absl::Status take(ScheduleActivity& command, Command& whole);
  absl::Status take(ScheduleLocalActivity& command, Command& whole);
  absl::Status take(RequestCancelActivity& command, Command& whole);
  absl::Status take(RequestCancelLocalActivity& command, Command& whole);
  absl::Status take(StartTimer& command, Command& whole);
  absl::Status take(CancelTimer& command, Command& whole);
  absl::Status take(StartChildWorkflowExecution& command, Command& whole);
  absl::Status take(CancelChildWorkflowExecution& command, Command& whole);
  absl::Status take(SignalExternalWorkflowExecution& command, Command& whole);
  absl::Status take(CancelSignalWorkflow& command, Command& whole);
  absl::Status take(RequestCancelExternalWorkflowExecution& command, Command& whole);
  absl::Status take(SetPatchMarker& command, Command& whole);
  absl::Status take(UpsertWorkflowSearchAttributes& command, Command& whole);
  absl::Status take(ModifyWorkflowProperties& command, Command& whole);
  absl::Status take(CompleteWorkflowExecution& command, Command& whole);
  absl::Status take(FailWorkflowExecution& command, Command& whole);
  absl::Status take(CancelWorkflowExecution& command, Command& whole);
  absl::Status take(ContinueAsNewWorkflowExecution& command, Command& whole);
  absl::Status take(ScheduleNexusOperation& command, Command& whole);
  absl::Status take(RequestCancelNexusOperation& command, Command& whole);
  absl::Status take(RespondToQuery& command, Command& whole);
  absl::Status take(UpdateResponse& command, Command& whole);
  // The command to be sent, with its metadata; null while replaying.
  std::unique_ptr<api::command::v1::Command> outgoing(api::enums::v1::CommandType type,
                                                      Command& whole) const;
  void push(MachineKind kind, api::enums::v1::EventType confirmed_by, std::uint32_t seq,
            std::unique_ptr<api::command::v1::Command> command);
  void end_with(api::enums::v1::EventType confirmed_by,
                std::unique_ptr<api::command::v1::Command> command);
  void request_child_cancel(const ChildWorkflowMachine& child, const std::string& reason);
  void upsert_change_versions();
  void send_acceptance(UpdateMachine& update, const std::string& instance_id);
  void send_rejection(UpdateMachine& update, const std::string& instance_id,
                      api::failure::v1::Failure& failure);
  void send_response(UpdateMachine& update, const std::string& instance_id,
                     UpdateResponse& response);
  void send_message(const std::string& instance_id, std::string message_id,
                    const google::protobuf::Message& body);
  bool live() const { return !replaying_ && !options_.replay_only; }

  RunOptions options_;
  Phase phase_ = Phase::kIdle;
  std::vector<RunOutput>* outputs_ = nullptr;  // Of the step under way.
  EvictionReason eviction_ = EvictionReason::kUnspecified;
  std::string eviction_message_;

  // The task under way.
  std::shared_ptr<const api::workflowservice::v1::PollWorkflowTaskQueueResponse> task_;
  std::shared_ptr<const HistoryPage>
      tail_;  // The task's own events, wanted after the history from its start.
  std::string next_page_token_;
  bool asking_queries_ = false, asked_queries_ = false;
  std::vector<RespondToQuery> query_answers_;
  api::enums::v1::VersioningBehavior versioning_behavior_{};

  // Where history stands.
  HistoryBuffer buffer_;
  std::int64_t last_processed_ = 0;
  std::int64_t started_event_id_ = 0;  // Of the workflow task applied last.
  std::int64_t previous_started_ = 0;  // Up to this task, we replay.
  bool replaying_ = false;
  bool confirming_ = false;  // Between a WorkflowTaskCompleted and the last event of its commands.
  bool language_knows_ = false;  // InitializeWorkflow was delivered.
  bool ended_ = false;
  bool terminal_commanded_ = false;
  base::WallTime time_{};
  std::uint64_t history_size_ = 0;
  bool suggest_continue_as_new_ = false, target_version_changed_ = false;
  std::vector<api::enums::v1::SuggestContinueAsNewReason> suggest_reasons_;
  std::optional<api::deployment::v1::WorkerDeploymentVersion> deployment_version_;
  Flags flags_;

  // For the next activation.
  std::vector<Job> jobs_;
  std::vector<std::shared_ptr<const void>> keep_alive_;
  std::vector<PendingUpdate> pending_updates_;  // By sequencing event id.

  // What the code has under way.
  Outgoing outgoing_;
  std::vector<std::unique_ptr<api::protocol::v1::Message>> messages_;
  absl::flat_hash_map<std::uint32_t, TimerMachine> timers_;
  absl::flat_hash_map<std::uint32_t, ActivityMachine> activities_;
  absl::flat_hash_map<std::uint32_t, ChildWorkflowMachine> children_;
  absl::flat_hash_map<std::uint32_t, SignalExternalMachine> signals_;
  absl::flat_hash_map<std::uint32_t, CancelExternalMachine> cancels_;
  absl::flat_hash_map<std::string, UpdateMachine> updates_;  // By protocol instance id.
  absl::flat_hash_map<std::int64_t, MachineRef> by_event_;
  absl::flat_hash_set<std::int64_t>
      swallow_;  // Event ids of machines that ended early: their later events say nothing.
  absl::flat_hash_set<std::string> known_updates_;  // Looked ahead in history, not yet accepted.
  std::uint32_t next_child_cancel_ = 0;

  // What the code has said once.
  std::set<std::string> patches_made_,
      patches_known_;  // Markers commanded; markers that history has.
  bool skip_upsert_ =
      false;  // The marker before was skipped: its upsert of TemporalChangeVersion is, too.
  std::unique_ptr<api::common::v1::Memo> memo_;
  std::unique_ptr<api::common::v1::SearchAttributes> search_attributes_;
  std::unique_ptr<api::common::v1::RetryPolicy> retry_policy_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_RUN_STATE_H_
