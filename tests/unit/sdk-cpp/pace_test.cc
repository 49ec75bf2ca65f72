// Which activities run on the lane's own thread: those that have been quick.
#include "gtest/gtest.h"

#include "sdk-cpp/src/activity_pool.h"

namespace chimera::sdk {
namespace {

using std::chrono::microseconds;
constexpr microseconds kQuick{10}, kNotQuick{200}, kSlow{100'000};

struct QuickFor : Pace {
  explicit QuickFor(int runs) {
    for (int i = 0; i < runs; ++i) took(kQuick);
  }
};

TEST(PaceTest, AFewQuickRunsProveIt) {
  EXPECT_FALSE(QuickFor(2).quick());
  EXPECT_TRUE(QuickFor(3).quick());
}

TEST(PaceTest, OneSlowRunEndsAShortProof) {
  QuickFor pace(10);
  pace.took(kSlow);
  EXPECT_FALSE(pace.quick());
  for (int i = 0; i < 50; ++i) pace.took(kQuick);
  EXPECT_FALSE(pace.quick());
}

// Its thread may have had to wait for a processor.
TEST(PaceTest, OneSlowRunDoesNotEndALongOneButTwoDo) {
  QuickFor pace(1000);
  pace.took(kSlow);
  EXPECT_TRUE(pace.quick());
  pace.took(kQuick);
  pace.took(kSlow);
  EXPECT_FALSE(pace.quick());
}

TEST(PaceTest, WhatHasBecomeNotQuickLeavesSoon) {
  QuickFor pace(1000);
  int runs = 0;
  for (; pace.quick(); ++runs) pace.took(kNotQuick);
  EXPECT_LE(runs, 3);
}

TEST(PaceTest, WhatIsSlowEverySecondTimeNeverStays) {
  Pace pace;
  int on_the_lane = 0;
  for (int i = 0; i < 1000; ++i) {
    on_the_lane += pace.quick() ? 1 : 0;
    pace.took(i % 2 == 0 ? kQuick : kSlow);
  }
  EXPECT_EQ(on_the_lane, 0);
}

}  // namespace
}  // namespace chimera::sdk
