#include "core/workflow/alarms.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "tests/support/fake_timers.h"

namespace chimera::core {
namespace {

using namespace std::chrono_literals;

class AlarmsTest : public ::testing::Test {
 protected:
  testing::FakeTimers timers_;
  testing::FakeClock clock_{timers_};
  std::vector<std::string> rung_;
  int timers_set_ = 0;
  Alarms<std::string> alarms_{clock_,
                              [this](auto delay, auto work) {
                                ++timers_set_;
                                timers_.after(delay, std::move(work));
                              },
                              [this](const std::string& who) { rung_.push_back(who); }};
  Alarms<std::string>::Alarm one_, two_, three_;
  const base::SteadyTime start_ = clock_.steady();
};

TEST_F(AlarmsTest, RingInTheOrderOfTheirTimes) {
  alarms_.set(one_, start_ + 3s, "one");
  alarms_.set(two_, start_ + 1s, "two");
  alarms_.set(three_, start_ + 3s, "three");
  timers_.advance(1s);
  EXPECT_EQ(rung_, (std::vector<std::string>{"two"}));
  timers_.advance(2s);
  EXPECT_EQ(rung_, (std::vector<std::string>{"two", "one", "three"}));
  EXPECT_EQ(timers_.pending(), 0u);
}

TEST_F(AlarmsTest, ThoseThatAreDroppedCostNoTimer) {
  for (int i = 0; i < 1000; ++i) {
    alarms_.set(one_, start_ + 8s + 1ms * i, "one");
    alarms_.drop(one_);
  }
  EXPECT_EQ(timers_set_, 1);
  timers_.advance(10s);
  EXPECT_TRUE(rung_.empty());
  EXPECT_EQ(timers_set_, 1);
}

TEST_F(AlarmsTest, OneThatIsSetAgainRingsOnce) {
  alarms_.set(one_, start_ + 1s, "early");
  alarms_.set(one_, start_ + 2s, "late");
  timers_.advance(5s);
  EXPECT_EQ(rung_, (std::vector<std::string>{"late"}));
}

TEST_F(AlarmsTest, AfterAllWereDroppedTheNextRings) {
  alarms_.set(one_, start_ + 1s, "one");
  alarms_.drop(one_);
  timers_.advance(500ms);
  alarms_.set(two_, clock_.steady() + 10s, "two");
  timers_.advance(10s);
  EXPECT_EQ(rung_, (std::vector<std::string>{"two"}));
}

}  // namespace
}  // namespace chimera::core
