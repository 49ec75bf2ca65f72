// Local activities, as the core hears of them.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/sdk-cpp/driver.h"

namespace chimera::sdk {
namespace {

using namespace std::chrono_literals;

std::string greet(const std::string& name) { return "hello " + name; }
inline constexpr auto kGreet = define_activity<&greet>("greet_v2");

const LocalActivityOptions kOptions{.start_to_close_timeout = 5s};

core::Job completed(std::uint32_t seq, const api::common::v1::Payload& result) {
  return core::ResolveActivity{.seq = seq, .result = core::Completed{&result}, .is_local = true};
}
core::Job backoff(std::uint32_t seq, const core::ScheduleLocalActivity* tried = nullptr) {
  return core::ResolveActivity{
      .seq = seq,
      .result = core::Backoff{.attempt = 4,
                              .duration = 90s,
                              .original_schedule_time = base::WallTime(17s),
                              .activity = std::make_shared<core::ScheduleLocalActivity>(
                                  tried ? *tried : core::ScheduleLocalActivity{})},
      .is_local = true};
}
core::Job cancelled(std::uint32_t seq) {
  auto failure = std::make_shared<api::failure::v1::Failure>();
  failure->mutable_activity_failure_info();
  failure->mutable_cause()->mutable_canceled_failure_info();
  return core::ResolveActivity{.seq = seq, .result = core::Cancelled{failure}, .is_local = true};
}
const api::common::v1::Payload kHi = to_proto(make_payload(std::string("hi")));

struct Calls {
  std::string run() {
    const LocalActivityOptions all{.schedule_to_close_timeout = 3s,
                                   .schedule_to_start_timeout = 2s,
                                   .start_to_close_timeout = 1s,
                                   .retry_policy = RetryPolicy{.maximum_attempts = 7},
                                   .local_retry_threshold = 4s,
                                   .cancellation_type = ActivityCancellationType::kAbandon,
                                   .activity_id = "mine",
                                   .summary = "a line"};
    std::string all_three = workflow::execute_local_activity<&greet>(all, "ann");
    all_three += workflow::execute_local_activity<kGreet>(kOptions, "bob");
    all_three += workflow::execute_local_activity<std::string>("other", kOptions, 1);
    return all_three;
  }
};

TEST(LocalActivityTest, GoesOutWithItsOptionsAndComesBack) {
  Driver driver(define_workflow<&Calls::run>("Calls"));
  const auto first = driver.start();
  const auto* command = sdk::command<core::ScheduleLocalActivity>(first, 0);
  ASSERT_NE(command, nullptr);
  EXPECT_EQ(command->seq, 1u);
  EXPECT_EQ(command->activity_type, "greet");
  EXPECT_EQ(command->activity_id, "mine");
  EXPECT_EQ(command->attempt, 1u);
  EXPECT_EQ(command->schedule_to_close_timeout, 3s);
  EXPECT_EQ(command->schedule_to_start_timeout, 2s);
  EXPECT_EQ(command->start_to_close_timeout, 1s);
  EXPECT_EQ(command->local_retry_threshold, 4s);
  EXPECT_EQ(command->retry_policy.maximum_attempts(), 7);
  EXPECT_EQ(command->cancellation_type, core::ActivityCancellationType::kAbandon);
  EXPECT_EQ(command->arguments.payloads(0).data(), "\"ann\"");
  EXPECT_EQ(commands(first)[0].user_metadata->summary().data(), "\"a line\"");

  const auto second = driver.activate({completed(1, kHi)});
  ASSERT_NE(sdk::command<core::ScheduleLocalActivity>(second, 0), nullptr);
  EXPECT_EQ(sdk::command<core::ScheduleLocalActivity>(second, 0)->activity_type, "greet_v2");
  EXPECT_EQ(sdk::command<core::ScheduleLocalActivity>(second, 0)->activity_id, "2");
  EXPECT_EQ(sdk::command<core::ScheduleLocalActivity>(second, 0)->local_retry_threshold, 1min);
  const auto third = driver.activate({completed(2, kHi)});
  EXPECT_EQ(sdk::command<core::ScheduleLocalActivity>(third, 0)->activity_type, "other");

  const auto last = driver.activate({completed(3, kHi)});
  ASSERT_NE(sdk::command<core::CompleteWorkflowExecution>(last, 0), nullptr);
  EXPECT_EQ(sdk::command<core::CompleteWorkflowExecution>(last, 0)->result->data(), "\"hihihi\"");
}

struct Once {
  std::string run() { return workflow::execute_local_activity<&greet>(kOptions, "ann"); }
};

TEST(LocalActivityTest, ALongWaitIsATimerAndThenTheNextAttempt) {
  Driver driver(define_workflow<&Once::run>("Once"));
  const auto first = driver.start();

  const auto waits = driver.activate({backoff(1, command<core::ScheduleLocalActivity>(first, 0))});
  ASSERT_EQ(commands(waits).size(), 1u);
  ASSERT_NE(command<core::StartTimer>(waits, 0), nullptr);
  EXPECT_EQ(command<core::StartTimer>(waits, 0)->start_to_fire_timeout, 90s);

  const auto again = driver.activate({core::FireTimer{1}});
  const auto* next = command<core::ScheduleLocalActivity>(again, 0);
  ASSERT_NE(next, nullptr);
  EXPECT_EQ(next->seq, 2u);
  EXPECT_EQ(next->activity_id, "1");
  EXPECT_EQ(next->attempt, 4u);
  EXPECT_EQ(next->original_schedule_time, base::WallTime(17s));
  EXPECT_EQ(next->arguments.payloads(0).data(), "\"ann\"");

  const auto last = driver.activate({completed(2, kHi)});
  EXPECT_NE(command<core::CompleteWorkflowExecution>(last, 0), nullptr);
}

TEST(LocalActivityTest, CancellationAsksTheCore) {
  Driver driver(define_workflow<&Once::run>("Once"));
  driver.start();

  const auto asked = driver.activate({core::CancelWorkflow{""}});
  ASSERT_EQ(commands(asked).size(), 1u);
  ASSERT_NE(command<core::RequestCancelLocalActivity>(asked, 0), nullptr);
  EXPECT_EQ(command<core::RequestCancelLocalActivity>(asked, 0)->seq, 1u);
  const auto last = driver.activate({cancelled(1)});
  EXPECT_NE(command<core::CancelWorkflowExecution>(last, 0), nullptr);
}

TEST(LocalActivityTest, CancelledBetweenTwoAttemptsItEndsWithItsTimer) {
  Driver driver(define_workflow<&Once::run>("Once"));
  driver.start();
  driver.activate({backoff(1)});

  const auto last = driver.activate({core::CancelWorkflow{""}});
  ASSERT_EQ(commands(last).size(), 2u);
  EXPECT_NE(command<core::CancelTimer>(last, 0), nullptr);
  EXPECT_NE(command<core::CancelWorkflowExecution>(last, 1), nullptr);
}

TEST(LocalActivityTest, ABackoffAfterACancellationEndsIt) {
  Driver driver(define_workflow<&Once::run>("Once"));
  driver.start();
  driver.activate({core::CancelWorkflow{""}});
  const auto last = driver.activate({backoff(1)});
  ASSERT_EQ(commands(last).size(), 1u);
  EXPECT_NE(command<core::CancelWorkflowExecution>(last, 0), nullptr);
}

struct Catches {
  std::string run() {
    try {
      return workflow::execute_local_activity<&greet>(kOptions, "ann");
    } catch (const ActivityError& error) {
      const bool cancelled = dynamic_cast<const CancelledError*>(error.cause()) != nullptr;
      return error.activity_type() + " " + error.activity_id() + (cancelled ? " cancelled" : "");
    }
  }
};

// However long it would have waited, and whether or not that has begun.
TEST(LocalActivityTest, ItsCancellationIsAnActivityErrorBetweenAttemptsToo) {
  for (const bool before : {false, true}) {
    Driver driver(define_workflow<&Catches::run>("Catches"));
    const auto first = driver.start();
    const auto* tried = command<core::ScheduleLocalActivity>(first, 0);
    if (before) driver.activate({core::CancelWorkflow{""}});
    auto last = driver.activate({backoff(1, tried)});
    if (!before) last = driver.activate({core::CancelWorkflow{""}});
    const auto* end = command<core::CompleteWorkflowExecution>(last, before ? 0 : 1);
    ASSERT_NE(end, nullptr);
    EXPECT_EQ(end->result->data(), "\"greet 1 cancelled\"");
  }
}

struct Mixes {
  void run() {
    auto local = workflow::start_local_activity<&greet>(kOptions, "a");
    auto remote = workflow::start_activity<&greet>({.start_to_close_timeout = 1s}, "b");
    local.get();
    remote.get();
  }
};

TEST(LocalActivityTest, SharesItsNumbersWithOtherActivities) {
  Driver driver(define_workflow<&Mixes::run>("Mixes"));
  const auto first = driver.start();
  EXPECT_EQ(command<core::ScheduleLocalActivity>(first, 0)->seq, 1u);
  EXPECT_EQ(command<core::ScheduleActivity>(first, 1)->seq, 2u);
  const auto last = driver.activate({driver.completed(2, std::string("b")), completed(1, kHi)});
  EXPECT_NE(command<core::CompleteWorkflowExecution>(last, 0), nullptr);
}

// An eviction while it waits between attempts leaves nothing behind.
TEST(LocalActivityTest, EvictionBetweenTwoAttempts) {
  Driver driver(define_workflow<&Once::run>("Once"));
  driver.start();
  driver.activate({backoff(1)});
  const auto evicted =
      driver.activate({core::RemoveFromCache{core::EvictionReason::kCacheFull, ""}});
  EXPECT_EQ(commands(evicted).size(), 0u);
}

struct NoTimeout {
  std::string run() {
    return workflow::execute_local_activity<&greet>({.summary = "without a timeout"}, "a");
  }
};

TEST(LocalActivityTest, NeedsATimeout) {
  Driver driver(define_workflow<&NoTimeout::run>("NoTimeout"));
  EXPECT_THAT(task_failure(driver.start()), testing::HasSubstr("needs a start_to_close_timeout"));
}

}  // namespace
}  // namespace chimera::sdk
