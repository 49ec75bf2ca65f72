// What workflow code may do although it should not, or when nothing counts any more.
#include <functional>
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
#include "sdk-cpp/src/sanitizers.h"
#include "tests/unit/sdk-cpp/driver.h"

namespace chimera::sdk {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const ActivityOptions kOptions{.start_to_close_timeout = 10s};

// Runs whatever a test gives it.
std::function<void()> code;
struct Runs {
  void run() { code(); }
};
const auto kRuns = define_workflow<&Runs::run>("Runs");

std::string log_of(const std::function<void()>& body) {
  testing::internal::CaptureStderr();
  body();
  return testing::internal::GetCapturedStderr();
}
core::Job evict() { return core::RemoveFromCache{core::EvictionReason::kCacheFull, ""}; }

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
      workflow::start_activity<int>("x", kOptions);
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
    workflow::spawn([] { throw CancelledError("nobody asked"); });
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

#if !defined(CHIMERA_ASAN) && !defined(CHIMERA_TSAN)
struct ThrowsAtTheEnd {
  ~ThrowsAtTheEnd() noexcept(false) { throw std::runtime_error("at the end"); }
  void run() { workflow::sleep(1h); }
};

TEST(MisuseDeathTest, AWorkflowWhoseDestructorThrowsIsNamed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Driver driver(define_workflow<&ThrowsAtTheEnd::run>("ThrowsAtTheEnd"));
        driver.start();
        driver.drop();
      },
      "crash .SIGABRT. in workflow ThrowsAtTheEnd");
}
#endif

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
      workflow::start_child_workflow<int>("Child", {.id = "taken"});
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
