// CallThreads, blocking calls that run beside their caller: up to kThreads at once, on threads that
// come when they are needed and go when they are not. Shared by its owner and its threads, which
// nobody waits for: a call may be the last to hold the owner. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_CALL_THREADS_H_
#define CHIMERA_SDK_CPP_SRC_CALL_THREADS_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace chimera::sdk {

class CallThreads : public std::enable_shared_from_this<CallThreads> {
 public:
  static constexpr int kThreads = 32;
  static constexpr std::size_t kMostWaiting = 512;

  // Waits while too many others do. The call must not throw.
  void run(std::function<void()> call);

 private:
  void work();
  bool has_room() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return waiting_.size() < kMostWaiting;
  }
  bool has_work() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !waiting_.empty(); }

  absl::Mutex mutex_;
  std::deque<std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
  int threads_ ABSL_GUARDED_BY(mutex_) = 0, idle_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_CALL_THREADS_H_
