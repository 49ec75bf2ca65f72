// FakeTimers, time that a test turns by hand, and FakeClock, which shows it. One thread.
#ifndef CHIMERA_TESTS_SUPPORT_FAKE_TIMERS_H_
#define CHIMERA_TESTS_SUPPORT_FAKE_TIMERS_H_

#include <map>
#include <optional>
#include <utility>

#include "core/base/timers.h"

namespace chimera::testing {

class FakeTimers : public base::Timers {
 public:
  base::TimerId after(std::chrono::nanoseconds delay, absl::AnyInvocable<void() &&> work) override {
    pending_.emplace(Key(now_ + delay, ++last_id_), std::move(work));
    return last_id_;
  }

  bool cancel(base::TimerId id) override {
    for (auto it = pending_.begin(); it != pending_.end(); ++it) {
      if (it->first.second != id) continue;
      pending_.erase(it);
      return true;
    }
    return false;
  }

  base::SteadyTime now() const override { return now_; }

  // Runs everything that is due until then, in order, also what that work adds.
  void advance(std::chrono::nanoseconds time) {
    base::SteadyTime end = now_ + time;
    while (!pending_.empty() && pending_.begin()->first.first <= end) run_next();
    now_ = end;
  }

  // Jumps to the next timer; nothing if there is none. Says how far the jump was.
  std::optional<std::chrono::nanoseconds> advance_to_next() {
    if (pending_.empty()) return std::nullopt;
    base::SteadyTime before = now_;
    run_next();
    return now_ - before;
  }

  std::size_t pending() const { return pending_.size(); }

 private:
  using Key = std::pair<base::SteadyTime, base::TimerId>;

  void run_next() {
    auto next = pending_.begin();
    now_ = std::max(now_, next->first.first);
    auto work = std::move(next->second);
    pending_.erase(next);
    std::move(work)();
  }

  base::SteadyTime now_{std::chrono::hours(1)};
  base::TimerId last_id_ = 0;
  std::map<Key, absl::AnyInvocable<void() &&>> pending_;
};

// Wall time that goes with the timers.
class FakeClock : public base::Clock {
 public:
  explicit FakeClock(const FakeTimers& timers) : timers_(timers) {}
  base::WallTime now() const override { return base::WallTime(timers_.now().time_since_epoch()); }
  base::SteadyTime steady() const override { return timers_.now(); }

 private:
  const FakeTimers& timers_;
};

}  // namespace chimera::testing

#endif  // CHIMERA_TESTS_SUPPORT_FAKE_TIMERS_H_
