// SimServer, one run on a simulated server in virtual time: keeps its history, applies what
// completions command, ends activities, timers and children when and how chance wants, and sends
// signals, updates, queries and requests to cancel. Everything that chance decides here is the same
// for the same answers, whatever the worker's cache does. Rules as in server 1.29.
#ifndef CHIMERA_TESTS_SIM_SERVER_H_
#define CHIMERA_TESTS_SIM_SERVER_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

#include "core/history/events.h"
#include "tests/sim/rng.h"

namespace chimera::sim {

using api::workflowservice::v1::RespondQueryTaskCompletedRequest;
using api::workflowservice::v1::RespondWorkflowTaskCompletedRequest;
using api::workflowservice::v1::RespondWorkflowTaskFailedRequest;
using core::EventType;
using core::HistoryEvent;
using EventPtr = std::shared_ptr<const HistoryEvent>;
using Time = std::int64_t;  // Virtual, nanoseconds.

// A workflow task or a query task on its way to the worker.
struct SimTask {
  std::string token;
  std::int64_t scheduled_id = 0, started_id = 0, previous_started_id = 0;
  int attempt = 1;
  bool sticky = false;  // The worker may get the events after previous_started_id alone.
  bool is_inline = false;
  std::vector<EventPtr> events;  // All of history, with the task's own Scheduled and Started.
  std::vector<api::protocol::v1::Message> messages;
  std::map<std::string, api::query::v1::WorkflowQuery> queries;
  std::optional<api::query::v1::WorkflowQuery> query;  // A query task, no workflow task.
};

// A workflow task whose completion the server took.
struct CompletedTask {
  SimTask task;
  std::string text;  // Its commands and messages.
};

class SimServer {
 public:
  enum class Advance { kProgress, kBlocked, kOver };
  struct Reply {
    absl::Status status;
    std::int64_t reset_history_event_id = 0;
    std::optional<SimTask> task;  // Comes inline.
  };
  using Done = absl::AnyInvocable<void(Reply) &&>;

  explicit SimServer(std::uint64_t seed);

  // --- the worker's side
  std::function<void(SimTask)> deliver;
  void completed(std::shared_ptr<RespondWorkflowTaskCompletedRequest> request, Done done);
  void failed(std::unique_ptr<RespondWorkflowTaskFailedRequest> request, Done done);
  void query_answered(std::unique_ptr<RespondQueryTaskCompletedRequest> request, Done done);
  // The worker let go of a task; if it gave no answer, it dropped it.
  void released(const std::string& token);

  // --- the driver's side
  // Lets the next thing happen. kBlocked: that is an answer of the worker, who has not given it.
  Advance advance();
  std::string current_task() const { return task_ && task_->started ? task_->token : ""; }
  bool language_fails() const;
  const std::vector<EventPtr>& history() const { return history_; }
  const std::vector<CompletedTask>& completed_tasks() const { return completed_; }
  // What the worker sent, in order: equal for equal cores.
  const std::vector<std::string>& log() const { return log_; }
  const std::vector<std::string>& violations() const { return violations_; }
  const std::string& run_id() const { return run_id_; }
  // Accepted, but the run closed before they were completed.
  int unfinished_updates() const;

 private:
  enum class Fate { kNormal, kLanguageFails, kCompletionLost, kReplyLost };
  struct Task {
    std::string token;
    std::int64_t scheduled_id = 0, started_id = 0;
    Time scheduled_at = 0, started_at = 0;
    int attempt = 1;
    bool started = false, sticky = false, speculative = false, written = false;
    std::vector<std::string> updates;  // Sent with it.
    std::map<std::string, api::query::v1::WorkflowQuery> queries;
    std::vector<api::protocol::v1::Message> messages;
    Fate fate = Fate::kNormal;
  };
  struct Answer {
    std::shared_ptr<RespondWorkflowTaskCompletedRequest> completion;
    std::unique_ptr<RespondWorkflowTaskFailedRequest> failure;
    std::unique_ptr<RespondQueryTaskCompletedRequest> query;
    Done done;
  };
  struct Happening {
    std::function<void()> what;
    std::string needs_answer;  // Of this task.
  };
  struct Activity {
    std::string id;
    bool started = false, over = false;
  };
  struct Child {
    std::string workflow_id, run_id;
    bool started = false, over = false;
  };
  struct Nexus {
    bool started = false, over = false, cancelled = false;
  };
  struct Update {
    api::update::v1::Request request;
    enum { kAdmitted, kAccepted, kCompleted, kRejected } state = kAdmitted;
    std::int64_t accepted_event_id = 0;
  };

  // --- server.cc: the world
  void plan_stimuli();
  void at(Time time, std::function<void()> what) { queue_.insert({time, {std::move(what), ""}}); }
  void after(std::uint64_t most_ms, std::function<void()> what);
  void nothing_more();
  void send_signal(const char* name);
  void send_update();
  void send_query();
  void send_cancel();
  void terminate();
  void reset();
  HistoryEvent event(EventType type) const;
  HistoryEvent& append(HistoryEvent event);
  void happen(std::vector<HistoryEvent> events);
  void link_started(HistoryEvent& event);
  void violation(std::string what) { violations_.push_back(std::move(what)); }

  // --- server_tasks.cc: workflow tasks
  void ensure_task();
  void write_scheduled();
  void write_started();
  void make_real();
  void plan_start();
  void start_task(const std::string& token);
  void start(Task& task);
  bool sticky_queue_times_out();
  void give_back();
  SimTask hand_out();
  void add_updates();
  void apply(Answer answer);
  void apply_completion(Answer& answer);
  bool unhandled(const RespondWorkflowTaskCompletedRequest& request) const;
  void fail_task(api::enums::v1::WorkflowTaskFailedCause cause);
  void time_out_task();
  void end_attempt();
  void complete_task(RespondWorkflowTaskCompletedRequest& request, Reply& reply);
  bool drops_speculative(const RespondWorkflowTaskCompletedRequest& request) const;
  void check_answers(const RespondWorkflowTaskCompletedRequest& request);
  void flush();
  void go_on(Reply& reply);

  // --- server_commands.cc: commands to events
  void apply_commands(const RespondWorkflowTaskCompletedRequest& request);
  void apply_command(const api::command::v1::Command& command,
                     const RespondWorkflowTaskCompletedRequest& request);
  void schedule_activity(const api::command::v1::ScheduleActivityTaskCommandAttributes& command);
  void cancel_activity(std::int64_t scheduled_id);
  void end_activity(std::int64_t scheduled_id, bool cancelled);
  void start_timer(const api::command::v1::StartTimerCommandAttributes& command);
  void cancel_timer(const std::string& id);
  void start_child(const api::command::v1::StartChildWorkflowExecutionCommandAttributes& command);
  void begin_child(std::int64_t initiated_id);
  void end_child(std::int64_t initiated_id, bool cancelled);
  void signal_external(
      const api::command::v1::SignalExternalWorkflowExecutionCommandAttributes& command);
  void cancel_external(
      const api::command::v1::RequestCancelExternalWorkflowExecutionCommandAttributes& command);
  void cancel_child(const std::string& workflow_id);
  // --- server_nexus.cc
  void schedule_nexus(const api::command::v1::ScheduleNexusOperationCommandAttributes& command);
  void begin_nexus(std::int64_t scheduled_id);
  void end_nexus(std::int64_t scheduled_id, bool cancelled);
  void cancel_nexus(std::int64_t scheduled_id);
  void answer_nexus_cancel(std::int64_t scheduled_id);
  void apply_message(const std::string& id, const RespondWorkflowTaskCompletedRequest& request);
  void close(EventType type, const api::command::v1::Command& command);

  Rng rng_;
  const std::string run_id_;
  Time now_;
  std::multimap<Time, Happening> queue_;
  std::vector<EventPtr> history_;
  std::vector<HistoryEvent> buffered_;
  std::optional<Task> task_;
  std::map<std::string, Answer> answers_;
  std::vector<CompletedTask> completed_;
  std::vector<std::string> log_, violations_;

  bool closed_ = false, sticky_ = false, cancel_requested_ = false;
  int attempt_ = 1, tokens_ = 0, stimuli_ = 0, last_signals_ = 0;
  std::int64_t previous_started_id_ = 0;
  SimTask handed_out_;  // The task under way, as the worker got it.
  std::map<std::string, api::query::v1::WorkflowQuery> queries_;  // For the next task.
  std::map<std::int64_t, Activity> activities_;                   // By scheduled event.
  std::map<std::string, std::int64_t> timers_;                    // Id to started event.
  std::set<std::string> timer_ids_;                               // All ever.
  std::map<std::int64_t, Child> children_;                        // By initiated event.
  std::map<std::int64_t, Nexus> nexus_;                           // By scheduled event.
  std::map<std::int64_t, std::int64_t> started_;  // Scheduled or initiated event to started event.
  std::map<std::string, Update> updates_;
  std::vector<std::string> waiting_updates_;  // Admitted, in no task.
};

std::string completion_text(const RespondWorkflowTaskCompletedRequest& request);

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_SERVER_H_
