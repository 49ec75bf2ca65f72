// WorkflowRun, one run's replay as a pure step function: no clock, no socket, no lock, no thread,
// no Python.
//   outputs = run.step(input)
// The same inputs always give the same outputs, so a recorded list of inputs replays any bug.
// Not thread safe: the lane that owns the run is alone in using it.
#ifndef CHIMERA_CORE_WORKFLOW_RUN_H_
#define CHIMERA_CORE_WORKFLOW_RUN_H_

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"

#include "core/history/page.h"
#include "core/language/activation.h"
#include "core/language/commands.h"
#include "core/language/language.h"
#include "core/language/local_activity.h"

namespace chimera::core {

struct RunOptions {
  RunContext context;
  LanguageIdentity identity;
  // The namespace or the server takes sdk_metadata (GetSystemInfo capability).
  bool sdk_metadata = true;
  // Leftover commands at the end of a replayed task are an error.
  bool report_extra_commands = true;
  std::optional<api::deployment::v1::WorkerDeploymentVersion> own_deployment_version;
  // NondeterminismError fails the workflow instead of the task.
  bool nondeterminism_fails_workflow = false;
  // Replayer: nothing is sent to a server, the run only follows the history.
  bool replay_only = false;
};

// --- Inputs ---
// A workflow task as it came from a poll or inline in a completion's reply. `page` holds its
// history (may be empty).
struct TaskInput {
  std::shared_ptr<const api::workflowservice::v1::PollWorkflowTaskQueueResponse> task;
  std::shared_ptr<const HistoryPage> page;
};
// The answer to FetchPage.
struct PageInput {
  absl::StatusOr<std::shared_ptr<const HistoryPage>> page;
};
struct LanguageDone {
  Completion completion;
};
// The server's answer to SendCompletion or SendFailure; on success the part of the reply that
// concerns the run.
struct ReplyInput {
  absl::Status status;
  std::int64_t reset_history_event_id = 0;
};
struct EvictInput {
  EvictionReason reason;
  std::string message;
};
// The answer to StartLocalActivity; at any time, also when the run no longer waits for it.
struct LocalActivityDone {
  std::uint32_t seq;
  LocalActivityOutcome outcome;
};
// The time that a WakeAt asked for has come. Too many do no harm.
struct Time {};
using RunInput = std::variant<TaskInput, PageInput, LanguageDone, ReplyInput, EvictInput,
                              LocalActivityDone, Time>;

// --- Outputs, to be carried out in order ---
struct Activate {
  std::shared_ptr<const Activation> activation;
};
// Answer with a PageInput. An empty token with from_start asks for the history's first page.
struct FetchPage {
  std::string next_page_token;
  bool from_start = false;
};
// Commands, messages, query results, flags and force_create; the caller adds identity, sticky
// attributes, capabilities.
struct SendCompletion {
  std::shared_ptr<api::workflowservice::v1::RespondWorkflowTaskCompletedRequest> request;
};
struct SendFailure {
  std::unique_ptr<api::workflowservice::v1::RespondWorkflowTaskFailedRequest> request;
};
struct AnswerLegacyQuery {
  std::unique_ptr<api::workflowservice::v1::RespondQueryTaskCompletedRequest> request;
};
// The task ends without an answer to the server (failed attempt > 1, a task that came twice).
struct DropTask {
  std::string why;
  // What the metrics call it; null where nothing has failed.
  const char* failure_reason = nullptr;
};
// A failed task's reason in the official metrics.
const char* failure_reason(api::enums::v1::WorkflowTaskFailedCause cause);

// Run a local activity, with all its attempts; answer once with a LocalActivityDone.
struct StartLocalActivity {
  std::uint32_t seq;
  std::shared_ptr<const ScheduleLocalActivity> activity;
};
// It shall end soon: nothing of it is wanted any more, or its end is what the run waits for.
struct CancelLocalActivity {
  std::uint32_t seq;
};
// Answer with Time when so much time has passed since the task came, if it is still under way.
struct WakeAt {
  std::chrono::nanoseconds since_task;
};

// The run is done with: the language has answered RemoveFromCache, or needs no telling. Destroy it.
struct Evicted {
  EvictionReason reason;
  std::string message;
};
using RunOutput = std::variant<Activate, FetchPage, SendCompletion, SendFailure, AnswerLegacyQuery,
                               DropTask, StartLocalActivity, CancelLocalActivity, WakeAt, Evicted>;

class WorkflowRun {
 public:
  explicit WorkflowRun(RunOptions options);
  ~WorkflowRun();
  WorkflowRun(const WorkflowRun&) = delete;
  WorkflowRun& operator=(const WorkflowRun&) = delete;

  // Outputs are appended; an Activate, SendCompletion or SendFailure ends a step. Order of
  // inputs: a TaskInput only when idle(); a LanguageDone for each Activate; and so on.
  void step(RunInput input, std::vector<RunOutput>& outputs);

  // No task, activation, page or reply is outstanding.
  bool idle() const;
  // Local activities run: between two tasks of an idle run, too. Such a run is not to be evicted
  // but for a reason of its own.
  bool has_local_work() const;
  // A terminal event was applied or a terminal command accepted.
  bool ended() const;
  std::int64_t last_processed_event_id() const;
  std::size_t memory_bytes() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_RUN_H_
