// Abseil copies all of a small callable's place, of which a short one fills a part.
#pragma GCC diagnostic ignored "-Wuninitialized"

#include "server/loop/loop.h"

#include <vector>

#include <gtest/gtest.h>

#include "core/base/executor.h"
#include "tests/support/fake_timers.h"

namespace chimera::server {
namespace {

using chimera::testing::FakeClock;
using chimera::testing::FakeTimers;

// Runs nothing by itself.
class HandExecutor : public base::Executor {
 public:
  std::shared_ptr<base::Strand> strand(std::function<base::Strand::Next()>) override {
    return std::make_shared<HandStrand>(*this);
  }
  bool run_next() {
    if (work.empty()) return false;
    base::Work next = std::move(work.front());
    work.erase(work.begin());
    std::move(next)();
    return true;
  }
  std::vector<base::Work> work;

 private:
  class HandStrand : public base::Strand {
   public:
    explicit HandStrand(HandExecutor& owner) : owner_(owner) {}
    void post(base::Work work) override { owner_.work.push_back(std::move(work)); }
    void stop() override {
      while (owner_.run_next()) {
      }
    }
    std::optional<pthread_t> thread() const override { return std::nullopt; }

   private:
    HandExecutor& owner_;
  };
};

class DrivenLoopTest : public ::testing::Test {
 protected:
  DrivenLoopTest() {
    loop.start([this] { ++tasks; }, [this] { ++turns; });
    while (executor.run_next()) {
    }
    tasks = turns = 0;
  }

  FakeTimers timers;
  FakeClock clock{timers};
  HandExecutor executor;
  Loop loop{clock, /*foreign_clock=*/true, {&executor, &timers}};
  int tasks = 0, turns = 0;
};

TEST_F(DrivenLoopTest, WhatIsPostedTogetherIsOneTurnOfTheStrand) {
  int ran = 0;
  loop.post([&] { ++ran; });
  loop.post([&] { ++ran; });

  EXPECT_EQ(ran, 0);
  EXPECT_EQ(executor.work.size(), 1u);
  EXPECT_TRUE(executor.run_next());
  EXPECT_EQ(ran, 2);
  EXPECT_EQ(tasks, 2);
  EXPECT_EQ(turns, 1);
}

TEST_F(DrivenLoopTest, ATaskThatPostsBeginsAnotherTurn) {
  int ran = 0;
  loop.post([&] { loop.post([&] { ++ran; }); });

  EXPECT_TRUE(executor.run_next());
  EXPECT_EQ(ran, 0);
  EXPECT_TRUE(executor.run_next());
  EXPECT_EQ(ran, 1);
}

TEST_F(DrivenLoopTest, ATimerIsATurnInItsTime) {
  int fired = 0;
  Timer timer([&] { ++fired; });
  loop.post([&] { loop.timers().arm(timer, clock.now() + std::chrono::seconds(10)); });
  executor.run_next();

  timers.advance(std::chrono::seconds(9));
  EXPECT_FALSE(executor.run_next());
  timers.advance(std::chrono::seconds(1));
  EXPECT_TRUE(executor.run_next());
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(timers.pending(), 0u);
}

TEST_F(DrivenLoopTest, TheStopRunsWhatWasPostedAndLeavesNoTimer) {
  int ran = 0;
  Timer timer([] {});
  loop.post([&] { loop.timers().arm(timer, clock.now() + std::chrono::seconds(10)); });
  executor.run_next();
  loop.post([&] { ++ran; });

  loop.stop();

  EXPECT_EQ(ran, 1);
  EXPECT_EQ(timers.pending(), 0u);
  EXPECT_FALSE(loop.post([] {}));
}

}  // namespace
}  // namespace chimera::server
