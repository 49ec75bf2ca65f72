#include "server/engine/run/skipped_time.h"

#include <gtest/gtest.h>

namespace chimera::server {
namespace {

using std::chrono::hours;

constexpr WallTime kNow{hours{24 * 20000}};

SkippedTime::Config config_of(int skips = 10, Nanos forward = {}) {
  SkippedTime::Config config;
  config.set_enabled(true);
  config.set_max_session_skip_count(skips);
  if (forward == Nanos{0}) return config;
  config.mutable_fast_forward_config()->set_id("f");
  set(config.mutable_fast_forward_config()->mutable_duration(), forward);
  return config;
}

SkippedTime time_of(const SkippedTime::Config& config) {
  history::WorkflowExecutionStartedEventAttributes start;
  *start.mutable_time_skipping_config() = config;
  SkippedTime time;
  time.begin(start, kNow);
  return time;
}

SkippedTime::Transitioned jump_to(WallTime to, bool ends = false) {
  SkippedTime::Transitioned a;
  if (to != kUnset) set(a.mutable_target_time(), to);
  a.set_disabled_after_fast_forward(ends);
  return a;
}

TEST(SkippedTimeTest, JumpsToWhatComesNext) {
  const auto skip = time_of(config_of()).skip(kNow, kNow + hours{1});

  ASSERT_TRUE(skip);
  EXPECT_EQ(skip->to, kNow + hours{1});
  EXPECT_FALSE(skip->ends_fast_forward);
}

TEST(SkippedTimeTest, StaysWhereNothingComesOrSomethingIsDue) {
  const SkippedTime time = time_of(config_of());

  EXPECT_FALSE(time.skip(kNow, kNever));
  EXPECT_FALSE(time.skip(kNow, kNow));
  EXPECT_FALSE(time.skip(kNow, kNow - hours{1}));
  EXPECT_FALSE(time.skip(kNow, kLastOfSkips + hours{1}));
}

TEST(SkippedTimeTest, StaysWhereItIsOff) {
  SkippedTime::Config off = config_of();
  off.set_enabled(false);

  EXPECT_FALSE(time_of(off).skip(kNow, kNow + hours{1}));
  EXPECT_FALSE(SkippedTime().skip(kNow, kNow + hours{1}));
}

TEST(SkippedTimeTest, GoesNoFurtherThanItsFastForward) {
  const SkippedTime time = time_of(config_of(10, hours{2}));

  EXPECT_EQ(time.skip(kNow, kNow + hours{1})->to, kNow + hours{1});
  EXPECT_FALSE(time.skip(kNow, kNow + hours{1})->ends_fast_forward);
  for (const WallTime next : {kNow + hours{2}, kNow + hours{3}, kNever}) {
    EXPECT_EQ(time.skip(kNow, next)->to, kNow + hours{2});
    EXPECT_TRUE(time.skip(kNow, next)->ends_fast_forward);
  }
  const auto late = time.skip(kNow + hours{3}, kNever);
  EXPECT_EQ(late->to, kUnset);
  EXPECT_TRUE(late->ends_fast_forward);
}

TEST(SkippedTimeTest, AJumpIsCountedAndTheLastOneSwitchesItOff) {
  SkippedTime time = time_of(config_of(2));

  time.jump(jump_to(kNow + hours{1}), kNow);
  EXPECT_EQ(time.ahead, hours{1});
  EXPECT_TRUE(time.enabled());
  time.jump(jump_to(kNow + hours{4}), kNow + hours{2});
  EXPECT_EQ(time.ahead, hours{3});
  EXPECT_FALSE(time.enabled());

  const SkippedTime::Config again = config_of(2);
  time.configure(&again, kNow);
  EXPECT_EQ(time.skips, 0);
  EXPECT_EQ(time.ahead, hours{3});
}

TEST(SkippedTimeTest, TheEndOfAFastForwardSwitchesItOff) {
  SkippedTime time = time_of(config_of(10, hours{2}));
  EXPECT_EQ(time.fast_forward_ends(), kNow + hours{2});

  time.jump(jump_to(kUnset, /*ends=*/true), kNow + hours{2});

  EXPECT_EQ(time.ahead, Nanos{0});
  EXPECT_FALSE(time.enabled());
  EXPECT_TRUE(time.fast_forward->reached);
  EXPECT_EQ(time.fast_forward_ends(), kNever);
  EXPECT_TRUE(time.describe(kNow).fast_forward_info().has_completed());
}

TEST(SkippedTimeTest, IsTakenAway) {
  SkippedTime time = time_of(config_of(10, hours{2}));
  time.configure(nullptr, kNow);

  EXPECT_FALSE(time.enabled());
  EXPECT_FALSE(time.fast_forward);
  EXPECT_FALSE(time.describe(kNow).has_effective_config());
}

TEST(SkippedTimeTest, TheRunThatFollowsGoesOn) {
  SkippedTime time = time_of(config_of(10, hours{5}));
  time.jump(jump_to(kNow + hours{1}), kNow);
  history::WorkflowExecutionStartedEventAttributes next;
  time.hand_on(next);
  SkippedTime after;
  after.begin(next, kNow + hours{1});

  EXPECT_TRUE(after.enabled());
  EXPECT_EQ(after.ahead, hours{1});
  EXPECT_EQ(after.skips, 1);
  EXPECT_EQ(after.fast_forward_ends(), kNow + hours{5});
}

TEST(SkippedTimeTest, TheRunThatFollowsOneThatIsSwitchedOffHasItsClockAlone) {
  SkippedTime time = time_of(config_of(1));
  time.jump(jump_to(kNow + hours{1}), kNow);
  history::WorkflowExecutionStartedEventAttributes next;
  *next.mutable_time_skipping_config() = config_of(1);  // Of its own start.
  time.hand_on(next);

  EXPECT_FALSE(next.has_time_skipping_config());
  EXPECT_EQ(next.time_skipping_state_propagation().initial_skip_count(), 0);
  EXPECT_TRUE(has_own_clock(next));
}

TEST(SkippedTimeTest, AChildSkipsByItselfUnlessItIsNotTo) {
  SkippedTime time = time_of(config_of(7, hours{5}));
  time.jump(jump_to(kNow + hours{1}), kNow);
  history::StartChildWorkflowExecutionInitiatedEventAttributes child, other;
  time.hand_to_child(child);
  time.config->set_disable_propagation(true);
  time.hand_to_child(other);

  EXPECT_TRUE(child.time_skipping_config().enabled());
  EXPECT_EQ(child.time_skipping_config().max_session_skip_count(), 7);
  EXPECT_FALSE(child.time_skipping_config().has_fast_forward_config());
  EXPECT_EQ(child.time_skipping_state_propagation().initial_skip_count(), 0);
  EXPECT_FALSE(other.has_time_skipping_config());
  EXPECT_EQ(to_nanos(other.time_skipping_state_propagation().initial_skipped_duration()), hours{1});
}

TEST(SkippedTimeTest, AResetKeepsWhatIsLeftOfAFastForward) {
  SkippedTime time = time_of(config_of(10, hours{2}));
  time.begin_again(hours{1});
  EXPECT_EQ(time.fast_forward_ends(), kNow + hours{3});
}

}  // namespace
}  // namespace chimera::server
