// ActivityManager, the activity tasks that run in one worker: hands them to their language,
// throttles their heartbeats, delivers cancellation once, and reports how they ended. Any thread.
#ifndef CHIMERA_CORE_ACTIVITY_ACTIVITY_MANAGER_H_
#define CHIMERA_CORE_ACTIVITY_ACTIVITY_MANAGER_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

#include "core/base/timers.h"
#include "core/language/activity_language.h"
#include "core/telemetry/metric_table.h"
#include "core/telemetry/sdk_metrics.h"

namespace chimera::core {

// What an activity's end and heartbeats look like to the server. Requests lack namespace, identity
// and version: the implementation fills them in. Each `done` runs exactly once, on any thread,
// never inside the call.
class ActivityIo {
 public:
  using Done = absl::AnyInvocable<void(absl::Status) &&>;
  using HeartbeatReply = api::workflowservice::v1::RecordActivityTaskHeartbeatResponse;
  virtual ~ActivityIo() = default;
  virtual void completed(
      std::unique_ptr<api::workflowservice::v1::RespondActivityTaskCompletedRequest> request,
      Done done) = 0;
  virtual void failed(
      std::unique_ptr<api::workflowservice::v1::RespondActivityTaskFailedRequest> request,
      Done done) = 0;
  virtual void canceled(
      std::unique_ptr<api::workflowservice::v1::RespondActivityTaskCanceledRequest> request,
      Done done) = 0;
  virtual void heartbeat(
      std::unique_ptr<api::workflowservice::v1::RecordActivityTaskHeartbeatRequest> request,
      absl::AnyInvocable<void(absl::StatusOr<HeartbeatReply>) &&> done) = 0;
};

struct ActivityManagerOptions {
  std::chrono::nanoseconds max_heartbeat_throttle_interval{std::chrono::seconds(60)};
  std::chrono::nanoseconds default_heartbeat_throttle_interval{std::chrono::seconds(30)};
  std::string failure_source = "chimera";
  // The language of an activity type, or null when none is registered for it.
  std::function<ActivityLanguage*(const std::string& activity_type)> language_of;
  std::string known_types;              // For the message about an unknown type.
  const SdkMetrics* metrics = nullptr;  // Borrowed; null: nothing is counted.
};

class ActivityManager {
 public:
  using Task = std::shared_ptr<const api::workflowservice::v1::PollActivityTaskQueueResponse>;

  // Borrows io and timers; they outlive the manager.
  ActivityManager(ActivityManagerOptions options, ActivityIo& io, base::Timers& timers);
  ~ActivityManager();  // Requires that wait_idle() has returned true.

  // The permit is released when the task has been reported.
  void start(Task task, std::shared_ptr<void> permit, bool eager = false);

  // From here activities are cancelled (worker_shutdown) once `grace` has passed.
  void begin_shutdown(std::chrono::nanoseconds grace);
  // False if activities still run when the time is over.
  bool wait_idle(std::chrono::nanoseconds time);

 private:
  class Running;
  friend class Running;
  std::shared_ptr<ActivityTypeMetrics> metrics_of(
      const api::workflowservice::v1::PollActivityTaskQueueResponse& task);
  void finished(const std::string& token);
  void cancel_all();

  const ActivityManagerOptions options_;
  ActivityIo& io_;
  base::Timers& timers_;
  std::optional<DurationHistogram> schedule_to_start_;
  MetricTable<ActivityTypeMetrics> types_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<Running>> running_ ABSL_GUARDED_BY(mutex_);
  base::TimerId grace_timer_ ABSL_GUARDED_BY(mutex_) = 0;
  bool cancelling_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_ACTIVITY_ACTIVITY_MANAGER_H_
