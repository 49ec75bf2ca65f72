// Alarms, times at which someone wants to be asked, over one timer: most are taken back long before
// they would ring. One lane's; lane thread only.
#ifndef CHIMERA_CORE_WORKFLOW_ALARMS_H_
#define CHIMERA_CORE_WORKFLOW_ALARMS_H_

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "absl/functional/any_invocable.h"

#include "core/base/clock.h"

namespace chimera::core {

template <class Who>
class Alarms {
 public:
  class Alarm;
  // Runs work after a time, on this thread, if the alarms are still there.
  using After = std::function<void(std::chrono::nanoseconds, absl::AnyInvocable<void() &&>)>;

  Alarms(base::Clock& clock, After after, std::function<void(const Who&)> ring)
      : clock_(clock), after_(std::move(after)), ring_(std::move(ring)) {}

  // In place of when it was set to, if it was. The alarm must stay where it is until it has rung or
  // was dropped.
  void set(Alarm& alarm, base::SteadyTime at, Who who) {
    drop(alarm);
    alarm.place_ = set_.emplace(at, std::pair(std::move(who), &alarm));
    set_timer();
  }
  void drop(Alarm& alarm) {
    if (alarm.place_) set_.erase(*std::exchange(alarm.place_, std::nullopt));
  }

 private:
  using Set = std::multimap<base::SteadyTime, std::pair<Who, Alarm*>>;

  void set_timer() {
    if (set_.empty()) return;
    const base::SteadyTime first = set_.begin()->first;
    if (next_ && *next_ <= first) return;
    next_ = first;
    after_(first - clock_.steady(), [this] { ring_due(); });
  }

  void ring_due() {
    const base::SteadyTime now = clock_.steady();
    if (next_ && *next_ <= now) next_.reset();
    while (!set_.empty() && set_.begin()->first <= now) {
      const auto [who, alarm] = set_.begin()->second;
      drop(*alarm);
      ring_(who);
    }
    set_timer();
  }

  base::Clock& clock_;
  const After after_;
  const std::function<void(const Who&)> ring_;
  Set set_;
  std::optional<base::SteadyTime> next_;  // When the next timer comes.
};

template <class Who>
class Alarms<Who>::Alarm {
 private:
  friend class Alarms;
  std::optional<typename Set::iterator> place_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_ALARMS_H_
