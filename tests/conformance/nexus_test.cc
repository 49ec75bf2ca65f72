// R: Nexus operations, from the caller's workflow to the handler's worker and back.
#include "core/base/proto_time.h"
#include "tests/conformance/nexus_session.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class NexusTest : public NexusSession {
 protected:
  using Pending = api::workflow::v1::PendingNexusOperationInfo;

  // Server 1.29 takes older forms only.
  bool knows_no_failures() { return server_is("1.29"); }
  void expect_refused(Command command, const std::string& cause, const std::string& text) {
    start();
    const absl::Status refused = try_respond(poll(), {std::move(command)}).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(refused.message(), absl::StrCat(cause, ": ", text));
    EXPECT_TRUE(terminate().ok());
  }
  void expect_bad(const std::string& text, const std::function<void(Schedule&)>& change) {
    expect_refused(schedule(change), "BadScheduleNexusOperationAttributes", text);
  }
  // Until the run's describe shows it.
  Pending wait_for(enums::PendingNexusOperationState state) {
    Pending shown;
    eventually([&] { return (shown = pending()).state() == state; });
    return shown;
  }
};

TEST_F(NexusTest, request_of_a_start) {
  const NexusTask task = call([](Schedule& a) { (*a.mutable_nexus_header())["My-Key"] = "value"; });

  const auto& request = task.request();
  const auto& start = request.start_operation();
  EXPECT_EQ(start.service(), "service");
  EXPECT_EQ(start.operation(), "operation");
  EXPECT_EQ(start.payload().data(), "\"in\"");
  EXPECT_EQ(start.request_id(), event_of(enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED)
                                    .nexus_operation_scheduled_event_attributes()
                                    .request_id());
  EXPECT_THAT(start.callback(), testing::Not(IsEmpty()));
  EXPECT_TRUE(start.callback_header().contains("temporal-callback-token"));
  EXPECT_EQ(request.header().at("my-key"), "value");
  EXPECT_THAT(request.header().at("request-timeout"), testing::MatchesRegex("[0-9.]+m?s"));
  EXPECT_TRUE(request.has_scheduled_time());
  ASSERT_EQ(start.links_size(), 1);
  EXPECT_EQ(start.links(0).type(), "temporal.api.common.v1.Link.WorkflowEvent");
  EXPECT_EQ(start.links(0).url(),
            absl::StrCat("temporal:///namespaces/default/workflows/", id, "/",
                         describe().workflow_execution_info().execution().run_id(),
                         "/history?eventID=5&eventType=NexusOperationScheduled"
                         "&referenceType=EventReference"));
  if (!server_is("1.29")) {
    EXPECT_EQ(request.endpoint(), endpoint);
    EXPECT_TRUE(request.capabilities().temporal_failure_responses());
    EXPECT_EQ(start.callback(), "temporal://system");
  }
  ASSERT_TRUE(answer(task, result("\"out\"")).ok());
  finish();
}

TEST_F(NexusTest, sync_result) {
  const NexusTask task = call();
  EXPECT_EQ(pending().state(), enums::PENDING_NEXUS_OPERATION_STATE_SCHEDULED);
  EXPECT_EQ(pending().attempt(), 0);

  ASSERT_TRUE(answer(task, result("\"out\"")).ok());

  finish();
  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted NexusOperationScheduled "
            "NexusOperationCompleted TaskScheduled TaskStarted TaskCompleted Completed");
  EXPECT_THAT(answer(task, result("\"out\"")).message(),
              HasSubstr("Nexus task not found or already expired"));
}

TEST_F(NexusTest, links_of_a_handler) {
  const NexusTask task = call();
  nexus::Response response = result("\"out\"");
  auto& sync = *response.mutable_start_operation()->mutable_sync_success();
  auto& link = *sync.add_links();
  link.set_type("temporal.api.common.v1.Link.WorkflowEvent");
  link.set_url(
      "temporal:///namespaces/a%20b/workflows/c%2Fd/e/history"
      "?eventID=7&eventType=WorkflowExecutionSignaled&referenceType=EventReference");
  auto& other = *sync.add_links();
  other.set_type("temporal.api.common.v1.Link.WorkflowEvent");
  other.set_url(
      "temporal:///namespaces/n/workflows/w/r/history"
      "?requestID=a+b&eventType=WorkflowExecutionStarted&referenceType=RequestIdReference");
  auto& foreign = *sync.add_links();
  foreign.set_type("somewhere");
  foreign.set_url("http://host/path");

  ASSERT_TRUE(answer(task, response).ok());

  finish();
  const HistoryEvent completed = event_of(enums::EVENT_TYPE_NEXUS_OPERATION_COMPLETED);
  ASSERT_EQ(completed.links_size(), 2);
  EXPECT_EQ(completed.links(0).workflow_event().namespace_(), "a b");
  EXPECT_EQ(completed.links(0).workflow_event().workflow_id(), "c/d");
  EXPECT_EQ(completed.links(0).workflow_event().event_ref().event_id(), 7);
  EXPECT_EQ(completed.links(1).workflow_event().request_id_ref().request_id(), "a b");
}

// --- Operations that fail.

TEST_F(NexusTest, operation_failed) {
  if (knows_no_failures()) GTEST_SKIP() << "server 1.29 has no such answer";
  const NexusTask task = call();
  Failure failure;
  failure.set_message("no");
  failure.set_stack_trace("here");
  failure.mutable_application_failure_info()->set_type("Refused");
  failure.mutable_cause()->set_message("why");

  ASSERT_TRUE(answer(task, failed(failure)).ok());
  finish();

  const auto end =
      event_of(enums::EVENT_TYPE_NEXUS_OPERATION_FAILED).nexus_operation_failed_event_attributes();
  EXPECT_EQ(end.failure().message(), "nexus operation completed unsuccessfully");
  EXPECT_EQ(end.failure().cause().application_failure_info().type(), "Refused");
  EXPECT_EQ(end.failure().cause().cause().message(), "why");
}

TEST_F(NexusTest, operation_canceled) {
  if (knows_no_failures()) GTEST_SKIP() << "server 1.29 has no such answer";
  const NexusTask task = call();
  Failure failure;
  failure.set_message("cancelled");
  failure.mutable_canceled_failure_info();

  ASSERT_TRUE(answer(task, failed(failure)).ok());
  finish();

  EXPECT_THAT(events(), HasSubstr("NexusOperationCanceled"));
}

TEST_F(NexusTest, operation_failed_in_the_older_form) {
  const NexusTask task = call();
  nexus::Failure failure;
  failure.set_message("no");
  (*failure.mutable_metadata())["key"] = "value";
  failure.set_details(R"({"a": 1})");

  ASSERT_TRUE(answer(task, unsuccessful("failed", failure)).ok());
  finish();

  const auto cause = event_of(enums::EVENT_TYPE_NEXUS_OPERATION_FAILED)
                         .nexus_operation_failed_event_attributes()
                         .failure()
                         .cause();
  EXPECT_EQ(cause.message(), "no");
  EXPECT_EQ(cause.application_failure_info().type(), "NexusFailure");
}

TEST_F(NexusTest, operation_canceled_in_the_older_form) {
  const NexusTask task = call();
  nexus::Failure failure;
  failure.set_message("cancelled");

  ASSERT_TRUE(answer(task, unsuccessful("canceled", failure)).ok());
  finish();

  const auto cause = event_of(enums::EVENT_TYPE_NEXUS_OPERATION_CANCELED)
                         .nexus_operation_canceled_event_attributes()
                         .failure()
                         .cause();
  EXPECT_TRUE(cause.has_canceled_failure_info());
}

// As SDKs of 2025 tell their failures.
TEST_F(NexusTest, temporal_failure_in_the_older_form) {
  const NexusTask task = call();
  nexus::Failure failure;
  failure.set_message("no");
  (*failure.mutable_metadata())["type"] = "temporal.api.failure.v1.Failure";
  failure.set_details(R"({"applicationFailureInfo": {"type": "Refused", "nonRetryable": true}})");

  ASSERT_TRUE(answer(task, unsuccessful("failed", failure)).ok());
  finish();

  const auto cause = event_of(enums::EVENT_TYPE_NEXUS_OPERATION_FAILED)
                         .nexus_operation_failed_event_attributes()
                         .failure()
                         .cause();
  EXPECT_EQ(cause.application_failure_info().type(), "Refused");
}

// --- Handlers that fail.

TEST_F(NexusTest, handler_error_that_is_final) {
  const NexusTask task = call();

  ASSERT_TRUE(refuse_as(task, "BAD_REQUEST").ok());
  finish();

  const auto cause = event_of(enums::EVENT_TYPE_NEXUS_OPERATION_FAILED)
                         .nexus_operation_failed_event_attributes()
                         .failure()
                         .cause();
  EXPECT_EQ(cause.nexus_handler_failure_info().type(), "BAD_REQUEST");
  EXPECT_EQ(cause.cause().message(), "not today");
}

TEST_F(NexusTest, handler_error_that_says_it_is_final) {
  const NexusTask task = call();

  ASSERT_TRUE(
      refuse_as(task, "INTERNAL", enums::NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_NON_RETRYABLE).ok());
  finish();

  EXPECT_THAT(events(), HasSubstr("NexusOperationFailed"));
}

TEST_F(NexusTest, handler_failure_that_is_final) {
  if (knows_no_failures()) GTEST_SKIP() << "server 1.29 has no such answer";
  const NexusTask task = call();

  ASSERT_TRUE(refuse(task, [](wf::RespondNexusTaskFailedRequest& request) {
                request.mutable_failure()->set_message("not today");
                request.mutable_failure()->mutable_nexus_handler_failure_info()->set_type(
                    "NOT_FOUND");
                request.mutable_failure()->mutable_cause()->set_message("why");
              }).ok());
  finish();

  EXPECT_THAT(events(), HasSubstr("NexusOperationFailed"));
}

TEST_F(NexusTest, handler_error_is_tried_again) {
  ASSERT_TRUE(refuse_as(call(), "INTERNAL").ok());
  const Pending backing_off = wait_for(enums::PENDING_NEXUS_OPERATION_STATE_BACKING_OFF);
  EXPECT_EQ(backing_off.attempt(), 1);
  EXPECT_TRUE(backing_off.has_last_attempt_complete_time());
  EXPECT_EQ(backing_off.last_attempt_failure().nexus_handler_failure_info().type(), "INTERNAL");
  const auto delay = base::to_wall_time(backing_off.next_attempt_schedule_time()) -
                     base::to_wall_time(backing_off.last_attempt_complete_time());
  EXPECT_GE(delay, milliseconds(700));
  EXPECT_LE(delay, milliseconds(1010));

  const NexusTask again = poll_nexus();

  EXPECT_EQ(pending().attempt(), 1);
  EXPECT_EQ(pending().state(), enums::PENDING_NEXUS_OPERATION_STATE_SCHEDULED);
  ASSERT_TRUE(answer(again, result("\"out\"")).ok());
  finish();
  EXPECT_THAT(events(), HasSubstr("NexusOperationCompleted"));
}

TEST_F(NexusTest, an_answer_without_an_outcome_is_tried_again) {
  ASSERT_TRUE(answer(call(), nexus::Response()).ok());

  const Pending shown = wait_for(enums::PENDING_NEXUS_OPERATION_STATE_BACKING_OFF);

  EXPECT_EQ(shown.last_attempt_failure().nexus_handler_failure_info().type(), "INTERNAL");
  EXPECT_TRUE(terminate().ok());
}

// --- While the workflow goes on.

// While a workflow task is under way what comes waits.
TEST_F(NexusTest, results_are_buffered) {
  const NexusTask task = call();
  ASSERT_TRUE(signal("wake").ok());
  const Task busy = poll();

  ASSERT_TRUE(answer(task, result("\"out\"")).ok());
  eventually([&] { return describe().pending_nexus_operations_size() == 0; });
  respond(busy, {});

  finish();
  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted NexusOperationScheduled Signaled "
            "TaskScheduled TaskStarted TaskCompleted NexusOperationCompleted TaskScheduled "
            "TaskStarted TaskCompleted Completed");
}

TEST_F(NexusTest, the_caller_closes) {
  const NexusTask task = call();
  ASSERT_TRUE(signal("wake").ok());
  respond(poll(), {complete_workflow()});
  wait_closed();

  EXPECT_TRUE(answer(task, result("\"out\"")).ok());

  EXPECT_EQ(last_event().event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED);
}

// --- Cancellation.

TEST_F(NexusTest, cancel_of_a_started_operation) {
  const NexusTask task = call([](Schedule& a) { (*a.mutable_nexus_header())["k"] = "v"; });
  ASSERT_TRUE(answer(task, started("token")).ok());
  respond(poll(), {cancel_operation(5)});

  const NexusTask cancel = poll_nexus();

  EXPECT_EQ(cancel.request().cancel_operation().operation_token(), "token");
  EXPECT_EQ(cancel.request().cancel_operation().service(), "service");
  EXPECT_EQ(cancel.request().cancel_operation().operation(), "operation");
  EXPECT_EQ(cancel.request().header().at("k"), "v");
  EXPECT_EQ(pending().cancellation_info().state(),
            enums::NEXUS_OPERATION_CANCELLATION_STATE_SCHEDULED);
  nexus::Response response;
  response.mutable_cancel_operation();
  ASSERT_TRUE(answer(cancel, response).ok());
  finish();
  EXPECT_THAT(events(), HasSubstr("NexusOperationCancelRequested "
                                  "NexusOperationCancelRequestCompleted"));
}

TEST_F(NexusTest, cancel_before_the_answer) {
  const NexusTask task = call();
  ASSERT_TRUE(signal("wake").ok());
  respond(poll(), {cancel_operation(5)});
  EXPECT_EQ(pending().cancellation_info().state(),
            enums::NEXUS_OPERATION_CANCELLATION_STATE_UNSPECIFIED);

  ASSERT_TRUE(answer(task, started("token")).ok());
  const NexusTask cancel = poll_nexus();

  nexus::Response response;
  response.mutable_cancel_operation();
  ASSERT_TRUE(answer(cancel, response).ok());
  eventually([&] {
    return pending().cancellation_info().state() ==
           enums::NEXUS_OPERATION_CANCELLATION_STATE_SUCCEEDED;
  });
  finish();
}

TEST_F(NexusTest, cancel_in_the_task_that_schedules) {
  create_endpoint();
  start();
  respond(poll(), {schedule(), cancel_operation(5)});
  const NexusTask task = poll_nexus();
  EXPECT_TRUE(task.request().has_start_operation());

  ASSERT_TRUE(answer(task, result("\"out\"")).ok());

  finish();
  EXPECT_THAT(events(), HasSubstr("NexusOperationScheduled NexusOperationCancelRequested "
                                  "NexusOperationCompleted"));
}

TEST_F(NexusTest, cancel_that_the_handler_refuses) {
  const NexusTask task = call();
  ASSERT_TRUE(answer(task, started("token")).ok());
  respond(poll(), {cancel_operation(5)});

  ASSERT_TRUE(refuse_as(poll_nexus(), "NOT_FOUND").ok());

  finish();
  EXPECT_THAT(events(), HasSubstr("NexusOperationCancelRequestFailed"));
}

TEST_F(NexusTest, cancel_is_tried_again) {
  const NexusTask task = call();
  ASSERT_TRUE(answer(task, started("token")).ok());
  respond(poll(), {cancel_operation(5)});
  ASSERT_TRUE(refuse_as(poll_nexus(), "UNAVAILABLE").ok());
  eventually([&] {
    return pending().cancellation_info().state() ==
           enums::NEXUS_OPERATION_CANCELLATION_STATE_BACKING_OFF;
  });
  EXPECT_EQ(pending().cancellation_info().attempt(), 1);

  const NexusTask again = poll_nexus();

  nexus::Response response;
  response.mutable_cancel_operation();
  ASSERT_TRUE(answer(again, response).ok());
  finish();
  EXPECT_THAT(events(), HasSubstr("NexusOperationCancelRequestCompleted"));
}

TEST_F(NexusTest, cancel_twice) {
  const NexusTask task = call();
  ASSERT_TRUE(answer(task, started("token")).ok());
  respond(poll(), {cancel_operation(5)});
  ASSERT_TRUE(signal("wake").ok());

  const absl::Status refused = try_respond(poll(), {cancel_operation(5)}).status();

  EXPECT_EQ(refused.message(),
            "BadRequestCancelNexusOperationAttributes: cancelation was already requested for an "
            "operation with scheduled event ID 5");
  EXPECT_TRUE(terminate().ok());
}

TEST_F(NexusTest, cancel_of_no_operation) {
  expect_refused(cancel_operation(77), "BadRequestCancelNexusOperationAttributes",
                 "requested cancelation for a non-existing or already completed operation with "
                 "scheduled event ID of 77");
}

// --- Time.

TEST_F(NexusTest, schedule_to_close_timeout) {
  const NexusTask task =
      call([](Schedule& a) { set_seconds(a.mutable_schedule_to_close_timeout(), 2); });
  EXPECT_THAT(task.request().header().at("operation-timeout"), testing::MatchesRegex("[0-9]+ms"));

  finish();

  const auto end = event_of(enums::EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT)
                       .nexus_operation_timed_out_event_attributes();
  EXPECT_EQ(end.failure().cause().timeout_failure_info().timeout_type(),
            enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
}

TEST_F(NexusTest, schedule_to_start_timeout) {
  if (server_is("1.29")) GTEST_SKIP() << "server 1.29 does not have it";
  call([](Schedule& a) { set_seconds(a.mutable_schedule_to_start_timeout(), 2); });

  finish();

  const auto end = event_of(enums::EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT)
                       .nexus_operation_timed_out_event_attributes();
  EXPECT_EQ(end.failure().cause().timeout_failure_info().timeout_type(),
            enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
}

TEST_F(NexusTest, start_to_close_timeout) {
  if (server_is("1.29")) GTEST_SKIP() << "server 1.29 does not have it";
  const NexusTask task =
      call([](Schedule& a) { set_seconds(a.mutable_start_to_close_timeout(), 1); });
  ASSERT_TRUE(answer(task, started("token")).ok());
  respond(poll(), {});

  finish();

  const auto end = event_of(enums::EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT)
                       .nexus_operation_timed_out_event_attributes();
  EXPECT_EQ(end.failure().cause().timeout_failure_info().timeout_type(),
            enums::TIMEOUT_TYPE_START_TO_CLOSE);
}

TEST_F(NexusTest, too_little_time_for_a_request) {
  if (server_is("1.29")) GTEST_SKIP() << "server 1.29 fails what nobody polls for at once";
  create_endpoint();
  start();
  respond(poll(),
          {schedule([](Schedule& a) { set_seconds(a.mutable_schedule_to_close_timeout(), 1); })});

  finish();

  EXPECT_THAT(events(), HasSubstr("NexusOperationScheduled NexusOperationTimedOut"));
}

TEST_F(NexusTest, timeouts_are_those_of_the_run_at_most) {
  create_endpoint();
  start([](Start& request) { set_seconds(request.mutable_workflow_run_timeout(), 60); });
  respond(
      poll(),
      {schedule([](Schedule& a) { set_seconds(a.mutable_schedule_to_close_timeout(), 3600); })});
  ASSERT_TRUE(answer(poll_nexus(), result("\"out\"")).ok());
  respond(poll(), {schedule()});
  ASSERT_TRUE(answer(poll_nexus(), result("\"out\"")).ok());
  finish();

  for (const HistoryEvent& event : history()) {
    if (event.event_type() != enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED) continue;
    const auto& a = event.nexus_operation_scheduled_event_attributes();
    EXPECT_EQ(a.schedule_to_close_timeout().seconds(), 60);
  }
}

TEST_F(NexusTest, no_worker_comes) {
  if (server_is("1.29")) GTEST_SKIP() << "server 1.29 fails what nobody polls for at once";
  create_endpoint();
  start();
  respond(poll(), {schedule()});

  const Pending shown = wait_for(enums::PENDING_NEXUS_OPERATION_STATE_BACKING_OFF);

  EXPECT_EQ(shown.attempt(), 1);
  EXPECT_EQ(shown.last_attempt_failure().message(), "upstream timeout");
  EXPECT_TRUE(terminate().ok());
}

// --- Commands that are refused.

TEST_F(NexusTest, commands_with_wrong_attributes) {
  create_endpoint();
  expect_bad("endpoint \"nobody\" not found", [](Schedule& a) { a.set_endpoint("nobody"); });
  expect_bad("endpoint \"\" not found", [](Schedule& a) { a.clear_endpoint(); });
  expect_bad("ScheduleNexusOperationCommandAttributes.Service exceeds length limit of 1000",
             [](Schedule& a) { a.set_service(std::string(1001, 's')); });
  expect_bad("ScheduleNexusOperationCommandAttributes.Operation exceeds length limit of 1000",
             [](Schedule& a) { a.set_operation(std::string(1001, 'o')); });
  expect_bad(
      "ScheduleNexusOperationCommandAttributes.ScheduleToCloseTimeout is invalid: negative "
      "duration",
      [](Schedule& a) { set_seconds(a.mutable_schedule_to_close_timeout(), -1); });
  expect_bad(
      "ScheduleNexusOperationCommandAttributes.NexusHeader contains a disallowed header key: "
      "\"Request-Timeout\"",
      [](Schedule& a) { (*a.mutable_nexus_header())["Request-Timeout"] = "1s"; });
  expect_bad("ScheduleNexusOperationCommandAttributes.NexusHeader exceeds size limit",
             [](Schedule& a) { (*a.mutable_nexus_header())["k"] = std::string(9000, 'v'); });
  Command empty;
  empty.set_command_type(enums::COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION);
  expect_refused(empty, "BadScheduleNexusOperationAttributes",
                 "empty ScheduleNexusOperationCommandAttributes");
  Command cancel;
  cancel.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION);
  expect_refused(cancel, "BadRequestCancelNexusOperationAttributes",
                 "empty CancelNexusOperationCommandAttributes");
}

TEST_F(NexusTest, input_that_is_too_large_ends_the_workflow) {
  create_endpoint();
  start();

  const absl::Status refused =
      try_respond(poll(), {schedule([](Schedule& a) {
                    a.mutable_input()->set_data(std::string((2 << 20) + 10, 'x'));
                  })})
          .status();

  EXPECT_EQ(refused.message(),
            "BadScheduleNexusOperationAttributes: "
            "ScheduleNexusOperationCommandAttributes.Input exceeds size limit");
  EXPECT_EQ(wait_closed().event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
}

TEST_F(NexusTest, too_many_operations) {
  create_endpoint();
  start();
  const std::vector<Command> many(31, schedule());

  const absl::Status refused = try_respond(poll(), many).status();

  EXPECT_EQ(refused.message(),
            "PendingNexusOperationsLimitExceeded: workflow has reached the pending nexus operation "
            "limit of 30 for this namespace");
  EXPECT_TRUE(terminate().ok());
}

TEST_F(NexusTest, an_endpoint_that_is_gone) {
  const nexus::Endpoint made = create_endpoint();
  start();
  respond(poll(), {schedule()});
  ASSERT_TRUE(refuse_as(poll_nexus(), "INTERNAL").ok());
  operatorservice::DeleteNexusEndpointRequest gone;
  gone.set_id(made.id());
  gone.set_version(made.version());
  ASSERT_TRUE(rpc<operatorservice::DeleteNexusEndpointResponse>(gone).ok());

  finish();

  const auto cause = event_of(enums::EVENT_TYPE_NEXUS_OPERATION_FAILED)
                         .nexus_operation_failed_event_attributes()
                         .failure()
                         .cause();
  EXPECT_EQ(cause.nexus_handler_failure_info().type(), "NOT_FOUND");
}

// --- Answers that are refused.

TEST_F(NexusTest, answers_with_wrong_tokens) {
  create_endpoint();
  const auto expect = [&](const std::string& token, const std::string& in, absl::StatusCode code,
                          const std::string& text) {
    wf::RespondNexusTaskCompletedRequest request;
    request.set_namespace_(in);
    request.set_task_token(token);
    const absl::Status status = rpc<wf::RespondNexusTaskCompletedResponse>(request).status();
    EXPECT_EQ(status.code(), code);
    EXPECT_EQ(status.message(), text);
  };
  start();
  respond(poll(), {schedule()});
  const NexusTask task = poll_nexus();

  expect("", ns, absl::StatusCode::kInvalidArgument, "Task token not set on request.");
  expect("junk", ns, absl::StatusCode::kInvalidArgument, "Error deserializing task token.");
  expect(task.task_token(), "temporal-system", absl::StatusCode::kInvalidArgument,
         "Operation requested with a token from a different namespace.");
  ASSERT_TRUE(answer(task, result("\"out\"")).ok());
  expect(task.task_token(), ns, absl::StatusCode::kNotFound,
         "Nexus task not found or already expired");
  finish();
}

TEST_F(NexusTest, answers_that_say_nothing) {
  const NexusTask task = call();

  EXPECT_EQ(answer(task, started("")).message(), "missing opration token in response");
  EXPECT_EQ(answer(task, started(std::string(4097, 't'))).message(),
            "operation token length exceeds allowed limit (4097/4096)");
  nexus::Failure failure;
  failure.set_details("{no json");
  EXPECT_EQ(answer(task, unsuccessful("failed", failure)).message(),
            "failure details must be JSON serializable");
  if (!server_is("1.29")) {
    EXPECT_EQ(refuse(task, [](auto&) {}).message(), "request must contain error or failure");
    EXPECT_EQ(
        refuse(task, [](auto& request) { request.mutable_failure()->set_message("m"); }).message(),
        "request Failure must contain error or failure with NexusHandlerFailureInfo");
  }
  ASSERT_TRUE(answer(task, result("\"out\"")).ok());
  finish();
}

}  // namespace
}  // namespace chimera::conformance
