// C: buffering and commands. E: timers and timeouts.
#include "tests/conformance/session.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;

class CommandsTest : public Session {};

TEST_F(CommandsTest, buffer_signal_order) {
  start();
  Task task = poll();
  ASSERT_TRUE(signal("one").ok());
  ASSERT_TRUE(signal("two").ok());
  EXPECT_EQ(history().size(), 3u);

  respond(task, {marker("m")});

  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted MarkerRecorded Signaled Signaled "
            "TaskScheduled");
}

TEST_F(CommandsTest, buffer_activity_result_last) {
  start();
  respond(poll(), {schedule_activity("1")});
  ActivityTask activity = poll_activity();
  ASSERT_TRUE(signal("wake").ok());
  Task task = poll();
  ASSERT_TRUE(complete_activity(activity).ok());
  ASSERT_TRUE(signal("later").ok());

  respond(task, {});

  EXPECT_THAT(events(),
              HasSubstr("TaskCompleted ActivityStarted Signaled ActivityCompleted TaskScheduled"));
}

TEST_F(CommandsTest, unhandled_command_retry) {
  start();
  Task task = poll();
  ASSERT_TRUE(signal("late").ok());

  auto refused = try_respond(task, {complete_workflow()});

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("UnhandledCommand"));
  Task again = poll();
  EXPECT_EQ(again.attempt(), 1);
  respond(again, {complete_workflow()});
  EXPECT_EQ(event_of(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED)
                .workflow_task_failed_event_attributes()
                .cause(),
            enums::WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND);
}

// Otherwise a workflow under steady signals could never close.
TEST_F(CommandsTest, no_signals_while_a_refused_close_is_tried_again) {
  start();
  Task task = poll();
  ASSERT_TRUE(signal("late").ok());
  EXPECT_FALSE(try_respond(task, {complete_workflow()}).ok());
  ASSERT_TRUE(signal("not started yet").ok());
  Task again = poll();

  const absl::Status refused = signal("later");

  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted) << refused;
  EXPECT_EQ(refused.message(), "workflow operation can not be applied because workflow is closing");
  respond(again, {start_timer("t", std::chrono::hours(1))});
  EXPECT_TRUE(signal("after").ok()) << "it goes on";
  Task last = poll();
  EXPECT_TRUE(signal("at last").ok()) << "the flag is of one task only";
  respond(last, {});
  respond(poll(), {complete_workflow()});
}

TEST_F(CommandsTest, close_not_last_ia) {
  start();

  auto refused = try_respond(poll(), {complete_workflow(), marker("after")});

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  EXPECT_EQ(refused.status().message(),
            "invalid command sequence: [CompleteWorkflowExecution, RecordMarker], command "
            "CompleteWorkflowExecution must be the last command.");
  EXPECT_EQ(events(), "Started TaskScheduled TaskStarted");
}

TEST_F(CommandsTest, unknown_command_ia) {
  start();
  Command unknown;
  unknown.set_command_type(static_cast<enums::CommandType>(99));

  auto refused = try_respond(poll(), {start_timer("", milliseconds(1)), unknown});

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  EXPECT_EQ(refused.status().message(), "unknown command type: 99");
  EXPECT_EQ(events(), "Started TaskScheduled TaskStarted");
}

TEST_F(CommandsTest, duplicate_timer_id) {
  start();

  auto refused = try_respond(
      poll(), {start_timer("1", std::chrono::hours(1)), start_timer("1", std::chrono::hours(1))});

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  EXPECT_EQ(event_of(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED)
                .workflow_task_failed_event_attributes()
                .cause(),
            enums::WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID);
  EXPECT_THAT(events(), testing::Not(HasSubstr("TimerStarted")));
}

TEST_F(CommandsTest, duplicate_activity_id) {
  start();

  auto refused = try_respond(poll(), {schedule_activity("1"), schedule_activity("1")});

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  EXPECT_EQ(event_of(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED)
                .workflow_task_failed_event_attributes()
                .cause(),
            enums::WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID);
}

TEST_F(CommandsTest, missing_activity_timeout) {
  start();

  auto refused = try_respond(poll(), {schedule_activity("1", [](auto& attributes) {
                               attributes.clear_start_to_close_timeout();
                             })});

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  EXPECT_EQ(event_of(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED)
                .workflow_task_failed_event_attributes()
                .cause(),
            enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES);
}

TEST_F(CommandsTest, marker) {
  start();

  respond(poll(), {Session::marker("core_patch"), complete_workflow()});

  HistoryEvent recorded = event_of(enums::EVENT_TYPE_MARKER_RECORDED);
  EXPECT_EQ(recorded.marker_recorded_event_attributes().marker_name(), "core_patch");
  EXPECT_EQ(recorded.marker_recorded_event_attributes().details().at("data").payloads(0).data(),
            "1");
  EXPECT_EQ(recorded.marker_recorded_event_attributes().workflow_task_completed_event_id(), 4);
}

TEST_F(CommandsTest, upsert_sa) {
  start();
  Command upsert;
  upsert.set_command_type(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES);
  auto& fields = *upsert.mutable_upsert_workflow_search_attributes_command_attributes()
                      ->mutable_search_attributes()
                      ->mutable_indexed_fields();
  fields["GoldKw"] = payload("\"k1\"");
  (*fields["GoldKw"].mutable_metadata())["type"] = "Keyword";

  respond(poll(), {upsert});

  EXPECT_THAT(events(), HasSubstr("TaskCompleted UpsertWorkflowSearchAttributes"));
  const auto info = describe().workflow_execution_info();
  EXPECT_EQ(info.search_attributes().indexed_fields().at("GoldKw").data(), "\"k1\"");
}

TEST_F(CommandsTest, upsert_unknown_attribute_fails_the_task) {
  start();
  Command upsert;
  upsert.set_command_type(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES);
  (*upsert.mutable_upsert_workflow_search_attributes_command_attributes()
        ->mutable_search_attributes()
        ->mutable_indexed_fields())["Nope"] = payload("1");

  auto refused = try_respond(poll(), {upsert});

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  EXPECT_EQ(event_of(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED)
                .workflow_task_failed_event_attributes()
                .cause(),
            enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES);
}

TEST_F(CommandsTest, upsert_unset) {
  start([](Start& request) {
    auto& fields = *request.mutable_search_attributes()->mutable_indexed_fields();
    fields["GoldKw"] = payload("\"k1\"");
    fields["GoldInt"] = payload("5");
  });
  EXPECT_EQ(describe().workflow_execution_info().search_attributes().indexed_fields_size(), 2);
  Command upsert;
  upsert.set_command_type(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES);
  auto& unset = (*upsert.mutable_upsert_workflow_search_attributes_command_attributes()
                      ->mutable_search_attributes()
                      ->mutable_indexed_fields())["GoldKw"];
  (*unset.mutable_metadata())["encoding"] = "binary/null";
  (*unset.mutable_metadata())["type"] = "Keyword";

  respond(poll(), {upsert});

  const auto fields = describe().workflow_execution_info().search_attributes().indexed_fields();
  EXPECT_EQ(fields.count("GoldKw"), 0u);
  EXPECT_EQ(fields.at("GoldInt").data(), "5");
}

TEST_F(CommandsTest, modify_memo) {
  start([](Start& request) {
    (*request.mutable_memo()->mutable_fields())["old"] = payload("1");
    (*request.mutable_memo()->mutable_fields())["gone"] = payload("2");
  });
  Command modify;
  modify.set_command_type(enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES);
  auto& fields = *modify.mutable_modify_workflow_properties_command_attributes()
                      ->mutable_upserted_memo()
                      ->mutable_fields();
  fields["new"] = payload("3");
  (*fields["gone"].mutable_metadata())["encoding"] = "binary/null";

  respond(poll(), {modify});

  const auto memo = describe().workflow_execution_info().memo();
  EXPECT_EQ(memo.fields().at("old").data(), "1");
  EXPECT_EQ(memo.fields().at("new").data(), "3");
  EXPECT_EQ(memo.fields().count("gone"), 0u);
  EXPECT_THAT(events(), HasSubstr("WorkflowPropertiesModified"));
}

TEST_F(CommandsTest, timer_fire) {
  start();
  respond(poll(), {start_timer("t", milliseconds(50))});

  Task task = poll();
  respond(task, {complete_workflow()});

  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted TimerStarted TimerFired TaskScheduled "
            "TaskStarted TaskCompleted Completed");
  HistoryEvent fired = event_of(enums::EVENT_TYPE_TIMER_FIRED);
  EXPECT_EQ(fired.timer_fired_event_attributes().timer_id(), "t");
  EXPECT_EQ(fired.timer_fired_event_attributes().started_event_id(), 5);
}

TEST_F(CommandsTest, timer_cancel) {
  start();
  respond(poll(), {start_timer("t", std::chrono::hours(1))});
  ASSERT_TRUE(signal("stop").ok());

  respond(poll(), {cancel_timer("t"), complete_workflow()});

  HistoryEvent canceled = event_of(enums::EVENT_TYPE_TIMER_CANCELED);
  EXPECT_EQ(canceled.timer_canceled_event_attributes().timer_id(), "t");
  EXPECT_EQ(canceled.timer_canceled_event_attributes().started_event_id(), 5);
}

// Its firing waits for the task to end; the task that cancels it does not know of it.
TEST_F(CommandsTest, cancel_timer_removes_fired) {
  start();
  respond(poll(), {start_timer("t", std::chrono::seconds(1))});
  ASSERT_TRUE(signal("wake").ok());
  Task task = poll();
  no_task_within(milliseconds(1500));  // The timer fires.

  respond(task, {cancel_timer("t"), complete_workflow()});

  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted TimerStarted Signaled TaskScheduled "
            "TaskStarted TaskCompleted TimerCanceled Completed");
}

TEST_F(CommandsTest, zero_timer) {
  start();
  respond(poll(), {start_timer("t", milliseconds(0))});

  respond(poll(), {complete_workflow()});

  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted TimerStarted TimerFired TaskScheduled "
            "TaskStarted TaskCompleted Completed");
}

TEST_F(CommandsTest, many_timers_same_time) {
  start();
  std::vector<Command> timers;
  for (int i = 0; i < 10; ++i) timers.push_back(start_timer(std::to_string(i), milliseconds(100)));
  respond(poll(), std::move(timers));

  int fired = 0;
  while (fired < 10) {
    Task task = poll();
    fired = 0;
    for (const HistoryEvent& event : task.history().events())
      fired += event.event_type() == enums::EVENT_TYPE_TIMER_FIRED;
    ASSERT_GT(fired, 0);
    respond(task, fired < 10 ? std::vector<Command>{} : std::vector<Command>{complete_workflow()});
  }
}

TEST_F(CommandsTest, cancel_unknown_timer) {
  start();

  auto refused = try_respond(poll(), {cancel_timer("nope")});

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  EXPECT_EQ(event_of(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED)
                .workflow_task_failed_event_attributes()
                .cause(),
            enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES);
}

TEST_F(CommandsTest, run_timeout) {
  start([](Start& request) { request.mutable_workflow_run_timeout()->set_seconds(1); });

  HistoryEvent closed = wait_closed();

  EXPECT_EQ(closed.event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT);
  EXPECT_EQ(describe().workflow_execution_info().status(),
            enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT);
}

// A started task ends before the run, and what came meanwhile is not lost.
TEST_F(CommandsTest, run_timeout_with_a_started_task) {
  start([](Start& request) { request.mutable_workflow_run_timeout()->set_seconds(2); });
  poll();
  ASSERT_TRUE(signal("meanwhile").ok());

  wait_closed();

  EXPECT_EQ(events(), "Started TaskScheduled TaskStarted TaskFailed Signaled TimedOut");
  EXPECT_EQ(event_of(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED)
                .workflow_task_failed_event_attributes()
                .cause(),
            enums::WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND);
}

TEST_F(CommandsTest, task_timeout_cap) {
  start([](Start& request) {
    request.mutable_workflow_task_timeout()->set_seconds(1000);
    request.mutable_workflow_run_timeout()->set_seconds(50);
  });

  const auto started = history()[0].workflow_execution_started_event_attributes();
  EXPECT_EQ(started.workflow_task_timeout().seconds(), 50);
}

TEST_F(CommandsTest, fail_carries_the_failure) {
  start();

  respond(poll(), {fail_workflow("broken", true)});

  HistoryEvent failed = wait_closed();
  const auto& failure = failed.workflow_execution_failed_event_attributes().failure();
  EXPECT_EQ(failure.message(), "broken");
  EXPECT_EQ(failure.application_failure_info().type(), "Oops");
  EXPECT_EQ(describe().workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_FAILED);
}

}  // namespace
}  // namespace chimera::conformance
