// R: Nexus operations that stand alone.
#include "temporal/api/errordetails/v1/message.pb.h"

#include "tests/conformance/standalone_nexus_session.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;

class StandaloneNexusTest : public StandaloneNexusSession {};

TEST_F(StandaloneNexusTest, a_result) {
  const NexusTask task = begin([](StartOperation& request) {
    (*request.mutable_nexus_header())["Trace"] = "on";
    set_seconds(request.mutable_schedule_to_close_timeout(), 60);
    set_seconds(request.mutable_start_to_close_timeout(), 100);
    *request.mutable_user_metadata()->mutable_summary() = payload("\"of it\"");
  });
  OperationInfo open = info();
  EXPECT_EQ(open.status(), enums::NEXUS_OPERATION_EXECUTION_STATUS_RUNNING);
  EXPECT_EQ(open.state(), enums::PENDING_NEXUS_OPERATION_STATE_SCHEDULED);
  EXPECT_EQ(open.endpoint(), endpoint);
  EXPECT_EQ(open.service(), "service");
  EXPECT_EQ(open.operation(), "operation");
  EXPECT_EQ(open.attempt(), 1);
  EXPECT_EQ(open.identity(), "client");
  EXPECT_EQ(open.schedule_to_close_timeout().seconds(), 60);
  EXPECT_EQ(open.start_to_close_timeout().seconds(), 60) << "within the other";
  EXPECT_FALSE(open.has_schedule_to_start_timeout());
  EXPECT_EQ(open.expiration_time().seconds(), open.schedule_time().seconds() + 60);
  EXPECT_EQ(open.nexus_header().at("trace"), "on");
  EXPECT_EQ(open.user_metadata().summary().data(), "\"of it\"");
  EXPECT_TRUE(open.has_search_attributes());
  EXPECT_FALSE(open.has_close_time());
  EXPECT_EQ(describe_operation().input().data(), "\"in\"");

  const nexus::Request& request = task.request();
  EXPECT_EQ(request.header().at("trace"), "on");
  EXPECT_EQ(request.header().at("nexus-request-id"), open.request_id());
  EXPECT_EQ(request.start_operation().request_id(), open.request_id());
  EXPECT_EQ(request.start_operation().payload().data(), "\"in\"");
  ASSERT_EQ(request.start_operation().links_size(), 1);
  EXPECT_EQ(request.start_operation().links(0).type(),
            "temporal.api.common.v1.Link.NexusOperation");
  EXPECT_EQ(request.start_operation().links(0).url(),
            absl::StrCat("temporal:///namespaces/", ns, "/nexus-operations/", id, "/",
                         open.run_id(), "/details"));

  nexus::Response response = result("\"out\"");
  auto& link = *response.mutable_start_operation()->mutable_sync_success()->add_links();
  link.set_type("temporal.api.common.v1.Link.WorkflowEvent");
  link.set_url(
      "temporal:///namespaces/n/workflows/w/r/history?eventID=1&eventType=WorkflowExecutionStarted"
      "&referenceType=EventReference");
  ASSERT_TRUE(answer(task, response).ok());
  const Polled polled = outcome();
  EXPECT_EQ(polled.result().data(), "\"out\"");
  EXPECT_EQ(polled.wait_stage(), enums::NEXUS_OPERATION_WAIT_STAGE_CLOSED);
  EXPECT_EQ(polled.operation_token(), "");
  const Described described = describe_operation();
  EXPECT_EQ(described.result().data(), "\"out\"");
  EXPECT_EQ(described.info().status(), enums::NEXUS_OPERATION_EXECUTION_STATUS_COMPLETED);
  EXPECT_EQ(described.info().state(), enums::PENDING_NEXUS_OPERATION_STATE_UNSPECIFIED);
  EXPECT_EQ(described.info().attempt(), 1);
  EXPECT_TRUE(described.info().has_close_time());
  EXPECT_FALSE(described.info().has_last_attempt_complete_time());
  ASSERT_EQ(described.info().links_size(), 1);
  EXPECT_EQ(described.info().links(0).workflow_event().workflow_id(), "w");
  EXPECT_FALSE(described.long_poll_token().empty());
}

TEST_F(StandaloneNexusTest, begun_by_its_handler) {
  begin_async();
  const Polled begun = reached(enums::NEXUS_OPERATION_WAIT_STAGE_STARTED);
  EXPECT_EQ(begun.wait_stage(), enums::NEXUS_OPERATION_WAIT_STAGE_STARTED);
  EXPECT_EQ(begun.operation_token(), "token");
  EXPECT_EQ(info().operation_token(), "token");
  EXPECT_EQ(info().attempt(), 1);
  EXPECT_TRUE(info().has_last_attempt_complete_time());
}

TEST_F(StandaloneNexusTest, a_workflow_completes_it) {
  const NexusTask task = begin();
  const std::string work = start_work(task);
  ASSERT_TRUE(answer(task, started("token")).ok());
  respond(poll_work(), {complete_workflow("worked")});
  EXPECT_EQ(outcome().result().data(), "\"worked\"");
  EXPECT_EQ(outcome().operation_token(), "token");
  eventually([&] { return callback_info().state() == enums::CALLBACK_STATE_SUCCEEDED; });
}

TEST_F(StandaloneNexusTest, a_workflow_ends_before_the_answer) {
  const NexusTask task = begin();
  const std::string work = start_work(task, [](Start& request) {
    (*request.mutable_completion_callbacks(0)
          ->mutable_nexus()
          ->mutable_header())["nexus-operation-token"] = "early";
  });
  respond(poll_work(), {fail_workflow("broken")});
  const Polled polled = outcome();
  EXPECT_EQ(polled.failure().message(), "broken");
  EXPECT_EQ(polled.operation_token(), "early");
  EXPECT_EQ(info().status(), enums::NEXUS_OPERATION_EXECUTION_STATUS_FAILED);
  EXPECT_FALSE(info().has_last_attempt_failure()) << "it came of no attempt";
  ASSERT_EQ(info().links_size(), 1);
  EXPECT_EQ(info().links(0).workflow_event().run_id(), work);
}

TEST_F(StandaloneNexusTest, a_completion_for_what_has_ended) {
  const NexusTask task = begin();
  start_work(task);
  ASSERT_TRUE(answer(task, started("token")).ok());
  reached(enums::NEXUS_OPERATION_WAIT_STAGE_STARTED);
  ASSERT_TRUE(terminate_operation().ok());
  respond(poll_work(), {complete_workflow("worked")});
  eventually([&] { return callback_info().state() == enums::CALLBACK_STATE_FAILED; });
  EXPECT_EQ(callback_info().last_attempt_failure().message(),
            "handler error (BAD_REQUEST): bad request");
}

TEST_F(StandaloneNexusTest, the_handlers_failure) {
  Failure failure;
  failure.set_message("boom");
  failure.mutable_application_failure_info()->set_type("X");
  ASSERT_TRUE(answer(begin(), failed(failure)).ok());
  EXPECT_EQ(outcome().failure().message(), "boom");
  EXPECT_EQ(outcome().failure().application_failure_info().type(), "X");
  EXPECT_EQ(info().status(), enums::NEXUS_OPERATION_EXECUTION_STATUS_FAILED);
  EXPECT_EQ(info().last_attempt_failure().message(), "boom");
  EXPECT_EQ(info().attempt(), 1);
}

TEST_F(StandaloneNexusTest, what_cannot_be_retried) {
  ASSERT_TRUE(refuse_as(begin(), "BAD_REQUEST").ok());
  EXPECT_EQ(outcome().failure().nexus_handler_failure_info().type(), "BAD_REQUEST");
  EXPECT_EQ(outcome().failure().cause().message(), "not today");
  EXPECT_EQ(info().status(), enums::NEXUS_OPERATION_EXECUTION_STATUS_FAILED);
  EXPECT_TRUE(info().has_last_attempt_complete_time());
}

TEST_F(StandaloneNexusTest, a_retry) {
  const NexusTask first = begin();
  ASSERT_TRUE(refuse_as(first, "INTERNAL").ok());
  eventually([&] { return info().state() == enums::PENDING_NEXUS_OPERATION_STATE_BACKING_OFF; });
  EXPECT_EQ(info().attempt(), 1);
  EXPECT_TRUE(info().has_next_attempt_schedule_time());
  EXPECT_EQ(info().last_attempt_failure().nexus_handler_failure_info().type(), "INTERNAL");
  const NexusTask second = poll_nexus();
  EXPECT_EQ(second.request().start_operation().request_id(),
            first.request().start_operation().request_id());
  EXPECT_EQ(info().attempt(), 2);
  ASSERT_TRUE(answer(second, result("\"out\"")).ok());
  EXPECT_EQ(outcome().result().data(), "\"out\"");
  EXPECT_EQ(info().attempt(), 2);
}

TEST_F(StandaloneNexusTest, cancelled_before_it_begins) {
  const NexusTask task = begin();
  ASSERT_TRUE(cancel("c1").ok());
  EXPECT_TRUE(cancel("c1").ok()) << "the same request";
  const absl::Status again = cancel("c2");
  EXPECT_EQ(again.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(again.message(), "cancellation already requested with request ID c1");
  EXPECT_EQ(info().cancellation_info().reason(), "because");
  EXPECT_EQ(info().cancellation_info().state(),
            enums::NEXUS_OPERATION_CANCELLATION_STATE_UNSPECIFIED);
  ASSERT_TRUE(answer(task, started("token")).ok());
  const NexusTask asked = poll_nexus();
  EXPECT_EQ(asked.request().cancel_operation().operation_token(), "token");
  EXPECT_EQ(info().cancellation_info().state(),
            enums::NEXUS_OPERATION_CANCELLATION_STATE_SCHEDULED);
  EXPECT_EQ(info().cancellation_info().attempt(), 1);
  ASSERT_TRUE(answer(asked, cancel_taken()).ok());
  eventually([&] {
    return info().cancellation_info().state() ==
           enums::NEXUS_OPERATION_CANCELLATION_STATE_SUCCEEDED;
  });
  EXPECT_EQ(info().cancellation_info().attempt(), 1);
  EXPECT_FALSE(info().cancellation_info().has_requested_time());
  EXPECT_EQ(info().status(), enums::NEXUS_OPERATION_EXECUTION_STATUS_RUNNING);
}

TEST_F(StandaloneNexusTest, a_cancellation_that_is_refused) {
  begin_async();
  ASSERT_TRUE(cancel().ok());
  ASSERT_TRUE(refuse_as(poll_nexus(), "INTERNAL").ok());
  eventually([&] {
    return info().cancellation_info().state() ==
           enums::NEXUS_OPERATION_CANCELLATION_STATE_BACKING_OFF;
  });
  ASSERT_TRUE(refuse_as(poll_nexus(), "NOT_FOUND").ok());
  eventually([&] {
    return info().cancellation_info().state() == enums::NEXUS_OPERATION_CANCELLATION_STATE_FAILED;
  });
  EXPECT_EQ(info().cancellation_info().attempt(), 2);
  EXPECT_EQ(info().cancellation_info().last_attempt_failure().nexus_handler_failure_info().type(),
            "NOT_FOUND");
}

TEST_F(StandaloneNexusTest, cancelled_by_its_workflow) {
  const NexusTask task = begin();
  start_work(task);
  ASSERT_TRUE(answer(task, started("token")).ok());
  respond(poll_work(), {cancel_workflow()});
  EXPECT_TRUE(outcome().failure().has_canceled_failure_info());
  EXPECT_EQ(info().status(), enums::NEXUS_OPERATION_EXECUTION_STATUS_CANCELED);
  EXPECT_EQ(cancel().message(), "operation already completed");
  // As the genuine server has it.
  EXPECT_TRUE(terminate_operation().ok());
  EXPECT_EQ(info().status(), enums::NEXUS_OPERATION_EXECUTION_STATUS_TERMINATED);
}

TEST_F(StandaloneNexusTest, terminated) {
  create_endpoint();
  start_operation();
  ASSERT_TRUE(terminate_operation("t1").ok());
  EXPECT_TRUE(terminate_operation("t1").ok());
  EXPECT_EQ(terminate_operation("t2").message(), "already terminated with request ID t1");
  EXPECT_EQ(outcome().failure().message(), "because");
  EXPECT_EQ(outcome().failure().terminated_failure_info().identity(), "operator");
  EXPECT_EQ(info().attempt(), 1);
  EXPECT_FALSE(info().has_last_attempt_failure());
  EXPECT_EQ(cancel().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(StandaloneNexusTest, what_has_ended_is_not_terminated) {
  ASSERT_TRUE(answer(begin(), result("1")).ok());
  outcome();
  EXPECT_EQ(terminate_operation().message(), "invalid transition from Succeeded");
  EXPECT_EQ(terminate_operation().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(StandaloneNexusTest, schedule_to_start) {
  create_endpoint();
  start_operation(
      [](StartOperation& request) { set_seconds(request.mutable_schedule_to_start_timeout(), 1); });
  EXPECT_EQ(outcome().failure().message(), "operation timed out");
  EXPECT_EQ(outcome().failure().timeout_failure_info().timeout_type(),
            enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
  EXPECT_EQ(info().status(), enums::NEXUS_OPERATION_EXECUTION_STATUS_TIMED_OUT);
  EXPECT_EQ(info().attempt(), 1);
  EXPECT_TRUE(info().has_last_attempt_failure()) << "there was no time to ask";
}

TEST_F(StandaloneNexusTest, schedule_to_close) {
  begin_async(
      [](StartOperation& request) { set_seconds(request.mutable_schedule_to_close_timeout(), 4); });
  EXPECT_EQ(outcome().failure().timeout_failure_info().timeout_type(),
            enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
  EXPECT_FALSE(info().has_last_attempt_failure());
}

TEST_F(StandaloneNexusTest, start_to_close) {
  begin_async(
      [](StartOperation& request) { set_seconds(request.mutable_start_to_close_timeout(), 1); });
  EXPECT_EQ(outcome().failure().timeout_failure_info().timeout_type(),
            enums::TIMEOUT_TYPE_START_TO_CLOSE);
}

TEST_F(StandaloneNexusTest, one_of_an_id) {
  create_endpoint();
  const std::string run_id = start_operation([](auto& request) { request.set_request_id("r1"); });
  auto same = try_start([](auto& request) { request.set_request_id("r1"); });
  EXPECT_EQ(same->run_id(), run_id);
  EXPECT_FALSE(same->started());
  const absl::Status other =
      try_start([](auto& request) { request.set_request_id("r2"); }).status();
  EXPECT_EQ(other.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(other.message(), absl::StrCat("nexus operation execution already started: "
                                          "request_id=r1, run_id=",
                                          run_id));
  auto existing = try_start([](StartOperation& request) {
    request.set_id_conflict_policy(enums::NEXUS_OPERATION_ID_CONFLICT_POLICY_USE_EXISTING);
  });
  EXPECT_EQ(existing->run_id(), run_id);
  EXPECT_FALSE(existing->started());
}

TEST_F(StandaloneNexusTest, an_id_again) {
  const NexusTask task = begin();
  ASSERT_TRUE(answer(task, result("1")).ok());
  outcome();
  const auto with = [](enums::NexusOperationIdReusePolicy policy) {
    return [policy](StartOperation& request) { request.set_id_reuse_policy(policy); };
  };
  for (const auto policy : {enums::NEXUS_OPERATION_ID_REUSE_POLICY_REJECT_DUPLICATE,
                            enums::NEXUS_OPERATION_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY}) {
    EXPECT_EQ(try_start(with(policy)).status().code(), absl::StatusCode::kAlreadyExists);
  }
  const std::string second = start_operation();
  ASSERT_TRUE(terminate_operation().ok());
  const std::string third =
      start_operation(with(enums::NEXUS_OPERATION_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY));
  EXPECT_EQ(info().run_id(), third);
  EXPECT_EQ(info(second).status(), enums::NEXUS_OPERATION_EXECUTION_STATUS_TERMINATED);
}

TEST_F(StandaloneNexusTest, a_long_poll_of_describe) {
  const NexusTask task = begin();
  const Described before = describe_operation();
  auto request = about<wf::DescribeNexusOperationExecutionRequest>(before.run_id());
  request.set_long_poll_token(before.long_poll_token());
  auto nothing = rpc<Described>(request, milliseconds(2000));
  ASSERT_TRUE(nothing.ok()) << nothing.status();
  EXPECT_FALSE(nothing->has_info()) << "to be asked again";
  ASSERT_TRUE(answer(task, started("token")).ok());
  auto after = rpc<Described>(request);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->info().state(), enums::PENDING_NEXUS_OPERATION_STATE_STARTED);
  EXPECT_NE(after->long_poll_token(), before.long_poll_token());
}

TEST_F(StandaloneNexusTest, deleted) {
  create_endpoint();
  start_operation();
  const auto listed = [this](std::int64_t many) {
    eventually([&] { return count(absl::StrCat("Endpoint = '", endpoint, "'"))->count() == many; });
  };
  listed(1);  // The genuine server may list for ever what is deleted before.
  ASSERT_TRUE(delete_operation().ok());
  eventually([&] { return !try_describe().ok(); });
  EXPECT_EQ(try_describe().status().message(), missing);
  listed(0);
  start_operation();
}

TEST_F(StandaloneNexusTest, lists) {
  const NexusTask task = begin();
  const std::string run_id = info().run_id();
  ASSERT_TRUE(answer(task, result("1")).ok());
  outcome();
  start_operation([this](StartOperation& request) {
    request.set_operation_id(id + "-b");
    request.set_operation("other");
  });
  const std::string own = absl::StrCat("Endpoint = '", endpoint, "'");
  const auto found = [&](const std::string& query, std::int64_t many) {
    eventually([&] { return count(absl::StrCat(own, " AND ", query))->count() == many; });
  };
  found("Service = 'service'", 2);
  found("Operation = 'other'", 1);
  found("ExecutionStatus = 'Completed'", 1);
  found("ExecutionStatus = 'Running'", 1);
  found(absl::StrCat("OperationId = '", id, "'"), 1);
  found(absl::StrCat("RequestId = '", info().request_id(), "'"), 1);
  found("CloseTime IS NULL", 1);
  found("StartTime > '2020-01-01T00:00:00Z' AND ExecutionDuration >= 0", 1);
  found("StateTransitionCount > 1", 1);
  for (const char* bad : {"ActivityId = 'x'", "GROUP BY Endpoint", "Endpoint ="})
    EXPECT_EQ(count(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  EXPECT_GE(count("GROUP BY ExecutionStatus")->groups_size(), 2);

  wf::ListNexusOperationExecutionsRequest request;
  request.set_namespace_(ns);
  request.set_query(absl::StrCat(own, " AND Operation = 'operation'"));
  const auto list = patient_rpc<wf::ListNexusOperationExecutionsResponse>(request);
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_EQ(list->operations_size(), 1);
  const auto& listed = list->operations(0);
  EXPECT_EQ(listed.operation_id(), id);
  EXPECT_EQ(listed.run_id(), run_id);
  EXPECT_EQ(listed.endpoint(), endpoint);
  EXPECT_EQ(listed.service(), "service");
  EXPECT_EQ(listed.operation(), "operation");
  EXPECT_EQ(listed.status(), enums::NEXUS_OPERATION_EXECUTION_STATUS_COMPLETED);
  EXPECT_TRUE(listed.has_schedule_time());
  EXPECT_TRUE(listed.has_close_time());
  EXPECT_TRUE(listed.has_execution_duration());
  EXPECT_GT(listed.state_transition_count(), 0);
  ASSERT_EQ(listed.search_attributes().indexed_fields_size(), 1);
  EXPECT_EQ(listed.search_attributes().indexed_fields().at("TemporalNamespaceDivision").data(),
            "\"131748067\"");
  wf::CountWorkflowExecutionsRequest workflows;
  workflows.set_namespace_(ns);
  workflows.set_query(absl::StrCat("WorkflowId = '", id, "'"));
  EXPECT_EQ(patient_rpc<wf::CountWorkflowExecutionsResponse>(workflows)->count(), 0);
}

TEST_F(StandaloneNexusTest, starts_that_are_refused) {
  create_endpoint();
  const auto refused = [&](const Change& change) {
    const absl::Status status = try_start(change).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  };
  const std::string long_text(1001, 'x');
  EXPECT_EQ(refused([](auto& request) { request.clear_operation_id(); }),
            "operation_id is required");
  EXPECT_EQ(refused([&](auto& request) { request.set_operation_id(long_text); }),
            "operation_id exceeds length limit. Length=1001 Limit=1000");
  EXPECT_EQ(refused([&](auto& request) { request.set_request_id(long_text); }),
            "request_id exceeds length limit. Length=1001 Limit=1000");
  EXPECT_EQ(refused([&](auto& request) { request.set_identity(long_text); }),
            "identity exceeds length limit. Length=1001 Limit=1000");
  EXPECT_EQ(refused([](auto& request) { request.clear_endpoint(); }), "endpoint is required");
  EXPECT_EQ(refused([](auto& request) { request.clear_service(); }), "service is required");
  EXPECT_EQ(refused([&](auto& request) { request.set_service(long_text); }),
            "service exceeds length limit. Length=1001 Limit=1000");
  EXPECT_EQ(refused([](auto& request) { request.clear_operation(); }), "operation is required");
  EXPECT_EQ(refused([&](auto& request) { request.set_operation(long_text); }),
            "operation exceeds length limit. Length=1001 Limit=1000");
  EXPECT_EQ(refused([](StartOperation& request) {
              set_seconds(request.mutable_schedule_to_close_timeout(), -1);
            }),
            "schedule_to_close_timeout is invalid: negative duration");
  EXPECT_EQ(refused([](StartOperation& request) {
              set_seconds(request.mutable_start_to_close_timeout(), -1);
            }),
            "start_to_close_timeout is invalid: negative duration");
  EXPECT_EQ(refused([](StartOperation& request) {
              request.mutable_input()->set_data(std::string(2 << 20, 'x'));
            }),
            "input exceeds size limit. Length=2097181 Limit=2097152");
  EXPECT_EQ(refused([](StartOperation& request) {
              request.mutable_user_metadata()->mutable_summary()->set_data(std::string(500, 'x'));
            }),
            "user_metadata.summary exceeds size limit. Length=503 Limit=400");
  EXPECT_EQ(refused([](StartOperation& request) {
              (*request.mutable_nexus_header())["Request-Timeout"] = "1s";
            }),
            "nexus_header contains a disallowed key: \"Request-Timeout\"");
  EXPECT_EQ(refused([](StartOperation& request) {
              (*request.mutable_nexus_header())["a"] = std::string(8192, 'x');
            }),
            "nexus_header exceeds size limit");
  EXPECT_THAT(refused([](StartOperation& request) {
                (*request.mutable_search_attributes()->mutable_indexed_fields())["Nope"] =
                    payload("1");
              }),
              HasSubstr("has no mapping defined for search attribute Nope"));
  const absl::Status status = try_start([](auto& request) { request.set_endpoint("no"); }).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "could not find Nexus endpoint by name: no");
}

TEST_F(StandaloneNexusTest, what_is_not_there) {
  const auto all = [this](auto request, auto reply) {
    using Reply = decltype(reply);
    const auto refused = [&](const auto& change) {
      auto changed = request;
      change(changed);
      return rpc<Reply>(changed).status();
    };
    EXPECT_EQ(refused([](auto&) {}).message(), missing);
    EXPECT_EQ(refused([](auto&) {}).code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(refused([](auto& changed) { changed.clear_operation_id(); }).message(),
              "operation_id is required");
    EXPECT_EQ(refused([](auto& changed) { changed.set_run_id("bad"); }).message(),
              "run_id is not a valid UUID");
    EXPECT_EQ(refused([](auto& changed) {
                changed.set_run_id("01a22f8a-5975-7e78-a65a-0e5e53d8e866");
              }).message(),
              missing);
    if constexpr (requires { request.reason(); }) {
      EXPECT_EQ(
          refused([](auto& changed) { changed.set_reason(std::string(1001, 'x')); }).message(),
          "reason exceeds length limit. Length=1001 Limit=1000");
    }
  };
  all(about<wf::DescribeNexusOperationExecutionRequest>(), Described());
  all(about<wf::PollNexusOperationExecutionRequest>(), Polled());
  all(about<wf::RequestCancelNexusOperationExecutionRequest>(),
      wf::RequestCancelNexusOperationExecutionResponse());
  all(about<wf::TerminateNexusOperationExecutionRequest>(),
      wf::TerminateNexusOperationExecutionResponse());
  all(about<wf::DeleteNexusOperationExecutionRequest>(),
      wf::DeleteNexusOperationExecutionResponse());
  auto stage = about<wf::PollNexusOperationExecutionRequest>();
  stage.set_wait_stage(static_cast<enums::NexusOperationWaitStage>(7));
  EXPECT_EQ(rpc<Polled>(stage).status().message(), "unsupported wait_stage: 7");
  auto token = about<wf::DescribeNexusOperationExecutionRequest>();
  token.set_long_poll_token("abc");
  EXPECT_EQ(rpc<Described>(token).status().message(),
            "run_id is required when long_poll_token is provided");
  token.set_run_id("01a22f8a-5975-7e78-a65a-0e5e53d8e866");
  EXPECT_EQ(rpc<Described>(token).status().message(), "invalid long poll token");
}

}  // namespace
}  // namespace chimera::conformance
