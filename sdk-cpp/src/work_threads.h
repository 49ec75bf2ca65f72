// WorkThreads, threads that each do one piece of work at a time, with user code in it: as many as
// there is work at once, up to a bound. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_WORK_THREADS_H_
#define CHIMERA_SDK_CPP_SRC_WORK_THREADS_H_

#include <algorithm>
#include <deque>
#include <functional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

#include "core/telemetry/log.h"
#include "sdk-cpp/src/crash_report.h"

namespace chimera::sdk {

template <class Work>
class WorkThreads {
 public:
  // `what` is for messages to people: "activities".
  WorkThreads(const char* what, int most, std::function<void(const Work&)> run)
      : what_(what), most_(static_cast<std::size_t>(std::max(most, 1))), run_(std::move(run)) {}
  ~WorkThreads() {  // After all that was added.
    std::vector<std::thread> threads;
    {
      const absl::MutexLock lock(&mutex_);
      stopping_ = true;
      threads.swap(threads_);
      changed_.SignalAll();
    }
    for (std::thread& thread : threads) thread.join();
  }
  WorkThreads(const WorkThreads&) = delete;
  WorkThreads& operator=(const WorkThreads&) = delete;

  void add(Work work) {
    const absl::MutexLock lock(&mutex_);
    waiting_.push_back(std::move(work));
    if (waiting_.size() > idle_ && threads_.size() < most_) {
      try {
        threads_.emplace_back([this] { loop(); });
      } catch (const std::system_error& error) {
        // Where the machine gives no more, those that there are take it in turn.
        if (threads_.empty()) throw;
        core::log(core::LogLevel::kWarn, "worker",
                  absl::StrCat(what_, " wait for ", threads_.size(),
                               " threads: the machine gives no more (", error.what(), ")"));
      }
    }
    changed_.Signal();
  }

 private:
  void loop() {
    prepare_crash_report();
    for (;;) {
      Work work;
      {
        const absl::MutexLock lock(&mutex_);
        ++idle_;
        while (!stopping_ && waiting_.empty()) changed_.Wait(&mutex_);
        --idle_;
        if (waiting_.empty()) return;
        work = std::move(waiting_.front());
        waiting_.pop_front();
      }
      run_(work);
    }
  }

  const char* const what_;
  const std::size_t most_;
  const std::function<void(const Work&)> run_;
  absl::Mutex mutex_;
  absl::CondVar changed_ ABSL_GUARDED_BY(mutex_);
  std::deque<Work> waiting_ ABSL_GUARDED_BY(mutex_);
  std::size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_WORK_THREADS_H_
