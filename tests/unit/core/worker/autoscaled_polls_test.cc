#include "core/worker/autoscaled_polls.h"

#include <gtest/gtest.h>

#include "tests/support/fake_timers.h"

namespace chimera::core {
namespace {

using std::chrono::milliseconds;

class AutoscaledPollsTest : public ::testing::Test {
 protected:
  AutoscaledPolls polls(bool server_advises = false) {
    return {{.minimum = 2, .maximum = 20, .initial = 5}, clock_, server_advises};
  }
  static PollResult task(std::optional<int> advice = {}) { return {true, advice}; }
  static PollResult nothing(std::optional<int> advice = {}) { return {false, advice}; }

  testing::FakeTimers timers_;
  testing::FakeClock clock_{timers_};
};

TEST_F(AutoscaledPollsTest, BeginsWithTheInitialNumberAndHasRoomForAll) {
  AutoscaledPolls polls = this->polls();
  EXPECT_EQ(polls.target(), 5);
  EXPECT_EQ(polls.polls(), 20);
}

TEST_F(AutoscaledPollsTest, FollowsAdviceWithinItsLimits) {
  AutoscaledPolls polls = this->polls();
  polls.ended(task(3));
  EXPECT_EQ(polls.target(), 8);
  polls.ended(task(100));
  EXPECT_EQ(polls.target(), 20);
  polls.ended(task(-4));
  EXPECT_EQ(polls.target(), 16);
  polls.ended(nothing(-100));
  EXPECT_EQ(polls.target(), 2);
}

TEST_F(AutoscaledPollsTest, TakesMoreOnlyWhileMoreTasksComeThanBefore) {
  AutoscaledPolls polls = this->polls();
  for (int i = 0; i < 10; ++i) polls.ended(task());
  timers_.advance(milliseconds(100));
  for (int i = 0; i < 10; ++i) polls.ended(task(1));  // Ten again is not a tenth more.
  EXPECT_EQ(polls.target(), 5);
  polls.ended(task(1));
  EXPECT_EQ(polls.target(), 6);
}

TEST_F(AutoscaledPollsTest, AnEmptyPollIsOneTooManyWhereTheServerAdvises) {
  AutoscaledPolls unadvised = polls();
  unadvised.ended(nothing());
  EXPECT_EQ(unadvised.target(), 5);
  unadvised.ended(task(0));  // Now it has.
  unadvised.ended(nothing());
  EXPECT_EQ(unadvised.target(), 4);

  AutoscaledPolls advised = polls(/*server_advises=*/true);
  advised.ended(nothing());
  EXPECT_EQ(advised.target(), 4);
}

TEST_F(AutoscaledPollsTest, ARefusalForWantOfResourcesHalvesThem) {
  AutoscaledPolls polls = this->polls(/*server_advises=*/true);
  polls.refused();
  EXPECT_EQ(polls.target(), 2);
  AutoscaledPolls unadvised = this->polls();
  unadvised.refused();
  EXPECT_EQ(unadvised.target(), 5);
}

TEST_F(AutoscaledPollsTest, PollsOfABurstEndEarly) {
  AutoscaledPolls polls = this->polls();
  EXPECT_EQ(polls.timeout(), std::nullopt);
  polls.ended(task());
  polls.ended(task());
  EXPECT_EQ(polls.timeout(), milliseconds(11'000));
  timers_.advance(milliseconds(100));
  EXPECT_EQ(polls.timeout(), std::nullopt);
}

}  // namespace
}  // namespace chimera::core
