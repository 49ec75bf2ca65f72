// What clients tell of workflow executions, and the options of what they ask for. client.h has the
// calls.
#ifndef CHIMERA_EXECUTIONS_H_
#define CHIMERA_EXECUTIONS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "chimera/client_options.h"
#include "chimera/errors.h"
#include "chimera/options.h"

namespace chimera {

enum class WorkflowExecutionStatus {
  kUnspecified = 0,
  kRunning = 1,
  kCompleted = 2,
  kFailed = 3,
  kCanceled = 4,
  kTerminated = 5,
  kContinuedAsNew = 6,
  kTimedOut = 7,
  kPaused = 8,
};

// Of an execution that workers with a version run.
struct WorkflowVersioningInfo {
  VersioningBehavior behavior = {};
  // Of the worker that completed its last workflow task.
  std::optional<WorkerDeploymentVersion> deployment_version = {};
  // Counts more than these two.
  std::optional<VersioningOverride> versioning_override = {};
};

struct WorkflowExecution {
  std::string id, run_id, workflow_type, task_queue;
  WorkflowExecutionStatus status = WorkflowExecutionStatus::kUnspecified;
  Time start_time, close_time;  // close_time is the epoch while it runs.
  Time execution_time;          // Of the first task: later than the start by a delay or cron.
  std::int64_t history_length = 0;
  Memo memo;
  std::map<std::string, Payload> search_attributes;            // Read with from_payload().
  std::optional<WorkflowVersioningInfo> versioning_info = {};  // None: unversioned.
  std::string parent_id, parent_run_id, root_id, root_run_id;  // Empty: it has no parent.
};

// How many executions a filter finds. Groups are there with GROUP BY, and count is their sum then.
struct WorkflowCount {
  struct Group {
    std::int64_t count = 0;
    std::vector<SearchAttributeValue> values;  // Of what the filter groups by.
  };
  std::int64_t count = 0;
  std::vector<Group> groups;
};

// An event of a history.
struct WorkflowHistoryEvent {
  std::int64_t id = 0;
  std::string type;  // "EVENT_TYPE_TIMER_STARTED"
  Time time;
  std::string json;  // All of it, as in fetch_history().
};

enum class HistoryEventFilter { kAllEvents = 1, kCloseEvent = 2 };

struct FetchHistoryOptions {
  int page_size = 0;                      // As ListOptions.
  std::optional<std::size_t> limit = {};  // Likewise.
  // Goes on with the events that are to come, as they come, until the one that closes the run.
  bool wait_new_event = false;
  HistoryEventFilter event_filter = HistoryEventFilter::kAllEvents;
  bool skip_archival = false;  // Of what retention took away, nothing is looked for in the archive.
};

// What an open workflow may be given anew; the rest stays as it is.
struct WorkflowExecutionOptionsUpdate {
  std::optional<VersioningOverride> versioning_override = {};
  bool clear_versioning_override = false;  // Its workers' behavior counts again.
  std::optional<Priority> priority = {};   // By server 1.32.
};

// As they are after an update.
struct WorkflowExecutionOptions {
  std::optional<VersioningOverride> versioning_override = {};
  Priority priority = {};
};

// Where a reset goes back to.
enum class ResetTo {
  kEvent,              // ResetOptions::event_id.
  kFirstWorkflowTask,  // The first, or last, workflow task that was completed; without one,
  kLastWorkflowTask,   // that was scheduled.
};
// What came after that point and is not to reach the new run again.
enum class ResetExclude { kSignals = 1, kUpdates = 2, kNexus = 3 };

struct PostResetSignal {  // Servers up to 1.32, and the embedded one, refuse it.
  std::string name = {};
  std::vector<Payload> args = {};  // By make_payload().
};
// What is done to the new run before its first workflow task.
using PostResetOperation = std::variant<PostResetSignal, WorkflowExecutionOptionsUpdate>;

struct ResetOptions {
  // Of a workflow task that was completed, failed, timed out or started: the new run has the
  // events before it. Required with kEvent.
  std::int64_t event_id = 0;
  ResetTo to = ResetTo::kEvent;
  std::string reason = {};  // Required.
  std::vector<ResetExclude> exclude = {};
  std::vector<PostResetOperation> post_reset_operations = {};
  std::string request_id = {};  // A random one when empty. The same id again resets once.
};

class WorkflowQueryRejectedError : public TemporalError {
 public:
  explicit WorkflowQueryRejectedError(WorkflowExecutionStatus status);
  WorkflowExecutionStatus status() const { return status_; }  // Of the workflow.

 private:
  WorkflowExecutionStatus status_;
};

struct QueryOptions {
  QueryRejectCondition reject_condition = QueryRejectCondition::kUnspecified;
};

struct CancelOptions {
  std::string reason = {};
};

struct UpdateOptions {
  std::string id = {};  // A random one when empty. The same id again is the same update.
};

}  // namespace chimera

#endif  // CHIMERA_EXECUTIONS_H_
