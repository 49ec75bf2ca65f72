// R: activities that stand alone: their life, how they end, their ids, what operators do to them.
#include <thread>

#include "google/rpc/status.pb.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include "tests/conformance/standalone_session.h"

namespace chimera::conformance {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

class StandaloneActivityTest : public StandaloneSession {};

std::string text(const Payloads& payloads) {
  return payloads.payloads_size() == 1 ? payloads.payloads(0).data() : "not one payload";
}

// --- Its life.

TEST_F(StandaloneActivityTest, lifecycle) {
  const auto started = try_start([](StartActivity& request) {
    request.mutable_priority()->set_priority_key(2);
    *request.mutable_user_metadata()->mutable_summary() = payload("\"of it\"");
    (*request.mutable_header()->mutable_fields())["key"] = payload("1");
  });
  ASSERT_TRUE(started.ok()) << started.status();
  const std::string run_id = started->run_id();
  EXPECT_EQ(started->link().activity().namespace_(), ns);
  EXPECT_EQ(started->link().activity().activity_id(), id);
  EXPECT_EQ(started->link().activity().run_id(), run_id);
  auto described = describe_activity();
  EXPECT_EQ(described.run_id(), run_id);
  EXPECT_EQ(described.info().status(), enums::ACTIVITY_EXECUTION_STATUS_RUNNING);
  EXPECT_EQ(described.info().run_state(), enums::PENDING_ACTIVITY_STATE_SCHEDULED);
  EXPECT_EQ(described.info().attempt(), 1);
  EXPECT_EQ(described.info().retry_policy().maximum_interval().seconds(), 100);
  EXPECT_EQ(described.info().priority().priority_key(), 2);
  EXPECT_EQ(described.info().user_metadata().summary().data(), "\"of it\"");
  EXPECT_EQ(described.info().header().fields().at("key").data(), "1");
  EXPECT_EQ(described.info().execution_time().nanos(), described.info().schedule_time().nanos());
  EXPECT_FALSE(described.info().has_expiration_time());
  EXPECT_EQ(text(described.input()), "\"in\"");
  EXPECT_FALSE(described.has_outcome());

  const ActivityTask task = poll_activity();
  EXPECT_EQ(task.activity_id(), id);
  EXPECT_EQ(task.activity_run_id(), run_id);
  EXPECT_EQ(task.workflow_execution().workflow_id(), "");
  EXPECT_EQ(task.workflow_type().name(), "");
  EXPECT_EQ(task.workflow_namespace(), ns);
  EXPECT_EQ(task.attempt(), 1);
  EXPECT_EQ(text(task.input()), "\"in\"");
  EXPECT_EQ(task.header().fields().at("key").data(), "1");
  EXPECT_EQ(task.priority().priority_key(), 2);
  EXPECT_EQ(task.start_to_close_timeout().seconds(), 30);
  EXPECT_EQ(info().run_state(), enums::PENDING_ACTIVITY_STATE_STARTED);
  ASSERT_TRUE(complete_activity(task, "out").ok());

  EXPECT_EQ(text(outcome().result()), "\"out\"");
  described = describe_activity(run_id);
  EXPECT_EQ(described.info().status(), enums::ACTIVITY_EXECUTION_STATUS_COMPLETED);
  EXPECT_EQ(described.info().run_state(), enums::PENDING_ACTIVITY_STATE_UNSPECIFIED);
  EXPECT_TRUE(described.info().has_close_time());
  EXPECT_TRUE(described.info().has_execution_duration());
  EXPECT_TRUE(described.info().has_last_attempt_complete_time());
  EXPECT_EQ(text(described.outcome().result()), "\"out\"");
  EXPECT_EQ(complete_activity(task).message(), missing) << "it has ended";
}

TEST_F(StandaloneActivityTest, poll_waits_for_the_outcome) {
  start_activity();
  const auto early = rpc<wf::PollActivityExecutionResponse>(
      about<wf::PollActivityExecutionRequest>(), milliseconds(1500));
  ASSERT_TRUE(early.ok()) << early.status();
  EXPECT_FALSE(early->has_outcome()) << "the caller is to ask again";
  EXPECT_EQ(early->run_id(), "");
  ActivityOutcome seen;
  std::thread waits([&] { seen = outcome(); });
  const ActivityTask task = poll_activity();
  EXPECT_TRUE(complete_activity(task, "out").ok());
  waits.join();
  EXPECT_EQ(text(seen.result()), "\"out\"");
}

TEST_F(StandaloneActivityTest, describe_waits_for_a_change) {
  const std::string run_id = start_activity();
  auto request = about<wf::DescribeActivityExecutionRequest>(run_id);
  request.set_long_poll_token(describe_activity().long_poll_token());
  const auto unchanged = rpc<wf::DescribeActivityExecutionResponse>(request, milliseconds(1500));
  ASSERT_TRUE(unchanged.ok()) << unchanged.status();
  EXPECT_FALSE(unchanged->has_info());
  const ActivityTask task = poll_activity();
  const auto changed = rpc<wf::DescribeActivityExecutionResponse>(request);
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ(changed->info().run_state(), enums::PENDING_ACTIVITY_STATE_STARTED);
  EXPECT_FALSE(changed->info().has_heartbeat_details());

  request.clear_run_id();
  EXPECT_EQ(rpc<wf::DescribeActivityExecutionResponse>(request).status().message(),
            "run id is required when long poll token is provided");
  request.set_run_id(run_id);
  request.set_long_poll_token("mine");
  EXPECT_EQ(rpc<wf::DescribeActivityExecutionResponse>(request).status().message(),
            "invalid long poll token");
  ASSERT_TRUE(terminate_activity().ok());
  request.set_long_poll_token(describe_activity().long_poll_token());
  request.set_run_id(start_activity());
  EXPECT_EQ(rpc<wf::DescribeActivityExecutionResponse>(request).status().message(),
            "long poll token does not match execution");
}

TEST_F(StandaloneActivityTest, start_delay) {
  start_activity([](StartActivity& request) {
    request.mutable_start_delay()->set_seconds(2);
    request.mutable_schedule_to_close_timeout()->set_seconds(60);
  });
  const ActivityInfo waiting = info();
  EXPECT_EQ(waiting.start_delay().seconds(), 2);
  EXPECT_TRUE(waiting.has_next_attempt_schedule_time());
  EXPECT_EQ(waiting.execution_time().seconds() - waiting.schedule_time().seconds(), 2);
  EXPECT_EQ(waiting.expiration_time().seconds() - waiting.schedule_time().seconds(), 62);
  const ActivityTask task = poll_activity();
  const auto scheduled = base::to_wall_time(task.scheduled_time());
  EXPECT_EQ(base::to_wall_time(task.current_attempt_scheduled_time()) - scheduled,
            std::chrono::seconds(2));
  EXPECT_GE(base::to_wall_time(task.started_time()) - scheduled, std::chrono::seconds(2));
  EXPECT_FALSE(info().has_next_attempt_schedule_time());
}

// --- Attempts.

TEST_F(StandaloneActivityTest, retries_until_the_last_attempt) {
  start_activity(retrying(milliseconds(1000), 2));
  ActivityTask task = poll_activity();
  ASSERT_TRUE(heartbeat(task, "7").ok());
  ASSERT_TRUE(fail_activity(task, "boom", "X").ok());
  const ActivityInfo waiting = info();
  EXPECT_EQ(waiting.status(), enums::ACTIVITY_EXECUTION_STATUS_RUNNING);
  EXPECT_EQ(waiting.run_state(), enums::PENDING_ACTIVITY_STATE_SCHEDULED);
  EXPECT_EQ(waiting.attempt(), 2);
  EXPECT_EQ(waiting.last_failure().message(), "boom");
  EXPECT_EQ(waiting.current_retry_interval().seconds(), 1);
  EXPECT_TRUE(waiting.has_next_attempt_schedule_time());
  EXPECT_TRUE(waiting.has_last_started_time());
  EXPECT_EQ(text(waiting.heartbeat_details()), "7");
  EXPECT_EQ(waiting.total_heartbeat_count(), 1);
  EXPECT_EQ(complete_activity(task).message(), missing) << "of an attempt that is over";

  task = poll_activity();
  EXPECT_EQ(task.attempt(), 2);
  EXPECT_EQ(text(task.heartbeat_details()), "7");
  ASSERT_TRUE(fail_activity(task, "again", "X").ok());
  const ActivityOutcome ended = outcome();
  EXPECT_EQ(ended.failure().message(), "again");
  EXPECT_EQ(ended.retry_state(), enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);
  EXPECT_EQ(info().status(), enums::ACTIVITY_EXECUTION_STATUS_FAILED);
  EXPECT_EQ(info().last_failure().message(), "again");
}

TEST_F(StandaloneActivityTest, failure_that_is_not_tried_again) {
  start_activity();
  ASSERT_TRUE(fail_activity(poll_activity(), "boom", "X", /*non_retryable=*/true).ok());
  EXPECT_EQ(outcome().retry_state(), enums::RETRY_STATE_NON_RETRYABLE_FAILURE);
  start_activity(retrying(milliseconds(100), 1));
  wf::RespondActivityTaskFailedRequest bare;
  bare.set_namespace_(ns);
  bare.set_task_token(poll_activity().task_token());
  ASSERT_TRUE(rpc<wf::RespondActivityTaskFailedResponse>(bare).ok());
  EXPECT_EQ(outcome().failure().message(), "activity task failed without failure details");
}

TEST_F(StandaloneActivityTest, timeouts_of_what_no_worker_takes) {
  start_activity(
      [](StartActivity& request) { request.mutable_schedule_to_start_timeout()->set_seconds(1); });
  ActivityOutcome ended = outcome();
  EXPECT_EQ(ended.failure().message(), "activity ScheduleToStart timeout");
  EXPECT_EQ(ended.failure().source(), "");
  EXPECT_EQ(ended.failure().timeout_failure_info().timeout_type(),
            enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
  EXPECT_EQ(ended.retry_state(), enums::RETRY_STATE_TIMEOUT);
  EXPECT_EQ(info().status(), enums::ACTIVITY_EXECUTION_STATUS_TIMED_OUT);
  EXPECT_FALSE(info().has_last_failure());

  start_activity([](StartActivity& request) {
    request.clear_start_to_close_timeout();
    request.mutable_schedule_to_close_timeout()->set_seconds(2);
    base::set_duration(milliseconds(1500),
                       *request.mutable_retry_policy()->mutable_initial_interval());
    request.mutable_retry_policy()->set_backoff_coefficient(1);
  });
  ASSERT_TRUE(fail_activity(poll_activity(), "boom", "X").ok());
  ended = outcome();
  EXPECT_EQ(ended.failure().message(), "activity ScheduleToClose timeout");
  EXPECT_EQ(ended.failure().cause().message(), "boom");
  EXPECT_EQ(ended.retry_state(), enums::RETRY_STATE_TIMEOUT);
}

TEST_F(StandaloneActivityTest, timeouts_of_attempts) {
  start_activity([](StartActivity& request) {
    request.mutable_start_to_close_timeout()->set_seconds(1);
    retrying(milliseconds(200), 2)(request);
  });
  ASSERT_TRUE(heartbeat(poll_activity(), "2").ok());
  EXPECT_EQ(poll_activity().attempt(), 2);
  EXPECT_EQ(info().last_failure().message(), "activity StartToClose timeout");
  EXPECT_EQ(info().last_failure().source(), "");
  EXPECT_TRUE(info().has_last_heartbeat_time());
  Failure ended = outcome().failure();
  EXPECT_EQ(ended.message(), "activity StartToClose timeout");
  EXPECT_EQ(ended.cause().message(), "activity StartToClose timeout");
  EXPECT_EQ(text(ended.timeout_failure_info().last_heartbeat_details()), "2");
  EXPECT_EQ(outcome().retry_state(), enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);

  start_activity([](StartActivity& request) {
    request.mutable_heartbeat_timeout()->set_seconds(1);
    retrying(milliseconds(200), 1)(request);
  });
  poll_activity();
  EXPECT_EQ(outcome().failure().message(), "activity Heartbeat timeout");

  start_activity([](StartActivity& request) {
    request.mutable_start_to_close_timeout()->set_seconds(1);
    request.mutable_schedule_to_close_timeout()->set_seconds(5);
    retrying(milliseconds(9000))(request);
  });
  poll_activity();
  ended = outcome().failure();
  EXPECT_THAT(ended.message(), HasSubstr("Not enough time to schedule next retry"));
  EXPECT_EQ(ended.timeout_failure_info().timeout_type(), enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
  EXPECT_EQ(info().last_failure().message(), "activity StartToClose timeout");
}

TEST_F(StandaloneActivityTest, reports_by_id) {
  const std::string run_id = start_activity();
  auto beat = about<wf::RecordActivityTaskHeartbeatByIdRequest>();
  EXPECT_EQ(rpc<wf::RecordActivityTaskHeartbeatByIdResponse>(beat).status().message(), missing);
  auto failed = about<wf::RespondActivityTaskFailedByIdRequest>();
  EXPECT_EQ(rpc<wf::RespondActivityTaskFailedByIdResponse>(failed).status().message(), missing);
  auto canceled = about<wf::RespondActivityTaskCanceledByIdRequest>();
  EXPECT_EQ(rpc<wf::RespondActivityTaskCanceledByIdResponse>(canceled).status().message(), missing);
  auto completed = about<wf::RespondActivityTaskCompletedByIdRequest>();
  *completed.mutable_result() = payloads("\"by id\"");
  ASSERT_TRUE(rpc<wf::RespondActivityTaskCompletedByIdResponse>(completed).ok())
      << "though no worker has it";
  EXPECT_EQ(text(outcome().result()), "\"by id\"");
  EXPECT_EQ(info().last_worker_identity(), "operator");
  const absl::Status twice = rpc<wf::RespondActivityTaskCompletedByIdResponse>(completed).status();
  EXPECT_EQ(twice.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(twice.message(), "invalid transition from Completed");

  const std::string second = start_activity();
  poll_activity();
  beat.set_run_id(second);
  *beat.mutable_details() = payloads("5");
  ASSERT_TRUE(rpc<wf::RecordActivityTaskHeartbeatByIdResponse>(beat).ok());
  EXPECT_EQ(text(describe_activity().info().heartbeat_details()), "5");
  beat.set_run_id(run_id);
  EXPECT_EQ(rpc<wf::RecordActivityTaskHeartbeatByIdResponse>(beat).status().message(), missing);
  failed.mutable_failure()->set_message("by id");
  ASSERT_TRUE(rpc<wf::RespondActivityTaskFailedByIdResponse>(failed).ok());
  EXPECT_EQ(info().last_failure().message(), "by id");
  EXPECT_EQ(info().attempt(), 2);
}

// --- Ends that others bring.

TEST_F(StandaloneActivityTest, cancel_before_a_worker_has_it) {
  start_activity();
  ASSERT_TRUE(cancel("c1").ok());
  ASSERT_TRUE(cancel("c1").ok()) << "the same request";
  EXPECT_EQ(cancel("c2").message(), "activity is in terminal state Canceled");
  const ActivityOutcome ended = outcome();
  EXPECT_EQ(ended.failure().message(), "Activity canceled");
  EXPECT_EQ(text(ended.failure().canceled_failure_info().details()), "\"because\"");
  EXPECT_EQ(ended.failure().canceled_failure_info().identity(), "operator");
  EXPECT_EQ(info().status(), enums::ACTIVITY_EXECUTION_STATUS_CANCELED);
  EXPECT_EQ(info().canceled_reason(), "because");
}

TEST_F(StandaloneActivityTest, cancel_told_by_a_heartbeat) {
  start_activity();
  const ActivityTask task = poll_activity();
  EXPECT_THAT(std::string(report_canceled(task).message()),
              HasSubstr("unable to mark activity as canceled"));
  EXPECT_FALSE(heartbeat(task, "1")->cancel_requested());
  ASSERT_TRUE(cancel("c1").ok());
  EXPECT_EQ(cancel("c2").message(), "cancellation already requested with request ID c1");
  EXPECT_EQ(info().run_state(), enums::PENDING_ACTIVITY_STATE_CANCEL_REQUESTED);
  EXPECT_TRUE(heartbeat(task, "2")->cancel_requested());
  ASSERT_TRUE(report_canceled(task).ok());
  EXPECT_EQ(text(outcome().failure().canceled_failure_info().details()), "\"stopped\"");

  start_activity();
  const ActivityTask other = poll_activity();
  ASSERT_TRUE(cancel().ok());
  ASSERT_TRUE(fail_activity(other, "boom", "X").ok());
  EXPECT_EQ(outcome().retry_state(), enums::RETRY_STATE_CANCEL_REQUESTED) << "and not again";
}

TEST_F(StandaloneActivityTest, terminate) {
  start_activity();
  const ActivityTask task = poll_activity();
  ASSERT_TRUE(terminate_activity("t1").ok());
  ASSERT_TRUE(terminate_activity("t1").ok());
  EXPECT_EQ(terminate_activity("t2").message(), "already terminated with request ID t1");
  EXPECT_EQ(outcome().failure().message(), "because");
  EXPECT_EQ(outcome().failure().terminated_failure_info().identity(), "operator");
  EXPECT_EQ(info().status(), enums::ACTIVITY_EXECUTION_STATUS_TERMINATED);
  EXPECT_EQ(cancel().message(), "activity is in terminal state Terminated");
  EXPECT_EQ(heartbeat(task, "1").status().message(), missing);

  start_activity();
  ASSERT_TRUE(complete_activity(poll_activity()).ok());
  const absl::Status late = terminate_activity();
  EXPECT_EQ(late.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(late.message(), "invalid transition from Completed");
}

TEST_F(StandaloneActivityTest, delete_the_current_and_an_older_one) {
  const std::string first = start_activity();
  ASSERT_TRUE(complete_activity(poll_activity()).ok());
  start_activity();
  ActivityOutcome seen;
  std::thread waits([&] {
    const auto polled =
        rpc<wf::PollActivityExecutionResponse>(about<wf::PollActivityExecutionRequest>());
    if (polled.ok()) seen = polled->outcome();
  });
  const auto erase = [this](const std::string& run_id) {
    return rpc<wf::DeleteActivityExecutionResponse>(
               about<wf::DeleteActivityExecutionRequest>(run_id))
        .status();
  };
  const auto gone = [this](const std::string& run_id) {
    for (int i = 0; i < 20 && try_describe(run_id).ok(); ++i) no_task_within(milliseconds(1));
    return std::string(try_describe(run_id).status().message());
  };
  no_task_within(milliseconds(1));
  ASSERT_TRUE(erase("").ok());
  waits.join();
  // The genuine server may have taken it away before.
  if (!target().genuine) {
    EXPECT_EQ(seen.failure().message(), "Delete activity execution");
  }
  EXPECT_EQ(gone(""), missing) << "though there is an older one";
  EXPECT_EQ(info(first).status(), enums::ACTIVITY_EXECUTION_STATUS_COMPLETED);
  ASSERT_TRUE(erase(first).ok());
  EXPECT_EQ(gone(first), missing);
  EXPECT_EQ(erase("").message(), missing);
  start_activity();
}

// --- Ids.

TEST_F(StandaloneActivityTest, conflict) {
  const std::string run_id = start_activity([](auto& request) { request.set_request_id("r1"); });
  const auto same = try_start([](auto& request) { request.set_request_id("r1"); });
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_EQ(same->run_id(), run_id);
  EXPECT_FALSE(same->started());
  const absl::Status refused = try_start([](auto& r) { r.set_request_id("r2"); }).status();
  EXPECT_EQ(refused.code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(refused.message(), "activity execution already started");
  const auto details = refused.GetPayload(base::kStatusDetails);
  ASSERT_TRUE(details.has_value());
  google::rpc::Status rich;
  api::errordetails::v1::ActivityExecutionAlreadyStartedFailure detail;
  ASSERT_TRUE(rich.ParseFromString(std::string(*details)));
  ASSERT_EQ(rich.details_size(), 1);
  ASSERT_TRUE(rich.details(0).UnpackTo(&detail));
  EXPECT_EQ(detail.start_request_id(), "r1");
  EXPECT_EQ(detail.run_id(), run_id);
  const auto used = try_start([](StartActivity& request) {
    request.set_request_id("r3");
    request.set_id_conflict_policy(enums::ACTIVITY_ID_CONFLICT_POLICY_USE_EXISTING);
    request.mutable_on_conflict_options()->set_attach_request_id(true);
    request.mutable_on_conflict_options()->set_attach_links(true);
    auto& link = *request.add_links()->mutable_workflow_event();
    link.set_namespace_("default");
    link.set_workflow_id("w");
    link.set_run_id("r");
  });
  ASSERT_TRUE(used.ok()) << used.status();
  EXPECT_EQ(used->run_id(), run_id);
  EXPECT_FALSE(used->started());
  ASSERT_EQ(info().links_size(), 1);
  EXPECT_EQ(info().links(0).workflow_event().workflow_id(), "w");
}

TEST_F(StandaloneActivityTest, reuse) {
  const auto with = [](enums::ActivityIdReusePolicy policy) {
    return [policy](StartActivity& request) { request.set_id_reuse_policy(policy); };
  };
  const auto failed_only = with(enums::ACTIVITY_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY);
  const auto never = with(enums::ACTIVITY_ID_REUSE_POLICY_REJECT_DUPLICATE);
  const std::string first = start_activity([](auto& request) { request.set_request_id("r1"); });
  ASSERT_TRUE(complete_activity(poll_activity()).ok());
  EXPECT_EQ(try_start([](auto& request) { request.set_request_id("r1"); })->run_id(), first);
  EXPECT_EQ(try_start(never).status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(try_start(failed_only).status().code(), StatusCode::kAlreadyExists);
  const std::string second = start_activity();
  EXPECT_NE(second, first);
  ASSERT_TRUE(terminate_activity().ok());
  EXPECT_EQ(try_start(never).status().code(), StatusCode::kAlreadyExists);
  const std::string third = start_activity(failed_only);
  EXPECT_EQ(info().run_id(), third);
  EXPECT_EQ(info(second).status(), enums::ACTIVITY_EXECUTION_STATUS_TERMINATED);
  EXPECT_EQ(info(first).status(), enums::ACTIVITY_EXECUTION_STATUS_COMPLETED);
}

TEST_F(StandaloneActivityTest, refused_starts) {
  const auto refusal = [this](const std::function<void(StartActivity&)>& change) {
    const absl::Status status = try_start(change).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  };
  const std::string longer(1001, 'x');
  EXPECT_EQ(refusal([](auto& r) { r.clear_activity_id(); }), "activityId is not set");
  EXPECT_EQ(refusal([](auto& r) { r.clear_activity_type(); }), "activityType is not set");
  EXPECT_EQ(refusal([](auto& r) { r.clear_task_queue(); }), "taskQueue is not set");
  EXPECT_EQ(refusal([](auto& r) { r.mutable_task_queue()->clear_name(); }),
            "missing task queue name");
  EXPECT_EQ(refusal([](auto& r) { r.mutable_task_queue()->set_name("/_sys/x"); }),
            "task queue name cannot start with reserved prefix /_sys/");
  EXPECT_EQ(refusal([](auto& r) { r.mutable_task_queue()->set_name("temporal-sys-per-ns-tq"); }),
            "cannot use internal per-namespace task queue:temporal-sys-per-ns-tq");
  EXPECT_EQ(refusal([](auto& r) { r.clear_start_to_close_timeout(); }),
            absl::StrCat("a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the "
                         "activity. ActivityId=",
                         id, " ActivityType=act"));
  EXPECT_EQ(refusal([](auto& r) { r.mutable_heartbeat_timeout()->set_seconds(-1); }),
            "invalid HeartbeatTimeout: negative duration");
  EXPECT_EQ(refusal([](auto& r) { r.mutable_start_delay()->set_seconds(-1); }),
            "invalid StartDelay: negative duration");
  EXPECT_EQ(refusal([&](auto& r) { r.set_activity_id(longer); }),
            "activityId exceeds length limit. Length=1001 Limit=1000");
  EXPECT_EQ(refusal([&](auto& r) { r.mutable_activity_type()->set_name(longer); }),
            "activityType exceeds length limit. Length=1001 Limit=1000");
  EXPECT_EQ(refusal([&](auto& r) { r.set_request_id(longer); }),
            "request ID exceeds length limit. Length=1001 Limit=1000");
  EXPECT_EQ(refusal([](auto& r) { r.mutable_priority()->set_priority_key(-1); }),
            "invalid priorities: priority key can't be negative");
  EXPECT_EQ(refusal([](auto& r) { r.mutable_retry_policy()->set_maximum_attempts(-1); }),
            "MaximumAttempts cannot be negative on retry policy.");
  EXPECT_EQ(
      refusal([](auto& r) { r.set_id_reuse_policy(static_cast<enums::ActivityIdReusePolicy>(9)); }),
      "unsupported ID reuse policy: 9");
  EXPECT_EQ(refusal([](auto& r) {
              (*r.mutable_search_attributes()->mutable_indexed_fields())["Nope"] = payload("1");
            }),
            "Namespace default has no mapping defined for search attribute Nope");
  EXPECT_EQ(
      refusal([](auto& r) { r.add_completion_callbacks()->mutable_nexus()->set_url("http://x"); }),
      "completion callbacks are not enabled for this namespace");
  EXPECT_EQ(refusal([](auto& r) { r.add_links(); }), "unsupported link variant");
  EXPECT_EQ(refusal([](auto& r) { r.mutable_on_conflict_options()->set_attach_request_id(true); }),
            "on_conflict_options: attach_request_id requires at least one completion callback or "
            "link");
  EXPECT_EQ(refusal([](auto& r) {
              *r.mutable_user_metadata()->mutable_summary() = payload(std::string(500, 'x'));
            }),
            "user_metadata.summary exceeds size limit. Length=527 Limit=400");
  EXPECT_EQ(try_start([](auto& r) { r.set_namespace_("nope"); }).status().code(),
            StatusCode::kNotFound);
}

TEST_F(StandaloneActivityTest, unknown_ones) {
  EXPECT_EQ(try_describe().status().message(), missing);
  EXPECT_EQ(try_describe("x").status().message(), "invalid run id: must be a valid UUID");
  EXPECT_EQ(cancel().message(), missing);
  EXPECT_EQ(terminate_activity().message(), missing);
  EXPECT_EQ(rpc<wf::PollActivityExecutionResponse>(about<wf::PollActivityExecutionRequest>())
                .status()
                .message(),
            missing);
  wf::TerminateActivityExecutionRequest bare;
  bare.set_namespace_(ns);
  EXPECT_EQ(rpc<wf::TerminateActivityExecutionResponse>(bare).status().message(),
            "activity ID is required");
}

}  // namespace
}  // namespace chimera::conformance
