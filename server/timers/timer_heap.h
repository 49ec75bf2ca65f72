// TimerHeap, all deadlines of a server in one 4-ary heap. A Timer belongs to whoever waits (a run,
// a long poll) and knows its place, so that moving or cancelling it costs a sift. Loop thread.
#ifndef CHIMERA_SERVER_TIMERS_TIMER_HEAP_H_
#define CHIMERA_SERVER_TIMERS_TIMER_HEAP_H_

#include <cstdint>
#include <vector>

#include "absl/functional/any_invocable.h"

#include "core/base/clock.h"

namespace chimera::server {

class TimerHeap;

// Cancels itself when it dies. `fire` may reschedule or destroy it.
class Timer {
 public:
  explicit Timer(absl::AnyInvocable<void()> fire) : fire_(std::move(fire)) {}
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  friend class TimerHeap;
  absl::AnyInvocable<void()> fire_;
  TimerHeap* heap_ = nullptr;  // Null: not armed.
  std::size_t index_ = 0;
  base::WallTime at_{};
  std::uint64_t order_ = 0;  // Timers of one instant fire in the order in which they were armed.
};

class TimerHeap {
 public:
  TimerHeap() = default;
  TimerHeap(const TimerHeap&) = delete;
  TimerHeap& operator=(const TimerHeap&) = delete;
  ~TimerHeap();

  void arm(Timer& timer,
           base::WallTime at);  // Moves it if armed. At WallTime::max() it is disarmed.
  void disarm(Timer& timer);
  base::WallTime next() const;  // WallTime::max(): none.
  // Fires what is due at `now`; timers armed meanwhile wait for the next call.
  void fire_due(base::WallTime now);

 private:
  static bool before(const Timer* a, const Timer* b);
  void place(std::size_t index, Timer* timer);
  void sift_up(std::size_t index);
  void sift_down(std::size_t index);

  std::vector<Timer*> heap_;
  std::uint64_t order_ = 0;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_TIMERS_TIMER_HEAP_H_
