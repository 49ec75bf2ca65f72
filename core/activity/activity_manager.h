// ActivityManager, the activity tasks that run in one worker: hands them to their language,
// throttles their heartbeats, delivers cancellation once, and tells their sinks how they ended. Any
// thread.
#ifndef CHIMERA_CORE_ACTIVITY_ACTIVITY_MANAGER_H_
#define CHIMERA_CORE_ACTIVITY_ACTIVITY_MANAGER_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

#include "core/activity/activity_sink.h"
#include "core/base/clock.h"
#include "core/base/timers.h"
#include "core/base/under_way.h"
#include "core/language/activity_language.h"
#include "core/telemetry/metric_table.h"
#include "core/telemetry/sdk_metrics.h"
#include "core/telemetry/worker_figures.h"

namespace chimera::core {

struct ActivityManagerOptions {
  std::chrono::nanoseconds max_heartbeat_throttle_interval{std::chrono::seconds(60)};
  std::chrono::nanoseconds default_heartbeat_throttle_interval{std::chrono::seconds(30)};
  std::string failure_source = "chimera";
  // The language of an activity type, or null when none is registered for it.
  std::function<ActivityLanguage*(const std::string& activity_type)> language_of;
  std::string known_types;              // For the message about an unknown type.
  const SdkMetrics* metrics = nullptr;  // Borrowed; null: nothing is counted.
  TaskFigures *figures = nullptr, *local_figures = nullptr;  // The same.
};

class ActivityManager {
 public:
  using Task = ActivitySink::Task;

  // Borrows timers and clock; they outlive the manager.
  ActivityManager(ActivityManagerOptions options, base::Timers& timers, base::Clock& clock);
  ~ActivityManager();  // Requires idle().

  // The permit is released when the task has been reported. `here`: where the caller's thread may
  // run it; it may have been reported before this returns then.
  void start(Task task, std::shared_ptr<void> permit, std::shared_ptr<ActivitySink> sink,
             bool eager = false, StartingThread* here = nullptr);
  // Tells the task's language, at most once; no effect where the task has ended.
  void cancel(const std::string& task_token, const ActivityCancellation& cancellation);

  // From here activities are cancelled (worker_shutdown) once `grace` has passed; local ones are
  // waited for.
  void begin_shutdown(std::chrono::nanoseconds grace);
  // No activity runs.
  bool idle() const { return running_.empty(); }
  // Runs `then` when idle(): at once, or on the thread that ends the last activity.
  void when_idle(absl::AnyInvocable<void() &&> then) { running_.when_none(std::move(then)); }

 private:
  class Running;
  friend class Running;
  std::shared_ptr<ActivityTypeMetrics> metrics_of(
      const api::workflowservice::v1::PollActivityTaskQueueResponse& task, bool local);
  void cancel_all();

  const ActivityManagerOptions options_;
  base::Timers& timers_;
  base::Clock& clock_;
  std::optional<DurationHistogram> schedule_to_start_;
  MetricTable<ActivityTypeMetrics> types_, local_types_;
  base::UnderWay<Running> running_;
  absl::Mutex mutex_;
  base::TimerId grace_timer_ ABSL_GUARDED_BY(mutex_) = 0;
  bool cancelling_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_ACTIVITY_ACTIVITY_MANAGER_H_
