// ActivityContext, an activity that runs: what its code asks and is told, on its own thread and on
// those that it shares it with.
#ifndef CHIMERA_SDK_CPP_SRC_ACTIVITY_CONTEXT_H_
#define CHIMERA_SDK_CPP_SRC_ACTIVITY_CONTEXT_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "chimera/activity.h"
#include "core/language/activity_language.h"
#include "core/telemetry/metrics.h"
#include "sdk-cpp/src/interceptors.h"
#include "sdk-cpp/src/log.h"
#include "sdk-cpp/src/payload_access.h"
#include "sdk-cpp/src/stop_request.h"

namespace chimera::sdk {

struct RegisteredActivity;

// Any thread, but for what is said to be its own thread's.
class ActivityContext : public std::enable_shared_from_this<ActivityContext> {
 public:
  // `registered`: null where there is no such type. It and what follows, but for the
  // codec, is borrowed.
  ActivityContext(core::ActivityTask task, RegisteredActivity* registered, const Codec& codec,
                  const std::string& task_queue, core::Metrics& metrics,
                  const WorkerInterceptors& interceptors);
  // Throws std::logic_error on a thread that runs no activity, or one that has ended.
  static ActivityContext& current(const char* call);
  static ActivityContext* current_or_null();
  // From now on this thread runs that one, or none (null); returns what it ran before.
  static ActivityContext* enter(ActivityContext* context);

  const activity::Info& info();  // Its own thread, until share(). Made when it is asked for first.
  // In place of what the task's message says; before its code runs.
  void use(activity::Info info) { info_ = std::move(info); }
  // "activity charge_card (id 1, workflow order-17)"
  const std::string& owner() const { return owner_; }
  core::ActivityTask& task() { return task_; }
  RegisteredActivity* registered() const { return registered_; }
  const Codec& codec() const { return codec_; }
  core::Metrics& metrics() const { return metrics_; }
  // The first link of what the activity's calls go through; its own thread, until share(). Made
  // when it calls out for the first time.
  ActivityOutbound& outbound();

  void cancel(const core::ActivityCancellation& cancellation);
  activity::CancellationDetails cancellation();
  StopRequest& cancelled() { return cancelled_; }
  StopRequest& worker_shutdown() { return worker_shutdown_; }

  // Its own thread; from now on others may enter it.
  std::shared_ptr<ActivityContext> share();
  void end() { ended_.store(true); }  // Its code has returned.

  // The newest details again, or those of the attempt before.
  void repeat_heartbeat();

 private:
  class Reports;  // The last link.

  core::ActivityTask task_;
  RegisteredActivity* const registered_;
  const std::string& task_queue_;
  const CodecIn codec_;  // For the attempt's values.
  core::Metrics& metrics_;
  std::optional<activity::Info> info_;
  const std::string owner_;
  const WorkerInterceptors& interceptors_;
  std::unique_ptr<ActivityOutbound> reports_;
  std::optional<Chain<ActivityOutbound>> outbound_;
  std::atomic<bool> ended_ = false;
  StopRequest cancelled_, worker_shutdown_;
  absl::Mutex mutex_;
  activity::CancellationDetails details_ ABSL_GUARDED_BY(mutex_);
  std::optional<ProtoPayloads> heartbeat_ ABSL_GUARDED_BY(mutex_);  // The newest details, encoded.
};

LogFields log_fields(const activity::Info& info);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_ACTIVITY_CONTEXT_H_
