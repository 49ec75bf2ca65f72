#include "core/base/executor.h"

#include <vector>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

namespace chimera::base {
namespace {

TEST(ThreadExecutorTest, AStrandRunsItsWorkInOrderOnItsOwnThread) {
  std::vector<int> order;
  pthread_t runs_on{};
  auto strand = thread_executor().strand([] {});

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
  });

  strand->post([&] { done = 1; });

  followed.WaitForNotification();
  strand->stop();
  EXPECT_EQ(seen, 1);
}

TEST(ThreadExecutorTest, WhatComesAfterTheStopNeverRuns) {
  auto strand = thread_executor().strand([] {});
  strand->stop();
  bool ran = false;

  strand->post([&] { ran = true; });
  strand.reset();

  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace chimera::base
