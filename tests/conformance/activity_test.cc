// D: activities.
#include "tests/conformance/session.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;

class ActivityTest : public Session {
 protected:
  // Starts a workflow that has scheduled activity "1".
  void start_with_activity(
      const std::function<void(api::command::v1::ScheduleActivityTaskCommandAttributes&)>& change =
          {}) {
    start();
    respond(poll(), {schedule_activity("1", change)});
  }

  absl::StatusOr<wf::RecordActivityTaskHeartbeatResponse> heartbeat(const ActivityTask& task,
                                                                    const std::string& details) {
    wf::RecordActivityTaskHeartbeatRequest request;
    request.set_namespace_(ns);
    request.set_task_token(task.task_token());
    *request.mutable_details() = payloads("\"" + details + "\"");
    return rpc<wf::RecordActivityTaskHeartbeatResponse>(request);
  }
};

TEST_F(ActivityTest, complete) {
  start_with_activity();
  ActivityTask task = poll_activity();
  EXPECT_EQ(task.activity_id(), "1");
  EXPECT_EQ(task.activity_type().name(), "act");
  EXPECT_EQ(task.attempt(), 1);
  EXPECT_EQ(task.workflow_execution().workflow_id(), id);
  EXPECT_EQ(task.workflow_type().name(), "Case");
  EXPECT_EQ(task.input().payloads(0).data(), "\"arg\"");
  EXPECT_EQ(task.start_to_close_timeout().seconds(), 30);

  ASSERT_TRUE(complete_activity(task, "result").ok());
  respond(poll(), {complete_workflow()});

  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted ActivityScheduled ActivityStarted "
            "ActivityCompleted TaskScheduled TaskStarted TaskCompleted Completed");
  HistoryEvent completed = event_of(enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
  EXPECT_EQ(completed.activity_task_completed_event_attributes().result().payloads(0).data(),
            "\"result\"");
  EXPECT_EQ(completed.activity_task_completed_event_attributes().scheduled_event_id(), 5);
  EXPECT_EQ(completed.activity_task_completed_event_attributes().started_event_id(), 6);
}

TEST_F(ActivityTest, started_event_deferred) {
  start_with_activity();
  ActivityTask task = poll_activity();

  EXPECT_EQ(events(), "Started TaskScheduled TaskStarted TaskCompleted ActivityScheduled");
  auto pending = describe().pending_activities();
  ASSERT_EQ(pending.size(), 1);
  EXPECT_EQ(pending[0].state(), enums::PENDING_ACTIVITY_STATE_STARTED);
  ASSERT_TRUE(complete_activity(task).ok());
}

TEST_F(ActivityTest, fail_retry_intervals) {
  start_with_activity([](auto& attributes) {
    attributes.mutable_retry_policy()->mutable_initial_interval()->set_nanos(100'000'000);
    attributes.mutable_retry_policy()->set_backoff_coefficient(1);
  });
  ASSERT_TRUE(fail_activity(poll_activity(), "first").ok());

  ActivityTask second = poll_activity();
  EXPECT_EQ(second.attempt(), 2);
  ASSERT_TRUE(complete_activity(second).ok());
  Task task = poll();

  HistoryEvent started = event_of(enums::EVENT_TYPE_ACTIVITY_TASK_STARTED);
  EXPECT_EQ(started.activity_task_started_event_attributes().attempt(), 2);
  EXPECT_EQ(started.activity_task_started_event_attributes().last_failure().message(), "first");
  respond(task, {complete_workflow()});
}

TEST_F(ActivityTest, max_attempts) {
  start_with_activity([](auto& attributes) {
    attributes.mutable_retry_policy()->mutable_initial_interval()->set_nanos(10'000'000);
    attributes.mutable_retry_policy()->set_maximum_attempts(2);
  });
  ASSERT_TRUE(fail_activity(poll_activity(), "one").ok());
  ASSERT_TRUE(fail_activity(poll_activity(), "two").ok());

  Task task = poll();

  HistoryEvent failed = event_of(enums::EVENT_TYPE_ACTIVITY_TASK_FAILED);
  EXPECT_EQ(failed.activity_task_failed_event_attributes().failure().message(), "two");
  EXPECT_EQ(failed.activity_task_failed_event_attributes().retry_state(),
            enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);
  respond(task, {complete_workflow()});
}

TEST_F(ActivityTest, non_retryable_type) {
  start_with_activity([](auto& attributes) {
    attributes.mutable_retry_policy()->add_non_retryable_error_types("Fatal");
  });
  ASSERT_TRUE(fail_activity(poll_activity(), "no", "Fatal").ok());

  Task task = poll();

  EXPECT_EQ(event_of(enums::EVENT_TYPE_ACTIVITY_TASK_FAILED)
                .activity_task_failed_event_attributes()
                .retry_state(),
            enums::RETRY_STATE_NON_RETRYABLE_FAILURE);
  respond(task, {complete_workflow()});
}

TEST_F(ActivityTest, non_retryable_failure) {
  start_with_activity();
  ASSERT_TRUE(fail_activity(poll_activity(), "no", "Any", true).ok());

  Task task = poll();

  EXPECT_EQ(event_of(enums::EVENT_TYPE_ACTIVITY_TASK_FAILED)
                .activity_task_failed_event_attributes()
                .retry_state(),
            enums::RETRY_STATE_NON_RETRYABLE_FAILURE);
  respond(task, {complete_workflow()});
}

TEST_F(ActivityTest, next_retry_delay) {
  start_with_activity([](auto& attributes) {
    attributes.mutable_retry_policy()->mutable_initial_interval()->set_seconds(3600);
  });
  wf::RespondActivityTaskFailedRequest request;
  request.set_namespace_(ns);
  request.set_task_token(poll_activity().task_token());
  request.mutable_failure()->set_message("soon");
  request.mutable_failure()
      ->mutable_application_failure_info()
      ->mutable_next_retry_delay()
      ->set_nanos(50'000'000);
  ASSERT_TRUE(rpc<wf::RespondActivityTaskFailedResponse>(request).ok());

  ActivityTask again = poll_activity();

  EXPECT_EQ(again.attempt(), 2);
  ASSERT_TRUE(complete_activity(again).ok());
}

TEST_F(ActivityTest, timeout_s2s) {
  start_with_activity(
      [](auto& attributes) { attributes.mutable_schedule_to_start_timeout()->set_seconds(1); });

  Task task = poll();

  const auto timed_out = event_of(enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
                             .activity_task_timed_out_event_attributes();
  EXPECT_EQ(timed_out.failure().timeout_failure_info().timeout_type(),
            enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
  EXPECT_THAT(timed_out.failure().message(), HasSubstr("ScheduleToStart"));
  respond(task, {complete_workflow()});
}

TEST_F(ActivityTest, timeout_s2c_retry) {
  start_with_activity([](auto& attributes) {
    attributes.mutable_start_to_close_timeout()->set_seconds(1);
    attributes.mutable_retry_policy()->mutable_initial_interval()->set_nanos(10'000'000);
  });
  poll_activity();  // And never answered.

  ActivityTask again = poll_activity();

  EXPECT_EQ(again.attempt(), 2);
  ASSERT_TRUE(complete_activity(again).ok());
}

TEST_F(ActivityTest, timeout_stc) {
  start_with_activity(
      [](auto& attributes) { attributes.mutable_schedule_to_close_timeout()->set_seconds(1); });
  poll_activity();

  Task task = poll();

  const auto timed_out = event_of(enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
                             .activity_task_timed_out_event_attributes();
  EXPECT_THAT(timed_out.failure().message(), HasSubstr("ToClose"));
  respond(task, {complete_workflow()});
}

// Both end together: the time to its start is as long as the whole, where none is given.
TEST_F(ActivityTest, timeout_stc_unstarted) {
  start_with_activity(
      [](auto& attributes) { attributes.mutable_schedule_to_close_timeout()->set_seconds(1); });

  respond(poll(), {complete_workflow()});

  const auto timed_out = event_of(enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
                             .activity_task_timed_out_event_attributes();
  EXPECT_EQ(timed_out.failure().message(), "activity ScheduleToStart timeout");
}

TEST_F(ActivityTest, timeout_heartbeat_as_long_as_the_start) {
  start_with_activity([](auto& attributes) {
    attributes.mutable_start_to_close_timeout()->set_seconds(1);
    attributes.mutable_heartbeat_timeout()->set_seconds(1);
    attributes.mutable_retry_policy()->set_maximum_attempts(1);
  });
  poll_activity();

  respond(poll(), {complete_workflow()});

  const auto timed_out = event_of(enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
                             .activity_task_timed_out_event_attributes();
  EXPECT_EQ(timed_out.failure().message(), "activity StartToClose timeout");
}

TEST_F(ActivityTest, timeout_heartbeat_details) {
  start_with_activity([](auto& attributes) {
    attributes.mutable_heartbeat_timeout()->set_seconds(1);
    attributes.mutable_retry_policy()->set_maximum_attempts(1);
  });
  ASSERT_TRUE(heartbeat(poll_activity(), "half").ok());

  Task task = poll();

  const auto timed_out = event_of(enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
                             .activity_task_timed_out_event_attributes();
  EXPECT_EQ(timed_out.failure().timeout_failure_info().timeout_type(),
            enums::TIMEOUT_TYPE_HEARTBEAT);
  EXPECT_EQ(timed_out.failure().timeout_failure_info().last_heartbeat_details().payloads(0).data(),
            "\"half\"");
  respond(task, {complete_workflow()});
}

TEST_F(ActivityTest, heartbeat_details_next_attempt) {
  start_with_activity([](auto& attributes) {
    attributes.mutable_retry_policy()->mutable_initial_interval()->set_nanos(10'000'000);
  });
  ActivityTask first = poll_activity();
  ASSERT_TRUE(heartbeat(first, "half").ok());
  ASSERT_TRUE(fail_activity(first, "again").ok());

  ActivityTask second = poll_activity();

  ASSERT_EQ(second.heartbeat_details().payloads_size(), 1);
  EXPECT_EQ(second.heartbeat_details().payloads(0).data(), "\"half\"");
  ASSERT_TRUE(complete_activity(second).ok());
}

// What it last reported goes with the next attempt, not with the failure before it.
TEST_F(ActivityTest, timeout_heartbeat_next_attempt) {
  start_with_activity([](auto& attributes) {
    attributes.mutable_heartbeat_timeout()->set_seconds(1);
    attributes.mutable_retry_policy()->mutable_initial_interval()->set_nanos(10'000'000);
  });
  ASSERT_TRUE(heartbeat(poll_activity(), "half").ok());

  ActivityTask second = poll_activity();

  EXPECT_EQ(second.heartbeat_details().payloads_size(), 1);
  ASSERT_TRUE(complete_activity(second).ok());
  const auto started =
      event_of(enums::EVENT_TYPE_ACTIVITY_TASK_STARTED).activity_task_started_event_attributes();
  EXPECT_FALSE(started.last_failure().timeout_failure_info().has_last_heartbeat_details());
}

TEST_F(ActivityTest, cancel_unstarted) {
  start_with_activity();
  ASSERT_TRUE(signal("cancel").ok());

  respond(poll(), {cancel_activity(5)});
  Task task = poll();

  EXPECT_THAT(events(), HasSubstr("ActivityCancelRequested ActivityCanceled TaskScheduled"));
  respond(task, {complete_workflow()});
}

// The command's effect may not part the events of the task's commands: workers match those in
// order.
TEST_F(ActivityTest, cancel_unstarted_beside_other_commands) {
  start_with_activity();
  ASSERT_TRUE(signal("cancel").ok());

  respond(poll(), {cancel_activity(5), start_timer("t", std::chrono::hours(1))});
  Task task = poll();

  EXPECT_THAT(events(),
              HasSubstr("ActivityCancelRequested TimerStarted ActivityCanceled TaskScheduled"));
  respond(task, {complete_workflow()});
}

TEST_F(ActivityTest, cancel_started_via_heartbeat) {
  start_with_activity();
  ActivityTask activity = poll_activity();
  ASSERT_TRUE(signal("cancel").ok());
  respond(poll(), {cancel_activity(5)});

  auto reply = heartbeat(activity, "x");
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_TRUE(reply->cancel_requested());
  wf::RespondActivityTaskCanceledRequest request;
  request.set_namespace_(ns);
  request.set_task_token(activity.task_token());
  *request.mutable_details() = payloads("\"bye\"");
  ASSERT_TRUE(rpc<wf::RespondActivityTaskCanceledResponse>(request).ok());
  Task task = poll();

  const auto canceled =
      event_of(enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED).activity_task_canceled_event_attributes();
  EXPECT_EQ(canceled.details().payloads(0).data(), "\"bye\"");
  EXPECT_THAT(events(), HasSubstr("ActivityStarted ActivityCanceled"));
  respond(task, {complete_workflow()});
}

TEST_F(ActivityTest, canceled_without_request_ia) {
  start_with_activity();
  wf::RespondActivityTaskCanceledRequest request;
  request.set_namespace_(ns);
  request.set_task_token(poll_activity().task_token());

  auto refused = rpc<wf::RespondActivityTaskCanceledResponse>(request);

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr("without activity being request canceled"));
}

TEST_F(ActivityTest, complete_by_id) {
  start_with_activity();
  poll_activity();
  wf::RespondActivityTaskCompletedByIdRequest request;
  request.set_namespace_(ns);
  request.set_workflow_id(id);
  request.set_activity_id("1");
  *request.mutable_result() = payloads("\"by id\"");
  ASSERT_TRUE(rpc<wf::RespondActivityTaskCompletedByIdResponse>(request).ok());

  Task task = poll();

  EXPECT_EQ(event_of(enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
                .activity_task_completed_event_attributes()
                .result()
                .payloads(0)
                .data(),
            "\"by id\"");
  respond(task, {complete_workflow()});
  const auto late = rpc<wf::RespondActivityTaskCompletedByIdResponse>(request);
  EXPECT_EQ(late.status().code(), absl::StatusCode::kNotFound) << late.status();
  EXPECT_EQ(late.status().message(), "workflow execution already completed");
}

// Whoever completes it has begun it, too.
TEST_F(ActivityTest, complete_by_id_what_no_worker_has) {
  start_with_activity();
  wf::RespondActivityTaskCompletedByIdRequest request;
  request.set_namespace_(ns);
  request.set_workflow_id(id);
  request.set_activity_id("1");
  request.set_identity("somebody");
  *request.mutable_result() = payloads("\"by id\"");
  wf::RespondActivityTaskFailedByIdRequest failed;
  failed.set_namespace_(ns);
  failed.set_workflow_id(id);
  failed.set_activity_id("1");
  auto refused = rpc<wf::RespondActivityTaskFailedByIdResponse>(failed);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kNotFound) << refused.status();

  auto taken = rpc<wf::RespondActivityTaskCompletedByIdResponse>(request);
  ASSERT_TRUE(taken.ok()) << taken.status();

  respond(poll(), {complete_workflow()});
  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted ActivityScheduled ActivityStarted "
            "ActivityCompleted TaskScheduled TaskStarted TaskCompleted Completed");
  const auto started =
      event_of(enums::EVENT_TYPE_ACTIVITY_TASK_STARTED).activity_task_started_event_attributes();
  EXPECT_EQ(started.identity(), "somebody");
  EXPECT_EQ(started.attempt(), 1);
  EXPECT_EQ(started.request_id(), "");
}

// The last timeout tells why the attempt before it failed.
TEST_F(ActivityTest, timeout_tells_of_the_failure_before) {
  for (const bool heartbeats : {false, true}) {
    id += heartbeats ? "-heartbeat" : "-start";
    start_with_activity([&](auto& attributes) {
      auto& limit = heartbeats ? *attributes.mutable_heartbeat_timeout()
                               : *attributes.mutable_start_to_close_timeout();
      limit.set_seconds(1);
      attributes.mutable_retry_policy()->set_maximum_attempts(2);
      attributes.mutable_retry_policy()->mutable_initial_interval()->set_nanos(10'000'000);
    });
    ASSERT_TRUE(fail_activity(poll_activity(), "boom").ok());
    EXPECT_EQ(poll_activity().attempt(), 2);  // And never answered.

    Task task = poll();

    const auto timed_out = event_of(enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
                               .activity_task_timed_out_event_attributes();
    EXPECT_EQ(timed_out.failure().timeout_failure_info().timeout_type(),
              heartbeats ? enums::TIMEOUT_TYPE_HEARTBEAT : enums::TIMEOUT_TYPE_START_TO_CLOSE);
    EXPECT_EQ(timed_out.failure().cause().message(), "boom");
    EXPECT_EQ(timed_out.retry_state(), enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);
    respond(task, {complete_workflow()});
  }
}

// No time is left for another attempt: the whole has timed out, and no attempt before had failed.
TEST_F(ActivityTest, timeout_of_the_whole_has_no_cause_of_its_own) {
  start_with_activity([](auto& attributes) {
    attributes.mutable_start_to_close_timeout()->set_seconds(1);
    attributes.mutable_schedule_to_close_timeout()->set_seconds(8);
    attributes.mutable_retry_policy()->mutable_initial_interval()->set_seconds(20);
  });
  poll_activity();  // And never answered.

  Task task = poll();

  const auto timed_out = event_of(enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT)
                             .activity_task_timed_out_event_attributes();
  EXPECT_EQ(timed_out.failure().timeout_failure_info().timeout_type(),
            enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
  EXPECT_FALSE(timed_out.failure().has_cause());
  EXPECT_EQ(timed_out.retry_state(), enums::RETRY_STATE_TIMEOUT);
  respond(task, {complete_workflow()});
}

TEST_F(ActivityTest, cancel_what_is_not_there) {
  start();
  auto refused = try_respond(poll(), {cancel_activity(99)});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("BadRequestCancelActivity"));

  // An activity of the same task is there.
  respond(poll(),
          {start_timer("t", std::chrono::hours(1)), schedule_activity("1"), cancel_activity(9)});

  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskFailed TaskScheduled TaskStarted TaskCompleted "
            "TimerStarted ActivityScheduled ActivityCancelRequested ActivityCanceled "
            "TaskScheduled");
}

TEST_F(ActivityTest, late_complete_nf) {
  start_with_activity();
  ActivityTask activity = poll_activity();
  ASSERT_TRUE(terminate().ok());

  absl::Status late = complete_activity(activity);

  EXPECT_EQ(late.code(), absl::StatusCode::kNotFound) << late;
}

TEST_F(ActivityTest, timeout_defaulting) {
  start_with_activity([](auto& attributes) {
    attributes.clear_start_to_close_timeout();
    attributes.mutable_schedule_to_close_timeout()->set_seconds(77);
  });

  const auto scheduled = event_of(enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
                             .activity_task_scheduled_event_attributes();
  EXPECT_EQ(scheduled.schedule_to_close_timeout().seconds(), 77);
  EXPECT_EQ(scheduled.schedule_to_start_timeout().seconds(), 77);
  EXPECT_EQ(scheduled.start_to_close_timeout().seconds(), 77);
  EXPECT_EQ(scheduled.retry_policy().initial_interval().seconds(), 1);
  EXPECT_EQ(scheduled.retry_policy().backoff_coefficient(), 2);
  EXPECT_EQ(scheduled.retry_policy().maximum_interval().seconds(), 100);
}

}  // namespace
}  // namespace chimera::conformance
