// TestWorker: mocks, unexpected calls, and tests that would hang.
#include <atomic>
#include <future>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chimera/testing/gtest.h"

namespace chimera {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

struct Card {
  std::string number;
  int cents = 0;
};

std::string charge_card(const Card&) { throw std::logic_error("the real one was called"); }
constexpr auto kCharge = define_activity<&charge_card>("charge");
void send_receipt(const std::string&, int) { throw std::logic_error("the real one was called"); }

struct Shipping {
  std::string run(std::string order) { return "really shipped " + order; }
};
const auto kShipping = define_workflow<&Shipping::run>("Shipping");

constexpr ActivityOptions kOptions{.start_to_close_timeout = 10s,
                                   .retry_policy = RetryPolicy{.maximum_attempts = 4}};

class Order {
 public:
  std::string run(int cents) {
    const auto charged = workflow::execute_activity<kCharge>(kOptions, Card{"4711", cents});
    workflow::execute_activity<&send_receipt>(kOptions, charged, cents);
    return charged;
  }
};
const auto kOrder = define_workflow<&Order::run>("Order");

class Ships {
 public:
  std::string run() {
    const Time begin = workflow::now();
    const auto shipped = workflow::execute_child_workflow<kShipping>({}, "17");
    return shipped + " after " + std::to_string((workflow::now() - begin) / 1h) + " h";
  }
};
const auto kShips = define_workflow<&Ships::run>("Ships");

class Locally {
 public:
  std::string run() {
    return workflow::execute_local_activity<kCharge>(
        {.start_to_close_timeout = 10s, .retry_policy = RetryPolicy{.initial_interval = 1ms}},
        Card{"4711", 5});
  }
};
const auto kLocally = define_workflow<&Locally::run>("Locally");

// Calls something on a queue of its own, and goes on whatever becomes of it.
class Stubborn {
 public:
  std::string run(std::string queue) {
    try {
      ActivityOptions options = kOptions;
      options.task_queue = std::move(queue);
      return workflow::execute_activity<std::string>("render", options, 7);
    } catch (const std::exception&) {
      return "never mind";
    }
  }
};
const auto kStubborn = define_workflow<&Stubborn::run>("Stubborn");

class Forgetful {
 public:
  void run() {
    workflow::wait_condition([] { return false; });
  }
  void signal(int index) { static_cast<void>(std::string("abc").at(index)); }
};
const auto kForgetful =
    define_workflow<&Forgetful::run>("Forgetful").signal<&Forgetful::signal>("signal");

// Asks, and reminds every day until there is an answer.
class Patient {
 public:
  std::string run() {
    int reminders = 0;
    auto asking = workflow::start_activity<kCharge>(
        {.start_to_close_timeout = 240h, .retry_policy = RetryPolicy{.maximum_attempts = 1}},
        Card{"4711", 5});
    auto reminding = workflow::spawn([&] {
      for (;; ++reminders) workflow::sleep(24h);
    });
    const std::string answer = asking.get();
    reminding.cancel();
    return answer + " after " + std::to_string(reminders) + " reminders";
  }
};
const auto kPatient = define_workflow<&Patient::run>("Patient");

// An attempt may take an hour.
class Hurried {
 public:
  std::string run() {
    return workflow::execute_activity<kCharge>({.start_to_close_timeout = 1h}, Card{"4711", 5});
  }
};
const auto kHurried = define_workflow<&Hurried::run>("Hurried");

class TestWorkerTest : public WorkflowTest {};

TEST_F(TestWorkerTest, MocksAnswerInPlaceOfActivities) {
  worker.add(kOrder).add(kCharge);
  auto& charge = worker.mock_activity<kCharge>().returns("receipt-7");
  auto& send = worker.mock_activity<&send_receipt>().returns();

  EXPECT_EQ(worker.execute_workflow<kOrder>(500), "receipt-7");

  EXPECT_EQ(charge.times_called(), 1);
  EXPECT_EQ(std::get<0>(charge.arguments()).cents, 500);
  EXPECT_EQ(send.arguments(), std::tuple(std::string("receipt-7"), 500));
}

TEST_F(TestWorkerTest, AnswersComeInOrderAndTheLastOneStays) {
  worker.add(kOrder);
  auto& charge = worker.mock_activity<std::string(Card)>("charge");
  charge.throws(ApplicationError("busy")).times(2).throws(std::out_of_range("slot 3"));
  charge.calls([](const Card& card) { return card.number + "!"; });
  worker.mock_activity<&send_receipt>().returns();
  const Time begin = env.now();

  EXPECT_EQ(worker.execute_workflow<kOrder>(1), "4711!");
  EXPECT_EQ(charge.times_called(), 4);
  EXPECT_GE(env.now() - begin, 1s + 2s + 4s);  // Between the attempts.
  EXPECT_EQ(worker.execute_workflow<kOrder>(1), "4711!");
}

TEST_F(TestWorkerTest, WhatAMockThrowsIsWhatTheActivityThrew) {
  worker.add(kOrder);
  worker.mock_activity<kCharge>().throws(
      ApplicationError("no", {.type = "Broke", .non_retryable = true}));

  EXPECT_THAT([&] { worker.execute_workflow<kOrder>(1); },
              FailedWith<ApplicationError>("Broke", HasSubstr("no")));
}

TEST_F(TestWorkerTest, ExceptionsOfOtherKindsHaveTheirNamesAsTypes) {
  worker.add(kOrder);
  worker.mock_activity<kCharge>().throws(std::out_of_range("slot 3"));

  EXPECT_THAT(worker.start_workflow<kOrder>(1), FailedWith<ApplicationError>("std::out_of_range"));
}

TEST_F(TestWorkerTest, LocalActivitiesAreMockedToo) {
  worker.add(kLocally);
  auto& charge = worker.mock_activity<kCharge>().throws(ApplicationError("busy")).returns("here");

  EXPECT_EQ(worker.execute_workflow<kLocally>(), "here");
  EXPECT_EQ(charge.times_called(), 2);
}

TEST_F(TestWorkerTest, ChildrenTakeTheirTimeOfTheServer) {
  worker.add(kShips).add(kShipping);
  auto& ship = worker.mock_child_workflow<kShipping>().returns("gone").takes(72h);

  EXPECT_EQ(worker.execute_workflow<kShips>(), "gone after 72 h");
  EXPECT_EQ(ship.arguments(), std::tuple(std::string("17")));
}

TEST_F(TestWorkerTest, ActivitiesTakeTheirTimeOfTheServer) {
  worker.add(kPatient);
  worker.mock_activity<kCharge>().returns("yes").takes(84h);

  EXPECT_EQ(worker.execute_workflow<kPatient>(), "yes after 3 reminders");
}

TEST_F(TestWorkerTest, WhatTakesTooLongTimesOutAndIsTriedAgain) {
  worker.add(kHurried);
  auto& charge = worker.mock_activity<kCharge>();
  charge.returns("late").takes(5h).once().returns("in time").takes(59min);
  const Time begin = env.now();

  EXPECT_EQ(worker.execute_workflow<kHurried>(), "in time");

  EXPECT_EQ(charge.times_called(), 2);
  EXPECT_GE(env.now() - begin, 1h + 59min);
  EXPECT_LT(env.now() - begin, 3h);
}

TEST_F(TestWorkerTest, AnActivityThatTakesItsTimeDoesNotHoldUpTheEnd) {
  worker.add(kPatient);
  auto& charge = worker.mock_activity<kCharge>().returns("never asked for").takes(84h);
  worker.start_workflow<kPatient>();  // Nobody waits for its result, so that no time passes.
  while (charge.times_called() == 0) std::this_thread::yield();
}

TEST_F(TestWorkerTest, ChildrenFailAsTheyAreTold) {
  worker.add(kShips);
  worker.mock_child_workflow<std::string(std::string)>("Shipping")
      .throws(std::runtime_error("ice"));

  EXPECT_THAT([&] { worker.execute_workflow<kShips>(); },
              FailedWith<ApplicationError>("std::runtime_error", "ice"));
}

TEST_F(TestWorkerTest, MocksServeAnyTaskQueue) {
  worker.add(kStubborn);
  worker.mock_activity<std::string(int)>("render").calls([](int i) { return std::to_string(i); });

  EXPECT_EQ(worker.execute_workflow<kStubborn>("gpu"), "7");
}

// Without a fixture's check at the end.
// A fixture's members are destroyed before what it stands on, and activities use them.
class WorkflowTestMembers : public WorkflowTest {
 public:
  struct Shop {
    Shop() { open = true; }
    ~Shop() { open = false; }
    int serve() {
      inside.count_down();
      activity::wait_for_worker_shutdown(1min);
      used_when_closed = !open;
      return 1;
    }
  };
  struct Buys {
    int run() { return workflow::execute_activity<&Shop::serve>({.start_to_close_timeout = 1h}); }
  };
  static void TearDownTestSuite() { EXPECT_FALSE(used_when_closed); }

  static inline std::atomic<bool> open{false}, used_when_closed{false};
  static inline std::latch inside{1};

 protected:
  Shop shop_;
};

TEST_F(WorkflowTestMembers, OutliveTheActivitiesThatUseThem) {
  const auto buys = define_workflow<&Buys::run>("Buys");
  worker.add(buys).add_activity<&Shop::serve>(shop_);
  worker.start();
  env.client().start_workflow<&Buys::run>(worker.options());
  inside.wait();
}

class UnexpectedTest : public ::testing::Test {
 protected:
  TestEnvironment env;
  TestWorker worker{env, {.time_limit = 5s}};
};

TEST_F(UnexpectedTest, ActivitiesFailTheWorkflow) {
  worker.add(kOrder).add_activity<&send_receipt>();
  const auto expected = AllOf(HasSubstr("the activity 'charge'"), HasSubstr("'send_receipt'"),
                              HasSubstr(R"(worker.mock_activity<R(Arguments...)>("charge"))"));

  EXPECT_THAT([&] { worker.execute_workflow<kOrder>(1); },
              FailedWith<ApplicationError>("UnexpectedCall", expected));
  EXPECT_THAT(worker.unmet(), expected);
}

TEST_F(UnexpectedTest, ChildrenAndLocalActivitiesFailTheWorkflow) {
  worker.add(kShips).add(kLocally);

  EXPECT_THAT([&] { worker.execute_workflow<kShips>(); },
              FailedWith<ApplicationError>("UnexpectedCall",
                                           AllOf(HasSubstr("the child workflow 'Shipping'"),
                                                 HasSubstr("mock_child_workflow"))));
  EXPECT_THAT([&] { worker.execute_workflow<kLocally>(); },
              FailedWith<ApplicationError>("UnexpectedCall", HasSubstr("local activity 'charge'")));
}

TEST_F(UnexpectedTest, CallsToQueuesThatNobodyServesAreToldThoughTheWorkflowGoesOn) {
  worker.add(kStubborn);

  EXPECT_EQ(worker.execute_workflow<kStubborn>("gpu"), "never mind");
  EXPECT_THAT(worker.unmet(),
              AllOf(HasSubstr("'render' on the task queue 'gpu'"), HasSubstr("other_task_queues")));
}

TEST_F(UnexpectedTest, AnotherWorkerOfTheTestMayServeAQueue) {
  TestWorker gpu(env, {.worker = {.task_queue = "gpu"}});
  gpu.mock_activity<std::string(int)>("render").returns("drawn");
  gpu.start();
  TestWorker main(env, {.other_task_queues = {"gpu"}});
  main.add(kStubborn);

  EXPECT_EQ(main.execute_workflow<kStubborn>("gpu"), "drawn");
}

TEST_F(UnexpectedTest, MoreCallsThanAnswersFailTheWorkflow) {
  worker.add(kOrder);
  worker.mock_activity<kCharge>().returns("a").once();
  worker.mock_activity<&send_receipt>().returns();
  EXPECT_EQ(worker.execute_workflow<kOrder>(1), "a");

  EXPECT_THAT([&] { worker.execute_workflow<kOrder>(1); },
              FailedWith<ApplicationError>("UnexpectedCall", HasSubstr("was called 2 times")));
  EXPECT_THAT(worker.unmet(), HasSubstr("was called 2 times"));
}

TEST_F(UnexpectedTest, UnusedMocksAndAnswersAreTold) {
  worker.add(kOrder);
  worker.mock_activity<kCharge>().throws(ApplicationError("busy")).times(3).returns("a");
  EXPECT_THAT(worker.unmet(), HasSubstr("'charge' was never called"));
  auto& send = worker.mock_activity<&send_receipt>();
  send.returns().times(2);
  worker.execute_workflow<kOrder>(1);

  EXPECT_EQ(worker.unmet(),
            "the mock of the activity 'send_receipt' was called 1 times; its answer 1 of 1 was "
            "given 1 of 2 times");
}

TEST_F(UnexpectedTest, ErrorsThatWouldRepeatTheTaskFailTheWorkflow) {
  worker.add(kForgetful);
  const auto handle = worker.start_workflow<kForgetful>();
  handle.signal<&Forgetful::signal>(5);

  EXPECT_THAT([&] { worker.result(handle); },
              FailedWith<ApplicationError>("UnexpectedError", HasSubstr("std::out_of_range")));
  EXPECT_THAT(worker.unmet(), HasSubstr("std::out_of_range"));
}

TEST_F(UnexpectedTest, AWorkflowThatNeverEndsIsDescribed) {
  TestWorker quick(env, {.worker = {.task_queue = "quick"}, .time_limit = 200ms});
  quick.add(kForgetful);
  try {
    quick.execute_workflow<kForgetful>();
    ADD_FAILURE() << "it ended";
  } catch (const TestTimeoutError& error) {
    EXPECT_THAT(std::string(error.what()),
                AllOf(HasSubstr("200 ms"), HasSubstr("of type 'Forgetful': Running"),
                      HasSubstr("1 WorkflowExecutionStarted Forgetful"),
                      HasSubstr("4 WorkflowTaskCompleted")));
  }
}

// What it waits for never ends.
TEST_F(UnexpectedTest, AMockThatWaitsForAnotherWorkflowDoesNotHoldUpTheEnd) {
  std::promise<std::string> end;
  {
    TestWorker quick(env, {.worker = {.task_queue = "quick"}, .time_limit = 200ms});
    quick.add(kForgetful).add(kHurried);
    quick.mock_activity<kCharge>().calls([&](const Card&) -> std::string {
      try {
        env.client().execute_workflow<kForgetful>(quick.options("awaited"));
      } catch (const WorkflowFailureError& error) {
        end.set_value(error.cause()->what());
      }
      return "receipt";
    });
    EXPECT_THROW(quick.execute_workflow<kHurried>(), TestTimeoutError);
  }

  EXPECT_THAT(end.get_future().get(), HasSubstr("the test is over, and a mock waits for this"));
}

TEST_F(UnexpectedTest, ATestMayTakeAllTheTimeThereIs) {
  TestWorker patient(
      env, {.worker = {.task_queue = "patient"}, .time_limit = std::chrono::milliseconds::max()});
  patient.add(kOrder);
  patient.mock_activity<kCharge>().returns("receipt");
  patient.mock_activity<&send_receipt>().returns();
  EXPECT_NO_THROW(patient.execute_workflow<kOrder>(1));
}

TEST_F(UnexpectedTest, OpenActivitiesAreDescribed) {
  TestWorker quick(env, {.time_limit = 200ms, .other_task_queues = {"nobody"}});
  quick.add(kStubborn);

  EXPECT_THAT([&] { quick.execute_workflow<kStubborn>("nobody"); },
              FailedWith<TestTimeoutError>(HasSubstr("Open activity: 'render', id 1, Scheduled")));
}

TEST_F(UnexpectedTest, MistakesInTheTestAreRefused) {
  auto& charge = worker.mock_activity<kCharge>();
  EXPECT_THROW(worker.mock_activity<kCharge>(), std::invalid_argument);
  EXPECT_THROW(charge.times(2), std::logic_error);
  EXPECT_THROW(charge.takes(1h), std::logic_error);
  EXPECT_THROW(charge.returns("a").times(0), std::logic_error);
  EXPECT_THROW(charge.takes(-1s), std::logic_error);
  EXPECT_THROW(charge.arguments(), std::out_of_range);
  EXPECT_THROW(worker.execute_workflow<kOrder>(1), std::invalid_argument);
  worker.add(kOrder).add_activity<&send_receipt>();
  worker.start();
  EXPECT_THROW(worker.mock_activity<&send_receipt>(), std::logic_error);
  EXPECT_THROW(worker.add(kShips), std::logic_error);
  EXPECT_THROW(TestWorker(env, {.time_limit = 0ms}), std::invalid_argument);
  const WorkerOptions bad{.max_concurrent_activities = 0};
  EXPECT_THROW(TestWorker(env, {.worker = bad}), std::invalid_argument);
  EXPECT_THROW(Worker(env.client(), bad), std::invalid_argument);
}

TEST_F(UnexpectedTest, LocalActivitiesTakeNoTime) {
  worker.add(kLocally);
  worker.mock_activity<kCharge>().returns("here").takes(1h);

  EXPECT_THAT([&] { worker.execute_workflow<kLocally>(); },
              FailedWith<ApplicationError>("UnexpectedCall", HasSubstr("takes()")));
}

// Each task replays the whole history: the answers stay what they were, and count once.
TEST_F(UnexpectedTest, ChildrenThatReplayCountOnce) {
  TestWorker forgetting(env, {.worker = {.task_queue = "forgetting", .max_cached_workflows = 0}});
  forgetting.add(kShips);
  auto& ship = forgetting.mock_child_workflow<kShipping>();
  ship.returns("first").takes(1h).returns("second").takes(2h);

  EXPECT_EQ(forgetting.execute_workflow<kShips>(), "first after 1 h");
  EXPECT_EQ(forgetting.execute_workflow<kShips>(), "second after 2 h");
  EXPECT_EQ(ship.times_called(), 2);
}

}  // namespace
}  // namespace chimera
