#include "core/base/relieved_thread.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/base/check.h"

namespace chimera::base {

// Shared with the timer, which may come when the owner has gone.
class RelievedThread::State : public std::enable_shared_from_this<State> {
 public:
  State(Timers& timers, std::function<void()> loop) : timers_(timers), loop_(std::move(loop)) {}

  void start_thread() {
    absl::MutexLock lock(&mutex_);
    start_locked();
  }

  void join() {
    std::vector<std::thread> threads;
    {
      absl::MutexLock lock(&mutex_);
      if (timer_ != 0) timers_.cancel(std::exchange(timer_, 0));
      joined_ = true;
      threads.swap(threads_);
    }
    for (std::thread& thread : threads) thread.join();
  }

  bool done() const {
    absl::MutexLock lock(&mutex_);
    return threads_.empty();
  }

  bool aside(absl::FunctionRef<void()> work, absl::AnyInvocable<void() &&> relieved) {
    {
      absl::MutexLock lock(&mutex_);
      relieved_ = std::move(relieved);
    }
    // Odd while something runs aside; each time has a number of its own.
    std::uint64_t mine = turn_.fetch_add(1) + 1;
    if (!watched_.exchange(true)) watch();
    work();
    return turn_.compare_exchange_strong(mine, mine + 1);
  }

  std::thread::native_handle_type native_handle() const {
    return handle_.load(std::memory_order_relaxed);
  }

 private:
  void start_locked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    // Those that have left the loop and do nothing more, so that they do not add up.
    for (const std::thread::id id : std::exchange(left_, {})) {
      const auto gone = std::find_if(threads_.begin(), threads_.end(),
                                     [id](const std::thread& one) { return one.get_id() == id; });
      gone->join();
      threads_.erase(gone);
    }
    threads_.emplace_back([this] {
      handle_.store(pthread_self(), std::memory_order_relaxed);
      loop_();
      absl::MutexLock lock(&mutex_);
      left_.push_back(std::this_thread::get_id());
    });
  }

  // Looks again in a while; one timer serves all that runs aside meanwhile.
  void watch() {
    absl::MutexLock lock(&mutex_);
    if (joined_) return;
    timer_ = timers_.after(kPatience, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->look();
    });
  }

  // The timers' thread.
  void look() {
    std::uint64_t now = turn_.load();
    if (now != seen_) {
      seen_ = now;
      return watch();
    }
    if (now % 2 == 0) {
      watched_.store(false);
      // One that began just now has found itself watched.
      if (turn_.load() != now && !watched_.exchange(true)) watch();
      return;
    }
    absl::AnyInvocable<void() &&> relieved;
    {
      absl::MutexLock lock(&mutex_);
      if (joined_) return;
      if (turn_.compare_exchange_strong(now, now + 1)) {
        relieved = std::move(relieved_);
        start_locked();
      }
    }
    if (relieved) std::move(relieved)();
    seen_ = turn_.load();
    watch();
  }

  Timers& timers_;
  const std::function<void()> loop_;
  std::atomic<std::uint64_t> turn_{0};
  std::atomic<bool> watched_{false};
  std::uint64_t seen_ = 0;  // The timers' thread only.
  std::atomic<std::thread::native_handle_type> handle_{};
  mutable absl::Mutex mutex_;
  TimerId timer_ ABSL_GUARDED_BY(mutex_) = 0;
  // Of what runs aside, or ran last.
  absl::AnyInvocable<void() &&> relieved_ ABSL_GUARDED_BY(mutex_);
  bool joined_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread::id> left_ ABSL_GUARDED_BY(mutex_);
};

RelievedThread::RelievedThread(Timers& timers, std::function<void()> loop)
    : state_(std::make_shared<State>(timers, std::move(loop))) {}

RelievedThread::~RelievedThread() {
  CHIMERA_CHECK(state_->done(), "a thread that runs its loop still");
}

void RelievedThread::start() { state_->start_thread(); }
void RelievedThread::join() { state_->join(); }
bool RelievedThread::aside(absl::FunctionRef<void()> work, absl::AnyInvocable<void() &&> relieved) {
  return state_->aside(work, std::move(relieved));
}
std::thread::native_handle_type RelievedThread::native_handle() const {
  return state_->native_handle();
}

}  // namespace chimera::base
