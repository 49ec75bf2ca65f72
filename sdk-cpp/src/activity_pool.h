// CppActivityLanguage, the C++ activities of one worker: a pool of threads that grows to the
// worker's number of slots. Those that have proved quick run on the thread that starts them, where
// it allows that: waking another one takes longer.
#ifndef CHIMERA_SDK_CPP_SRC_ACTIVITY_POOL_H_
#define CHIMERA_SDK_CPP_SRC_ACTIVITY_POOL_H_

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

#include "chimera/activity.h"
#include "core/language/activity_language.h"
#include "core/telemetry/metrics.h"
#include "sdk-cpp/src/interceptors.h"
#include "sdk-cpp/src/payload_access.h"

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
};

// A running activity. Its thread reads; the worker's threads set the cancellation.
class ActivityContext {
 public:
  // `registered`: null where there is no such type. It and what follows is borrowed.
  ActivityContext(core::ActivityTask task, RegisteredActivity* registered, const Codec& codec,
                  const std::string& task_queue, core::Metrics& metrics,
                  const WorkerInterceptors& interceptors);
  static ActivityContext& current(
      const char* call);  // Throws std::logic_error outside an activity.
  // From now on this thread runs that one, or none (null); returns what it ran before.
  static ActivityContext* enter(ActivityContext* context);

  const activity::Info& info();  // On its own thread. Made when it is asked for first.
  // In place of what the task's message says; before its code runs.
  void use(activity::Info info) { info_ = std::move(info); }
  const std::string& owner() const {
    return owner_;
  }  // "activity charge_card (id 1, workflow order-17)"
  core::ActivityTask& task() { return task_; }
  RegisteredActivity* registered() const { return registered_; }
  const Codec& codec() const { return codec_; }
  core::Metrics& metrics() const { return metrics_; }
  // The first link of what the activity's calls go through; on its own thread. Made when it calls
  // out for the first time.
  ActivityOutbound& outbound();
  void cancel(const core::ActivityCancellation& cancellation);
  activity::CancellationDetails cancellation();
  bool wait_for_cancelled(Duration timeout);  // Zero: only looks.

 private:
  class Reports;  // The last link.

  core::ActivityTask task_;
  RegisteredActivity* const registered_;
  const Codec& codec_;
  core::Metrics& metrics_;
  const std::string& task_queue_;
  std::optional<activity::Info> info_;
  const std::string owner_;
  const WorkerInterceptors& interceptors_;
  std::unique_ptr<ActivityOutbound> reports_;
  std::optional<Chain<ActivityOutbound>> outbound_;
  absl::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  activity::CancellationDetails details_ ABSL_GUARDED_BY(mutex_);
};

// Any thread. Destroyed only when no activity runs any more.
class CppActivityLanguage final : public core::ActivityLanguage {
 public:
  CppActivityLanguage(Codec codec, int threads_max);
  ~CppActivityLanguage() override;
  // Before the worker runs:
  void add(const detail::ActivityType& type) { types_.try_emplace(type.name, type); }
  void set_task_queue(std::string task_queue) { task_queue_ = std::move(task_queue); }
  void set_metrics(core::Metrics& metrics) { metrics_ = &metrics; }
  void intercept(WorkerInterceptors interceptors) { interceptors_ = std::move(interceptors); }

  std::string name() const override { return "C++"; }
  void start(core::ActivityTask task) override;
  void cancel(const std::string& task_token,
              const core::ActivityCancellation& cancellation) override;

 private:
  void work();
  void note(const std::shared_ptr<ActivityContext>& context);
  void enqueue(std::shared_ptr<ActivityContext> context);
  void run(ActivityContext& context);
  core::ActivityResult execute(ActivityContext& context);
  core::ActivityResult attempt(ActivityContext& context);

  const Codec codec_;
  const std::size_t threads_max_;
  std::string task_queue_;  // The worker's; tasks do not say.
  core::Metrics* metrics_ = &core::process_metrics();
  WorkerInterceptors interceptors_;
  std::map<std::string, RegisteredActivity> types_;
  // Shared with the thread that runs it, so that a cancellation finds it or not, but never half
  // gone.
  absl::Mutex running_mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<ActivityContext>> running_
      ABSL_GUARDED_BY(running_mutex_);
  absl::Mutex mutex_;
  absl::CondVar changed_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::shared_ptr<ActivityContext>> waiting_ ABSL_GUARDED_BY(mutex_);
  std::size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_ACTIVITY_POOL_H_
