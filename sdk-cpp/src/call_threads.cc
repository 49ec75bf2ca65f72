#include "sdk-cpp/src/call_threads.h"

#include <thread>
#include <utility>

#include "absl/time/time.h"

namespace chimera::sdk {

void CallThreads::run(std::function<void()> call) {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &CallThreads::has_room));
  waiting_.push_back(std::move(call));
  if (static_cast<std::size_t>(idle_) >= waiting_.size() || threads_ == kThreads) return;
  ++threads_;
  std::thread([self = shared_from_this()] { self->work(); }).detach();
}

void CallThreads::work() {
  constexpr absl::Duration kIdle = absl::Seconds(1);
  for (;;) {
    std::function<void()> call;
    {
      absl::MutexLock lock(&mutex_);
      ++idle_;
      const bool found =
          mutex_.AwaitWithTimeout(absl::Condition(this, &CallThreads::has_work), kIdle);
      --idle_;
      if (!found) {
        --threads_;
        return;
      }
      call = std::move(waiting_.front());
      waiting_.pop_front();
    }
    call();
  }
}

}  // namespace chimera::sdk
