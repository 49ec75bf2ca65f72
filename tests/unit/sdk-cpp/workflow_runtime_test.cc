// The scheduler, driven by activations as the core would send them.
#include "sdk-cpp/src/workflow_runtime.h"

#include <stdexcept>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/converter/failure.h"
#include "core/converter/payload.h"
#include "sdk-cpp/src/codec.h"
#include "tests/unit/sdk-cpp/driver.h"

namespace chimera::sdk {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string echo(const std::string& text) { return text; }
const ActivityOptions kOptions{.start_to_close_timeout = 10s};
std::vector<std::string> seen;  // What the code under test did, in order.

struct Echo {
  std::string run(std::string text) { return workflow::execute_activity<&echo>(kOptions, text); }
};

TEST(WorkflowRuntimeTest, RunsAnActivityAndCompletes) {
  Driver driver(define_workflow<&Echo::run>("Echo"));

  const auto first = driver.start("hi");
  const auto* schedule = command<core::ScheduleActivity>(first, 0);
  ASSERT_NE(schedule, nullptr);
  EXPECT_EQ(schedule->seq, 1u);
  EXPECT_EQ(schedule->attributes.activity_type().name(), "echo");
  EXPECT_EQ(schedule->attributes.input().payloads(0).data(), "\"hi\"");

  const auto second = driver.activate({driver.completed(1, std::string("ho"))});
  const auto* complete = command<core::CompleteWorkflowExecution>(second, 0);
  ASSERT_NE(complete, nullptr) << task_failure(second);
  EXPECT_EQ(complete->result->data(), "\"ho\"");
}

struct Waits {
  bool go = false;
  bool run() {
    return workflow::wait_condition([this] { return go; }, 10s);
  }
  void release() { go = true; }
};

TEST(WorkflowRuntimeTest, ConditionWithTimeoutCancelsItsTimer) {
  Driver driver(define_workflow<&Waits::run>("Waits").signal<&Waits::release>("release"));

  EXPECT_NE(command<core::StartTimer>(driver.start(), 0), nullptr);
  const auto second = driver.activate({driver.signal("release")});

  EXPECT_NE(command<core::CancelTimer>(second, 0), nullptr);
  ASSERT_NE(command<core::CompleteWorkflowExecution>(second, 1), nullptr);
  EXPECT_EQ(command<core::CompleteWorkflowExecution>(second, 1)->result->data(), "true");
}

TEST(WorkflowRuntimeTest, ConditionTimesOut) {
  Driver driver(define_workflow<&Waits::run>("Waits").signal<&Waits::release>("release"));
  driver.start();

  const auto second = driver.activate({core::FireTimer{1}});

  ASSERT_NE(command<core::CompleteWorkflowExecution>(second, 0), nullptr);
  EXPECT_EQ(command<core::CompleteWorkflowExecution>(second, 0)->result->data(), "false");
}

// Go's client sends a null with a signal that has no argument.
TEST(WorkflowRuntimeTest, NullBehindTheLastParameterDoesNotCount) {
  Driver driver(define_workflow<&Waits::run>("Waits").signal<&Waits::release>("release"));
  driver.start();
  const auto ignored = driver.activate({driver.signal("release", "text")});
  EXPECT_EQ(command<core::CompleteWorkflowExecution>(ignored, 1), nullptr);
  const auto released = driver.activate({driver.signal("release", std::optional<std::string>())});
  EXPECT_NE(command<core::CompleteWorkflowExecution>(released, 1), nullptr);
}

// A signal that came with the start is handled before the run method begins, as in Python.
TEST(WorkflowRuntimeTest, SignalsOfTheFirstTaskComeBeforeRun) {
  Driver driver(define_workflow<&Waits::run>("Waits").signal<&Waits::release>("release"));

  const auto first = driver.activate({driver.init(), driver.signal("release")});

  EXPECT_NE(command<core::CompleteWorkflowExecution>(first, 0), nullptr);
}

struct Throws {
  void run(int how) {
    if (how == 0) throw 42;  // NOLINT
    if (how == 1) throw std::out_of_range("vector::at");
    throw ApplicationError("no", {.type = "No", .details = details(7)});
  }
};

TEST(WorkflowRuntimeTest, OnlyFailuresFailTheWorkflow) {
  const auto definition = define_workflow<&Throws::run>("Throws");
  Driver number(definition), range(definition), failure(definition), type(definition);

  EXPECT_THAT(task_failure(number.start(0)),
              HasSubstr("an exception of type int: 42 left workflow Throws"));
  EXPECT_THAT(task_failure(range.start(1)), HasSubstr("std::out_of_range: vector::at"));
  const auto failed = failure.start(2);
  ASSERT_NE(command<core::FailWorkflowExecution>(failed, 0), nullptr);
  EXPECT_EQ(
      command<core::FailWorkflowExecution>(failed, 0)->failure.application_failure_info().type(),
      "No");
  EXPECT_THAT(task_failure(type.start("two")),
              HasSubstr(R"(argument 1: expected integer, got "two")"));
}

void undo(const std::string& what) { seen.push_back(what); }

struct Compensates {
  std::string run() {
    workflow::Saga saga;
    saga.add([] { workflow::execute_activity<&undo>(kOptions, "first"); });
    saga.add([] { workflow::execute_activity<&undo>(kOptions, "second"); });
    workflow::sleep(1h);
    return "done";
  }
};

TEST(WorkflowRuntimeTest, CancellationCompensatesInReverseThenCancels) {
  Driver driver(define_workflow<&Compensates::run>("Compensates"));
  driver.start();

  const auto cancelled = driver.activate({core::CancelWorkflow{"stop"}});
  EXPECT_NE(command<core::CancelTimer>(cancelled, 0), nullptr);
  ASSERT_NE(command<core::ScheduleActivity>(cancelled, 1), nullptr);
  EXPECT_EQ(command<core::ScheduleActivity>(cancelled, 1)->attributes.input().payloads(0).data(),
            "\"second\"");
  const auto second = driver.activate({driver.completed(1, nullptr)});
  ASSERT_NE(command<core::ScheduleActivity>(second, 0), nullptr);
  EXPECT_EQ(command<core::ScheduleActivity>(second, 0)->attributes.input().payloads(0).data(),
            "\"first\"");

  EXPECT_NE(
      command<core::CancelWorkflowExecution>(driver.activate({driver.completed(2, nullptr)}), 0),
      nullptr);
}

TEST(WorkflowRuntimeTest, CancellationAsksTheActivityAndWaitsForItsEnd) {
  Driver driver(define_workflow<&Echo::run>("Echo"));
  driver.start("hi");

  const auto asked = driver.activate({core::CancelWorkflow{""}});
  ASSERT_EQ(commands(asked).size(), 1u);
  EXPECT_NE(command<core::RequestCancelActivity>(asked, 0), nullptr);

  EXPECT_NE(command<core::CancelWorkflowExecution>(driver.activate({driver.cancelled(1)}), 0),
            nullptr);
}

struct Tips {
  std::int64_t total = 0;
  void run() {
    workflow::wait_condition([] { return false; });
  }
  std::int64_t add(std::int64_t cents) {
    workflow::sleep(1s);
    return total += cents;
  }
  void validate(std::int64_t cents) const {
    if (cents < 0) throw ApplicationError("negative", {.type = "BadTip"});
  }
};
const auto kTips = define_workflow<&Tips::run>("Tips").update<&Tips::add, &Tips::validate>("add");

TEST(WorkflowRuntimeTest, UpdateIsAcceptedWaitsAndCompletes) {
  Driver driver(kTips);
  driver.start();

  const auto first = driver.activate({driver.update("add", 5)});
  ASSERT_NE(command<core::UpdateResponse>(first, 0), nullptr);
  EXPECT_TRUE(std::holds_alternative<core::UpdateResponse::Accepted>(
      command<core::UpdateResponse>(first, 0)->response));
  EXPECT_NE(command<core::StartTimer>(first, 1), nullptr);

  const auto second = driver.activate({core::FireTimer{1}});
  ASSERT_NE(command<core::UpdateResponse>(second, 0), nullptr);
  const auto* done = std::get_if<core::UpdateResponse::Completed>(
      &command<core::UpdateResponse>(second, 0)->response);
  ASSERT_NE(done, nullptr);
  EXPECT_EQ(done->result.data(), "5");
}

TEST(WorkflowRuntimeTest, UpdateIsRejectedByValidatorNameAndArguments) {
  Driver driver(kTips);
  driver.start();
  const auto rejection = [&](core::Job job) {
    const auto completion = driver.activate({std::move(job)});
    const auto* response = command<core::UpdateResponse>(completion, 0);
    const auto* rejected = response == nullptr
                               ? nullptr
                               : std::get_if<core::UpdateResponse::Rejected>(&response->response);
    return rejected == nullptr ? "not rejected" : rejected->failure.message();
  };

  EXPECT_EQ(rejection(driver.update("add", -1)), "negative");
  EXPECT_THAT(rejection(driver.update("nothing")), HasSubstr("known updates: add"));
  EXPECT_THAT(rejection(driver.update("add", "five")), HasSubstr("expected integer"));
}

// `return` would end the run normally, which an evicted run must not.
struct Swallows {
  void run() {
    try {
      workflow::sleep(1h);
    } catch (...) {
      seen.push_back("swallowed");
    }
  }
};
struct Destroys {
  struct Guard {
    ~Guard() { seen.push_back("destroyed"); }
  };
  void run() {
    const Guard guard;
    workflow::sleep(1h);
    seen.push_back("ran on");
  }
};

TEST(WorkflowRuntimeTest, EvictionUnwindsWithoutCommands) {
  seen.clear();
  Driver driver(define_workflow<&Destroys::run>("Destroys"));
  driver.start();

  const auto evicted =
      driver.activate({core::RemoveFromCache{core::EvictionReason::kCacheFull, ""}});

  EXPECT_EQ(commands(evicted).size(), 0u);
  EXPECT_EQ(task_failure(evicted), "");
  EXPECT_EQ(seen, std::vector<std::string>{"destroyed"});
}

TEST(WorkflowRuntimeTest, EvictionOfASagaDoesNotCompensate) {
  Driver driver(define_workflow<&Compensates::run>("Compensates"));
  driver.start();
  driver.activate({core::CancelWorkflow{""}});  // Now waiting inside the destructor of Saga.

  const auto evicted =
      driver.activate({core::RemoveFromCache{core::EvictionReason::kCacheFull, ""}});

  EXPECT_EQ(commands(evicted).size(), 0u);
}

// What a Saga undoes is waited for; the exception goes on, and is caught by code that waits again.
struct GoesOnAfterASaga {
  void run() {
    try {
      workflow::Saga saga;
      for (int i = 0; i < 2; ++i) saga.add([] { workflow::sleep(1h); });
      throw ApplicationError("no");
    } catch (const ApplicationError&) {
      workflow::sleep(1h);
    }
  }
};

TEST(WorkflowRuntimeTest, EvictionInASagaIsNobodysFault) {
  Driver driver(define_workflow<&GoesOnAfterASaga::run>("GoesOnAfterASaga"));
  driver.start();

  testing::internal::CaptureStderr();
  driver.drop();

  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(WorkflowRuntimeTest, NamesAWorkflowThatSwallowsTheUnwinding) {
  seen.clear();
  Driver driver(define_workflow<&Swallows::run>("Swallows"));
  driver.start();

  testing::internal::CaptureStderr();
  driver.drop();

  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("workflow Swallows (id id, run run)"));
  EXPECT_EQ(seen, std::vector<std::string>{"swallowed"});
}

struct LoopsForever {
  void run() {
    for (;;) {
      try {
        workflow::sleep(1h);
      } catch (...) {
      }
    }
  }
};

TEST(WorkflowRuntimeTest, AnEndlessCatchDoesNotHangEviction) {
  Driver driver(define_workflow<&LoopsForever::run>("LoopsForever"));
  driver.start();

  driver.drop();
}

struct Scoped {
  std::string run() {
    workflow::CancellationScope scope;
    auto canceller = workflow::spawn([&] { scope.cancel("enough"); });
    try {
      scope.run([] { workflow::sleep(1h); });
    } catch (const CancelledError&) {
      workflow::sleep(1s);  // The scope is cancelled, not the workflow.
      return "cancelled";
    }
    return "slept";
  }
};

TEST(WorkflowRuntimeTest, AScopeCancelsWhatWaitsInItOnly) {
  Driver driver(define_workflow<&Scoped::run>("Scoped"));

  const auto first = driver.start();
  EXPECT_NE(command<core::StartTimer>(first, 0), nullptr);
  EXPECT_NE(command<core::CancelTimer>(first, 1), nullptr);
  EXPECT_NE(command<core::StartTimer>(first, 2), nullptr);
  const auto second = driver.activate({core::FireTimer{2}});

  ASSERT_NE(command<core::CompleteWorkflowExecution>(second, 0), nullptr) << task_failure(second);
  EXPECT_EQ(command<core::CompleteWorkflowExecution>(second, 0)->result->data(), "\"cancelled\"");
}

struct Patched {
  bool run() { return workflow::patched("p"); }
};

TEST(WorkflowRuntimeTest, PatchesAreTrueLiveAndFollowHistoryInReplay) {
  const auto definition = define_workflow<&Patched::run>("Patched");
  Driver live(definition), old(definition), marked(definition);

  EXPECT_NE(command<core::SetPatchMarker>(live.start(), 0), nullptr);
  const auto without = old.activate({old.init()}, /*replaying=*/true);
  EXPECT_EQ(command<core::CompleteWorkflowExecution>(without, 0)->result->data(), "false");
  const auto with = marked.activate({marked.init(), core::NotifyHasPatch{"p"}}, /*replaying=*/true);
  EXPECT_NE(command<core::SetPatchMarker>(with, 0), nullptr);
}

struct Asks {
  int value = 3;
  void run() {
    workflow::wait_condition([] { return false; });
  }
  int get() const { return value; }
  int bad() {
    workflow::sleep(1s);
    return 0;
  }
};

TEST(WorkflowRuntimeTest, QueriesAnswerAndMayNotWait) {
  Driver driver(
      define_workflow<&Asks::run>("Asks").query<&Asks::get>("get").query<&Asks::bad>("bad"));
  driver.start();
  api::query::v1::WorkflowQuery get, bad;
  get.set_query_type("get");
  bad.set_query_type("bad");

  const auto answers =
      driver.activate({core::QueryWorkflow{"1", &get}, core::QueryWorkflow{"2", &bad}});

  ASSERT_EQ(commands(answers).size(), 2u);
  EXPECT_EQ(
      std::get<api::common::v1::Payload>(command<core::RespondToQuery>(answers, 0)->answer).data(),
      "3");
  EXPECT_THAT(std::get<api::failure::v1::Failure>(command<core::RespondToQuery>(answers, 1)->answer)
                  .message(),
              HasSubstr("not allowed in a query"));
}

struct YieldsAndStops {
  void run() { workflow::sleep(0s); }
};

// The cancellation is there before the first wait; the task that ended must not be run again.
TEST(WorkflowRuntimeTest, ACancellationBeforeAYieldEndsTheTaskOnce) {
  Driver driver(define_workflow<&YieldsAndStops::run>("YieldsAndStops"));

  const auto done = driver.activate({driver.init(), core::CancelWorkflow{.reason = "now"}});

  EXPECT_NE(command<core::CancelWorkflowExecution>(done, 0), nullptr) << task_failure(done);
  EXPECT_EQ(commands(driver.activate({core::UpdateRandomSeed{}})).size(), 0u);
}

struct ThrowsAtBirth {
  explicit ThrowsAtBirth(const std::string& why) { throw ApplicationError(why); }
  std::string run(std::string) { return "never"; }
  void add(std::string) {}
};

TEST(WorkflowRuntimeTest, AConstructorThatThrowsFailsTheWorkflowBeforeAnyOfItsCodeRuns) {
  Driver driver(
      define_workflow<&ThrowsAtBirth::run>("ThrowsAtBirth").signal<&ThrowsAtBirth::add>("add"));

  const auto done =
      driver.activate({driver.init(std::string("no")), driver.signal("add", std::string("x"))});

  ASSERT_EQ(commands(done).size(), 1u) << task_failure(done);
  const auto* failed = command<core::FailWorkflowExecution>(done, 0);
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->failure.message(), "no");
}

// A codec with another key than the one that wrote.
class Refusing : public PayloadCodec {
 public:
  std::vector<Payload> encode(std::vector<Payload>) const override {
    throw ConversionError("no key to write with");
  }
  std::vector<Payload> decode(std::vector<Payload>) const override {
    throw ConversionError("no key 2025");
  }
};

TEST(WorkflowRuntimeTest, AMemoThatCannotBeReadFailsTheTask) {
  Driver driver(define_workflow<&Echo::run>("Echo"), to_core(std::make_shared<Refusing>()));

  const auto done = driver.activate({driver.init_with_memo("note", std::string("x"))});

  EXPECT_THAT(task_failure(done), AllOf(HasSubstr("memo 'note'"), HasSubstr("no key 2025")));
}

struct FailsWithDetails {
  void run() { throw ApplicationError("lost", {.details = details(std::string("x"))}); }
};

TEST(WorkflowRuntimeTest, AFailureThatCannotBeEncodedIsNotSilent) {
  Driver driver(define_workflow<&FailsWithDetails::run>("FailsWithDetails"),
                to_core(std::make_shared<Refusing>()));

  const auto done = driver.start();

  EXPECT_TRUE(command<core::FailWorkflowExecution>(done, 0) != nullptr ||
              !task_failure(done).empty());
}

struct ConversionIsFatal {
  void run() { throw ConversionError("mine"); }
};

TEST(WorkflowRuntimeTest, AListedConversionErrorFailsTheWorkflow) {
  Driver driver(define_workflow<&ConversionIsFatal::run>("ConversionIsFatal")
                    .failure_exceptions<ConversionError>());

  const auto done = driver.start();

  EXPECT_NE(command<core::FailWorkflowExecution>(done, 0), nullptr) << task_failure(done);
}

}  // namespace
}  // namespace chimera::sdk
