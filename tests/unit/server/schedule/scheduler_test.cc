#include "server/schedule/scheduler.h"

#include "absl/strings/str_cat.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chimera::server::schedule {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto kSkip = enums::SCHEDULE_OVERLAP_POLICY_SKIP;
constexpr auto kBufferOne = enums::SCHEDULE_OVERLAP_POLICY_BUFFER_ONE;
constexpr auto kBufferAll = enums::SCHEDULE_OVERLAP_POLICY_BUFFER_ALL;
constexpr auto kCancel = enums::SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER;
constexpr auto kTerminate = enums::SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER;
constexpr auto kAllowAll = enums::SCHEDULE_OVERLAP_POLICY_ALLOW_ALL;

// A schedule of every minute, whose clock is moved by hand. All that it says is done.
class SchedulerTest : public testing::Test {
 protected:
  SchedulerTest() {
    schedule_.mutable_spec()->add_interval()->mutable_interval()->set_seconds(60);
    schedule_.mutable_action()->mutable_start_workflow()->set_workflow_id("w");
  }

  api::SchedulePolicies& policies() { return *schedule_.mutable_policies(); }
  api::ScheduleState& settings() { return *schedule_.mutable_state(); }

  Scheduler& scheduler() {
    if (!scheduler_)
      scheduler_.emplace("ns-s", Scheduler::fresh(schedule_, now_),
                         *Spec::compile(schedule_.spec()));
    return *scheduler_;
  }

  // Until nothing is left to do at once; the workflow ids that it has started.
  std::vector<std::string> run() {
    std::vector<std::string> ids;
    cancelled_ = terminated_ = 0;
    do {
      step();
      for (const Start& start : last_.starts) ids.push_back(start.workflow_id);
    } while (last_.wake <= now_ && !last_.over);
    return ids;
  }
  void step() {
    last_ = scheduler().advance(now_);
    cancelled_ += static_cast<int>(last_.cancel.size());
    terminated_ += static_cast<int>(last_.terminate.size());
    for (const Start& start : last_.starts) {
      scheduler().started(start, absl::StrCat("run-", ++runs_), now_);
      starts_.push_back(start);
    }
    ++steps_;
  }
  std::vector<std::string> run_after(Nanos time) {
    scheduler();
    now_ += time;
    return run();
  }
  void end(int run,
           enums::WorkflowExecutionStatus status = enums::WORKFLOW_EXECUTION_STATUS_COMPLETED) {
    EXPECT_TRUE(scheduler().ended(absl::StrCat("run-", run), {status}));
  }
  api::ScheduleInfo info() { return scheduler().info(now_); }
  void patch(const api::SchedulePatch& patch) {
    scheduler().patch(patch, "", absl::StrCat("key-", ++keys_), now_);
  }
  api::SchedulePatch backfill_of(Nanos length,
                                 enums::ScheduleOverlapPolicy policy = kAllowAll) const {
    api::SchedulePatch patch;
    auto& range = *patch.add_backfill_request();
    set(range.mutable_start_time(), kBegin - length);
    set(range.mutable_end_time(), kBegin);
    range.set_overlap_policy(policy);
    return patch;
  }

  static constexpr WallTime kBegin{seconds{1'775'044'800}};  // 2026-04-01T12:00:00Z
  WallTime now_ = kBegin;
  api::Schedule schedule_;
  std::optional<Scheduler> scheduler_;
  Todo last_;
  std::vector<Start> starts_;
  int runs_ = 0, keys_ = 0, steps_ = 0, cancelled_ = 0, terminated_ = 0;
};

TEST_F(SchedulerTest, ActionHasTheNominalTimeInItsId) {
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_EQ(last_.wake, kBegin + seconds(60));
  EXPECT_THAT(run_after(seconds(60)), ElementsAre("w-2026-04-01T12:01:00Z"));
  EXPECT_EQ(last_.wake, kBegin + seconds(120));
  EXPECT_EQ(info().action_count(), 1);
  EXPECT_EQ(info().running_workflows(0).run_id(), "run-1");
  EXPECT_EQ(info().recent_actions(0).start_workflow_status(),
            enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  EXPECT_EQ(info().future_action_times_size(), 10);
}

TEST_F(SchedulerTest, OriginalWorkflowIdIsKept) {
  policies().set_keep_original_workflow_id(true);
  EXPECT_THAT(run_after(seconds(60)), ElementsAre("w"));
}

TEST_F(SchedulerTest, OriginalWorkflowIdIsNotKeptByActionsThatMayOverlap) {
  policies().set_keep_original_workflow_id(true);
  patch(backfill_of(seconds(90)));
  EXPECT_THAT(run(), ElementsAre("w-2026-04-01T11:59:00Z", "w-2026-04-01T12:00:00Z"));
  EXPECT_THAT(run_after(seconds(60)), ElementsAre("w"));
}

TEST_F(SchedulerTest, SkipLeavesOutWhatOverlaps) {
  run_after(seconds(60));
  EXPECT_THAT(run_after(seconds(120)), IsEmpty());
  EXPECT_EQ(info().overlap_skipped(), 2);
  end(1);
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_THAT(run_after(seconds(60)), ElementsAre("w-2026-04-01T12:04:00Z"));
}

TEST_F(SchedulerTest, BufferOneKeepsTheFirst) {
  policies().set_overlap_policy(kBufferOne);
  run_after(seconds(60));
  run_after(seconds(60));
  run_after(seconds(60));
  EXPECT_EQ(info().buffer_size(), 1);
  EXPECT_EQ(info().overlap_skipped(), 1);
  end(1);
  EXPECT_THAT(run(), ElementsAre("w-2026-04-01T12:02:00Z"));
  end(2);
  EXPECT_THAT(run(), IsEmpty());
}

TEST_F(SchedulerTest, BufferAllKeepsAll) {
  policies().set_overlap_policy(kBufferAll);
  run_after(seconds(240));
  EXPECT_EQ(info().buffer_size(), 3);
  for (int i = 2; i <= 4; ++i) {
    end(i - 1);
    EXPECT_THAT(run(), ElementsAre(absl::StrCat("w-2026-04-01T12:0", i, ":00Z")));
  }
}

TEST_F(SchedulerTest, BufferIsBounded) {
  policies().set_overlap_policy(kBufferAll);
  run_after(seconds(60 * 1500));
  EXPECT_EQ(info().buffer_size(), 999);  // And one that runs.
  EXPECT_EQ(info().buffer_dropped(), 500);
}

TEST_F(SchedulerTest, CancelOtherStartsWhenTheOtherHasEnded) {
  policies().set_overlap_policy(kCancel);
  run_after(seconds(60));
  EXPECT_THAT(run_after(seconds(60)), IsEmpty());
  EXPECT_EQ(cancelled_, 1);
  EXPECT_EQ(terminated_, 0);
  run_after(seconds(60));
  end(1, enums::WORKFLOW_EXECUTION_STATUS_CANCELED);
  EXPECT_THAT(run(), ElementsAre("w-2026-04-01T12:03:00Z"));  // The last one takes the place.
}

TEST_F(SchedulerTest, TerminateOtherStartsWhenTheOtherHasEnded) {
  policies().set_overlap_policy(kTerminate);
  run_after(seconds(60));
  EXPECT_THAT(run_after(seconds(60)), IsEmpty());
  EXPECT_EQ(terminated_, 1);
  end(1, enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
  EXPECT_THAT(run(), ElementsAre("w-2026-04-01T12:02:00Z"));
}

TEST_F(SchedulerTest, AllowAllStartsAll) {
  policies().set_overlap_policy(kAllowAll);
  EXPECT_EQ(run_after(seconds(180)).size(), 3u);
  EXPECT_EQ(info().overlap_skipped(), 0);
  // None of them is in the way of another policy, none passes on what came of it.
  EXPECT_EQ(info().running_workflows_size(), 0);
  EXPECT_EQ(scheduler().awaited().size(), 3u);
  failure::Failure failure;
  scheduler().ended("run-1", {enums::WORKFLOW_EXECUTION_STATUS_FAILED, nullptr, &failure});
  EXPECT_EQ(info().recent_actions(0).start_workflow_status(),
            enums::WORKFLOW_EXECUTION_STATUS_FAILED);
  EXPECT_FALSE(scheduler().state().last_failure);
  EXPECT_EQ(scheduler().awaited().size(), 2u);
}

TEST_F(SchedulerTest, WhatMissedTheWindowIsCounted) {
  policies().mutable_catchup_window()->set_seconds(150);
  policies().set_overlap_policy(kAllowAll);
  EXPECT_EQ(run_after(seconds(600)).size(), 3u);
  EXPECT_EQ(info().missed_catchup_window(), 7);
}

TEST_F(SchedulerTest, WindowHasAMinimum) {
  policies().mutable_catchup_window()->set_seconds(1);
  EXPECT_EQ(scheduler().catchup_window(), seconds(10));
}

TEST_F(SchedulerTest, WhatWaitedTooLongIsNotStarted) {
  policies().mutable_catchup_window()->set_seconds(10);
  policies().set_overlap_policy(kBufferAll);
  run_after(seconds(60));
  run_after(seconds(60));
  now_ += seconds(30);
  end(1);
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_EQ(info().missed_catchup_window(), 1);
}

TEST_F(SchedulerTest, PausedScheduleDoesNothingAndMissesNothing) {
  settings().set_paused(true);
  EXPECT_THAT(run_after(seconds(600)), IsEmpty());
  EXPECT_EQ(last_.wake, kNever);
  api::SchedulePatch unpause;
  unpause.set_unpause("go on");
  patch(unpause);
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_EQ(info().missed_catchup_window(), 0);
  EXPECT_EQ(scheduler().state().schedule.state().notes(), "go on");
  EXPECT_EQ(run_after(seconds(60)).size(), 1u);
}

TEST_F(SchedulerTest, TriggerKnowsNoPauseAndNoLimit) {
  settings().set_paused(true);
  settings().set_limited_actions(true);
  api::SchedulePatch trigger;
  trigger.mutable_trigger_immediately();
  scheduler();
  now_ += milliseconds(1500);
  patch(trigger);
  EXPECT_THAT(run(), ElementsAre("w-2026-04-01T12:00:01Z"));
  EXPECT_TRUE(starts_[0].manual);
}

TEST_F(SchedulerTest, PatchOfOneRequestCountsOnce) {
  api::SchedulePatch trigger;
  trigger.mutable_trigger_immediately()->set_overlap_policy(kAllowAll);
  EXPECT_TRUE(scheduler().patch(trigger, "request", "a", now_));
  EXPECT_FALSE(scheduler().patch(trigger, "request", "b", now_));
  EXPECT_EQ(run().size(), 1u);
}

TEST_F(SchedulerTest, BackfillHasBothEnds) {
  patch(backfill_of(seconds(180)));
  EXPECT_THAT(run(), ElementsAre("w-2026-04-01T11:57:00Z", "w-2026-04-01T11:58:00Z",
                                 "w-2026-04-01T11:59:00Z", "w-2026-04-01T12:00:00Z"));
}

// Each step is bounded.
TEST_F(SchedulerTest, BackfillOfAMillionTimes) {
  settings().set_paused(true);
  patch(backfill_of(seconds(60) * 1'000'000));
  while (runs_ < 10'000) {
    step();
    EXPECT_LE(last_.starts.size(), 100u);
    EXPECT_EQ(last_.wake, now_);
  }
  EXPECT_EQ(info().overlap_skipped(), 0);
}

TEST_F(SchedulerTest, BackfillThatBuffersWaitsForRoom) {
  settings().set_paused(true);
  patch(backfill_of(seconds(60) * 1'000'000, kBufferAll));
  for (int i = 1; i < 1000; ++i) {
    run();
    EXPECT_EQ(runs_, i);
    EXPECT_LE(info().buffer_size(), 450);
    end(i);
  }
  EXPECT_EQ(info().buffer_dropped(), 0);
}

TEST_F(SchedulerTest, AThousandBackfillsAtATime) {
  settings().set_paused(true);
  api::SchedulePatch many;
  for (int i = 0; i < 1000; ++i) *many.add_backfill_request() = backfill_of({}).backfill_request(0);
  EXPECT_TRUE(scheduler().has_room_for(many));
  patch(many);
  EXPECT_FALSE(scheduler().has_room_for(backfill_of({})));
  while (!run().empty()) continue;
  EXPECT_EQ(runs_, 1000);
  EXPECT_TRUE(scheduler().has_room_for(many));
}

TEST_F(SchedulerTest, BackfillThatSkipsEndsSoon) {
  settings().set_paused(true);
  patch(backfill_of(seconds(60) * 100'000, kSkip));
  EXPECT_EQ(run().size(), 1u);
  EXPECT_EQ(info().overlap_skipped(), 100'000);
  EXPECT_LE(steps_, 1100);
}

TEST_F(SchedulerTest, LimitedActionsRunOut) {
  settings().set_limited_actions(true);
  settings().set_remaining_actions(2);
  policies().set_overlap_policy(kAllowAll);
  EXPECT_EQ(info().future_action_times_size(), 2);
  const std::int64_t token = scheduler().state().conflict_token;
  EXPECT_EQ(run_after(seconds(600)).size(), 2u);
  EXPECT_GT(scheduler().state().conflict_token, token);
  EXPECT_EQ(scheduler().state().schedule.state().remaining_actions(), 0);
  EXPECT_EQ(info().future_action_times_size(), 0);
}

TEST_F(SchedulerTest, FailurePauses) {
  policies().set_pause_on_failure(true);
  run_after(seconds(60));
  end(1, enums::WORKFLOW_EXECUTION_STATUS_FAILED);
  EXPECT_TRUE(scheduler().state().schedule.state().paused());
  EXPECT_EQ(scheduler().state().schedule.state().notes(),
            "paused due to workflow failure: w-2026-04-01T12:01:00Z: ");
  EXPECT_THAT(run_after(seconds(600)), IsEmpty());
}

TEST_F(SchedulerTest, TimeoutPauses) {
  policies().set_pause_on_failure(true);
  run_after(seconds(60));
  end(1, enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT);
  EXPECT_EQ(scheduler().state().schedule.state().notes(),
            "paused due to workflow timeout: w-2026-04-01T12:01:00Z");
}

TEST_F(SchedulerTest, TerminationDoesNotPause) {
  policies().set_pause_on_failure(true);
  run_after(seconds(60));
  end(1, enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
  EXPECT_FALSE(scheduler().state().schedule.state().paused());
}

TEST_F(SchedulerTest, ResultAndFailureGoOnToTheNext) {
  common::Payloads result;
  result.add_payloads()->set_data("42");
  failure::Failure failure;
  failure.set_message("no");
  run_after(seconds(60));
  scheduler().ended("run-1", {enums::WORKFLOW_EXECUTION_STATUS_COMPLETED, &result});
  EXPECT_EQ(scheduler().state().last_result.payloads(0).data(), "42");
  run_after(seconds(60));
  scheduler().ended("run-2", {enums::WORKFLOW_EXECUTION_STATUS_FAILED, nullptr, &failure});
  EXPECT_EQ(scheduler().state().last_result.payloads(0).data(), "42");
  EXPECT_EQ(scheduler().state().last_failure->message(), "no");
  run_after(seconds(60));
  end(3, enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
  EXPECT_EQ(scheduler().state().last_failure->message(), "no");
  run_after(seconds(60));
  scheduler().ended("run-4", {enums::WORKFLOW_EXECUTION_STATUS_COMPLETED, &result});
  EXPECT_FALSE(scheduler().state().last_failure);
}

TEST_F(SchedulerTest, TenActionsAreRemembered) {
  policies().set_overlap_policy(kAllowAll);
  run_after(seconds(60 * 15));
  EXPECT_EQ(info().recent_actions_size(), 10);
  EXPECT_EQ(scheduler().list_info(now_).recent_actions_size(), 5);
  EXPECT_EQ(info().recent_actions(9).start_workflow_result().run_id(), "run-15");
}

TEST_F(SchedulerTest, UpdateLeavesOutWhatWasDueBefore) {
  scheduler();
  now_ += seconds(90);
  schedule_.mutable_spec()->mutable_interval(0)->mutable_interval()->set_seconds(3600);
  scheduler().update(schedule_, *Spec::compile(schedule_.spec()), now_);
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_EQ(last_.wake, kBegin + std::chrono::hours(1));
  EXPECT_EQ(scheduler().state().conflict_token, 2);
}

TEST_F(SchedulerTest, OnlyPausesOfPatchesChangeTheConflictToken) {
  const std::int64_t token = scheduler().state().conflict_token;
  api::SchedulePatch patch;
  patch.mutable_trigger_immediately();
  scheduler().patch(patch, "one", "key", now_);
  EXPECT_EQ(scheduler().state().conflict_token, token);
  patch.Clear();
  patch.set_pause("why");
  scheduler().patch(patch, "two", "key", now_);
  EXPECT_EQ(scheduler().state().conflict_token, token + 1);
  EXPECT_FALSE(info().has_update_time());
}

TEST_F(SchedulerTest, IdleScheduleIsOverAfterAWeek) {
  schedule_.mutable_spec()->Clear();
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_EQ(last_.wake, kBegin + std::chrono::hours(7 * 24));
  EXPECT_FALSE(last_.over);
  run_after(std::chrono::hours(7 * 24));
  EXPECT_TRUE(last_.over);
}

TEST_F(SchedulerTest, PausedScheduleIsNeverOver) {
  schedule_.mutable_spec()->Clear();
  settings().set_paused(true);
  run_after(std::chrono::hours(24 * 1000));
  EXPECT_FALSE(last_.over);
  EXPECT_EQ(last_.wake, kNever);
}

TEST_F(SchedulerTest, JitteredActionIsNotLostWhenAskedBetween) {
  schedule_.mutable_spec()->mutable_jitter()->set_seconds(59);
  const Due due = scheduler().spec().next("ns-s", now_);
  ASSERT_GT(due.actual, due.nominal);
  now_ = due.nominal + (due.actual - due.nominal) / 2;
  EXPECT_THAT(run(), IsEmpty());
  EXPECT_EQ(last_.wake, due.actual);
  now_ = due.actual;
  EXPECT_EQ(run().size(), 1u);
}

TEST_F(SchedulerTest, RequestIdIsThatOfTheTime) {
  run_after(seconds(60));
  const std::string request = starts_[0].request_id;
  Scheduler again("ns-s", Scheduler::fresh(schedule_, kBegin), *Spec::compile(schedule_.spec()));
  EXPECT_EQ(again.advance(now_).starts[0].request_id, request);
}

}  // namespace
}  // namespace chimera::server::schedule
