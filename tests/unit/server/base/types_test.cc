#include "server/base/types.h"

#include <limits>

#include <gtest/gtest.h>

#include "server/engine/rules/retry.h"

namespace chimera::server {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

google::protobuf::Duration duration(std::int64_t seconds, std::int32_t nanos = 0) {
  google::protobuf::Duration duration;
  duration.set_seconds(seconds);
  duration.set_nanos(nanos);
  return duration;
}

TEST(TypesTest, WhatIsTooLongForOurTimesIsCut) {
  google::protobuf::Timestamp early, late;
  early.set_seconds(std::numeric_limits<std::int64_t>::min());
  late.set_seconds(kMost);
  late.set_nanos(std::numeric_limits<std::int32_t>::max());

  EXPECT_GT(to_nanos(duration(kMost, std::numeric_limits<std::int32_t>::max())),
            std::chrono::hours(24 * 365 * 290));
  EXPECT_EQ(to_nanos(duration(-1)), Nanos{0});
  EXPECT_GT(to_wall(late), WallTime(std::chrono::hours(24 * 365 * 290)));
  EXPECT_LT(to_wall(early), WallTime(-std::chrono::hours(24 * 365 * 290)));
}

// Sums beyond the year 2262 would be in the past: what waits for them would happen at once.
TEST(TypesTest, LongDelaysNeverEnd) {
  const WallTime now(std::chrono::hours(24 * 365 * 56));
  const Nanos centuries = to_nanos(duration(9'000'000'000));

  EXPECT_EQ(add_saturated(now, centuries), kNever);
  EXPECT_EQ(deadline_after(now, centuries), kNever);
  EXPECT_EQ(deadline_after(now, Nanos{0}), kNever);
  EXPECT_EQ(deadline_after(now, seconds{1}), now + seconds{1});
}

TEST(TypesTest, RetryIntervalsStayInBounds) {
  common::RetryPolicy policy;
  *policy.mutable_initial_interval() = duration(1);
  policy.set_backoff_coefficient(1e300);
  EXPECT_EQ(check_retry_policy(policy), "");
  EXPECT_GT(retry_interval(policy, 100), std::chrono::hours(24 * 365 * 200));

  policy.set_backoff_coefficient(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(check_retry_policy(policy),
            "BackoffCoefficient cannot be less than 1 on retry policy.");
}

}  // namespace
}  // namespace chimera::server
