// Loop, the one thread that owns all state of a server. Others post; a turn runs what was posted
// and the due timers, then the hook that makes the turn's changes durable. A turn is short, and
// looks at the timers before each task, so that none waits for a crowd of calls. Its time may run
// ahead of the clock's: it skips what nobody needs, when it is told so. Where it is given
// an executor it has no thread: its turns are work of a strand. post(): any thread; the rest: loop
// thread.
#ifndef CHIMERA_SERVER_LOOP_LOOP_H_
#define CHIMERA_SERVER_LOOP_LOOP_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"

#include "core/base/clock.h"
#include "server/timers/timer_heap.h"

namespace chimera::base {
class Executor;
class Strand;
class Timers;
}  // namespace chimera::base

namespace chimera::server {

// Who runs a loop's turns in place of a thread of its own, and wakes it. Borrowed. For simulations:
// work and timers run on the one thread that also stops the loop.
struct LoopDriver {
  base::Executor* executor = nullptr;  // Null: the loop's own thread.
  base::Timers* timers = nullptr;      // Go by the loop's clock.
};

// What a loop's thread sleeps in where its work comes from there, as from a network. Borrowed.
class LoopSleeper {
 public:
  virtual ~LoopSleeper() = default;
  // Handles what has come; if that is nothing, waits for something, for wake(), or so long. The
  // loop's thread, on which it may post().
  virtual void wait(std::chrono::nanoseconds at_most) = 0;
  virtual void wake() = 0;  // Any thread. The next wait() returns at once if none is under way.
};

class Loop {
 public:
  using Task = absl::AnyInvocable<void()>;

  // A clock that is not the machine's may jump at any time, so the loop's thread then looks at it
  // every millisecond.
  Loop(base::Clock& clock, bool foreign_clock, LoopDriver driver = {})
      : clock_(clock), foreign_clock_(foreign_clock), driver_(driver) {}
  ~Loop() { stop(); }

  // `after_task` runs after every task and timer round, `after_turn` once per turn.
  void start(Task after_task, Task after_turn);
  void stop();  // Runs what was posted before, then joins. Not from the loop.
  // False when the loop has stopped: the task was dropped.
  bool post(Task task);

  // From start() to stop(); before start(). Has no effect where turns are work of an executor.
  void sleep_in(LoopSleeper* sleeper) { sleeper_ = sleeper; }
  // False: its turns are work of an executor.
  bool has_thread() const { return driver_.executor == nullptr; }
  // Deadlines by now(): of what the server has promised to do.
  TimerHeap& timers() { return timers_; }
  // Likewise, but time never skips to them: what may as well be done later.
  TimerHeap& chores() { return chores_; }
  // Deadlines by real_now(): of callers, who wait by clocks of their own.
  TimerHeap& patience() { return patience_; }
  base::WallTime now() const { return now_; }  // When this task began.
  base::WallTime real_now() const { return now_ - skipped_; }
  // A timer wants this thread soon: it should do nothing that may block it.
  bool timer_is_near() const {
    return strand_ == nullptr && sleeper_ == nullptr && next_deadline() < real_now() + kNear;
  }
  base::WallTime refresh() { return now_ = std::max(now_, clock_.now() + skipped_); }

  // now() is ahead of the clock by so much. Before start().
  void set_skipped(std::chrono::nanoseconds skipped) { skipped_ = skipped; }
  // Asked when there is nothing to do: whether the time until the next of timers() may be skipped.
  // Told how much then was skipped in all.
  void skip_when(absl::AnyInvocable<bool()> may_skip,
                 absl::AnyInvocable<void(std::chrono::nanoseconds)> skipped) {
    may_skip_ = std::move(may_skip);
    has_skipped_ = std::move(skipped);
  }

 private:
  static constexpr std::chrono::milliseconds kNear{20};

  void run();
  void turn();
  void turn_and_skip();
  bool skip();
  base::WallTime next_deadline() const;  // By the clock.
  void fire_timers();
  bool wait_for_work();  // False: stop.
  void sleep(std::unique_lock<std::mutex>& lock);
  void take_inbox();
  void run_on_strand();
  void wake_in_time();

  base::Clock& clock_;
  const bool foreign_clock_;
  Task after_task_, after_turn_;
  TimerHeap timers_, chores_, patience_;
  base::WallTime now_{};
  std::chrono::nanoseconds skipped_{};
  absl::AnyInvocable<bool()> may_skip_;
  absl::AnyInvocable<void(std::chrono::nanoseconds)> has_skipped_;
  std::deque<Task> tasks_;  // Taken from the inbox, not yet run. Loop thread.

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Task> inbox_;
  bool stopping_ = false;
  bool waiting_ = false;  // For a post() that wakes the thread, or begins a turn on the strand.
  std::thread thread_;
  std::thread::id thread_id_;       // Of thread_, once it runs.
  LoopSleeper* sleeper_ = nullptr;  // Null: wake_.

  const LoopDriver driver_;
  std::shared_ptr<base::Strand> strand_;            // Null: the thread.
  std::uint64_t wake_timer_ = 0;                    // For the heap's next deadline,
  base::WallTime wake_at_ = base::WallTime::max();  // which is this. On the strand.
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_LOOP_LOOP_H_
