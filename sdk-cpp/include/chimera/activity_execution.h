// Activities that stand alone: a client starts one, without a workflow, and workers run it as they
// run any other. By server 1.32 and the embedded one. client.h has the calls that give handles.
//
//   auto upload = client.start_activity<&upload_file>(
//       {.id = "report-7", .task_queue = "files", .start_to_close_timeout = 1min}, "report.pdf");
//   upload.result();
#ifndef CHIMERA_ACTIVITY_EXECUTION_H_
#define CHIMERA_ACTIVITY_EXECUTION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "chimera/client_options.h"
#include "chimera/definition.h"
#include "chimera/errors.h"
#include "chimera/executions.h"
#include "chimera/options.h"

namespace chimera {

// Whether an id may be used again once its activity has closed.
enum class ActivityIdReusePolicy {
  kUnspecified = 0,
  kAllowDuplicate = 1,
  kAllowDuplicateFailedOnly = 2,
  kRejectDuplicate = 3,
};
// What a start does while an activity of this id runs.
enum class ActivityIdConflictPolicy { kUnspecified = 0, kFail = 1, kUseExisting = 2 };

// How a client starts an activity. `id`, `task_queue` and one of start_to_close_timeout and
// schedule_to_close_timeout are required.
struct StartActivityOptions {
  std::string id = {};
  std::string task_queue = {};
  Duration schedule_to_close_timeout{};
  Duration schedule_to_start_timeout{};
  Duration start_to_close_timeout{};
  Duration heartbeat_timeout{};
  ActivityIdReusePolicy id_reuse_policy = ActivityIdReusePolicy::kAllowDuplicate;
  ActivityIdConflictPolicy id_conflict_policy = ActivityIdConflictPolicy::kFail;
  std::optional<RetryPolicy> retry_policy = {};  // The server's own when unset.
  SearchAttributes search_attributes = {};
  std::string summary = {};  // A line for people.
  Priority priority = {};
  Duration start_delay{};  // Before the first attempt.
};

enum class ActivityExecutionStatus {
  kUnspecified = 0,
  kRunning = 1,
  kCompleted = 2,
  kFailed = 3,
  kCanceled = 4,
  kTerminated = 5,
  kTimedOut = 6,
  kPaused = 7,
};
enum class PendingActivityState {
  kUnspecified = 0,
  kScheduled = 1,
  kStarted = 2,
  kCancelRequested = 3,
  kPaused = 4,
  kPauseRequested = 5,
};

// As lists have it. Times that are not known are the epoch.
struct ActivityExecution {
  std::string id, run_id, activity_type, task_queue;
  ActivityExecutionStatus status = ActivityExecutionStatus::kUnspecified;
  Time schedule_time, execution_time;  // The second is that of the first attempt.
  Time close_time;
  Duration execution_duration{};
  std::map<std::string, Payload> search_attributes;  // Read with from_payload().
};

// What a description has that is asked for by name, because it may be large.
struct DescribeActivityOptions {
  bool include_input = false, include_outcome = false;
  bool include_heartbeat_details = false, include_last_failure = false;
};

struct ActivityExecutionDescription : ActivityExecution {
  PendingActivityState run_state = PendingActivityState::kUnspecified;  // Of one that is open.
  int attempt = 0;
  Duration schedule_to_close_timeout{}, schedule_to_start_timeout{}, start_to_close_timeout{},
      heartbeat_timeout{}, current_retry_interval{}, start_delay{};
  RetryPolicy retry_policy;
  Priority priority;
  Time expiration_time, last_started_time, last_heartbeat_time, last_attempt_complete_time,
      next_attempt_schedule_time;
  std::string last_worker_identity, canceled_reason, summary;
  std::optional<WorkerDeploymentVersion> last_deployment_version;
  std::int64_t total_heartbeat_count = 0;
  // Where they were asked for, and are there.
  std::vector<Payload> input, heartbeat_details;
  std::shared_ptr<const FailureError> last_failure;
  std::optional<Payload> result;
  std::shared_ptr<const FailureError> outcome_failure;
};

using ActivityCount = WorkflowCount;

// Of an activity that is open: what is unset stays as it is.
struct ActivityOptionsUpdate {
  std::optional<std::string> task_queue = {};
  std::optional<Duration> schedule_to_close_timeout = {}, schedule_to_start_timeout = {},
                          start_to_close_timeout = {}, heartbeat_timeout = {};
  std::optional<RetryPolicy> retry_policy = {};
  std::optional<Priority> priority = {};
};
// As they are after an update.
struct ActivityExecutionOptions {
  std::string task_queue;
  Duration schedule_to_close_timeout{}, schedule_to_start_timeout{}, start_to_close_timeout{},
      heartbeat_timeout{}, start_delay{};
  RetryPolicy retry_policy;
  Priority priority;
};

namespace detail {

// Which execution a handle means: of an empty run id, the latest.
struct ActivityTarget {
  std::string id, run_id;
};

ActivityTarget start_activity(ClientState& client, std::string_view type,
                              const StartActivityOptions& options, Arguments arguments);
// Null: it has none.
std::optional<Payload> activity_result(ClientState& client, const ActivityTarget& target);
ActivityExecutionDescription describe_activity(ClientState& client, const ActivityTarget& target,
                                               const DescribeActivityOptions& options);
void cancel_activity(ClientState& client, const ActivityTarget& target, const std::string& reason);
void terminate_activity(ClientState& client, const ActivityTarget& target,
                        const std::string& reason);
void pause_activity(ClientState& client, const ActivityTarget& target, const std::string& reason);
void unpause_activity(ClientState& client, const ActivityTarget& target, const std::string& reason,
                      Duration jitter);
// Null: as it was started.
ActivityExecutionOptions update_activity_options(ClientState& client, const ActivityTarget& target,
                                                 const ActivityOptionsUpdate* update);

// As long as it lives, this thread converts values of that activity. Borrows both.
class ActivityValues {
 public:
  ActivityValues(const ClientState& client, const ActivityTarget& target);
  ~ActivityValues();
  ActivityValues(const ActivityValues&) = delete;
  ActivityValues& operator=(const ActivityValues&) = delete;

 private:
  const void* const context_;
  const void* const before_;
};

}  // namespace detail

// An activity that stands alone. R is what its function returns. Calls block, and throw RpcError
// (kNotFound: there is none of this id); any thread, cheap to copy, not from workflow code.
template <class R>
class ActivityExecutionHandle {
 public:
  ActivityExecutionHandle(detail::ClientPtr client, detail::ActivityTarget target)
      : client_(std::move(client)), target_(std::move(target)) {}
  // The same handle, whose calls have these options.
  ActivityExecutionHandle with_rpc(const RpcOptions& options) const {
    return {detail::with_rpc(client_, options), target_};
  }
  const std::string& id() const { return target_.id; }
  // That was started or asked for; empty if the handle is for the latest.
  const std::string& run_id() const { return target_.run_id; }

  // Waits for the end. Throws ActivityFailureError.
  R result() const {
    [[maybe_unused]] const std::optional<Payload> value =
        detail::activity_result(*client_, target_);
    if constexpr (!std::is_void_v<R>) {
      const detail::ActivityValues converting(*client_, target_);
      return from_payload<R>(value ? *value : make_payload(nullptr));
    }
  }
  ActivityExecutionDescription describe(const DescribeActivityOptions& options = {}) const {
    return detail::describe_activity(*client_, target_, options);
  }
  // Asks it to stop; its code is told by its next heartbeat. One that waits ends at once.
  void cancel(const std::string& reason = "") const {
    detail::cancel_activity(*client_, target_, reason);
  }
  // Ends it at once; its code is told by its next heartbeat, and may not answer.
  void terminate(const std::string& reason = "") const {
    detail::terminate_activity(*client_, target_, reason);
  }
  // No attempt begins until it is unpaused; one that runs is told by its next heartbeat.
  void pause(const std::string& reason = "") const {
    detail::pause_activity(*client_, target_, reason);
  }
  // The next attempt begins at a random time within `jitter`.
  void unpause(const std::string& reason = "", Duration jitter = {}) const {
    detail::unpause_activity(*client_, target_, reason, jitter);
  }
  // Throws std::invalid_argument if there is nothing to update.
  ActivityExecutionOptions update_options(const ActivityOptionsUpdate& update) const {
    return detail::update_activity_options(*client_, target_, &update);
  }
  ActivityExecutionOptions restore_original_options() const {
    return detail::update_activity_options(*client_, target_, nullptr);
  }

 private:
  friend const detail::ActivityTarget& target_of(const ActivityExecutionHandle& handle) {
    return handle.target_;
  }
  detail::ClientPtr client_;
  detail::ActivityTarget target_;
};

}  // namespace chimera

#endif  // CHIMERA_ACTIVITY_EXECUTION_H_
