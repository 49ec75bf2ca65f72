// Tasks and groups of them.
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/workflow.h"
#include "tests/unit/sdk-cpp/driver.h"

namespace chimera::sdk {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

const ActivityOptions kOptions{.start_to_close_timeout = 10s};
std::vector<std::string> seen;  // What the code under test did, in order.

class TasksTest : public testing::Test {
 protected:
  TasksTest() { seen.clear(); }
};

// Notes that it was cancelled, cleans up with a timer, and notes that, too.
void sleep_and_clean_up() {
  try {
    workflow::sleep(1h);
  } catch (const CancelledError&) {
    seen.push_back("cancelled");
    workflow::sleep(1s);
    seen.push_back("clean");
    throw;
  }
}

TEST_F(TasksTest, OneThatIsDestroyedIsCancelledAndWaitedFor) {
  code = [] {
    {
      const std::string around = "around";
      auto task = workflow::spawn([&] {
        sleep_and_clean_up();
        seen.push_back(around);
      });
      workflow::sleep(0s);  // It waits now.
    }
    seen.push_back("left");
  };
  Driver driver(kRuns);

  std::string log = log_of([&] { driver.start(); });
  EXPECT_THAT(seen, ElementsAre("cancelled"));
  log += log_of([&] { EXPECT_TRUE(completed(driver.activate({core::FireTimer{2}}))); });

  EXPECT_THAT(seen, ElementsAre("cancelled", "clean", "left"));
  EXPECT_EQ(log, "");
}

TEST_F(TasksTest, WhatNobodyGetsIsLoggedAndWhatSomebodyGetsIsNot) {
  code = [] {
    auto gets = workflow::spawn([] { throw std::runtime_error("gotten"); });
    auto drops = workflow::spawn([] { throw std::runtime_error("dropped"); });
    workflow::spawn_detached([] { throw std::runtime_error("alone"); });
    workflow::sleep(1s);
    try {
      gets.get();
    } catch (const std::runtime_error& error) {
      seen.push_back(error.what());
    }
  };
  Driver driver(kRuns);
  std::string log = log_of([&] { driver.start(); });
  EXPECT_THAT(log, AllOf(HasSubstr("alone"), Not(HasSubstr("gotten")), Not(HasSubstr("dropped"))));

  log = log_of([&] { driver.activate({core::FireTimer{1}}); });

  EXPECT_THAT(log, AllOf(HasSubstr("dropped"), Not(HasSubstr("gotten"))));
  EXPECT_THAT(seen, ElementsAre("gotten"));
}

TEST_F(TasksTest, TheCancellationOfWhoDestroysOneComesWithTheNextWait) {
  code = [] {
    {
      auto task = workflow::spawn(sleep_and_clean_up);
      workflow::sleep(0s);
    }
    seen.push_back("left");
    try {
      workflow::sleep(1h);
    } catch (const CancelledError&) {
      seen.push_back("then cancelled");
    }
  };
  Driver driver(kRuns);
  driver.start();
  driver.activate({core::CancelWorkflow{"stop"}});  // Which the cleaning up hears, too.

  EXPECT_THAT(seen, ElementsAre("cancelled", "left", "then cancelled"));
}

TEST_F(TasksTest, ResultsMayBeMoveOnly) {
  std::vector<int> values;
  code = [&] {
    auto one = workflow::spawn([] { return std::make_unique<int>(1); });
    values.push_back(*one.get());
    try {
      one.get();
    } catch (const std::logic_error& error) {
      seen.push_back(error.what());
    }
    auto many = workflow::spawn([kept = std::make_unique<int>(2)]() mutable {
      std::vector<std::unique_ptr<int>> all;
      all.push_back(std::move(kept));
      return all;
    });
    values.push_back(*std::move(many).get().front());
    auto copied = workflow::spawn([] { return 3; });
    values.push_back(copied.get() + copied.get());
  };
  Driver driver(kRuns);
  const auto done = driver.start();

  EXPECT_TRUE(completed(done)) << task_failure(done);
  EXPECT_THAT(values, ElementsAre(1, 2, 6));
  EXPECT_THAT(seen, ElementsAre("chimera::workflow::Task::get: its value was moved out by an "
                                "earlier call"));
}

TEST_F(TasksTest, OneMayOwnAnother) {
  code = [] {
    auto inner = workflow::spawn(sleep_and_clean_up);
    auto outer = workflow::spawn([inner = std::move(inner)]() mutable { workflow::sleep(1h); });
    workflow::sleep(0s);
    outer = {};
    seen.push_back("left");
  };
  Driver driver(kRuns);
  driver.start();
  driver.activate({core::FireTimer{3}});

  EXPECT_THAT(seen, ElementsAre("cancelled", "clean", "left"));
}

TEST_F(TasksTest, ADetachedOneGoesOn) {
  code = [] {
    workflow::spawn([] {
      workflow::sleep(2s);
      seen.push_back("alone");
    }).detach();
    workflow::sleep(1h);
  };
  Driver driver(kRuns);
  driver.start();
  driver.activate({core::FireTimer{2}});

  EXPECT_THAT(seen, ElementsAre("alone"));
}

// A task may use what stands around it: it is unwound first.
TEST_F(TasksTest, EvictionUnwindsTheYoungestFirst) {
  struct Notes {
    std::string name;
    ~Notes() { seen.push_back(name); }
  };
  code = [] {
    const Notes outer{"outer"};
    auto task = workflow::spawn([&] {
      const Notes inner{outer.name + "'s inner"};
      workflow::sleep(1h);
    });
    workflow::TaskGroup group;
    group.spawn([&] {
      const Notes inner{outer.name + "'s grouped"};
      workflow::sleep(1h);
    });
    group.join();
    seen.push_back("went on");
  };
  Driver driver(kRuns);
  driver.start();

  EXPECT_EQ(log_of([&] { driver.activate({evict()}); }), "");

  EXPECT_THAT(seen, ElementsAre("outer's grouped", "outer's inner", "outer"));
}

// --- Groups ---

TEST_F(TasksTest, AGroupsFirstFailureCancelsTheOthersAndIsThrown) {
  code = [] {
    workflow::TaskGroup group;
    group.spawn(sleep_and_clean_up);
    group.spawn([] {
      workflow::sleep(2s);
      throw std::out_of_range("first");
    });
    group.spawn([] {
      try {
        workflow::sleep(3h);
      } catch (const CancelledError&) {
        throw std::runtime_error("second");
      }
    });
    try {
      group.join();
    } catch (const std::out_of_range& error) {
      seen.push_back(error.what());
    }
  };
  Driver driver(kRuns);
  driver.start();

  const std::string log = log_of([&] { driver.activate({core::FireTimer{2}}); });
  EXPECT_THAT(log, HasSubstr("failed before, threw std::runtime_error: second"));
  EXPECT_THAT(seen, ElementsAre("cancelled"));
  driver.activate({core::FireTimer{4}});

  EXPECT_THAT(seen, ElementsAre("cancelled", "clean", "first"));
}

TEST_F(TasksTest, AGroupThatIsCancelledHasNotFailed) {
  code = [] {
    workflow::TaskGroup group;
    group.spawn(sleep_and_clean_up);
    group.spawn([&] {
      workflow::sleep(0s);
      group.spawn([] { seen.push_back("spawned by a task"); });
      group.cancel();
    });
    group.join();
    seen.push_back("joined");
  };
  Driver driver(kRuns);
  driver.start();
  const auto done = driver.activate({core::FireTimer{2}});

  EXPECT_TRUE(completed(done)) << task_failure(done);
  EXPECT_THAT(seen, ElementsAre("spawned by a task", "cancelled", "clean", "joined"));
}

TEST_F(TasksTest, TheCancellationOfWhoJoinsAGroupIsTheTasks) {
  code = [] {
    workflow::CancellationScope scope;
    workflow::spawn_detached([&scope] {
      workflow::sleep(1s);
      scope.cancel();
    });
    try {
      scope.run([] {
        workflow::TaskGroup group;
        group.spawn(sleep_and_clean_up);
        group.join();
      });
    } catch (const CancelledError&) {
      seen.push_back("thrown");
    }
  };
  Driver driver(kRuns);
  driver.start();
  driver.activate({core::FireTimer{1}});
  EXPECT_THAT(seen, ElementsAre("cancelled"));
  driver.activate({core::FireTimer{3}});

  EXPECT_THAT(seen, ElementsAre("cancelled", "clean", "thrown"));
}

TEST_F(TasksTest, AnExceptionThatLeavesTheBlockOfAGroupCancelsIt) {
  code = [] {
    try {
      workflow::TaskGroup group;
      group.spawn(sleep_and_clean_up);
      workflow::sleep(0s);
      throw std::runtime_error("left");
    } catch (const std::runtime_error& error) {
      seen.push_back(error.what());
    }
  };
  Driver driver(kRuns);
  driver.start();
  driver.activate({core::FireTimer{2}});

  EXPECT_THAT(seen, ElementsAre("cancelled", "clean", "left"));
}

TEST_F(TasksTest, AGroupThatIsNotJoinedIsJoinedAtItsEnd) {
  code = [] {
    try {
      workflow::TaskGroup group;
      group.spawn([] { throw std::runtime_error("in the group"); });
    } catch (const std::runtime_error& error) {
      seen.push_back(error.what());
    }
  };
  Driver driver(kRuns);
  driver.start();

  EXPECT_THAT(seen, ElementsAre("in the group"));
}

}  // namespace
}  // namespace chimera::sdk
