#include "core/machines/activity.h"

#include <gtest/gtest.h>

#include "fake_run.h"

namespace chimera::core::testing {
namespace {

namespace enums = api::enums::v1;
using enum ActivityCancellationType;

ScheduleActivity charge(ActivityCancellationType cancellation = kTryCancel) {
  ScheduleActivity command{7, cancellation};
  command.attributes.mutable_activity_type()->set_name("charge");
  return command;
}

HistoryEvent scheduled(const std::string& id = "7", const std::string& type = "charge") {
  HistoryEvent scheduled = event(enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, 5);
  auto& attributes = *scheduled.mutable_activity_task_scheduled_event_attributes();
  attributes.set_activity_id(id);
  attributes.mutable_activity_type()->set_name(type);
  return scheduled;
}

HistoryEvent failed() {
  HistoryEvent failed = event(enums::EVENT_TYPE_ACTIVITY_TASK_FAILED);
  auto& attributes = *failed.mutable_activity_task_failed_event_attributes();
  attributes.mutable_failure()->set_message("no money");
  attributes.set_started_event_id(6);
  attributes.set_identity("worker");
  attributes.set_retry_state(enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);
  return failed;
}

// As a run does it.
ActivityMachine confirmed(ActivityCancellationType cancellation, FakeRun& run) {
  auto activity = begun<ActivityMachine>(charge(cancellation), run);
  activity.began = 5;
  EXPECT_TRUE(activity.on(scheduled(), run).ok());
  run.log();
  return activity;
}

TEST(ActivityTest, FillsInWhatTheCodeLeftOut) {
  FakeRun run;
  begun<ActivityMachine>(charge(), run);
  const auto& command = run.commands.back()->schedule_activity_task_command_attributes();
  EXPECT_EQ(command.activity_id(), "7");
  EXPECT_EQ(command.task_queue().name(), "queue");
  EXPECT_TRUE(command.request_eager_execution());

  ScheduleActivity elsewhere = charge();
  elsewhere.attributes.mutable_task_queue()->set_name("other");
  begun<ActivityMachine>(std::move(elsewhere), run);
  EXPECT_FALSE(
      run.commands.back()->schedule_activity_task_command_attributes().request_eager_execution());
}

TEST(ActivityTest, IdAndTypeMustBeTheCodes) {
  FakeRun run;
  auto activity = begun<ActivityMachine>(charge(), run);
  EXPECT_EQ(activity.on(scheduled("8"), run).message(),
            "event 5, ActivityTaskScheduled, activity charge (id 8): the activity ids differ");
  EXPECT_EQ(activity.on(scheduled("7", "refund"), run).message(),
            "event 5, ActivityTaskScheduled, activity refund (id 7): the activity types differ");
}

TEST(ActivityTest, AFailureIsWrapped) {
  FakeRun run;
  auto activity = confirmed(kTryCancel, run);

  EXPECT_TRUE(activity.on(failed(), run).ok());

  const auto job = run.job<ResolveActivity>();
  const auto& failure = *std::get<Failed>(job.result).failure;
  EXPECT_EQ(failure.message(), "Activity task failed");
  EXPECT_EQ(failure.cause().message(), "no money");
  const auto& info = failure.activity_failure_info();
  EXPECT_EQ(info.scheduled_event_id(), 5);
  EXPECT_EQ(info.started_event_id(), 6);
  EXPECT_EQ(info.identity(), "worker");
  EXPECT_EQ(info.activity_type().name(), "charge");
  EXPECT_EQ(info.retry_state(), enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);
  EXPECT_TRUE(activity.done());
}

TEST(ActivityTest, EachKindOfCancellation) {
  FakeRun run;
  auto tried = confirmed(kTryCancel, run);
  cancel(tried, run);
  cancel(tried, run);
  EXPECT_EQ(run.log(), "send ActivityTaskCancelRequested, tell");
  EXPECT_TRUE(tried.on(event(enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED), run).ok());
  EXPECT_EQ(run.log(), "swallow 5");
  EXPECT_TRUE(tried.done());

  auto waited = confirmed(kWaitCancellationCompleted, run);
  cancel(waited, run);
  EXPECT_EQ(run.log(), "send ActivityTaskCancelRequested");
  EXPECT_TRUE(waited.on(event(enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED), run).ok());
  EXPECT_TRUE(waited.on(failed(), run).ok());
  EXPECT_EQ(run.log(), "tell");

  auto abandoned = confirmed(kAbandon, run);
  cancel(abandoned, run);
  EXPECT_EQ(run.log(), "swallow 5, tell");
  EXPECT_TRUE(abandoned.done());

  auto unsent = begun<ActivityMachine>(charge(kWaitCancellationCompleted), run);
  run.log();
  cancel(unsent, run);
  EXPECT_EQ(run.log(), "take back, tell");
  EXPECT_TRUE(unsent.done());
}

}  // namespace
}  // namespace chimera::core::testing
