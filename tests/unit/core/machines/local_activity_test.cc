#include "core/machines/local_activity.h"

#include <gtest/gtest.h>

#include "fake_run.h"

namespace chimera::core::testing {
namespace {

namespace enums = api::enums::v1;
using enum ActivityCancellationType;
using Kind = LocalActivityOutcome::Kind;

ScheduleLocalActivity quick(ActivityCancellationType cancellation = kWaitCancellationCompleted) {
  ScheduleLocalActivity command{7, cancellation};
  command.activity_type = "quick";
  return command;
}

LocalActivityOutcome ended(Kind kind, api::failure::v1::Failure failure = {}) {
  LocalActivityOutcome outcome;
  outcome.kind = kind;
  outcome.failure = std::move(failure);
  outcome.attempt = 2;
  outcome.ran = std::chrono::milliseconds(1500);
  outcome.original_schedule_time = base::WallTime(std::chrono::seconds(900));
  return outcome;
}

api::failure::v1::Failure timeout() {
  api::failure::v1::Failure failure;
  failure.set_message("Activity timed out");
  failure.mutable_timeout_failure_info()->set_timeout_type(enums::TIMEOUT_TYPE_START_TO_CLOSE);
  return failure;
}

HistoryEvent recorded(const std::string& data, const std::string& name = kLocalActivityMarker) {
  HistoryEvent marker = event(enums::EVENT_TYPE_MARKER_RECORDED, 5);
  auto& attributes = *marker.mutable_marker_recorded_event_attributes();
  attributes.set_marker_name(name);
  (*attributes.mutable_details())["data"].add_payloads()->set_data(data);
  return marker;
}

std::string marker_data(const FakeRun& run) {
  return run.commands.back()
      ->record_marker_command_attributes()
      .details()
      .at("data")
      .payloads(0)
      .data();
}

TEST(LocalActivityTest, RunsHereAndLeavesAMarker) {
  FakeRun run;
  auto local = begun<LocalActivityMachine>(quick(), run);
  EXPECT_EQ(run.log(), "execute");
  EXPECT_TRUE(local.executing());
  LocalActivityOutcome end = ended(Kind::kCompleted);
  end.result.emplace().set_data("42");

  local.ended(std::move(end), run);

  EXPECT_EQ(run.log(), "executed, send MarkerRecorded, tell");
  EXPECT_EQ(marker_data(run),
            R"({"seq":7,"attempt":2,"activity_id":"7","activity_type":"quick",)"
            R"("complete_time":{"seconds":1001,"nanos":500000000},"backoff":null,)"
            R"("original_schedule_time":{"seconds":900,"nanos":0},"activation_index":3})");
  EXPECT_EQ(run.now, base::WallTime(std::chrono::milliseconds(1001500)));
  const auto job = run.job<ResolveActivity>();
  EXPECT_TRUE(job.is_local);
  EXPECT_EQ(std::get<Completed>(job.result).result->data(), "42");
  EXPECT_TRUE(local.on(recorded(marker_data(run)), run).ok());
  EXPECT_TRUE(local.done());
}

TEST(LocalActivityTest, ReplayTakesItsEndFromTheMarker) {
  FakeRun run;
  run.is_live = false;
  auto local = begun<LocalActivityMachine>(quick(), run);
  EXPECT_TRUE(local.waiting());
  cancel(local, run);
  EXPECT_EQ(run.log(), "") << "the marker tells what became of that";
  LocalMarker marker;
  marker.failure = std::make_shared<api::failure::v1::Failure>(timeout());

  local.ahead(marker, run);

  EXPECT_EQ(run.log(), "send MarkerRecorded, tell");
  const auto job = run.job<ResolveActivity>();
  const auto& failure = *std::get<Failed>(job.result).failure;
  EXPECT_EQ(failure.message(), "Local Activity timed out") << "wrapped, as live";
  EXPECT_EQ(failure.cause().message(), "Activity timed out");
}

TEST(LocalActivityTest, RunsWhenHistoryEndsWithoutAMarker) {
  FakeRun run;
  run.is_live = false;
  auto local = begun<LocalActivityMachine>(quick(), run);
  run.is_live = true;

  local.go_live(run);
  local.go_live(run);

  EXPECT_EQ(run.log(), "execute");
}

TEST(LocalActivityTest, ACancellationMeetsItsMarkerAtItsPlace) {
  FakeRun run;
  run.is_live = false;
  auto local = begun<LocalActivityMachine>(quick(kTryCancel), run);
  run.cancelled_ahead.emplace().failure = std::make_shared<api::failure::v1::Failure>();

  cancel(local, run);

  EXPECT_EQ(run.log(), "send MarkerRecorded, tell");
}

// The worker that was told to stop it is gone.
TEST(LocalActivityTest, ACancellationThatReplayHasSeenIsNotForgotten) {
  FakeRun run;
  run.is_live = false;
  auto local = begun<LocalActivityMachine>(quick(kWaitCancellationCompleted), run);
  cancel(local, run);
  run.is_live = true;

  local.go_live(run);

  EXPECT_EQ(run.log(), "execute, stop");
  EXPECT_TRUE(local.executing());
}

TEST(LocalActivityTest, EachKindOfCancellation) {
  FakeRun run;
  auto tried = begun<LocalActivityMachine>(quick(kTryCancel), run);
  run.log();
  cancel(tried, run);
  EXPECT_EQ(run.log(), "executed, stop, send MarkerRecorded, tell");
  const auto job = run.job<ResolveActivity>();
  EXPECT_EQ(std::get<Cancelled>(job.result).failure->message(), "Local Activity cancelled");
  tried.ended(ended(Kind::kCompleted), run);
  EXPECT_EQ(run.log(), "") << "it comes too late";

  auto waited = begun<LocalActivityMachine>(quick(kWaitCancellationCompleted), run);
  run.log();
  cancel(waited, run);
  cancel(waited, run);
  EXPECT_EQ(run.log(), "stop");
  EXPECT_TRUE(waited.executing());
  waited.ended(ended(Kind::kCompleted), run);
  EXPECT_EQ(run.log(), "executed, send MarkerRecorded, tell") << "its own end counts";

  auto abandoned = begun<LocalActivityMachine>(quick(kAbandon), run);
  run.log();
  cancel(abandoned, run);
  EXPECT_EQ(run.log(), "executed, send MarkerRecorded, tell");
}

TEST(LocalActivityTest, ALongPauseIsTheLanguagesTimer) {
  FakeRun run;
  auto local = begun<LocalActivityMachine>(quick(), run);
  LocalActivityOutcome end = ended(Kind::kFailed);
  end.failure.mutable_application_failure_info();
  end.backoff = std::chrono::minutes(2);

  local.ended(std::move(end), run);

  const auto job = run.job<ResolveActivity>();
  const auto& backoff = std::get<Backoff>(job.result);
  EXPECT_EQ(backoff.attempt, 3u);
  EXPECT_EQ(backoff.duration, std::chrono::minutes(2));
  EXPECT_EQ(backoff.original_schedule_time, base::WallTime(std::chrono::seconds(900)));
  ASSERT_NE(backoff.activity, nullptr);
  EXPECT_EQ(backoff.activity->activity_type, quick().activity_type);
}

TEST(LocalActivityTest, AMarkerOfAnotherIsADisagreement) {
  FakeRun run;
  auto local = begun<LocalActivityMachine>(quick(), run);
  local.ended(ended(Kind::kCompleted), run);
  EXPECT_EQ(
      local.on(recorded("{\"seq\":8}"), run).message(),
      "event 5, MarkerRecorded, marker core_local_activity: the marker is local activity 8's");
  EXPECT_FALSE(local.on(recorded("{\"seq\":7,\"activity_type\":\"slow\"}"), run).ok());
  EXPECT_FALSE(local.on(recorded("{\"seq\":7}", "other"), run).ok());
  EXPECT_FALSE(local.on(recorded("["), run).ok());
  EXPECT_TRUE(local.on(recorded("{\"seq\":7,\"activation_index\":null}"), run).ok());
}

TEST(LocalActivityTest, ARunThatLeavesStopsIt) {
  FakeRun run;
  auto local = begun<LocalActivityMachine>(quick(), run);
  run.log();
  local.let_go(run);
  EXPECT_EQ(run.log(), "executed, stop");
  EXPECT_TRUE(local.done());
}

}  // namespace
}  // namespace chimera::core::testing
