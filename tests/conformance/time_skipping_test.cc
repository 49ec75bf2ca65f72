// P: the time of single workflows, which skips what they only wait for.
#include "tests/conformance/skipping_session.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;
using TimeSkippingTest = SkippingSession;

constexpr char kMismatch[] =
    "the requested fast_forward_id does not match the execution's current fast-forward";

TEST_F(TimeSkippingTest, v2_skip_timer) {
  start_skipping(skipping());
  respond(poll(), {start_timer("t", kHour)});
  respond(poll(), {complete_workflow()});

  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted TimerStarted TimeSkippingTransitioned "
            "TimerFired TaskScheduled TaskStarted TaskCompleted Completed");
  expect_about(between(enums::EVENT_TYPE_TIMER_STARTED, enums::EVENT_TYPE_TIMER_FIRED), kHour);
  const HistoryEvent skipped =
      event_of(enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED);
  EXPECT_TRUE(skipped.worker_may_ignore());
  const auto& a = skipped.workflow_execution_time_skipping_transitioned_event_attributes();
  EXPECT_EQ(base::to_wall_time(a.target_time()),
            base::to_wall_time(event_of(enums::EVENT_TYPE_TIMER_STARTED).event_time()) + kHour);
  EXPECT_FALSE(a.disabled_after_fast_forward());
  const auto info = describe();
  expect_about(base::to_wall_time(info.workflow_execution_info().close_time()) -
                   base::to_wall_time(info.workflow_execution_info().start_time()),
               kHour);
  const auto& skips = info.workflow_extended_info().time_skipping_info();
  EXPECT_TRUE(skips.effective_config().enabled());
  EXPECT_EQ(skips.effective_config().max_session_skip_count(), 200);
  EXPECT_GE(base::to_wall_time(skips.current_time()),
            base::to_wall_time(info.workflow_execution_info().close_time()));
}

// One after another, and the first of several.
TEST_F(TimeSkippingTest, v2_skips_to_the_first_timer) {
  start_skipping(skipping());
  respond(poll(), {start_timer("late", 3 * kHour), start_timer("soon", kHour)});
  respond(poll(), {});
  respond(poll(), {complete_workflow()});

  EXPECT_EQ(
      events(),
      "Started TaskScheduled TaskStarted TaskCompleted TimerStarted TimerStarted "
      "TimeSkippingTransitioned TimerFired TaskScheduled TaskStarted TaskCompleted "
      "TimeSkippingTransitioned TimerFired TaskScheduled TaskStarted TaskCompleted Completed");
}

TEST_F(TimeSkippingTest, v2_fast_forward) {
  start();
  respond(poll(), {start_timer("t", kHour)});

  const auto reply = configure(forward("half", kHour / 2));
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->workflow_execution_options().time_skipping_config().fast_forward_config().id(),
            "half");
  expect_completed("half");

  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted TimerStarted OptionsUpdated "
            "TimeSkippingTransitioned");
  EXPECT_TRUE(last_event()
                  .workflow_execution_time_skipping_transitioned_event_attributes()
                  .disabled_after_fast_forward());
  EXPECT_FALSE(skipping_info().effective_config().enabled());
  expect_about(base::to_wall_time(skipping_info().current_time()) -
                   base::to_wall_time(describe().workflow_execution_info().start_time()),
               kHour / 2);
  expect_failed("other", kMismatch);

  ASSERT_TRUE(configure(forward("whole", kHour)).ok());
  respond(poll(), {complete_workflow()});
  expect_about(between(enums::EVENT_TYPE_TIMER_STARTED, enums::EVENT_TYPE_TIMER_FIRED), kHour);
  expect_failed("whole", "the execution ended before the fast-forward completed");
}

// The end of a fast-forward comes by itself where time does not skip to it.
TEST_F(TimeSkippingTest, v2_fast_forward_of_one_who_works) {
  start_skipping(forward("f", milliseconds{300}));
  respond(poll(), {schedule_activity("a")});
  const ActivityTask activity = poll_activity();

  expect_completed("f");

  const auto& a = last_event().workflow_execution_time_skipping_transitioned_event_attributes();
  EXPECT_FALSE(a.has_target_time());
  EXPECT_TRUE(a.disabled_after_fast_forward());
  ASSERT_TRUE(complete_activity(activity).ok());
  respond(poll(), {complete_workflow()});
  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted ActivityScheduled "
            "TimeSkippingTransitioned ActivityStarted ActivityCompleted TaskScheduled TaskStarted "
            "TaskCompleted Completed");
}

TEST_F(TimeSkippingTest, v2_fast_forward_ends_while_a_task_runs) {
  start_skipping(forward("f", milliseconds{300}));
  const Task task = poll();

  expect_completed("f");

  EXPECT_EQ(events(), "Started TaskScheduled TaskStarted");
  respond(task, {start_timer("t", kHour)});
  EXPECT_THAT(events(), HasSubstr("Started TaskScheduled TaskStarted TaskCompleted TimerStarted "
                                  "TimeSkippingTransitioned"));
  EXPECT_FALSE(skipping_info().effective_config().enabled());
  ASSERT_TRUE(terminate().ok());
}

TEST_F(TimeSkippingTest, v2_max_skips) {
  Config config = skipping();
  config.set_max_session_skip_count(2);
  start_skipping(config);
  for (const char* timer : {"a", "b", "c"}) respond(poll(), {start_timer(timer, kHour)});

  EXPECT_FALSE(skipping_info().effective_config().enabled());
  EXPECT_EQ(last_event().event_type(), enums::EVENT_TYPE_TIMER_STARTED);

  ASSERT_TRUE(configure(config).ok());  // A new session.
  respond(poll(), {complete_workflow()});
  expect_about(between(enums::EVENT_TYPE_TIMER_STARTED, enums::EVENT_TYPE_TIMER_FIRED), 3 * kHour);
}

TEST_F(TimeSkippingTest, v2_activity_blocks) {
  start_skipping(skipping());
  respond(poll(), {start_timer("t", kHour), schedule_activity("a")});
  const ActivityTask activity = poll_activity();
  EXPECT_TRUE(no_task_within(milliseconds{300}));

  ASSERT_TRUE(complete_activity(activity).ok());
  respond(poll(), {});
  respond(poll(), {complete_workflow()});

  EXPECT_EQ(
      events(),
      "Started TaskScheduled TaskStarted TaskCompleted TimerStarted ActivityScheduled "
      "ActivityStarted ActivityCompleted TaskScheduled TaskStarted TaskCompleted "
      "TimeSkippingTransitioned TimerFired TaskScheduled TaskStarted TaskCompleted Completed");
}

TEST_F(TimeSkippingTest, v2_backoff_skips) {
  start_skipping(skipping());
  respond(poll(), {schedule_activity("a", [](auto& a) {
            a.mutable_retry_policy()->mutable_initial_interval()->set_seconds(3600);
          })});
  const ActivityTask first = poll_activity();
  ASSERT_TRUE(fail_activity(first, "not yet").ok());

  const ActivityTask second = poll_activity();

  EXPECT_EQ(second.attempt(), 2);
  expect_about(base::to_wall_time(second.current_attempt_scheduled_time()) -
                   base::to_wall_time(first.current_attempt_scheduled_time()),
               kHour);
  ASSERT_TRUE(complete_activity(second).ok());
  respond(poll(), {complete_workflow()});
  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted ActivityScheduled "
            "TimeSkippingTransitioned ActivityStarted ActivityCompleted TaskScheduled TaskStarted "
            "TaskCompleted Completed");
  expect_about(
      between(enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED),
      kHour);
}

TEST_F(TimeSkippingTest, v2_run_timeout) {
  start_skipping(skipping(),
                 [](Start& request) { request.mutable_workflow_run_timeout()->set_seconds(3600); });
  respond(poll(), {});

  EXPECT_EQ(wait_closed().event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT);

  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted TimeSkippingTransitioned TimedOut");
  expect_about(between(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
                       enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT),
               kHour);
}

// Time waits for a workflow task, whether or not a worker has it.
TEST_F(TimeSkippingTest, v2_task_blocks) {
  start_skipping(skipping(),
                 [](Start& request) { request.mutable_workflow_run_timeout()->set_seconds(3600); });
  EXPECT_EQ(events(), "Started TaskScheduled");
  const Task task = poll();
  EXPECT_EQ(events(), "Started TaskScheduled TaskStarted");
  respond(task, {complete_workflow()});
}

TEST_F(TimeSkippingTest, v2_start_delay) {
  start_skipping(skipping(),
                 [](Start& request) { request.mutable_workflow_start_delay()->set_seconds(3600); });

  respond(poll(), {complete_workflow()});

  EXPECT_EQ(events(),
            "Started TimeSkippingTransitioned TaskScheduled TaskStarted TaskCompleted Completed");
  expect_about(between(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
                       enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED),
               kHour);
}

TEST_F(TimeSkippingTest, v2_signal_with_start) {
  wf::SignalWithStartWorkflowExecutionRequest request;
  request.set_namespace_(ns);
  request.set_workflow_id(id);
  request.mutable_workflow_type()->set_name("Case");
  request.mutable_task_queue()->set_name(queue);
  request.set_signal_name("go");
  *request.mutable_time_skipping_config() = skipping();
  ASSERT_TRUE(rpc<wf::SignalWithStartWorkflowExecutionResponse>(request).ok());

  respond(poll(), {start_timer("t", kHour)});
  respond(poll(), {complete_workflow()});

  expect_about(between(enums::EVENT_TYPE_TIMER_STARTED, enums::EVENT_TYPE_TIMER_FIRED), kHour);
}

TEST_F(TimeSkippingTest, v2_options) {
  start();
  respond(poll(), {start_timer("t", kHour)});
  EXPECT_FALSE(describe().workflow_extended_info().has_time_skipping_info());

  Config off;
  off.set_enabled(false);
  auto reply = configure(off);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_TRUE(reply->workflow_execution_options().has_time_skipping_config());
  EXPECT_TRUE(describe().workflow_extended_info().has_time_skipping_info());
  ASSERT_TRUE(configure(off).ok());  // Nothing new.
  reply = configure(nullptr);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_FALSE(reply->workflow_execution_options().has_time_skipping_config());
  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted TimerStarted OptionsUpdated "
            "OptionsUpdated");

  ASSERT_TRUE(configure(skipping()).ok());

  respond(poll(), {complete_workflow()});
  const HistoryEvent updated = event_of(enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);
  EXPECT_TRUE(
      updated.workflow_execution_options_updated_event_attributes().time_skipping_config_updated());
  expect_about(between(enums::EVENT_TYPE_TIMER_STARTED, enums::EVENT_TYPE_TIMER_FIRED), kHour);
}

TEST_F(TimeSkippingTest, v2_pause_holds_time) {
  start_skipping(skipping());
  const Task task = poll();
  wf::PauseWorkflowExecutionRequest pause;
  pause.set_namespace_(ns);
  pause.set_workflow_id(id);
  ASSERT_TRUE(rpc<wf::PauseWorkflowExecutionResponse>(pause).ok());
  respond(task, {start_timer("t", kHour)});
  EXPECT_EQ(last_event().event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED);

  wf::UnpauseWorkflowExecutionRequest unpause;
  unpause.set_namespace_(ns);
  unpause.set_workflow_id(id);
  ASSERT_TRUE(rpc<wf::UnpauseWorkflowExecutionResponse>(unpause).ok());

  respond(poll(), {});
  respond(poll(), {complete_workflow()});
  expect_about(between(enums::EVENT_TYPE_TIMER_STARTED, enums::EVENT_TYPE_TIMER_FIRED), kHour);
}

// --- From one run to another.

TEST_F(TimeSkippingTest, v2_child_inherits) {
  start_skipping(forward("f", 100 * kHour));
  respond(poll(), {start_timer("t", kHour)});
  respond(poll(), {start_child(id + "-child")});
  Task task = first_task_of_child();
  const auto started = event_of(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED)
                           .start_child_workflow_execution_initiated_event_attributes();
  EXPECT_TRUE(started.time_skipping_config().enabled());
  EXPECT_FALSE(started.time_skipping_config().has_fast_forward_config());
  expect_about(
      base::to_nanoseconds(started.time_skipping_state_propagation().initial_skipped_duration()) +
          std::chrono::seconds{30},
      kHour);
  const auto& first = task.history().events(0).workflow_execution_started_event_attributes();
  EXPECT_TRUE(first.time_skipping_config().enabled());
  EXPECT_TRUE(first.time_skipping_state_propagation().has_initial_skipped_duration());

  respond(task, {start_timer("t", 2 * kHour)});
  const base::WallTime before = base::to_wall_time(task.started_time());
  task = poll();
  expect_about(base::to_wall_time(task.started_time()) - before, 2 * kHour);
  respond(task, {complete_workflow()});
  respond(poll(), {complete_workflow()});
}

TEST_F(TimeSkippingTest, v2_child_keeps_the_real_time) {
  Config config = skipping();
  config.set_disable_propagation(true);
  start_skipping(config);
  respond(poll(), {start_timer("t", kHour)});
  respond(poll(), {start_child(id + "-child")});
  const Task task = first_task_of_child();
  const auto& first = task.history().events(0).workflow_execution_started_event_attributes();
  EXPECT_FALSE(first.has_time_skipping_config());
  EXPECT_TRUE(first.time_skipping_state_propagation().has_initial_skipped_duration());
  respond(task, {start_timer("t", kHour)});
  ASSERT_TRUE(terminate().ok());
}

TEST_F(TimeSkippingTest, v2_continue_as_new) {
  const std::string first = start_skipping(forward("f", 3 * kHour));
  respond(poll(), {start_timer("a", kHour)});
  respond(poll(), {continue_as_new()});
  respond(poll(), {start_timer("b", kHour)});
  respond(poll(), {continue_as_new()});
  const Task task = poll();
  const auto& a = task.history().events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(a.time_skipping_state_propagation().initial_skip_count(), 2);
  EXPECT_TRUE(a.time_skipping_state_propagation().has_fast_forward_target_time());
  EXPECT_TRUE(a.time_skipping_config().enabled());

  respond(task, {});  // Nothing but the end of the fast-forward lies ahead.

  expect_completed("f");
  EXPECT_EQ(events(), "Started TaskScheduled TaskStarted TaskCompleted TimeSkippingTransitioned");
  const auto begin = history(first).front().event_time();
  expect_about(base::to_wall_time(skipping_info().current_time()) - base::to_wall_time(begin),
               3 * kHour);
  ASSERT_TRUE(terminate().ok());
}

TEST_F(TimeSkippingTest, v2_workflow_retry) {
  const std::string first = start_skipping(skipping(), [](Start& request) {
    request.mutable_retry_policy()->mutable_initial_interval()->set_seconds(3600);
  });
  respond(poll(), {fail_workflow("no")});

  const Task task = poll();

  EXPECT_EQ(task.history().events(0).workflow_execution_started_event_attributes().attempt(), 2);
  respond(task, {complete_workflow()});
  EXPECT_EQ(events(),
            "Started TimeSkippingTransitioned TaskScheduled TaskStarted TaskCompleted Completed");
}

TEST_F(TimeSkippingTest, v2_cron) {
  start_skipping(skipping(), [](Start& request) { request.set_cron_schedule("0 * * * *"); });
  const Task one = poll();
  respond(one, {complete_workflow()});
  const Task two = poll();

  expect_about(base::to_wall_time(two.started_time()) - base::to_wall_time(one.started_time()) +
                   std::chrono::seconds{30},
               kHour);
  EXPECT_EQ(two.history()
                .events(0)
                .workflow_execution_started_event_attributes()
                .time_skipping_state_propagation()
                .initial_skip_count(),
            1);
  ASSERT_TRUE(terminate().ok());
}

// Back to where time had skipped already.
TEST_F(TimeSkippingTest, v2_reset) {
  const std::string run = start_skipping(skipping());
  respond(poll(), {start_timer("a", kHour)});
  respond(poll(), {start_timer("b", kHour)});
  respond(poll(), {complete_workflow()});

  reset(run, 10);

  const Task task = poll();
  expect_about(base::to_wall_time(task.started_time()) -
                   base::to_wall_time(task.history().events(0).event_time()),
               kHour);
  respond(task, {start_timer("b", 2 * kHour)});
  respond(poll(), {complete_workflow()});
  expect_about(between(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
                       enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED),
               3 * kHour);
}

// --- Refusals.

TEST_F(TimeSkippingTest, v2_refusals) {
  const auto expect_refused = [&](const Config& config, const std::string& text) {
    Start request = start_request();
    *request.mutable_time_skipping_config() = config;
    const absl::Status by_start = rpc<wf::StartWorkflowExecutionResponse>(request).status();
    EXPECT_EQ(by_start.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(by_start.message(), text);
    EXPECT_EQ(configure(config).status().message(), text);
  };
  start();
  Config config = forward("f", kHour);
  config.set_enabled(false);
  expect_refused(config, "time_skipping_config: cannot set fast_forward when enabled is false");
  expect_refused(forward("", kHour), "Time skipping config invalid: fast_forward_id must be set");
  expect_refused(forward("f", std::chrono::seconds{0}),
                 "Time skipping config invalid: fast_forward duration must be positive");
  config = skipping();
  EXPECT_EQ(configure(&config, "time_skipping_config.enabled").status().message(),
            "error applying update_options: time_skipping_config doesn't support partial update");
  EXPECT_EQ(poll_forward(" ").status().message(),
            "Time skipping config invalid: fast_forward_id must be set");
  expect_failed("f", kMismatch);
  EXPECT_EQ(events(), "Started TaskScheduled");
}

TEST_F(TimeSkippingTest, v2_poll_ends_with_the_workflow) {
  start_skipping(forward("f", 100 * kHour));
  respond(poll(), {schedule_activity("a")});
  const ActivityTask activity = poll_activity();
  std::thread ends([&] { EXPECT_TRUE(terminate().ok()); });
  expect_failed("f", "the execution ended before the fast-forward completed");
  ends.join();
}

TEST_F(TimeSkippingTest, v2_poll_of_one_that_is_taken_back) {
  start_skipping(forward("f", 100 * kHour));
  respond(poll(), {schedule_activity("a")});
  const ActivityTask activity = poll_activity();
  Config off;
  off.set_enabled(false);
  std::thread ends([&] { EXPECT_TRUE(configure(off).ok()); });
  expect_failed("f", kMismatch);
  ends.join();
}

}  // namespace
}  // namespace chimera::conformance
