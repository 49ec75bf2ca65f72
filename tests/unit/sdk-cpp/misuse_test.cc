// What workflow code may do although it should not, or when nothing counts any more.
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/client.h"
#include "chimera/worker.h"
#include "chimera/workflow.h"
#include "core/converter/failure.h"
#include "tests/unit/sdk-cpp/driver.h"

namespace chimera::sdk {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

const ActivityOptions kOptions{.start_to_close_timeout = 10s};

// --- Destructors that run while the run leaves the cache ---

// Does what the test says when it is destroyed.
struct AtTheEnd {
  std::function<void()> act;
  ~AtTheEnd() { act(); }
};

class DestructorTest : public testing::TestWithParam<std::pair<const char*, void (*)()>> {};

TEST_P(DestructorTest, DoesNothingAndGivesNoStackUp) {
  bool destroyed = false;  // What stands above it on the same stack.
  code = [&] {
    const AtTheEnd outer{[&] { destroyed = true; }};
    const AtTheEnd inner{GetParam().second};
    workflow::sleep(1h);
  };
  Driver driver(kRuns);
  driver.start();

  std::size_t count = 1;
  const std::string log = log_of([&] { count = commands(driver.activate({evict()})).size(); });

  EXPECT_TRUE(destroyed);
  EXPECT_EQ(count, 0u);
  EXPECT_EQ(log, "");
}

INSTANTIATE_TEST_SUITE_P(
    , DestructorTest,
    testing::ValuesIn(std::vector<std::pair<const char*, void (*)()>>{
        {"scope_cancel",
         [] {
           workflow::CancellationScope scope;
           scope.run([] {});
           scope.cancel();
         }},
        {"handle_cancel", [] { workflow::start_activity<std::string>("x", kOptions, 1).cancel(); }},
        {"task_cancel", [] { workflow::spawn([] { workflow::sleep(1s); }).cancel(); }},
        {"upsert_memo", [] { workflow::upsert_memo({{"a", make_payload(1)}}); }},
        {"upsert_search_attributes",
         [] { workflow::upsert_search_attributes({{"a", std::string("b")}}); }},
        {"patched", [] { workflow::patched("p"); }},
        {"deprecate_patch", [] { workflow::deprecate_patch("p"); }},
        {"uuid4", [] { workflow::uuid4(); }},
        {"side_effect", [] { workflow::side_effect([] { return 1; }); }},
        {"mutable_side_effect", [] { workflow::mutable_side_effect("m", [] { return 1; }); }},
        {"get_version", [] { workflow::get_version("v", 1, 2); }},
        {"random", [] { workflow::random()(); }},
        {"set_current_details", [] { workflow::set_current_details("d"); }},
        {"set_signal_handler", [] { workflow::set_signal_handler("s", [](int) {}); }},
        {"timed_scope",
         [] { workflow::CancellationScope::with_timeout(1s).run([] { workflow::info(); }); }},
        {"compensate",
         [] {
           workflow::Saga saga;
           saga.add([] { workflow::sleep(1s); });
           saga.compensate();
         }},
    }),
    [](const auto& info) { return info.param.first; });

// --- Deadlines that have passed ---

TEST(MisuseTest, ADeadlineThatHasPassedCancelsAtOnce) {
  for (const Duration timeout : {Duration(0), Duration(-5s)}) {
    std::string seen;
    code = [&] {
      auto scope = workflow::CancellationScope::with_timeout(timeout);
      try {
        scope.run([] { workflow::sleep(1h); });
        seen = "slept";
      } catch (const CancelledError&) {
        seen = scope.timed_out() ? "timed out" : "cancelled";
      }
      workflow::sleep(1s);  // Only the scope was.
    };
    Driver driver(kRuns);
    driver.start();
    EXPECT_EQ(seen, "timed out");
  }
}

// --- Conditions ---

TEST(MisuseTest, TheFirstLookAtAConditionMayNotRunAnActivityEither) {
  code = [] {
    workflow::wait_condition([] {
      workflow::start_activity<int>("x", kOptions).cancel();
      return true;
    });
  };
  Driver driver(kRuns);
  EXPECT_THAT(
      task_failure(driver.start()),
      HasSubstr("start_activity is not allowed in a query, a validator or a wait condition"));
  code = [] { workflow::wait_condition([] { return workflow::uuid4().empty(); }); };
  Driver other(kRuns);
  EXPECT_THAT(task_failure(other.start()), HasSubstr("uuid4 is not allowed in"));
}

// --- Empty handles ---

TEST(MisuseTest, AnEmptyTaskIsAnErrorNotACrash) {
  const std::vector<std::function<void()>> calls = {
      [] { workflow::Task<int>().get(); }, [] { workflow::Task<int>().cancel(); },
      [] { workflow::Task<int>().done(); },
      [] {
        auto handle = workflow::start_activity<int>("x", kOptions);
        auto taken = std::move(handle);
        handle.get();
      },
      [] {
        workflow::CancellationScope scope;
        auto taken = std::move(scope);
        scope.run([] {});
      }};
  for (const auto& call : calls) {
    code = call;
    Driver driver(kRuns);
    EXPECT_THAT(task_failure(driver.start()), HasSubstr("is empty"));
  }
}

// --- Concurrency ---

const std::vector<std::pair<const char*, std::function<void()>>> kCannotBe = {
    {"TaskGroup::join: the group was joined before",
     [] {
       workflow::TaskGroup group;
       group.join();
       group.join();
     }},
    {"TaskGroup::spawn: the group was joined before",
     [] {
       workflow::TaskGroup group;
       group.join();
       group.spawn([] {});
     }},
    {"TaskGroup::join: one of its tasks would wait for itself",
     [] {
       workflow::TaskGroup group;
       group.spawn([&] { group.join(); });
       group.join();
     }},
    {"Task::get: the task would wait for itself",
     [] {
       workflow::Task<void> task;
       task = workflow::spawn([&] { task.get(); });
       task.get();
     }},
    {"this task is empty",
     [] {
       auto task = workflow::spawn([] {});
       auto taken = std::move(task);
       task.get();
     }},
    {"Mutex::unlock: this task has not locked it", [] { workflow::Mutex().unlock(); }},
    {"Mutex::unlock: this task has not locked it",
     [] {
       workflow::Mutex mutex;
       mutex.lock();
       workflow::spawn([&] { mutex.unlock(); }).get();
     }},
    {"Mutex::lock: this task has it already",
     [] {
       workflow::Mutex mutex;
       mutex.lock();
       mutex.lock();
     }},
    {"Mutex::lock: the task that has it ended",
     [] {
       workflow::Mutex mutex;
       workflow::spawn([&] { mutex.lock(); }).get();
       mutex.lock();
     }},
    {"Semaphore: -1 permits; it takes 0 or more", [] { workflow::Semaphore permits(-1); }},
    {"Semaphore::acquire: 0 permits; it takes 1 or more",
     [] { workflow::Semaphore(1).acquire(0); }},
    {"are more than it can count",
     [] { workflow::Semaphore(1).release(std::numeric_limits<std::int64_t>::max()); }},
    {"Task::get: the tasks would wait for each other",
     [] {
       workflow::Task<void> first, second;
       first = workflow::spawn([&] { second.get(); });
       second = workflow::spawn([&] { first.get(); });
       workflow::sleep(0s);
       second.get();
     }},
    {"Semaphore::release: -1 permits", [] { workflow::Semaphore(1).release(-1); }},
    {"it was destroyed while this task waited for it",
     [] {
       auto permits = std::make_unique<workflow::Semaphore>(0);
       auto task = workflow::spawn([&] { permits->acquire(); });
       workflow::sleep(0s);
       permits = nullptr;
       task.get();
     }},
    {"Channel: its capacity is -1", [] { workflow::Channel<int> channel(-1); }},
    {"Future::set_value: it is set already",
     [] {
       workflow::Future<int> future;
       future.set_value(1);
       future.set_value(2);
     }},
    {"Future::set_error: it was given no exception",
     [] { workflow::Future<int>().set_error(std::exception_ptr()); }},
    {"random_int(2, 1): no number", [] { (void)workflow::random_int(2, 1); }},
    {"wait_any: there is nothing to wait for",
     [] { (void)workflow::wait_any(std::vector<workflow::Handle<int>>()); }},
    {"Selector::select: it has no case to wait for", [] { workflow::Selector().select(); }},
};

TEST(MisuseTest, ConcurrencyThatCannotBeIsRefusedByName) {
  for (const auto& [name, call] : kCannotBe) {
    code = call;
    Driver driver(kRuns);
    EXPECT_THAT(task_failure(driver.start()), HasSubstr(name));
  }
}

// Each of them with something to use, which belongs to whatever run makes it.
struct Shared {
  workflow::Mutex mutex;
  workflow::Semaphore permits{1};
  workflow::Channel<int> channel{1};
  workflow::Future<int> future;
};
const std::vector<std::pair<const char*, std::function<void(Shared&)>>> kUses = {
    {"Mutex::lock", [](Shared& shared) { shared.mutex.lock(); }},
    {"Mutex::try_lock", [](Shared& shared) { (void)shared.mutex.try_lock(); }},
    {"Semaphore::acquire", [](Shared& shared) { shared.permits.acquire(); }},
    {"Semaphore::acquire_for", [](Shared& shared) { (void)shared.permits.acquire_for(1s); }},
    {"Semaphore::release", [](Shared& shared) { shared.permits.release(); }},
    {"Channel::send", [](Shared& shared) { shared.channel.send(1); }},
    {"Channel::try_send", [](Shared& shared) { (void)shared.channel.try_send(1); }},
    {"Channel::receive", [](Shared& shared) { (void)shared.channel.receive(); }},
    {"Channel::try_receive", [](Shared& shared) { (void)shared.channel.try_receive(); }},
    {"Channel::close", [](Shared& shared) { shared.channel.close(); }},
    {"Future::set_value", [](Shared& shared) { shared.future.set_value(1); }},
    {"wait_any", [](Shared& shared) { (void)workflow::wait_any(shared.future, shared.channel); }},
};

TEST(MisuseTest, WhatTasksShareBelongsToOneRun) {
  std::unique_ptr<Shared> shared;
  code = [&] {
    shared = std::make_unique<Shared>();
    workflow::sleep(1h);
  };
  Driver owner(kRuns);
  owner.start();
  for (const auto& [name, use] : kUses) {
    code = [&, &use = use] { use(*shared); };
    Driver other(kRuns);
    EXPECT_THAT(task_failure(other.start()),
                AllOf(HasSubstr(name), HasSubstr("belongs to another run than workflow Runs")));
    try {
      use(*shared);
      ADD_FAILURE() << name;
    } catch (const std::logic_error& error) {
      EXPECT_THAT(error.what(), HasSubstr("outside a workflow"));
    }
  }
  EXPECT_THROW(workflow::Mutex(), std::logic_error);
  EXPECT_THROW(workflow::Semaphore(1), std::logic_error);
  EXPECT_THROW(workflow::Channel<int>(), std::logic_error);
  EXPECT_THROW(workflow::TaskGroup(), std::logic_error);
  EXPECT_THROW((void)workflow::random_int(1, 2), std::logic_error);
}

TEST(MisuseTest, AConditionUsesNoneOfIt) {
  for (const auto& [name, use] : kUses) {
    code = [&use = use] {
      Shared shared;
      workflow::wait_condition([&] {
        use(shared);
        return true;
      });
    };
    Driver driver(kRuns);
    EXPECT_THAT(task_failure(driver.start()),
                HasSubstr(absl::StrCat(name, " is not allowed in a query, a validator or a wait")));
  }
}

// --- Arguments ---

void takes_numbers(std::int64_t, std::size_t, std::optional<std::uint32_t>) {}

TEST(MisuseTest, ANumberOfTheWrongSignIsRefusedWhereItIsGiven) {
  code = [] { workflow::execute_activity<&takes_numbers>(kOptions, 1, -2, 3); };
  Driver driver(kRuns);
  EXPECT_THAT(task_failure(driver.start()),
              HasSubstr("argument 2: -2 is not a number of its parameter's type"));
  code = [] { workflow::execute_activity<&takes_numbers>(kOptions, ~std::uint64_t{0}, 1u, 3); };
  Driver other(kRuns);
  EXPECT_THAT(task_failure(other.start()), HasSubstr("argument 1: 18446744073709551615 is not"));
  code = [] { workflow::execute_activity<&takes_numbers>(kOptions, 1, 2, 3); };
  Driver right(kRuns);
  EXPECT_EQ(commands(right.start()).size(), 1u);
}

// --- Races ---

TEST(MisuseTest, CancellingTheLoserOfARaceIsNoError) {
  code = [] {
    auto loser = workflow::spawn([] { workflow::sleep(1h); });
    auto winner = workflow::spawn([] { return 1; });
    winner.get();
    loser.cancel();
    workflow::sleep(1s);
  };
  Driver driver(kRuns);
  EXPECT_EQ(log_of([&] { driver.start(); }), "");

  code = [] {
    workflow::spawn_detached([] { throw CancelledError("nobody asked"); });
    workflow::sleep(1s);
  };
  Driver other(kRuns);
  EXPECT_THAT(log_of([&] { other.start(); }), HasSubstr("nobody asked"));
}

// --- Clients ---

TEST(MisuseTest, AClientInsideAWorkflowIsRefused) {
  code = [] { Client::connect({.target_host = "127.0.0.1:1", .connect_timeout = 1ms}); };
  Driver driver(kRuns);
  const std::string failure = task_failure(driver.start());
  EXPECT_THAT(failure, HasSubstr("Client"));
  EXPECT_THAT(failure, HasSubstr("inside workflow Runs"));
}

// --- Destructors that throw ---

struct ThrowsAtTheEnd {
  ~ThrowsAtTheEnd() noexcept(false) { throw std::runtime_error("at the end"); }
  void run() { workflow::sleep(1h); }
};

TEST(MisuseTest, AWorkflowWhoseDestructorThrowsIsNamedAndTheProcessGoesOn) {
  Driver driver(define_workflow<&ThrowsAtTheEnd::run>("ThrowsAtTheEnd"));
  driver.start();

  EXPECT_THAT(log_of([&] { driver.drop(); }),
              AllOf(HasSubstr("as workflow ThrowsAtTheEnd (id id, run run) was destroyed"),
                    HasSubstr("std::runtime_error: at the end")));
}

// --- Stacks ---

TEST(MisuseTest, WithoutAStackTheTaskFailsAndSaysWhichLimitIsInTheWay) {
  code = [] {};
  static StackPool& none = StackPool::make(std::size_t{1} << 48, StackGuard::kPages);
  Driver driver(kRuns, nullptr, {}, none);
  const std::string failure = task_failure(driver.start());
  EXPECT_THAT(failure, HasSubstr("cannot run workflow Runs (id id, run run) now: no memory"));
  EXPECT_THAT(failure, HasSubstr("vm.max_map_count"));
}

// --- Children ---

TEST(MisuseTest, ATakenIdIsAWorkflowAlreadyStartedError) {
  std::string seen;
  code = [&] {
    try {
      workflow::start_child_workflow<int>("Child", {.id = "taken"}).cancel();
    } catch (const WorkflowAlreadyStartedError& error) {
      seen = absl::StrCat(error.workflow_id(), ": ", error.what());
      throw;
    }
  };
  Driver driver(kRuns);
  driver.start();
  const auto last = driver.activate({core::ResolveChildWorkflowExecutionStart{
      .seq = 1,
      .status = core::ResolveChildWorkflowExecutionStart::StartFailed{
          "taken", "Child",
          api::enums::v1::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS}}});

  EXPECT_THAT(seen, HasSubstr("taken: workflow Child with id taken"));
  const auto* failed = command<core::FailWorkflowExecution>(last, 0);  // As Python's does.
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->failure.application_failure_info().type(), "WorkflowAlreadyStarted");
}

}  // namespace
}  // namespace chimera::sdk
