// Options of workflows, activities and children; names, meanings and defaults are the official
// SDKs'. A duration of zero is unset. Members stand in the order in which designated initialisers
// must name them.
#ifndef CHIMERA_OPTIONS_H_
#define CHIMERA_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "chimera/payload.h"

namespace chimera {

using Duration = std::chrono::nanoseconds;
using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

struct SearchAttributeText {  // One that is found by its words.
  std::string text = {};
  bool operator==(const SearchAttributeText&) const = default;
};
// A std::string is a Keyword; monostate removes the attribute. search_attributes.h has typed keys.
using SearchAttributeValue = std::variant<std::monostate, std::string, std::int64_t, double, bool,
                                          Time, std::vector<std::string>, SearchAttributeText>;
using SearchAttributes = std::map<std::string, SearchAttributeValue>;
using Memo = std::map<std::string, Payload>;  // Values by make_payload().

struct RetryPolicy {
  Duration initial_interval = std::chrono::seconds(1);
  double backoff_coefficient = 2.0;
  Duration maximum_interval{};  // Unset: 100 times the initial one.
  int maximum_attempts = 0;     // 0: no end.
  std::vector<std::string> non_retryable_error_types = {};
};

// Which of the tasks that wait on a task queue is taken first.
struct Priority {
  int priority_key = 0;           // 1 comes first, 5 last. 0: the server's default, 3.
  std::string fairness_key = {};  // Keys share what is taken of one priority, by their weights.
  float fairness_weight = 0;      // 0: the server's, or 1.
  bool operator==(const Priority&) const = default;
};

// Whether a run stays with the version of its worker deployment that it began on, or goes on at the
// current one with its next task.
enum class VersioningBehavior { kUnspecified = 0, kPinned = 1, kAutoUpgrade = 2 };

// One build of the workers of a worker deployment. Both are required.
struct WorkerDeploymentVersion {
  std::string deployment_name = {}, build_id = {};
  bool operator==(const WorkerDeploymentVersion&) const = default;
};

// What counts for one workflow in place of the behavior that its workers give it, until it is
// cleared. A pinned one is passed on to children, retries and what the workflow continues as.
struct PinnedVersioningOverride {  // Every task goes to the version, whatever is current.
  WorkerDeploymentVersion version = {};
  bool operator==(const PinnedVersioningOverride&) const = default;
};
struct AutoUpgradeVersioningOverride {  // The next task goes to the current version.
  bool operator==(const AutoUpgradeVersioningOverride&) const = default;
};
struct OneTimeVersioningOverride {  // Tasks go to the version until it has completed one. By 1.32.
  WorkerDeploymentVersion target_version = {};
  bool operator==(const OneTimeVersioningOverride&) const = default;
};
using VersioningOverride = std::variant<PinnedVersioningOverride, AutoUpgradeVersioningOverride,
                                        OneTimeVersioningOverride>;

enum class ActivityCancellationType {
  kTryCancel = 0,
  kWaitCancellationCompleted = 1,
  kAbandon = 2
};

// One of start_to_close_timeout and schedule_to_close_timeout is required.
struct ActivityOptions {
  std::string task_queue = {};  // The workflow's own when empty.
  Duration schedule_to_close_timeout{};
  Duration schedule_to_start_timeout{};
  Duration start_to_close_timeout{};
  Duration heartbeat_timeout{};
  std::optional<RetryPolicy> retry_policy = {};
  ActivityCancellationType cancellation_type = ActivityCancellationType::kTryCancel;
  std::string activity_id = {};
  bool disable_eager_execution = false;
  std::string summary = {};  // A line for people, shown by the Web UI.
  Priority priority = {};    // What is left 0 or empty is the workflow's.
};

// Of an activity that the workflow's own worker runs, without a task queue. One of
// start_to_close_timeout and schedule_to_close_timeout is required.
struct LocalActivityOptions {
  Duration schedule_to_close_timeout{};
  Duration schedule_to_start_timeout{};
  Duration start_to_close_timeout{};
  std::optional<RetryPolicy> retry_policy = {};
  // Waits between attempts that are longer are made with a durable timer. Unset: a minute.
  Duration local_retry_threshold{};
  ActivityCancellationType cancellation_type = ActivityCancellationType::kTryCancel;
  std::string activity_id = {};
  std::string summary = {};  // A line for people.
};

enum class WorkflowIdReusePolicy {
  kUnspecified = 0,
  kAllowDuplicate = 1,
  kAllowDuplicateFailedOnly = 2,
  kRejectDuplicate = 3,
};
enum class WorkflowIdConflictPolicy {
  kUnspecified = 0,
  kFail = 1,
  kUseExisting = 2,
  kTerminateExisting = 3
};
enum class ParentClosePolicy { kUnspecified = 0, kTerminate = 1, kAbandon = 2, kRequestCancel = 3 };
enum class ChildWorkflowCancellationType {
  kAbandon = 0,
  kTryCancel = 1,
  kWaitCancellationCompleted = 2,
  kWaitCancellationRequested = 3,
};

struct ChildWorkflowOptions {
  std::string id = {};  // Made from the run's random numbers when empty.
  std::string task_queue = {};
  Duration execution_timeout{}, run_timeout{}, task_timeout{};
  ChildWorkflowCancellationType cancellation_type =
      ChildWorkflowCancellationType::kWaitCancellationCompleted;
  ParentClosePolicy parent_close_policy = ParentClosePolicy::kTerminate;
  WorkflowIdReusePolicy id_reuse_policy = WorkflowIdReusePolicy::kAllowDuplicate;
  std::optional<RetryPolicy> retry_policy = {};
  std::string cron_schedule = {};
  Memo memo = {};
  SearchAttributes search_attributes = {};
  Priority priority = {};  // What is left 0 or empty is this workflow's.
  std::string static_summary = {}, static_details = {};  // For people; details may be Markdown.
  // If the server refuses it, the start fails with an ApplicationError. By server 1.32.
  std::optional<VersioningOverride> versioning_override = {};
};

enum class NexusOperationCancellationType {
  kWaitCancellationCompleted = 0,  // For the operation's end, whatever that is.
  kAbandon = 1,                    // The operation is told nothing.
  kTryCancel = 2,
  kWaitCancellationRequested = 3,  // Until the handler has the request.
};

// Of a Nexus operation that a workflow calls. Requests to start it are tried again until the
// schedule_to_close_timeout, which the server may limit, or the operation's end.
struct NexusOperationOptions {
  Duration schedule_to_close_timeout{};
  Duration schedule_to_start_timeout{};
  Duration start_to_close_timeout{};  // Of an operation that goes on after its start.
  NexusOperationCancellationType cancellation_type =
      NexusOperationCancellationType::kWaitCancellationCompleted;
  std::map<std::string, std::string> headers = {};  // Of its requests; not encoded by any codec.
  std::string summary = {};                         // A line for people, shown by the Web UI.
};

// On which version the first task of the next run is, if this run is of a version. A pinned
// override counts more.
enum class ContinueAsNewVersioningBehavior {
  kUnspecified = 0,        // Of a pinned run: the version of this one.
  kAutoUpgrade = 1,        // The one that a new workflow of this id would begin on.
  kUseRampingVersion = 2,  // The one that ramps; if none does, the current one.
};

// What is left empty is taken from the run that continues; of its memo, what it was started with
// (sdk-core 1.35).
struct ContinueAsNewOptions {
  std::string workflow_type = {};
  std::string task_queue = {};
  Duration run_timeout{}, task_timeout{};
  std::optional<RetryPolicy> retry_policy = {};
  Memo memo = {};
  SearchAttributes search_attributes = {};
  ContinueAsNewVersioningBehavior initial_versioning_behavior =
      ContinueAsNewVersioningBehavior::kUnspecified;
};

// Of a clock that skips what nobody works on: timers, retries, timeouts. Runs that follow keep it.
struct TimeSkippingConfig {
  bool disable_propagation = false;  // Children keep the real time, from where this clock stands.
  int max_session_skip_count = 0;    // Then it skips no more. 0: the server's, 200.
};

// How a client starts a workflow.
struct WorkflowOptions {
  std::string id;
  std::string task_queue;
  Duration execution_timeout{}, run_timeout{}, task_timeout{};
  WorkflowIdReusePolicy id_reuse_policy = WorkflowIdReusePolicy::kAllowDuplicate;
  WorkflowIdConflictPolicy id_conflict_policy = WorkflowIdConflictPolicy::kUnspecified;
  std::optional<RetryPolicy> retry_policy = {};
  std::string cron_schedule = {};
  Memo memo = {};
  SearchAttributes search_attributes = {};
  Duration start_delay{};
  Priority priority = {};  // Of its tasks, and of its activities and children that have none.
  std::string static_summary = {}, static_details = {};  // For people; details may be Markdown.
  // For tests: the workflow has a clock of its own. The server must have
  // frontend.WorkflowTimeSkippingEnabled, as a TestEnvironment's has; else RpcError.
  std::optional<TimeSkippingConfig> time_skipping_config = {};
  // The reply to the start brings the first workflow task, for a worker of this client on the task
  // queue: a round trip less. Without such a worker, or a free slot of it, it starts as usual.
  bool request_eager_start = false;
  // Its version must be known to the server, which refuses others.
  std::optional<VersioningOverride> versioning_override = {};
};

}  // namespace chimera

#endif  // CHIMERA_OPTIONS_H_
