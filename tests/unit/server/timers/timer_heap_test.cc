#include "server/timers/timer_heap.h"

#include <deque>

#include <gtest/gtest.h>

namespace chimera::server {
namespace {

base::WallTime at(int ms) { return base::WallTime{std::chrono::milliseconds{ms}}; }

TEST(TimerHeapTest, FiresInTheOrderOfTimesThenOfArming) {
  TimerHeap heap;
  std::string fired;
  Timer a([&] { fired += 'a'; }), b([&] { fired += 'b'; }), c([&] { fired += 'c'; });
  heap.arm(a, at(20));
  heap.arm(b, at(10));
  heap.arm(c, at(10));

  heap.fire_due(at(20));

  EXPECT_EQ(fired, "bca");
  EXPECT_EQ(heap.next(), base::WallTime::max());
}

TEST(TimerHeapTest, AMovedTimerFiresOnceAtItsNewTime) {
  TimerHeap heap;
  int fired = 0;
  Timer timer([&] { ++fired; });
  heap.arm(timer, at(10));
  heap.arm(timer, at(30));

  heap.fire_due(at(20));

  EXPECT_EQ(fired, 0);
  heap.fire_due(at(30));
  EXPECT_EQ(fired, 1);
}

TEST(TimerHeapTest, ATimerIsArmedInOneHeapAtATime) {
  TimerHeap heap, other;
  int fired = 0, before_it = 0;
  Timer before([&] { ++before_it; }), timer([&] { ++fired; });
  heap.arm(before, at(5));
  heap.arm(timer, at(10));
  other.arm(timer, at(10));

  heap.fire_due(at(10));
  EXPECT_EQ(fired, 0);
  EXPECT_EQ(before_it, 1);
  other.fire_due(at(10));
  EXPECT_EQ(fired, 1);
}

TEST(TimerHeapTest, ADeadTimerLeavesTheHeapInOrder) {
  TimerHeap heap;
  std::string fired;
  std::deque<Timer> timers;
  for (int i = 0; i < 40; ++i) {
    timers.emplace_back([&fired, i] { fired += static_cast<char>('0' + i); });
    heap.arm(timers.back(), at(40 - i));
  }
  timers.pop_front();
  timers.pop_back();

  heap.fire_due(at(100));

  EXPECT_EQ(fired.size(), 38u);
  EXPECT_TRUE(std::is_sorted(fired.rbegin(), fired.rend()));
}

}  // namespace
}  // namespace chimera::server
