// TestEnvironment, as a program's tests use it.
#include <atomic>
#include <future>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chimera/testing.h"
#include "chimera/worker.h"
#include "chimera/workflow.h"

namespace chimera {
namespace {

using namespace std::chrono_literals;
constexpr auto kDay = 24h;
constexpr char kQueue[] = "bills";

class Reminder {
 public:
  std::string run() {
    return workflow::wait_condition([this] { return paid_; }, 3 * kDay) ? "paid" : "reminded";
  }
  void pay() { paid_ = true; }

 private:
  bool paid_ = false;
};
const auto kReminder = define_workflow<&Reminder::run>("Reminder").signal<&Reminder::pay>("pay");

std::atomic<int> attempts{0};
int third_time() {
  if (++attempts < 3) throw ApplicationError("too early");
  return attempts;
}
constexpr auto kThirdTime = define_activity<&third_time>("third_time");

class Retries {
 public:
  int run() {
    return workflow::execute_activity<kThirdTime>(
        {.start_to_close_timeout = 30s,
         .retry_policy = RetryPolicy{.initial_interval = 10 * kDay}});
  }
};
const auto kRetries = define_workflow<&Retries::run>("Retries");

std::promise<void> gate;
void wait_at_gate() { gate.get_future().wait(); }

class Held {
 public:
  void run() {
    workflow::execute_activity<&wait_at_gate>({.start_to_close_timeout = kDay});
    workflow::sleep(30 * kDay);
  }
};
const auto kHeld = define_workflow<&Held::run>("Held");

class Stages {
 public:
  void run() {
    for (int day = 0; day < 10; ++day) workflow::sleep(kDay);
  }
};
const auto kStages = define_workflow<&Stages::run>("Stages");

class TestEnvironmentTest : public ::testing::Test {
 protected:
  void work(TestEnvironment& env) {
    worker_ = std::make_unique<Worker>(env.client(), WorkerOptions{.task_queue = kQueue});
    worker_->add(kReminder).add(kRetries).add(kThirdTime);
    worker_->add(kHeld).add(kStages).add_activity<&wait_at_gate>();
    worker_->start();
  }
  static WorkflowOptions with_id(const std::string& id) { return {.id = id, .task_queue = kQueue}; }

  TestEnvironment env_;
  std::unique_ptr<Worker> worker_;  // Destroyed before its environment.
};

TEST_F(TestEnvironmentTest, AWorkflowWithAClockOfItsOwnSkipsWhereOthersDoNot) {
  TestEnvironment real({.time_skipping = false});
  work(real);
  WorkflowOptions ahead = with_id("ahead");
  ahead.time_skipping_config.emplace();
  const Time begin = real.now();

  EXPECT_EQ(real.client().execute_workflow<kReminder>(ahead), "reminded");

  EXPECT_LT(real.now() - begin, kDay);
  worker_ = nullptr;
}

TEST_F(TestEnvironmentTest, ASingleWorkflowIsDrivenOn) {
  TestEnvironment real({.time_skipping = false});
  work(real);
  const auto bill = real.client().start_workflow<kReminder>(with_id("driven"));
  const Time begin = real.now();

  EXPECT_TRUE(real.fast_forward(bill, 2 * kDay));

  EXPECT_GE(real.now(bill) - begin, 2 * kDay);
  EXPECT_LT(real.now(bill) - begin, 3 * kDay);
  EXPECT_LT(real.now() - begin, kDay);
  EXPECT_FALSE(real.fast_forward(bill, 2 * kDay)) << "it ends a day before";
  EXPECT_EQ(bill.result(), "reminded");
  worker_ = nullptr;
}

TEST_F(TestEnvironmentTest, OfTwoWhoDriveOneOnTheFirstIsTold) {
  TestEnvironment real({.time_skipping = false});
  work(real);
  gate = {};
  const auto held = real.client().start_workflow<kHeld>(with_id("held"));
  std::promise<std::string> told;
  const auto drive = [&] {
    try {
      return real.fast_forward(held, kDay);
    } catch (const std::runtime_error& error) {
      told.set_value(error.what());
      return false;
    }
  };
  auto one = std::async(std::launch::async, drive), other = std::async(std::launch::async, drive);

  EXPECT_THAT(told.get_future().get(), testing::HasSubstr("'held'"));
  gate.set_value();

  EXPECT_NE(one.get(), other.get()) << "the second gets there";
  held.terminate();
  worker_ = nullptr;
}

TEST_F(TestEnvironmentTest, WhereTheSkipsEndItStaysThere) {
  TestEnvironment real({.time_skipping = false});
  work(real);
  const Time begin = real.now();
  const auto stages = real.client().start_workflow<kStages>(with_id("stages"));

  EXPECT_THAT([&] { real.fast_forward(stages, 9 * kDay, {.max_session_skip_count = 3}); },
              testing::ThrowsMessage<std::runtime_error>(testing::HasSubstr("was disabled")));

  EXPECT_LT(real.now(stages) - begin, 9 * kDay);
  EXPECT_EQ(stages.describe().status, WorkflowExecutionStatus::kRunning);
  worker_ = nullptr;
}

TEST_F(TestEnvironmentTest, WhatCannotBeDrivenOnIsRefused) {
  work(env_);
  const auto bill = env_.client().start_workflow<kReminder>(with_id("ended"));
  EXPECT_THROW(env_.fast_forward(bill, Duration{0}), std::invalid_argument);
  EXPECT_EQ(bill.result(), "reminded");

  EXPECT_THROW(env_.fast_forward(bill, kDay), RpcError);
  const auto beyond = env_.client().start_workflow<kHeld>(with_id("beyond"));
  EXPECT_THAT([&] { env_.fast_forward(beyond, 250 * 365 * kDay); },
              testing::ThrowsMessage<std::runtime_error>(testing::HasSubstr("the year 2219")));
  beyond.terminate();
  const auto nobody = env_.client().get_workflow_handle<std::string>("nobody");
  EXPECT_THROW(env_.fast_forward(nobody, kDay), RpcError);
  EXPECT_THROW(env_.now(nobody), RpcError);
}

TEST_F(TestEnvironmentTest, ThreeDaysPassWhileTheResultIsAwaited) {
  work(env_);
  const Time begin = env_.now();

  EXPECT_EQ(env_.client().execute_workflow<kReminder>(with_id("late")), "reminded");

  EXPECT_GE(env_.now() - begin, 3 * kDay);
}

TEST_F(TestEnvironmentTest, TimeStandsWhileNobodyWaits) {
  work(env_);
  const auto bill = env_.client().start_workflow<kReminder>(with_id("in time"));
  const Time begin = env_.now();
  env_.sleep(2 * kDay);
  EXPECT_GE(env_.now() - begin, 2 * kDay);
  EXPECT_LT(env_.now() - begin, 3 * kDay);
  bill.signal<&Reminder::pay>();

  EXPECT_EQ(bill.result(), "paid");
}

TEST_F(TestEnvironmentTest, RetriesAreSkippedTo) {
  work(env_);
  attempts = 0;
  const Time begin = env_.now();

  EXPECT_EQ(env_.client().execute_workflow<kRetries>(with_id("retries")), 3);

  EXPECT_GE(env_.now() - begin, 30 * kDay);
}

TEST_F(TestEnvironmentTest, SeveralMayWaitAtOnce) {
  work(env_);
  std::vector<std::future<std::string>> results;
  for (int i = 0; i < 8; ++i) {
    results.push_back(std::async(std::launch::async, [this, i] {
      return env_.client().execute_workflow<kReminder>(with_id(std::to_string(i)));
    }));
  }
  for (auto& result : results) EXPECT_EQ(result.get(), "reminded");
}

TEST_F(TestEnvironmentTest, ResultsTakeTheirTimeWhereTimeIsReal) {
  work(env_);
  const auto bill = env_.client().start_workflow<kReminder>(with_id("real"));
  std::future<std::string> result;
  {
    const auto real = env_.real_time();
    result = std::async(std::launch::async, [&bill] { return bill.result(); });
    EXPECT_EQ(result.wait_for(300ms), std::future_status::timeout);
  }
  EXPECT_EQ(result.get(), "reminded");
}

TEST_F(TestEnvironmentTest, WithoutSkippingTimeIsTheMachines) {
  TestEnvironment env({.time_skipping = false, .listens = true});
  work(env);
  EXPECT_LT(env.now() - std::chrono::system_clock::now(), 1h);
  const auto bill = env.client().start_workflow<kReminder>(with_id("real"));
  bill.signal<&Reminder::pay>();
  EXPECT_EQ(bill.result(), "paid");
  env.sleep(1ms);
  EXPECT_THAT(env.address(), ::testing::StartsWith("127.0.0.1:"));
  EXPECT_EQ(env_.address(), "");
  worker_ = nullptr;
}

TEST_F(TestEnvironmentTest, HasANamespaceAndSearchAttributesOfItsOwn) {
  TestEnvironment env(
      {.client = {.namespace_ = "accounts"}, .search_attributes = {{"Customer", "Keyword"}}});
  work(env);
  WorkflowOptions options = with_id("typed");
  options.search_attributes = {{"Customer", std::string("Ann")}};
  env.client().start_workflow<kReminder>(options);

  EXPECT_EQ(env.client().list_workflows("Customer = 'Ann'").all().size(), 1u);
  worker_ = nullptr;
}

// They would wait for ten seconds, as for a server that may come back.
TEST_F(TestEnvironmentTest, ClientsOfOneThatIsGoneHearAtOnce) {
  auto env = std::make_unique<TestEnvironment>();
  const Client client = env->client();
  const auto handle = client.start_workflow<kReminder>(with_id("orphan"));
  const ScheduleHandle schedule = client.get_schedule_handle("none");
  auto result = std::async(std::launch::async, [&] { return handle.result(); });
  const auto begin = std::chrono::steady_clock::now();
  env = nullptr;

  const auto code = [](auto call) {
    try {
      call();
    } catch (const RpcError& error) {
      return error.code();
    }
    return StatusCode::kOk;
  };
  EXPECT_EQ(code([&] { result.get(); }), StatusCode::kUnavailable);
  EXPECT_EQ(code([&] { handle.describe(); }), StatusCode::kUnavailable);
  EXPECT_EQ(code([&] { handle.result(); }), StatusCode::kUnavailable);
  EXPECT_EQ(code([&] { schedule.describe(); }), StatusCode::kUnavailable);
  EXPECT_EQ(code([&] { client.start_workflow<kReminder>(with_id("late")); }),
            StatusCode::kUnavailable);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

TEST_F(TestEnvironmentTest, TimeDoesNotGoBack) {
  try {
    env_.sleep(-5s);
    ADD_FAILURE() << "it was taken";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(),
                 "chimera::TestEnvironment::sleep: the time is -5s; it must not be negative");
  }
  TestEnvironment real({.time_skipping = false});
  EXPECT_THROW(real.sleep(-1ms), std::invalid_argument);
  env_.sleep(0s);
}

TEST_F(TestEnvironmentTest, RefusesWhatIsForServersElsewhere) {
  const auto refusal = [](const ClientOptions& client) -> std::string {
    try {
      TestEnvironment env({.client = client});
      return "";
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
  };
  EXPECT_THAT(refusal({.target_host = "cluster:7233"}), ::testing::HasSubstr("client.target_host"));
  EXPECT_THAT(refusal({.api_key = "key"}), ::testing::HasSubstr("client.api_key"));
  EXPECT_THAT(refusal({.tls = TlsConfig{}}), ::testing::HasSubstr("client.tls"));
  try {
    TestEnvironment env({.search_attributes = {{"Customer", "Name"}}});
    ADD_FAILURE() << "an unknown type was taken";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(std::string(error.what()), ::testing::HasSubstr("unknown type Name"));
  }
}

}  // namespace
}  // namespace chimera
