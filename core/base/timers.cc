#include "core/base/timers.h"

#include <algorithm>

#include "absl/time/time.h"

namespace chimera::base {

TimerThread::~TimerThread() {
  std::thread thread;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.Signal();
    thread.swap(thread_);
  }
  if (thread.joinable()) thread.join();
}

TimerId TimerThread::after(std::chrono::nanoseconds delay, absl::AnyInvocable<void() &&> work) {
  SteadyTime due = now() + std::max(delay, std::chrono::nanoseconds::zero());
  absl::MutexLock lock(&mutex_);
  TimerId id = ++last_id_;
  due_.emplace(id, due);
  auto place = pending_.emplace(Key(due, id), std::move(work)).first;
  if (!thread_.joinable() && !stopping_) thread_ = std::thread([this] { loop(); });
  if (place == pending_.begin()) changed_.Signal();
  return id;
}

bool TimerThread::cancel(TimerId id) {
  absl::AnyInvocable<void() &&> dropped;  // Destroyed without the lock: it may own anything.
  absl::MutexLock lock(&mutex_);
  auto found = due_.find(id);
  if (found == due_.end()) return false;
  auto entry = pending_.find(Key(found->second, id));
  dropped = std::move(entry->second);
  pending_.erase(entry);
  due_.erase(found);
  return true;
}

void TimerThread::loop() {
  mutex_.Lock();
  while (!stopping_) {
    if (pending_.empty()) {
      changed_.Wait(&mutex_);
      continue;
    }
    auto next = pending_.begin();
    auto wait = next->first.first - now();
    if (wait > std::chrono::nanoseconds::zero()) {
      changed_.WaitWithTimeout(&mutex_, absl::FromChrono(wait));
      continue;
    }
    absl::AnyInvocable<void() &&> work = std::move(next->second);
    due_.erase(next->first.second);
    pending_.erase(next);
    mutex_.Unlock();
    std::move(work)();
    work = nullptr;
    mutex_.Lock();
  }
  mutex_.Unlock();
}

Timers& system_timers() {
  static TimerThread& timers = *new TimerThread;
  return timers;
}

}  // namespace chimera::base
