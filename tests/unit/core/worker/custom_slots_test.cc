#include "core/worker/custom_slots.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/fake_timers.h"

namespace chimera::core {
namespace {

using std::chrono::milliseconds;
using Permit = base::SlotSupplier::Permit;

// Keeps who asks, and writes down what it hears.
struct Supplier : CustomSlotSupplier {
  void reserve(const SlotContext& context, std::shared_ptr<SlotReservation> reservation) override {
    heard.push_back(std::string("reserve ") + to_string(context.kind) +
                    (context.sticky ? " sticky" : "") + " on " + context.worker.task_queue);
    asked.push_back(std::move(reservation));
  }
  Permit try_reserve(const SlotContext& context) override {
    heard.push_back("try " + std::string(context.activity_type));
    return now;
  }
  void mark_used(const base::SlotUse& use, const Permit& permit) override {
    heard.push_back("used by " + std::string(use.type) + name(permit));
  }
  void release(const base::SlotUse* use, const Permit& permit) override {
    heard.push_back(use ? "released by " + std::string(use->type) + name(permit)
                        : "released unused" + name(permit));
  }
  static std::string name(const Permit& permit) {
    return " with " + *static_cast<const std::string*>(permit.get());
  }

  std::vector<std::shared_ptr<SlotReservation>> asked;
  Permit now;
  std::vector<std::string> heard;
};

Permit permit(const char* name) { return std::make_shared<std::string>(name); }

class CustomSlotsTest : public ::testing::Test {
 protected:
  static WorkerOptions worker() {
    WorkerOptions options;
    options.task_queue = "q";
    return options;
  }
  void wait(bool sticky = false) {
    slots_->when_free({.sticky = sticky}, [this](Permit given) { got_ = std::move(given); });
  }

  testing::FakeTimers timers_;
  std::shared_ptr<Supplier> supplier_ = std::make_shared<Supplier>();
  std::shared_ptr<CustomSlots> slots_ =
      std::make_shared<CustomSlots>(SlotKind::kWorkflow, supplier_, worker(), timers_);
  Permit got_;
};

using Heard = std::vector<std::string>;

TEST_F(CustomSlotsTest, ASlotIsReservedUsedAndReleased) {
  wait(/*sticky=*/true);
  EXPECT_EQ(got_, nullptr);
  EXPECT_TRUE(supplier_->asked[0]->grant(permit("p")));
  ASSERT_NE(got_, nullptr);
  slots_->use(got_, {"Order", true});
  got_.reset();
  EXPECT_EQ(supplier_->heard, (Heard{"reserve workflow sticky on q", "used by Order with p",
                                     "released by Order with p"}));
}

TEST_F(CustomSlotsTest, ASlotThatNoTaskTookIsReleasedAsUnused) {
  wait();
  supplier_->asked[0]->grant(permit("p"));
  got_.reset();
  EXPECT_EQ(supplier_->heard.back(), "released unused with p");
}

TEST_F(CustomSlotsTest, WhatIsWantedAtOnceIsAskedAtOnce) {
  const std::string type = "charge";
  EXPECT_EQ(slots_->try_take({.activity_type = &type}), nullptr);
  supplier_->now = permit("p");
  EXPECT_NE(slots_->try_take({.activity_type = &type}), nullptr);
  EXPECT_EQ(supplier_->heard, (Heard{"try charge", "try charge", "released unused with p"}));
}

TEST_F(CustomSlotsTest, WhoeverWaitsIsToldOfTheEnd) {
  wait();
  int cancelled = 0;
  supplier_->asked[0]->on_cancel([&] { ++cancelled; });
  slots_->stop_waiting();
  EXPECT_EQ(cancelled, 1);
  EXPECT_FALSE(supplier_->asked[0]->grant(permit("late")));
  EXPECT_EQ(got_, nullptr);
  EXPECT_EQ(supplier_->heard.size(), 1u) << "a permit that was not taken is not released";
  supplier_->asked[0]->on_cancel([&] { ++cancelled; });
  EXPECT_EQ(cancelled, 2) << "at once, if it has ended";
}

TEST_F(CustomSlotsTest, AGrantIsTakenOnce) {
  wait();
  int cancelled = 0;
  supplier_->asked[0]->on_cancel([&] { ++cancelled; });
  EXPECT_TRUE(supplier_->asked[0]->grant(permit("first")));
  EXPECT_FALSE(supplier_->asked[0]->grant(permit("second")));
  slots_->stop_waiting();
  EXPECT_EQ(cancelled, 0);
}

TEST_F(CustomSlotsTest, WhatOnCancelHoldsMayAskTheReservationAsItGoes) {
  wait();
  const auto asked = supplier_->asked[0];
  std::shared_ptr<void> held(nullptr, [asked](void*) { asked->fail("too late"); });
  asked->on_cancel([held = std::move(held)] {});

  EXPECT_TRUE(asked->grant(permit("p")));
  EXPECT_NE(got_, nullptr);
}

TEST_F(CustomSlotsTest, ASupplierThatFailsIsAskedAgainInASecond) {
  wait();
  supplier_->asked[0]->fail("no licence server");
  supplier_->asked[0]->fail("and once more");
  timers_.advance(milliseconds(999));
  EXPECT_EQ(supplier_->asked.size(), 1u);
  timers_.advance(milliseconds(1));
  ASSERT_EQ(supplier_->asked.size(), 2u);
  timers_.advance(milliseconds(5000));
  EXPECT_EQ(supplier_->asked.size(), 2u);
  EXPECT_TRUE(supplier_->asked[1]->grant(permit("p")));
  EXPECT_NE(got_, nullptr);
}

TEST_F(CustomSlotsTest, AReservationOutlivesItsWorker) {
  wait();
  slots_->stop_waiting();
  slots_.reset();
  EXPECT_FALSE(supplier_->asked[0]->grant(permit("p")));
  supplier_->asked[0]->fail("too late");
}

}  // namespace
}  // namespace chimera::core
