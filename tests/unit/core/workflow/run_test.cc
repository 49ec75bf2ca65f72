#include "core/workflow/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run_fixture.h"

namespace chimera::core::testing {
namespace {

RunOptions options() { return run_options(/*has_side_effects=*/false); }

class RunTest : public RunFixture {
 protected:
  RunTest() : RunFixture(/*has_side_effects=*/false) {}

  // The code begins two timers; a signal comes, and history cancels both, the later one first.
  void begin_two_timers_cancelled_backwards() {
    history_.task();
    const std::int64_t first = history_.timer_started(1), second = history_.timer_started(2);
    history_.signal("go").task();
    history_.timer_canceled(2, second).timer_canceled(1, first);
    history_.task_started();
    step(as_input(history_.poll()));
    step(done(StartTimer{1, std::chrono::seconds(5)}, StartTimer{2, std::chrono::seconds(6)}));
  }
  template <class T>
  const T& only_job() {
    EXPECT_EQ(activation().jobs.size(), 1u);
    return std::get<T>(activation().jobs.at(0));
  }
};

using enum ActivityCancellationType;

TEST_F(RunTest, FirstTaskInitializesAndSendsTheCommands) {
  step(as_input(history_.task_started().poll()));
  EXPECT_FALSE(activation().is_replaying);
  EXPECT_EQ(activation().history_length, 3u);
  only_job<InitializeWorkflow>();

  step(done(StartTimer{1, std::chrono::seconds(5)}));

  ASSERT_EQ(completion().commands_size(), 1);
  EXPECT_EQ(completion().commands(0).start_timer_command_attributes().timer_id(), "1");
  EXPECT_EQ(
      completion().commands(0).start_timer_command_attributes().start_to_fire_timeout().seconds(),
      5);
  EXPECT_EQ(completion().sdk_metadata().sdk_name(), "test-sdk");
  EXPECT_EQ(completion().sdk_metadata().core_used_flags_size(), 4);
}

// The official core wedges such a workflow for ever: it swallows only some late events.
TEST_F(RunTest, AnAbandonedActivityMayEndAsItLikes) {
  step(as_input(history_.task_started().poll()));
  step(done(schedule(1, "slow", kAbandon)));
  step(ReplyInput{});
  std::int64_t first = history_.last_id() + 1;
  history_.task_completed();
  const std::int64_t scheduled = history_.activity_scheduled("1", "slow");
  step(as_input(history_.signal("cancel").task_started().poll(first)));
  step(done(RequestCancelActivity{1}));
  EXPECT_TRUE(std::holds_alternative<Cancelled>(only_job<ResolveActivity>().result));
  step(done());
  EXPECT_EQ(completion().commands_size(), 0);
  step(ReplyInput{});
  first = history_.last_id() + 1;
  history_.task_completed();
  history_.add(enums::EVENT_TYPE_ACTIVITY_TASK_STARTED)
      .mutable_activity_task_started_event_attributes()
      ->set_scheduled_event_id(scheduled);
  history_.add(enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
      .mutable_activity_task_timed_out_event_attributes()
      ->set_scheduled_event_id(scheduled);

  step(as_input(history_.task_started().poll(first)));

  EXPECT_EQ(completion().commands_size(),
            0);  // Nothing for the language: the task is answered empty.
}

TEST_F(RunTest, ATimerThatIsCancelledInItsOwnTaskIsNeverSent) {
  step(as_input(history_.task_started().poll()));

  step(done(StartTimer{1, {}}, StartTimer{2, {}}, CancelTimer{1}));

  ASSERT_EQ(completion().commands_size(), 1);
  EXPECT_EQ(completion().commands(0).start_timer_command_attributes().timer_id(), "2");
}

// A language may cancel in any order: a set in Python has none.
TEST_F(RunTest, CancelledTimersMayBeCancelledInAnotherOrder) {
  begin_two_timers_cancelled_backwards();
  only_job<SignalWorkflow>();

  step(done(CancelTimer{1}, CancelTimer{2}));

  EXPECT_EQ(completion().commands_size(), 0);
}

TEST_F(RunTest, ATimerThatTheCodeKeepsCannotBeCancelledByHistory) {
  begin_two_timers_cancelled_backwards();

  step(done(CancelTimer{1}));

  EXPECT_THAT(only<SendFailure>().request->failure().message(),
              ::testing::HasSubstr("no command was issued for this event"));
}

TEST_F(RunTest, ATimerThatFiresMustBeTheCodes) {
  history_.task();
  const std::int64_t started = history_.timer_started(2);
  history_.timer_fired(2, started).task_started();
  step(as_input(history_.poll()));

  step(done(StartTimer{1, std::chrono::seconds(5)}));

  const std::string& report = only<SendFailure>().request->failure().message();
  EXPECT_THAT(report, ::testing::HasSubstr("the code's timer has the id 1"));
  EXPECT_THAT(report, ::testing::HasSubstr("TimerFired, timer 2"));
}

TEST_F(RunTest, CommandsBesideTheEndGoBeforeIt) {
  step(as_input(history_.task_started().poll()));

  step(done(StartTimer{1, {}}, CompleteWorkflowExecution{}, StartTimer{2, {}},
            FailWorkflowExecution{}));

  ASSERT_EQ(completion().commands_size(), 3);
  EXPECT_EQ(completion().commands(2).command_type(),
            enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
  step(ReplyInput{});
  EXPECT_EQ(only_job<RemoveFromCache>().reason, EvictionReason::kWorkflowExecutionEnding);
  EXPECT_TRUE(run_.ended());
}

// Another command than history has: named with both sides.
TEST_F(RunTest, ADisagreementIsReportedWithBothSides) {
  history_.task();
  history_.timer_started(1);
  step(as_input(history_.signal("go").task_started().poll()));

  step(done(schedule(1, "charge", kTryCancel)));

  const auto& request = *only<SendFailure>().request;
  EXPECT_EQ(request.cause(), enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR);
  EXPECT_EQ(
      request.failure().message(),
      "[TMPRL1100] Nondeterminism error: in workflow Test (id id, run run) history and code "
      "disagree: the "
      "command does not make such an event.\n"
      "  history: event 5, TimerStarted, timer 1, 0 s\n"
      "  code:    command 1, ScheduleActivity charge (id 1)\n"
      "  0 commands of this task before it matched.\n"
      "  Probably the code takes another way here: the activity 'charge' stands before or for the "
      "timer.\n"
      "  Guard the change with patched(\"...\"), or reset the run. See docs/errors.md, TMPRL1100.");
  step(ReplyInput{});
  EXPECT_EQ(only_job<RemoveFromCache>().reason, EvictionReason::kNondeterminism);
  step(done());
  only<Evicted>();
}

// The official core finds this late, at the next command event, or never.
TEST_F(RunTest, AnExtraCommandIsFoundWhereTheTaskEnded) {
  history_.task();
  history_.timer_started(1);
  step(as_input(history_.signal("go").task_started().poll()));

  step(done(StartTimer{1, {}}, StartTimer{2, {}}));

  const std::string& message = only<SendFailure>().request->failure().message();
  EXPECT_NE(message.find("code:    command 2, StartTimer 2"), std::string::npos) << message;
  EXPECT_NE(message.find("event 6, WorkflowExecutionSignaled"), std::string::npos) << message;
}

// A recorded history that was cut in the middle of a task's commands says nothing against the code.
TEST_F(RunTest, AHistoryThatIsCutWithinATaskIsNoDisagreement) {
  history_.task();
  history_.timer_started(1);
  RunOptions replay = options();
  replay.replay_only = true;
  WorkflowRun run(std::move(replay));
  run.step(as_input(history_.poll()), outputs_);

  run.step(done(StartTimer{1, {}}, StartTimer{2, {}}), outputs_);

  const auto& request = *std::get<SendFailure>(outputs_.back()).request;
  EXPECT_THAT(request.failure().message(),
              ::testing::AllOf(::testing::HasSubstr("ends at event 5"),
                               ::testing::HasSubstr("goes on there with StartTimer 2")));
  EXPECT_NE(request.cause(), enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR);
}

TEST_F(RunTest, AMissingCommandIsADisagreement) {
  history_.task();
  history_.timer_started(1);
  step(as_input(history_.signal("go").task_started().poll()));

  step(done());

  EXPECT_NE(only<SendFailure>().request->failure().message().find("no command was issued"),
            std::string::npos);
}

// The pause between attempts is the server's task timeout; an answer would cut it short.
TEST_F(RunTest, OnlyTheFirstAttemptIsReported) {
  auto poll = history_.task_started().poll();
  poll->set_attempt(2);
  step(as_input(poll));

  auto& outputs = step(LanguageDone{Completion{Completion::Failure{}}});

  ASSERT_EQ(outputs.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<DropTask>(outputs[0]));
  EXPECT_TRUE(std::holds_alternative<Activate>(outputs[1]));
}

TEST_F(RunTest, AHistoryThatBeginsLateIsFetchedFromItsStart) {
  history_.task();
  const std::int64_t started = history_.timer_started(1);
  history_.timer_fired(1, started).task_started();
  step(as_input(history_.poll(4)));
  EXPECT_TRUE(only<FetchPage>().from_start);

  // The task's own Scheduled and Started are not in the stored history of a transient task.
  auto whole = history_.poll();
  whole->mutable_history()->mutable_events()->RemoveLast();
  step(PageInput{std::make_shared<HistoryPage>(whole, &whole->history(), "")});

  EXPECT_TRUE(activation().is_replaying);
  only_job<InitializeWorkflow>();
  step(done(StartTimer{1, {}}));
  EXPECT_FALSE(activation().is_replaying);
  EXPECT_EQ(only_job<FireTimer>().seq, 1u);
}

TEST_F(RunTest, AGapBetweenPagesFailsTheTask) {
  step(as_input(history_.task().task_started().poll(4)));
  auto page = history_.poll(2);

  step(PageInput{std::make_shared<HistoryPage>(page, &page->history(), "")});

  EXPECT_NE(only<SendFailure>().request->failure().message().find("gap"), std::string::npos);
  step(ReplyInput{});
  EXPECT_EQ(only<Evicted>().reason, EvictionReason::kPaginationOrHistoryFetch);
}

// A rejected update leaves nothing: its task's ids are told once more.
TEST_F(RunTest, ASpeculativeTaskIsTakenBack) {
  step(as_input(history_.task_started().poll()));
  step(done());
  step(ReplyInput{});
  HistoryBuilder speculative = history_;
  speculative.task_completed().task_started();  // Events 4; 5 and 6.
  step(as_input(speculative.poll(4)));
  EXPECT_EQ(run_.last_processed_event_id(), 6);

  step(ReplyInput{absl::OkStatus(), 3});

  EXPECT_EQ(run_.last_processed_event_id(), 4);
  history_.task_completed().signal("go").task_started();
  step(as_input(history_.poll(4)));
  EXPECT_EQ(only_job<SignalWorkflow>().signal->signal_name(), "go");
}

// The length of a history that ends with an empty task, as sdk-core 1.35 counts it for a query:
// with the task's completion or, where the task before had commands, without.
TEST_F(RunTest, AQueryIsToldTheHistorysLengthInPagesAsInOne) {
  const auto length_with_border_at = [this](const HistoryBuilder& history, std::int64_t border) {
    WorkflowRun run{options()};
    auto first = history.poll(), rest = history.poll(border + 1);
    first->mutable_history()->mutable_events()->DeleteSubrange(
        static_cast<int>(border), static_cast<int>(history.last_id() - border));
    first->mutable_query()->set_query_type("status");
    first->set_started_event_id(0);
    first->set_next_page_token("rest");
    run.step(as_input(first), outputs_);
    for (RunOutput output = std::move(outputs_.back());; output = std::move(outputs_.back())) {
      outputs_.clear();
      if (std::holds_alternative<FetchPage>(output)) {
        run.step(PageInput{std::make_shared<HistoryPage>(rest, &rest->history(), "")}, outputs_);
        continue;
      }
      const Activation& activation = *std::get<Activate>(output).activation;
      if (std::holds_alternative<QueryWorkflow>(activation.jobs[0]))
        return activation.history_length;
      if (std::holds_alternative<InitializeWorkflow>(activation.jobs[0])) {
        run.step(done(StartTimer{1, {}}), outputs_);
      } else {
        run.step(done(), outputs_);
      }
    }
  };
  history_.task();
  history_.timer_fired(1, history_.timer_started(1)).task();
  HistoryBuilder longer = history_;
  longer.signal("go").task();

  for (std::int64_t border = 1; border <= history_.last_id(); ++border) {
    EXPECT_EQ(length_with_border_at(history_, border), 8u) << border;
  }
  for (std::int64_t border = 1; border <= longer.last_id(); ++border) {
    EXPECT_EQ(length_with_border_at(longer, border), 13u) << border;
  }
}

// A task may run between a query's question and its dispatch; the answer comes from the newer
// state.
TEST_F(RunTest, AQueryAskedBeforeTheLastTaskIsAnswered) {
  step(as_input(history_.task_started().poll()));
  step(done());
  step(ReplyInput{});
  auto task = std::make_shared<api::workflowservice::v1::PollWorkflowTaskQueueResponse>();
  task->mutable_query()->set_query_type("status");
  task->set_previous_started_event_id(0);
  auto page = std::make_shared<HistoryPage>(task, &task->history(), "");

  step(TaskInput{task, page});

  EXPECT_EQ(only_job<QueryWorkflow>().query->query_type(), "status");
}

// A signal that came between the last task and the query's dispatch is left to its own task: code
// that took it now would run at the wrong time, and again on replay.
TEST_F(RunTest, AQuerysHistoryIsAppliedUpToItsLastTaskOnly) {
  history_.task();
  history_.timer_started(1);
  auto task = history_.signal("late").poll();
  task->mutable_query()->set_query_type("status");
  task->set_previous_started_event_id(3);
  task->set_started_event_id(0);
  step(as_input(task));
  only_job<InitializeWorkflow>();
  step(done(StartTimer{1, {}}));

  EXPECT_EQ(only_job<QueryWorkflow>().query->query_type(), "status");
  EXPECT_EQ(run_.last_processed_event_id(), 5);
  step(done(RespondToQuery{"legacy_query", {}}));
  history_.task_started();
  step(as_input(history_.poll(4)));

  EXPECT_EQ(only_job<SignalWorkflow>().signal->signal_name(), "late");
  EXPECT_FALSE(activation().is_replaying);
}

TEST_F(RunTest, UnhandledCommandEvicts) {
  step(as_input(history_.task_started().poll()));
  step(done(CompleteWorkflowExecution{}));

  step(ReplyInput{absl::InvalidArgumentError("UnhandledCommand")});

  EXPECT_EQ(only_job<RemoveFromCache>().reason, EvictionReason::kUnhandledCommand);
  EXPECT_FALSE(run_.ended());
}

TEST_F(RunTest, NondeterminismMayFailTheWorkflowInstead) {
  RunOptions strict = options();
  strict.nondeterminism_fails_workflow = true;
  WorkflowRun run(strict);
  history_.task();
  history_.timer_started(1);
  run.step(as_input(history_.signal("go").task_started().poll()), outputs_);
  outputs_.clear();

  run.step(done(), outputs_);

  ASSERT_EQ(completion().commands_size(), 1);
  EXPECT_EQ(completion().commands(0).command_type(), enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION);
}

// In recorded histories, heartbeats put empty tasks between a task and the acceptance of its
// update.
TEST_F(RunTest, AnUpdateIsSeenBehindEmptyTasks) {
  history_.task_started();
  const std::int64_t sequencing = history_.last_id() - 1;
  history_.task_completed().task_started().task_completed();
  auto& accepted = *history_.add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
                        .mutable_workflow_execution_update_accepted_event_attributes();
  accepted.set_protocol_instance_id("u");
  accepted.set_accepted_request_sequencing_event_id(sequencing);
  accepted.mutable_accepted_request()->mutable_meta()->set_update_id("u");
  accepted.mutable_accepted_request()->mutable_input()->set_name("upd");
  step(as_input(history_.task_started().poll()));

  ASSERT_EQ(activation().jobs.size(), 2u);
  const auto& update = std::get<DoUpdate>(activation().jobs[1]);
  EXPECT_EQ(update.request->input().name(), "upd");
  EXPECT_FALSE(update.run_validator);
}

ScheduleLocalActivity local(std::uint32_t seq) {
  ScheduleLocalActivity command{seq};
  command.activity_type = "quick";
  return command;
}

LocalActivityDone ended(std::uint32_t seq,
                        LocalActivityOutcome::Kind kind = LocalActivityOutcome::Kind::kCompleted) {
  LocalActivityDone done{seq, {}};
  done.outcome.kind = kind;
  done.outcome.attempt = 3;
  done.outcome.later_attempts = 2;
  done.outcome.ran = std::chrono::seconds(5);
  return done;
}

TEST_F(RunTest, ALocalActivityKeepsItsTaskOpen) {
  step(as_input(history_.task_started().poll()));
  const base::WallTime begun = activation().time;

  step(done(local(1), local(2)));
  ASSERT_EQ(outputs_.size(), 3u);
  EXPECT_EQ(std::get<StartLocalActivity>(outputs_[0]).activity->activity_id, "1");
  EXPECT_EQ(std::get<StartLocalActivity>(outputs_[1]).seq, 2u);
  EXPECT_EQ(std::get<WakeAt>(outputs_[2]).since_task, std::chrono::seconds(8));
  EXPECT_TRUE(run_.has_local_work());
  EXPECT_FALSE(run_.idle());

  step(ended(2));
  EXPECT_TRUE(only_job<ResolveActivity>().is_local);
  EXPECT_EQ(activation().time, begun + std::chrono::seconds(5));
  EXPECT_FALSE(activation().is_replaying);
  // The other ends while the code is at work: it is told in the next activation.
  step(ended(1));
  EXPECT_TRUE(outputs_.empty());
  step(done());
  EXPECT_EQ(only_job<ResolveActivity>().seq, 1u);

  step(done(CompleteWorkflowExecution{}));
  ASSERT_EQ(completion().commands_size(), 3);
  EXPECT_EQ(completion().commands(0).record_marker_command_attributes().marker_name(),
            "core_local_activity");
  EXPECT_FALSE(completion().force_create_new_workflow_task());
  EXPECT_EQ(completion().metering_metadata().nonfirst_local_activity_execution_attempts(), 4u);
  EXPECT_FALSE(run_.has_local_work());
}

TEST_F(RunTest, AHeartbeatTellsTheServerThatALongTaskLives) {
  step(as_input(history_.task_started().poll()));
  step(done(local(1), StartTimer{1, std::chrono::seconds(1)}));

  step(Time{});
  EXPECT_TRUE(completion().force_create_new_workflow_task());
  EXPECT_TRUE(completion().return_new_workflow_task());
  EXPECT_EQ(completion().commands_size(), 1) << "what it has so far";
  step(ReplyInput{absl::OkStatus()});
  EXPECT_TRUE(run_.idle());
  EXPECT_TRUE(run_.has_local_work());
  step(ended(1));
  EXPECT_TRUE(outputs_.empty()) << "no task is open";

  history_.task_completed();
  history_.timer_started(1);
  step(as_input(history_.task_started().poll(4)));
  EXPECT_EQ(only_job<ResolveActivity>().seq, 1u);
}

TEST_F(RunTest, QueriesDoNotWaitForALocalActivity) {
  auto poll = history_.task_started().poll();
  (*poll->mutable_queries())["q1"].set_query_type("status");
  step(as_input(poll));
  step(done(local(1)));
  EXPECT_EQ(
      std::get<QueryWorkflow>(std::get<Activate>(outputs_.back()).activation->jobs[0]).query_id,
      "q1");

  step(done(RespondToQuery{"q1", api::common::v1::Payload()}));

  EXPECT_EQ(completion().query_results_size(), 1);
  EXPECT_TRUE(completion().force_create_new_workflow_task());
}

TEST_F(RunTest, TheEndOfARunStopsItsLocalActivities) {
  step(as_input(history_.task_started().poll()));

  step(done(local(1), CompleteWorkflowExecution{}));

  ASSERT_EQ(outputs_.size(), 3u);
  EXPECT_EQ(std::get<CancelLocalActivity>(outputs_[1]).seq, 1u);
  EXPECT_EQ(std::get<SendCompletion>(outputs_[2]).request->commands_size(), 1);
  step(ended(1));
  EXPECT_TRUE(outputs_.empty());
}

TEST_F(RunTest, ARunThatLeavesStopsItsLocalActivities) {
  step(as_input(history_.task_started().poll()));
  step(done(local(1)));
  step(Time{});

  step(ReplyInput{absl::NotFoundError("timed out")});

  ASSERT_EQ(outputs_.size(), 2u);
  EXPECT_EQ(std::get<CancelLocalActivity>(outputs_[0]).seq, 1u);
  EXPECT_TRUE(std::holds_alternative<Activate>(outputs_[1]));
}

TEST_F(RunTest, AWorkerThatEndsLeavesALocalActivityToOthers) {
  step(as_input(history_.task_started().poll()));
  step(done(local(1)));

  step(ended(1, LocalActivityOutcome::Kind::kDropped));
  EXPECT_TRUE(completion().force_create_new_workflow_task()) << "someone else goes on at once";
  EXPECT_FALSE(completion().return_new_workflow_task());

  step(ReplyInput{absl::OkStatus()});
  only_job<RemoveFromCache>();
}

TEST_F(RunTest, AnUpdateThatAResetAppliesAgainRuns) {
  history_.task_started();
  history_.add(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED)
      .mutable_workflow_task_failed_event_attributes()
      ->set_cause(enums::WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW);
  auto& request = *history_.add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED)
                       .mutable_workflow_execution_update_admitted_event_attributes()
                       ->mutable_request();
  request.mutable_meta()->set_update_id("u1");
  request.mutable_input()->set_name("tip");
  const std::int64_t admitted = history_.last_id();
  history_.signal("go").task_started();
  step(as_input(history_.poll()));

  const auto& jobs = activation().jobs;
  ASSERT_EQ(jobs.size(), 4u);
  EXPECT_TRUE(std::holds_alternative<UpdateRandomSeed>(jobs[1]));
  const auto& update = std::get<DoUpdate>(jobs[2]);
  EXPECT_EQ(update.id, "u1");
  EXPECT_EQ(update.request->input().name(), "tip");
  EXPECT_TRUE(update.run_validator);
  EXPECT_TRUE(std::holds_alternative<SignalWorkflow>(jobs[3]));

  step(done(UpdateResponse{"u1", UpdateResponse::Accepted{}}));

  api::update::v1::Acceptance accepted;
  ASSERT_EQ(completion().messages_size(), 1);
  ASSERT_TRUE(completion().messages(0).body().UnpackTo(&accepted));
  EXPECT_EQ(accepted.accepted_request_message_id(), "u1/request");
  EXPECT_EQ(accepted.accepted_request_sequencing_event_id(), admitted);
}

TEST_F(RunTest, LongChainsOfCausesAreCut) {
  step(as_input(history_.task_started().poll()));
  api::failure::v1::Failure failure;
  api::failure::v1::Failure* last = &failure;
  for (int i = 0; i < 200; ++i) last = last->mutable_cause();

  step(done(FailWorkflowExecution{failure}));

  const auto& sent =
      completion().commands(0).fail_workflow_execution_command_attributes().failure();
  int causes = 0;
  const api::failure::v1::Failure* at = &sent;
  for (; at->has_cause(); at = &at->cause()) ++causes;
  EXPECT_EQ(causes, 64);
  EXPECT_EQ(at->message(), " (136 further causes were left out)");
}

TEST_F(RunTest, WhatOnlyTheHistoryHasIsNondeterministic) {
  using HistoryEvent = HistoryBuilder::Event;
  auto refusal = [](HistoryEvent event) {
    WorkflowRun run(options());
    HistoryBuilder history;
    std::vector<RunOutput> outputs;
    history.task_started().task_completed();
    HistoryEvent& added = history.add(event.event_type());
    event.set_event_id(added.event_id());
    added.MergeFrom(event);
    run.step(as_input(history.task_started().poll()), outputs);
    outputs.clear();
    run.step(done(), outputs);
    if (outputs.empty() || !std::holds_alternative<SendFailure>(outputs[0]))
      return std::string("no failure");
    return std::get<SendFailure>(outputs[0]).request->failure().message();
  };
  HistoryEvent marker, nexus;
  marker.set_event_type(enums::EVENT_TYPE_MARKER_RECORDED);
  marker.mutable_marker_recorded_event_attributes()->set_marker_name("core_local_activity");
  nexus.set_event_type(enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED);
  nexus.mutable_nexus_operation_scheduled_event_attributes()->set_service("bank");

  std::string local_activity = refusal(marker), operation = refusal(nexus);

  EXPECT_THAT(local_activity, ::testing::AllOf(::testing::HasSubstr("[TMPRL1100]"),
                                               ::testing::HasSubstr("event 5, MarkerRecorded")));
  EXPECT_THAT(operation,
              ::testing::AllOf(::testing::HasSubstr("[TMPRL1100]"),
                               ::testing::HasSubstr("event 5, NexusOperationScheduled")));
}

TEST_F(RunTest, AnEventOfANewerServerIsSkippedOnlyIfItSaysSo) {
  history_.add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED).set_worker_may_ignore(true);
  step(as_input(history_.task_started().poll()));
  only_job<InitializeWorkflow>();

  WorkflowRun other(options());
  HistoryBuilder strange;
  strange.add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED);
  outputs_.clear();
  other.step(as_input(strange.task_started().poll()), outputs_);
  EXPECT_NE(only<SendFailure>().request->failure().message().find("WorkflowExecutionPaused"),
            std::string::npos);
}

// What is under way is small, whatever the length of the history.
TEST_F(RunTest, MemoryDoesNotGrowWithHistory) {
  std::size_t early = 0;
  step(as_input(history_.task_started().poll()));
  for (int seq = 1; seq <= 500; ++seq) {
    step(done(StartTimer{static_cast<std::uint32_t>(seq), {}}));
    step(ReplyInput{});
    const std::int64_t first = history_.last_id() + 1;
    history_.task_completed();
    history_.timer_fired(seq, history_.timer_started(seq)).task_started();
    step(as_input(history_.poll(first)));
    ASSERT_EQ(only_job<FireTimer>().seq, static_cast<std::uint32_t>(seq));
    if (seq == 10) early = run_.memory_bytes();
  }
  EXPECT_LE(run_.memory_bytes(), early + 256);
  EXPECT_LT(run_.memory_bytes(), 4096u);
}

}  // namespace
}  // namespace chimera::core::testing
