#include "core/base/executor.h"

#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

namespace chimera::base {
namespace {

TEST(ThreadExecutorTest, AStrandRunsItsWorkInOrderOnItsOwnThread) {
  std::vector<int> order;
  pthread_t runs_on{};
  auto strand = thread_executor().strand();

  for (int i = 0; i < 100; ++i) strand->post([&, i] { order.push_back(i); });
  strand->post([&] { runs_on = pthread_self(); });
  strand->stop();

  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  EXPECT_FALSE(pthread_equal(runs_on, pthread_self()));
}

TEST(ThreadExecutorTest, WhatFollowsWorkSeesIt) {
  int done = 0, seen = 0;
  absl::Notification followed;
  auto strand = thread_executor().strand([&] {
    seen = done;
    if (seen == 1 && !followed.HasBeenNotified()) followed.Notify();
    return Strand::Next::kWait;
  });

  strand->post([&] { done = 1; });

  followed.WaitForNotification();
  strand->stop();
  EXPECT_EQ(seen, 1);
}

TEST(ThreadExecutorTest, WhatHasMoreToDoRunsAgain) {
  int left = 3;
  absl::Notification done;
  auto strand = thread_executor().strand([&] {
    if (--left > 0) return Strand::Next::kAgain;
    if (left == 0) done.Notify();
    return Strand::Next::kWait;
  });

  strand->post([] {});

  done.WaitForNotification();
  strand->stop();
}

// Nothing is posted meanwhile: the stand-in must ask by itself what is left.
TEST(ThreadExecutorTest, WhatWaitsBehindWhatLastsGoesOn) {
  absl::Notification end, went_on, left;
  std::atomic<int> turn{-1};
  Strand* own = nullptr;
  auto strand = thread_executor().strand([&] {
    if (turn < 0) return Strand::Next::kWait;  // Nothing was posted yet.
    if (turn++ > 0) {
      if (!went_on.HasBeenNotified()) went_on.Notify();
      return Strand::Next::kWait;
    }
    if (own->aside([&] { end.WaitForNotification(); })) return Strand::Next::kAgain;
    left.Notify();
    return Strand::Next::kLeave;
  });
  own = strand.get();
  strand->post([&] { turn = 0; });

  EXPECT_TRUE(went_on.WaitForNotificationWithTimeout(absl::Seconds(20)));
  end.Notify();
  left.WaitForNotification();
  strand->stop();
}

TEST(ThreadExecutorTest, WhatLastsDoesNotHoldTheStrand) {
  absl::Notification entered, end, left;
  bool owned = true, once = false;
  Strand* own = nullptr;
  auto strand = thread_executor().strand([&] {
    if (std::exchange(once, true)) return Strand::Next::kWait;
    const bool still = own->aside([&] {
      entered.Notify();
      end.WaitForNotification();
    });
    if (still) return Strand::Next::kWait;
    owned = false;
    left.Notify();
    return Strand::Next::kLeave;
  });
  own = strand.get();
  strand->post([] {});
  entered.WaitForNotification();

  absl::Notification went_on;
  strand->post([&] { went_on.Notify(); });  // While it lasts.
  went_on.WaitForNotification();
  end.Notify();
  left.WaitForNotification();
  strand->stop();

  EXPECT_FALSE(owned);
}

TEST(ThreadExecutorTest, WhatComesAfterTheStopNeverRuns) {
  auto strand = thread_executor().strand();
  strand->stop();
  bool ran = false;

  strand->post([&] { ran = true; });
  strand.reset();

  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace chimera::base
