#include "server/engine/loop.h"

#include <utility>

namespace chimera::server {

void Loop::start(Task after_task, Task after_turn) {
  after_task_ = std::move(after_task);
  after_turn_ = std::move(after_turn);
  thread_ = std::thread([this] { run(); });
}

void Loop::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool Loop::post(Task task) {
  bool wake;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return false;
    inbox_.push_back(std::move(task));
    wake = waiting_;
  }
  if (wake) wake_.notify_one();
  return true;
}

bool Loop::wait_for_work(std::vector<Task>& tasks) {
  std::unique_lock lock(mutex_);
  if (inbox_.empty() && !stopping_) {
    waiting_ = true;
    const base::WallTime next = timers_.next();
    if (next == base::WallTime::max()) {
      wake_.wait(lock, [this] { return !inbox_.empty() || stopping_; });
    } else {
      std::chrono::nanoseconds delay = std::max(next - clock_.now(), std::chrono::nanoseconds{0});
      delay = std::min<std::chrono::nanoseconds>(delay, std::chrono::hours{1});
      if (foreign_clock_)
        delay = std::min<std::chrono::nanoseconds>(delay, std::chrono::milliseconds{1});
      wake_.wait_for(lock, delay, [this] { return !inbox_.empty() || stopping_; });
    }
    waiting_ = false;
  }
  tasks.swap(inbox_);
  return !(stopping_ && tasks.empty());
}

void Loop::run() {
  std::vector<Task> tasks;
  while (wait_for_work(tasks)) {
    turn(tasks);
    tasks.clear();
  }
}

void Loop::turn(std::vector<Task>& tasks) {
  refresh();
  timers_.fire_due(now_);
  after_task_();
  for (Task& task : tasks) {
    task();
    after_task_();
  }
  after_turn_();
}

}  // namespace chimera::server
