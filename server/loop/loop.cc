#include "server/loop/loop.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/executor.h"
#include "core/base/timers.h"
#include "server/timers/prompt_thread.h"

namespace chimera::server {
namespace {

// The answers of a turn's calls are sent at its end, in memory mode on this thread; with them a
// turn takes about twice this long.
constexpr std::chrono::microseconds kTurnMax{300};
constexpr std::chrono::hours kLongestSleep{1};
constexpr std::chrono::milliseconds kLookAtForeignClock{1};

}  // namespace

void Loop::start(Task after_task, Task after_turn) {
  after_task_ = std::move(after_task);
  after_turn_ = std::move(after_turn);
  if (driver_.executor != nullptr) {
    waiting_ = true;
    strand_ = driver_.executor->strand();
    strand_->post([this] { run_on_strand(); });  // Sets the first wake-up.
    return;
  }
  thread_ = std::thread([this] { run(); });
}

void Loop::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    if (sleeper_ != nullptr) sleeper_->wake();
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  sleeper_ = nullptr;
  if (strand_ == nullptr) return;
  strand_->stop();
  for (take_inbox(); !tasks_.empty();) turn();
  driver_.timers->cancel(std::exchange(wake_timer_, 0));
  strand_ = nullptr;
}

bool Loop::post(Task task) {
  bool asleep;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return false;
    inbox_.push_back(std::move(task));
    asleep = waiting_ && std::this_thread::get_id() != thread_id_;
    if (strand_ != nullptr) waiting_ = false;
    if (asleep && sleeper_ != nullptr) sleeper_->wake();  // It may be gone once this has stopped.
  }
  if (!asleep) return true;
  if (strand_ != nullptr) {
    strand_->post([this] { run_on_strand(); });
  } else {
    wake_.notify_one();
  }
  return true;
}

void Loop::take_inbox() {
  std::lock_guard lock(mutex_);
  waiting_ = true;
  std::move(inbox_.begin(), inbox_.end(), std::back_inserter(tasks_));
  inbox_.clear();
}

void Loop::run_on_strand() {
  take_inbox();
  turn_and_skip();
  while (!tasks_.empty()) turn_and_skip();
  wake_in_time();
}

void Loop::wake_in_time() {
  if (next_deadline() == wake_at_) return;
  if (wake_timer_ != 0) driver_.timers->cancel(std::exchange(wake_timer_, 0));
  wake_at_ = next_deadline();
  if (wake_at_ == base::WallTime::max()) return;
  wake_timer_ = driver_.timers->after(wake_at_ - clock_.now(), [this] {
    wake_timer_ = 0;
    wake_at_ = base::WallTime::max();
    post([] {});
  });
}

void Loop::sleep(std::unique_lock<std::mutex>& lock) {
  const bool idle = tasks_.empty() && inbox_.empty() && !stopping_;
  std::chrono::nanoseconds delay{};
  if (idle) {
    const base::WallTime next = next_deadline();
    delay = next == base::WallTime::max()
                ? std::chrono::nanoseconds::max()
                : std::clamp<std::chrono::nanoseconds>(next - clock_.now(), {}, kLongestSleep);
    if (foreign_clock_ && next != base::WallTime::max())
      delay = std::min<std::chrono::nanoseconds>(delay, kLookAtForeignClock);
  }
  waiting_ = idle;
  if (sleeper_ != nullptr) {
    lock.unlock();
    sleeper_->wait(delay);
    lock.lock();
  } else if (delay == std::chrono::nanoseconds::max()) {
    wake_.wait(lock, [this] { return !inbox_.empty() || stopping_; });
  } else if (idle) {
    wake_.wait_for(lock, delay, [this] { return !inbox_.empty() || stopping_; });
  }
  waiting_ = false;
}

bool Loop::wait_for_work() {
  std::unique_lock lock(mutex_);
  sleep(lock);
  std::move(inbox_.begin(), inbox_.end(), std::back_inserter(tasks_));
  inbox_.clear();
  return !(stopping_ && tasks_.empty());
}

void Loop::run() {
  be_woken_promptly();
  {
    std::lock_guard lock(mutex_);
    thread_id_ = std::this_thread::get_id();
  }
  while (wait_for_work()) turn_and_skip();
}

base::WallTime Loop::next_deadline() const {
  const base::WallTime next = std::min(timers_.next(), chores_.next());
  const base::WallTime by_clock = next == base::WallTime::max() ? next : next - skipped_;
  return std::min(by_clock, patience_.next());
}

// True: the next of the timers is due now.
bool Loop::skip() {
  const base::WallTime next = timers_.next();
  if (!may_skip_ || !tasks_.empty() || next == base::WallTime::max()) return false;
  {
    std::lock_guard lock(mutex_);
    if (!inbox_.empty() || stopping_) return false;
  }
  if (!may_skip_()) return false;
  if (next > refresh()) {
    skipped_ += next - now_;
    has_skipped_(skipped_);
  }
  return true;
}

void Loop::turn_and_skip() {
  do {
    turn();
  } while (skip());
}

void Loop::fire_timers() {
  refresh();
  const base::WallTime next = std::min(timers_.next(), chores_.next());
  if (next > now_ && patience_.next() > real_now()) return;
  timers_.fire_due(now_);
  chores_.fire_due(now_);
  patience_.fire_due(real_now());
  after_task_();
}

void Loop::turn() {
  fire_timers();
  const auto enough = clock_.steady() + kTurnMax;
  while (!tasks_.empty()) {
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    task();
    task = nullptr;
    after_task_();
    if (clock_.steady() > enough) break;  // Answers go out at the turn's end.
    fire_timers();
  }
  after_turn_();
}

}  // namespace chimera::server
