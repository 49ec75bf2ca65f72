// CppActivityLanguage, the C++ activities of one worker, on threads of its own (work_threads.h).
// Those that have proved quick run on the thread that starts them, where it allows that: waking
// another one takes longer.
#ifndef CHIMERA_SDK_CPP_SRC_ACTIVITY_POOL_H_
#define CHIMERA_SDK_CPP_SRC_ACTIVITY_POOL_H_

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

#include "core/base/timers.h"
#include "core/language/activity_language.h"
#include "core/telemetry/metrics.h"
#include "sdk-cpp/src/activity_context.h"
#include "sdk-cpp/src/activity_rate.h"
#include "sdk-cpp/src/interceptors.h"
#include "sdk-cpp/src/payload_access.h"
#include "sdk-cpp/src/work_threads.h"

namespace chimera::sdk {

// Of one activity type: whether its code ends at once, by how long it took lately. Any thread.
class Pace {
 public:
  bool quick() const { return credit_.load(std::memory_order_relaxed) >= kProved; }
  void took(std::chrono::nanoseconds time);

 private:
  // A quick run earns one, up to a bound; others cost.
  static constexpr int kProved = 3, kMost = 150, kSlowCosts = 100, kNotQuickCosts = 50;
  std::atomic<int> credit_{0};
};

struct RegisteredActivity {
  explicit RegisteredActivity(detail::ActivityType registered) : type(std::move(registered)) {}
  const detail::ActivityType type;
  Pace pace;
  std::optional<ActivityRate> rate;
};

// Any thread. Destroyed only when no activity runs any more.
class CppActivityLanguage final : public core::ActivityLanguage {
 public:
  CppActivityLanguage(Codec codec, int threads_max);
  // Before the worker runs:
  void add(const detail::ActivityType& type) { types_.try_emplace(type.name, type); }
  // Of an added one: so many begin in a second.
  void limit(const std::string& type, double per_second) {
    types_.at(type).rate.emplace(per_second);
  }
  void set_task_queue(std::string task_queue) { task_queue_ = std::move(task_queue); }
  void set_metrics(core::Metrics& metrics) { metrics_ = &metrics; }
  void intercept(WorkerInterceptors interceptors) { interceptors_ = std::move(interceptors); }

  std::string name() const override { return "C++"; }
  void start(core::ActivityTask task) override;
  void cancel(const std::string& task_token,
              const core::ActivityCancellation& cancellation) override;
  void begin_shutdown() override;

 private:
  bool wait_for_turn(const std::shared_ptr<ActivityContext>& context, ActivityRate& rate);
  void note(const std::shared_ptr<ActivityContext>& context);
  void enqueue(std::shared_ptr<ActivityContext> context);
  void run(ActivityContext& context);
  core::ActivityResult execute(ActivityContext& context);
  core::ActivityResult attempt(ActivityContext& context);

  const Codec codec_;
  std::string task_queue_;  // The worker's; tasks do not say.
  core::Metrics* metrics_ = &core::process_metrics();
  WorkerInterceptors interceptors_;
  std::map<std::string, RegisteredActivity> types_;
  // Shared with the thread that runs it, so that a cancellation finds it or not, but never half
  // gone.
  absl::Mutex running_mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<ActivityContext>> running_
      ABSL_GUARDED_BY(running_mutex_);
  absl::flat_hash_map<std::string, base::TimerId> turns_
      ABSL_GUARDED_BY(running_mutex_);  // Of those that their rate lets wait.
  bool shutting_down_ ABSL_GUARDED_BY(running_mutex_) = false;
  WorkThreads<std::shared_ptr<ActivityContext>> threads_;  // Last: they use the others.
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_ACTIVITY_POOL_H_
