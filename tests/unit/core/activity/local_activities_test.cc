#include "core/activity/local_activities.h"

#include <deque>

#include <gtest/gtest.h>

#include "tests/support/fake_timers.h"

namespace chimera::core {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::FakeClock;
using testing::FakeTimers;
using Kind = LocalActivityOutcome::Kind;

class FakeSlots : public base::SlotSupplier {
 public:
  Permit try_take(const base::SlotRequest& request) override {
    EXPECT_NE(request.activity_type, nullptr);
    return free > 0 ? permit() : nullptr;
  }
  void when_free(const base::SlotRequest&, absl::AnyInvocable<void(Permit) &&> use) override {
    if (free > 0) return std::move(use)(permit());
    waiting.push_back(std::move(use));
  }
  void stop_waiting() override { waiting.clear(); }
  int count() const override { return free; }
  base::SlotUsage usage() const override { return {}; }

  int free = 100;
  std::deque<absl::AnyInvocable<void(Permit) &&>> waiting;

 private:
  Permit permit() {
    --free;
    return Permit(this, [this](void*) {
      ++free;
      if (waiting.empty()) return;
      auto use = std::move(waiting.front());
      waiting.pop_front();
      std::move(use)(permit());
    });
  }
};

class FakeLanguage : public ActivityLanguage {
 public:
  void start(ActivityTask task) override {
    StartingThread* const here = task.here;
    tasks.push_back(std::move(task));
    if (here != nullptr && code) here->run(code);
  }
  void cancel(const std::string& token, const ActivityCancellation& cancellation) override {
    cancels.push_back(cancellation);
  }
  std::vector<ActivityTask> tasks;
  std::vector<ActivityCancellation> cancels;
  std::function<void()> code;  // On the starting thread.
};

class FakeThread : public StartingThread {
 public:
  void run(absl::FunctionRef<void()> work) override { work(); }
  void when_relieved(absl::AnyInvocable<void() &&> told) override { relieved = std::move(told); }
  absl::AnyInvocable<void() &&> relieved;
};

api::failure::v1::Failure failure(const std::string& type) {
  api::failure::v1::Failure failure;
  failure.set_message("no");
  failure.mutable_application_failure_info()->set_type(type);
  return failure;
}

class LocalActivitiesTest : public ::testing::Test {
 protected:
  LocalActivitiesTest()
      : manager_({.language_of = [this](const std::string&) { return &language_; }}, timers_,
                 clock_),
        locals_(manager_, slots_, timers_, clock_) {}

  void start(std::uint32_t seq = 1, StartingThread* here = nullptr) {
    locals_.start(
        {"id", "run", "Order", "queue", "default"}, seq,
        std::make_shared<ScheduleLocalActivity>(activity_),
        [this](LocalActivityOutcome outcome) { ends_.push_back(std::move(outcome)); }, here);
  }
  ActivityTask& task() { return language_.tasks.back(); }
  void succeed() {
    api::common::v1::Payload result;
    result.set_data("42");
    task().handle->complete({ActivityResult::Completed{result}});
  }
  void fail(const std::string& type = "Flaky") {
    task().handle->complete({ActivityResult::Failed{failure(type)}});
  }

  FakeTimers timers_;
  FakeClock clock_{timers_};
  const std::shared_ptr<FakeSlots> slots_ = std::make_shared<FakeSlots>();
  FakeLanguage language_;
  ScheduleLocalActivity activity_ = [] {
    ScheduleLocalActivity activity{1};
    activity.activity_id = "1";
    activity.activity_type = "charge";
    activity.start_to_close_timeout = seconds(10);
    return activity;
  }();
  ActivityManager manager_;
  LocalActivities locals_;
  std::vector<LocalActivityOutcome> ends_;
};

TEST_F(LocalActivitiesTest, AnAttemptKnowsWhatItIsPartOf) {
  activity_.arguments.add_payloads()->set_data("7");
  start();

  ASSERT_EQ(language_.tasks.size(), 1u);
  const auto& message = *task().message;
  EXPECT_TRUE(task().is_local);
  EXPECT_EQ(message.activity_type().name(), "charge");
  EXPECT_EQ(message.activity_id(), "1");
  EXPECT_EQ(message.workflow_type().name(), "Order");
  EXPECT_EQ(message.workflow_execution().run_id(), "run");
  EXPECT_EQ(message.workflow_namespace(), "default");
  EXPECT_EQ(message.attempt(), 1);
  EXPECT_EQ(message.input().payloads(0).data(), "7");
  timers_.advance(milliseconds(30));
  succeed();

  ASSERT_EQ(ends_.size(), 1u);
  EXPECT_EQ(ends_[0].kind, Kind::kCompleted);
  EXPECT_EQ(ends_[0].result->data(), "42");
  EXPECT_EQ(ends_[0].ran, milliseconds(30));
  EXPECT_EQ(ends_[0].attempt, 1u);
  EXPECT_EQ(ends_[0].later_attempts, 0u);
  EXPECT_EQ(locals_.under_way(), 0u);
  EXPECT_EQ(slots_->free, 100);
  EXPECT_EQ(timers_.pending(), 0u);
}

TEST_F(LocalActivitiesTest, WhatEndsOnTheStartingThreadNeedsNoTimers) {
  activity_.schedule_to_close_timeout = seconds(20);
  FakeThread here;
  std::size_t timers = 99;
  language_.code = [&] {
    timers = timers_.pending();
    succeed();
  };
  start(1, &here);
  EXPECT_EQ(timers, 0u);
  ASSERT_EQ(ends_.size(), 1u);
  EXPECT_EQ(ends_[0].kind, Kind::kCompleted);
  EXPECT_EQ(timers_.pending(), 0u);
}

TEST_F(LocalActivitiesTest, WhatLastsOnTheStartingThreadIsTimedAll) {
  activity_.retry_policy.set_maximum_attempts(1);
  FakeThread here;
  language_.code = [&] {
    timers_.advance(seconds(1));
    std::move(here.relieved)();
    timers_.advance(seconds(9) - milliseconds(1));
    EXPECT_TRUE(ends_.empty());
    timers_.advance(milliseconds(1));
    EXPECT_EQ(ends_.size(), 1u);
    succeed();  // Too late.
  };
  start(1, &here);
  ASSERT_EQ(ends_.size(), 1u);
  EXPECT_EQ(ends_[0].failure.timeout_failure_info().timeout_type(),
            api::enums::v1::TIMEOUT_TYPE_START_TO_CLOSE);
  ASSERT_EQ(language_.cancels.size(), 1u);
  EXPECT_TRUE(language_.cancels[0].timed_out);
  EXPECT_EQ(timers_.pending(), 0u);
}

TEST_F(LocalActivitiesTest, WhatGoesOnElsewhereIsTimedFromItsStart) {
  FakeThread here;
  start(1, &here);  // The language has not run it there.
  timers_.advance(seconds(10) - milliseconds(1));
  EXPECT_TRUE(language_.cancels.empty());
  timers_.advance(milliseconds(1));
  EXPECT_EQ(language_.cancels.size(), 1u);
}

TEST_F(LocalActivitiesTest, RetriesHereUpToTheThresholdAndByTimerBeyond) {
  activity_.retry_policy.mutable_initial_interval()->set_seconds(20);
  start();

  fail();
  EXPECT_EQ(slots_->free, 100) << "no slot is held between attempts";
  timers_.advance(seconds(19));
  EXPECT_EQ(language_.tasks.size(), 1u);
  timers_.advance(seconds(1));
  ASSERT_EQ(language_.tasks.size(), 2u);
  EXPECT_EQ(task().message->attempt(), 2);
  fail();
  timers_.advance(seconds(40));
  ASSERT_EQ(language_.tasks.size(), 3u);
  fail();

  ASSERT_EQ(ends_.size(), 1u) << "80 s are more than the threshold of 60 s";
  EXPECT_EQ(ends_[0].kind, Kind::kFailed);
  EXPECT_EQ(ends_[0].backoff, seconds(80));
  EXPECT_EQ(ends_[0].attempt, 3u);
  EXPECT_EQ(ends_[0].later_attempts, 2u);
}

TEST_F(LocalActivitiesTest, AfterABackoffItGoesOnWhereItWas) {
  activity_.attempt = 4;
  activity_.original_schedule_time = clock_.now() - seconds(100);
  start();
  EXPECT_EQ(task().message->attempt(), 4);

  succeed();

  EXPECT_EQ(ends_.at(0).attempt, 4u);
  EXPECT_EQ(ends_[0].original_schedule_time, *activity_.original_schedule_time);
}

TEST_F(LocalActivitiesTest, SomeFailuresAreFinal) {
  activity_.retry_policy.add_non_retryable_error_types("notgood");
  start();
  fail("NotGood");
  EXPECT_EQ(ends_.size(), 1u) << "its type";

  start();
  api::failure::v1::Failure final = failure("Flaky");
  final.mutable_application_failure_info()->set_non_retryable(true);
  task().handle->complete({ActivityResult::Failed{final}});
  EXPECT_EQ(ends_.size(), 2u) << "it says so";

  activity_.retry_policy.set_maximum_attempts(1);
  start();
  fail();
  EXPECT_EQ(ends_.size(), 3u) << "it was the last";
  for (const auto& end : ends_) EXPECT_EQ(end.backoff, std::nullopt);
}

TEST_F(LocalActivitiesTest, TheFailureMaySayWhenToTryAgain) {
  start();
  api::failure::v1::Failure soon = failure("Flaky");
  soon.mutable_application_failure_info()->mutable_next_retry_delay()->set_nanos(5'000'000);
  task().handle->complete({ActivityResult::Failed{soon}});

  timers_.advance(milliseconds(5));

  EXPECT_EQ(language_.tasks.size(), 2u);
}

TEST_F(LocalActivitiesTest, AnAttemptThatTakesTooLongIsToldAndTriedAgain) {
  start();
  timers_.advance(seconds(10));

  ASSERT_EQ(language_.cancels.size(), 1u);
  EXPECT_TRUE(language_.cancels[0].timed_out);
  EXPECT_EQ(slots_->free, 99) << "its code still runs";
  timers_.advance(seconds(1));
  ASSERT_EQ(language_.tasks.size(), 2u);

  // What the first says now is of no interest.
  language_.tasks[0].handle->complete({ActivityResult::Failed{failure("Late")}});
  EXPECT_TRUE(ends_.empty());
  succeed();
  ASSERT_EQ(ends_.size(), 1u);
  EXPECT_EQ(ends_[0].kind, Kind::kCompleted);
  EXPECT_EQ(slots_->free, 100);
}

TEST_F(LocalActivitiesTest, ScheduleToCloseEndsItWhateverItDoes) {
  activity_.schedule_to_close_timeout = seconds(3);
  start();
  timers_.advance(seconds(3));
  ASSERT_EQ(ends_.size(), 1u);
  EXPECT_EQ(ends_[0].failure.timeout_failure_info().timeout_type(),
            api::enums::v1::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);

  activity_.retry_policy.mutable_initial_interval()->set_seconds(2);
  start(2);
  timers_.advance(seconds(2));
  fail();
  ASSERT_EQ(ends_.size(), 2u) << "the next attempt would begin too late";
  EXPECT_EQ(ends_[1].failure.application_failure_info().type(), "Flaky");
}

TEST_F(LocalActivitiesTest, WaitsForASlotAsLongAsItMay) {
  slots_->free = 1;
  activity_.schedule_to_start_timeout = seconds(2);
  start(1);
  start(2);
  start(3);
  EXPECT_EQ(language_.tasks.size(), 1u);

  succeed();
  EXPECT_EQ(language_.tasks.size(), 2u);
  timers_.advance(seconds(2));

  ASSERT_EQ(ends_.size(), 2u);
  EXPECT_EQ(ends_[1].failure.timeout_failure_info().timeout_type(),
            api::enums::v1::TIMEOUT_TYPE_SCHEDULE_TO_START);
  succeed();
  EXPECT_EQ(ends_.size(), 3u);
  EXPECT_EQ(language_.tasks.size(), 2u) << "nobody wants the third any more";
  EXPECT_EQ(slots_->free, 1);
}

TEST_F(LocalActivitiesTest, ACancellationReachesTheAttempt) {
  start();
  locals_.cancel("run", 1);
  locals_.cancel("run", 1);
  ASSERT_EQ(language_.cancels.size(), 1u);
  EXPECT_TRUE(language_.cancels[0].cancelled);
  EXPECT_TRUE(ends_.empty());

  task().handle->complete({ActivityResult::Cancelled{}});

  ASSERT_EQ(ends_.size(), 1u);
  EXPECT_EQ(ends_[0].kind, Kind::kCancelled);
}

TEST_F(LocalActivitiesTest, ACancelledAttemptThatFailsIsNotTriedAgain) {
  start();
  locals_.cancel("run", 1);
  fail();
  EXPECT_EQ(ends_.size(), 1u);
  EXPECT_EQ(ends_[0].kind, Kind::kFailed);
}

TEST_F(LocalActivitiesTest, ACancellationEndsTheWaitForASlotOrARetry) {
  start(1);
  fail();
  locals_.cancel("run", 1);
  ASSERT_EQ(ends_.size(), 1u);
  EXPECT_EQ(ends_[0].kind, Kind::kCancelled);

  slots_->free = 0;
  start(2);
  locals_.cancel("run", 2);
  EXPECT_EQ(ends_.size(), 2u);
  EXPECT_EQ(timers_.pending(), 0u);
}

TEST_F(LocalActivitiesTest, AWorkerThatEndsLetsAttemptsEndAndDropsTheRest) {
  start(1);
  start(2);
  language_.tasks[0].handle->complete({ActivityResult::Failed{failure("Flaky")}});

  locals_.begin_shutdown();
  manager_.begin_shutdown({});

  ASSERT_EQ(ends_.size(), 1u);
  EXPECT_EQ(ends_[0].kind, Kind::kDropped) << "it waited for its next attempt";
  EXPECT_TRUE(language_.cancels.empty()) << "local activities are waited for";
  fail();
  ASSERT_EQ(ends_.size(), 2u);
  EXPECT_EQ(ends_[1].kind, Kind::kDropped) << "there is no next attempt";
  start(3);
  ASSERT_EQ(ends_.size(), 3u);
  EXPECT_EQ(ends_[2].kind, Kind::kDropped);
  EXPECT_TRUE(manager_.idle());
}

TEST_F(LocalActivitiesTest, CannotCompleteAsynchronously) {
  start();
  task().handle->complete({ActivityResult::WillCompleteAsync{}});
  ASSERT_EQ(ends_.size(), 1u);
  EXPECT_EQ(ends_[0].kind, Kind::kFailed);
  EXPECT_TRUE(ends_[0].failure.application_failure_info().non_retryable());
}

}  // namespace
}  // namespace chimera::core
