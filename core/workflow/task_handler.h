// TaskHandler, one lane's workflow tasks: owns the run cache, feeds runs, activates languages, and
// answers the server through TaskHandlerIo. Lane thread only; I/O results and completions come back
// through `post`.
#ifndef CHIMERA_CORE_WORKFLOW_TASK_HANDLER_H_
#define CHIMERA_CORE_WORKFLOW_TASK_HANDLER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

#include "core/language/language.h"
#include "core/workflow/run.h"

namespace chimera::core {

// A workflow task as it entered the worker. The message lives on `owner` (its arena).
struct WorkflowTask {
  std::shared_ptr<const api::workflowservice::v1::PollWorkflowTaskQueueResponse> message;
  // Released when the task has been answered or dropped: the slot.
  std::shared_ptr<void> permit;
};

// The payloads of a status: the answer was not sent, since it is larger than a message to the
// server may be, or a value in it than the server takes, or could not be stored.
inline constexpr char kAnswerTooLarge[] = "chimera/answer-too-large";
inline constexpr char kValueTooLarge[] = "chimera/value-too-large";
inline constexpr char kValueNotStored[] = "chimera/value-not-stored";

// A local activity as its run asks for it.
struct LocalActivityStart {
  const RunContext& run;
  std::uint32_t seq;
  std::shared_ptr<const ScheduleLocalActivity> activity;
};

// What a lane needs of the world. Calls return at once; each callback runs exactly once, on the
// lane's thread, and never inside the call.
class TaskHandlerIo {
 public:
  template <class Reply>
  using Done = absl::AnyInvocable<void(absl::StatusOr<std::shared_ptr<Reply>>) &&>;
  using CompletedReply = api::workflowservice::v1::RespondWorkflowTaskCompletedResponse;
  using HistoryReply = api::workflowservice::v1::GetWorkflowExecutionHistoryResponse;

  virtual ~TaskHandlerIo() = default;
  // Fills in identity, namespace, sticky attributes, capabilities, deployment; asks for eager
  // activities as slots allow; starts the reply's activity_tasks itself. reply.workflow_task is the
  // handler's. The status of an answer that was not sent has a payload of those above.
  virtual void respond_completed(
      std::shared_ptr<api::workflowservice::v1::RespondWorkflowTaskCompletedRequest> request,
      Done<CompletedReply> done) = 0;
  virtual void respond_failed(
      std::unique_ptr<api::workflowservice::v1::RespondWorkflowTaskFailedRequest> request,
      absl::AnyInvocable<void(absl::Status) &&> done) = 0;
  virtual void respond_query(
      std::unique_ptr<api::workflowservice::v1::RespondQueryTaskCompletedRequest> request,
      absl::AnyInvocable<void(absl::Status) &&> done) = 0;
  virtual void fetch_history(const api::common::v1::WorkflowExecution& execution,
                             std::string next_page_token, Done<HistoryReply> done) = 0;
  // Runs a local activity with all its attempts; cancel() asks for its end, and is ignored where it
  // has ended.
  virtual void start_local_activity(LocalActivityStart start,
                                    absl::AnyInvocable<void(LocalActivityOutcome) &&> done) = 0;
  virtual void cancel_local_activity(const RunContext& run, std::uint32_t seq) = 0;
  virtual void wake_after(std::chrono::nanoseconds delay, absl::AnyInvocable<void() &&> wake) = 0;
  // Runs `work` on this lane's thread later. Any thread.
  virtual void post(absl::AnyInvocable<void() &&> work) = 0;
};

// A workflow task that failed; the workflow did not.
struct TaskFailure {
  const RunContext& run;
  int attempt = 1;
  std::string_view reason;     // As the official metrics name it.
  const std::string& message;  // For people.
};

// Counts and timings for metrics; every call on the lane's thread, must be cheap.
class TaskHandlerObserver {
 public:
  virtual ~TaskHandlerObserver() = default;
  virtual void cache_hit(const std::string& workflow_type) {}
  virtual void cache_miss() {}
  virtual void cache_size(std::size_t runs) {}
  virtual void forced_eviction() {}
  virtual void task_failed(const TaskFailure& failure) {}
  // The server did not take a task's answer; the run begins anew.
  virtual void answer_refused(const RunContext& run, const absl::Status& status) {}
  virtual void task_done(const std::string& workflow_type, std::chrono::nanoseconds execution,
                         std::chrono::nanoseconds replay) {}
  // status: COMPLETED, FAILED, CANCELED or CONTINUED_AS_NEW.
  virtual void workflow_ended(const std::string& workflow_type,
                              api::enums::v1::WorkflowExecutionStatus status,
                              std::chrono::nanoseconds end_to_end) {}
  // Marks which run is executing on this lane, and for which task (null while evicting), for the
  // deadlock watchdog and crash reports; null when none is.
  virtual void running(const RunContext* run,
                       const api::workflowservice::v1::PollWorkflowTaskQueueResponse* task) {}
};

struct TaskHandlerOptions {
  std::size_t cached_runs_max = 1000;       // This lane's share; 0 evicts after each completion.
  std::size_t cached_bytes_max = 1u << 30;  // This lane's share.
  std::string namespace_;
  std::string task_queue;
  bool sdk_metadata = true;
  std::optional<api::deployment::v1::WorkerDeploymentVersion> own_deployment_version;
  // The language of a workflow type, or null when none is registered for it.
  std::function<WorkflowLanguage*(const std::string& workflow_type)> language_of;
  std::function<bool(const std::string& workflow_type)> nondeterminism_fails_workflow;
  std::string known_types;            // For the message about an unknown type: "Order, Shipping".
  std::size_t payload_bytes_max = 0;  // What the server takes of one value; 0: it does not say.
  // Whether large values are stored elsewhere first; what sends them measures the rest. Null: no.
  std::function<bool()> values_are_stored;
};

class TaskHandler {
 public:
  // Borrows io, observer and clock; they outlive the handler.
  TaskHandler(TaskHandlerOptions options, TaskHandlerIo& io, TaskHandlerObserver& observer,
              base::Clock& clock);
  ~TaskHandler();  // Requires drained().

  void handle(WorkflowTask task);
  // Evicts every idle run and, as they become idle, the others. `drained` is then eventually true.
  void begin_drain();
  bool drained() const;
  std::size_t cached_runs() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_TASK_HANDLER_H_
