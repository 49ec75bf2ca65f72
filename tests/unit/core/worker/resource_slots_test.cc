#include "core/worker/resource_slots.h"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/fake_timers.h"

namespace chimera::core {
namespace {

using std::chrono::milliseconds;
using Permit = base::SlotSupplier::Permit;

struct FixedLoad : LoadMeter {
  explicit FixedLoad(const Load& load) : shown(load) {}
  Load load() override { return shown; }
  const Load& shown;
};

class ResourceSlotsTest : public ::testing::Test {
 protected:
  std::shared_ptr<ResourceSlots> slots(const ResourceSlotLimits& limits) {
    return std::make_shared<ResourceSlots>(limits, controller_, timers_);
  }
  // Those of so many askings that get one at once.
  static std::size_t taken(ResourceSlots& slots, int asked, std::vector<Permit>& permits) {
    for (int i = 0; i < asked; ++i) {
      if (Permit permit = slots.try_take({})) permits.push_back(std::move(permit));
    }
    return permits.size();
  }

  testing::FakeTimers timers_;
  Load load_;
  std::shared_ptr<ResourceController> controller_ = std::make_shared<ResourceController>(
      ResourceTargets{0.8, 0.9}, std::make_unique<FixedLoad>(load_));
  std::vector<Permit> permits_;
};

TEST_F(ResourceSlotsTest, GivesTheMinimumWhateverTheLoad) {
  load_ = {1, 1};
  EXPECT_EQ(taken(*slots({.minimum = 3, .maximum = 9}), 9, permits_), 3u);
}

TEST_F(ResourceSlotsTest, GivesTheMaximumWhereThereIsRoom) {
  load_ = {0.2, 0.2};
  EXPECT_EQ(taken(*slots({.minimum = 1, .maximum = 9}), 20, permits_), 9u);
}

TEST_F(ResourceSlotsTest, MemoryAndCpuAreBothToBeBelowTheirTargets) {
  load_ = {0.79, 0.2};  // 5 * 0.01 is not above 0.25.
  EXPECT_EQ(taken(*slots({.minimum = 1, .maximum = 9}), 9, permits_), 1u);
  permits_.clear();
  load_ = {0.2, 0.895};
  EXPECT_EQ(taken(*slots({.minimum = 1, .maximum = 9}), 9, permits_), 1u);
}

TEST_F(ResourceSlotsTest, LoadThatGrowsFastIsFeltBeforeItIsThere) {
  load_ = {0.1, 0.1};
  EXPECT_TRUE(controller_->has_room());
  load_ = {0.7, 0.1};  // 5 * 0.1 - 0.6 is below 0.
  EXPECT_FALSE(controller_->has_room());
  EXPECT_TRUE(controller_->has_room());  // It has stayed there.
}

TEST_F(ResourceSlotsTest, BeyondTheMinimumTheThrottlePasses) {
  const auto slots = this->slots({.minimum = 1, .maximum = 9, .ramp_throttle = milliseconds(50)});
  EXPECT_EQ(taken(*slots, 9, permits_), 1u);
  timers_.advance(milliseconds(50));
  EXPECT_EQ(taken(*slots, 9, permits_), 2u);
}

TEST_F(ResourceSlotsTest, WhoeverWaitsIsServedWhenASlotIsFreeOrThereIsRoom) {
  load_ = {1, 1};
  const auto slots = this->slots({.minimum = 1, .maximum = 9});
  taken(*slots, 1, permits_);
  std::vector<Permit> served;
  for (int i = 0; i < 3; ++i)
    slots->when_free({}, [&served](Permit permit) { served.push_back(std::move(permit)); });
  EXPECT_EQ(served.size(), 0u);
  permits_.clear();
  EXPECT_EQ(served.size(), 1u);
  load_ = {0, 0};
  timers_.advance(milliseconds(10));
  EXPECT_EQ(served.size(), 3u);
}

TEST_F(ResourceSlotsTest, TheFirstPollOfEachQueueWaitsForNoOther) {
  load_ = {1, 1};
  const auto slots = this->slots({.minimum = 1, .maximum = 9});
  EXPECT_EQ(taken(*slots, 3, permits_), 1u);
  const Permit sticky = slots->try_take({.sticky = true});
  EXPECT_NE(sticky, nullptr);
  EXPECT_EQ(slots->try_take({.sticky = true}), nullptr);
}

TEST_F(ResourceSlotsTest, WhoeverWaitedIsDroppedAtTheEnd) {
  load_ = {1, 1};
  const auto slots = this->slots({.minimum = 1, .maximum = 9});
  taken(*slots, 1, permits_);
  bool served = false;
  slots->when_free({}, [&served](Permit) { served = true; });
  slots->stop_waiting();
  permits_.clear();
  timers_.advance(milliseconds(100));
  EXPECT_FALSE(served);
}

}  // namespace
}  // namespace chimera::core
