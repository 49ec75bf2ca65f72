// A: starting workflows.
#include "google/rpc/status.pb.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include "tests/conformance/session.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;

class StartTest : public Session {};

TEST_F(StartTest, start_basic_event1) {
  std::string run_id = start([](Start& request) {
    request.mutable_workflow_run_timeout()->set_seconds(100);
    (*request.mutable_memo()->mutable_fields())["note"] = payload("\"memo\"");
    (*request.mutable_header()->mutable_fields())["trace"] = payload("\"t\"");
  });

  HistoryEvent first = history()[0];
  const auto& started = first.workflow_execution_started_event_attributes();
  EXPECT_EQ(first.event_id(), 1);
  EXPECT_EQ(started.workflow_type().name(), "Case");
  EXPECT_EQ(started.task_queue().name(), queue);
  EXPECT_EQ(started.workflow_run_timeout().seconds(), 100);
  EXPECT_EQ(started.workflow_task_timeout().seconds(), 10);
  EXPECT_EQ(started.original_execution_run_id(), run_id);
  EXPECT_EQ(started.first_execution_run_id(), run_id);
  EXPECT_EQ(started.attempt(), 1);
  EXPECT_EQ(started.identity(), "client");
  EXPECT_EQ(started.input().payloads(0).data(), "\"in\"");
  EXPECT_EQ(started.memo().fields().at("note").data(), "\"memo\"");
  EXPECT_EQ(started.header().fields().at("trace").data(), "\"t\"");
  EXPECT_EQ(events(), "Started TaskScheduled");
}

TEST_F(StartTest, start_dedup_request_id) {
  Start request = start_request();
  auto first = rpc<wf::StartWorkflowExecutionResponse>(request);
  auto again = rpc<wf::StartWorkflowExecutionResponse>(request);

  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(first->run_id(), again->run_id());
  EXPECT_TRUE(first->started());
}

// Each such request is one of its own.
TEST_F(StartTest, start_no_request_id) {
  Start request = start_request();
  request.clear_request_id();

  auto first = rpc<wf::StartWorkflowExecutionResponse>(request);
  auto again = rpc<wf::StartWorkflowExecutionResponse>(request);

  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(again.status().code(), absl::StatusCode::kAlreadyExists) << again.status();
}

TEST_F(StartTest, conflict_fail_detail) {
  std::string run_id = start();

  auto again = rpc<wf::StartWorkflowExecutionResponse>(start_request());

  ASSERT_EQ(again.status().code(), absl::StatusCode::kAlreadyExists) << again.status();
  EXPECT_THAT(std::string(again.status().message()), HasSubstr("already running"));
  auto details = again.status().GetPayload(base::kStatusDetails);
  ASSERT_TRUE(details.has_value());
  google::rpc::Status rich;
  ASSERT_TRUE(rich.ParseFromString(std::string(*details)));
  ASSERT_EQ(rich.details_size(), 1);
  api::errordetails::v1::WorkflowExecutionAlreadyStartedFailure failure;
  ASSERT_TRUE(rich.details(0).UnpackTo(&failure));
  EXPECT_EQ(failure.run_id(), run_id);
}

TEST_F(StartTest, conflict_use_existing) {
  std::string run_id = start();

  Start request = start_request();
  request.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
  auto again = rpc<wf::StartWorkflowExecutionResponse>(request);

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->run_id(), run_id);
  EXPECT_FALSE(again->started());
}

// A start that is answered with a run leaves its trace there, and is known again by it.
TEST_F(StartTest, use_existing_attach_callbacks) {
  const std::string run_id = start();
  const Task task = poll();
  const auto attach = [](Start& request) {
    request.set_request_id("second-request");
    request.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
    request.mutable_on_conflict_options()->set_attach_request_id(true);
    request.mutable_on_conflict_options()->set_attach_links(true);
    auto& link = *request.add_links()->mutable_workflow_event();
    link.set_namespace_("default");
    link.set_workflow_id("caller");
    link.set_run_id("6f0c4d2e-8f57-4f5b-9d5f-5b0f3a1b2c3d");
  };

  EXPECT_EQ(start(attach), run_id);
  EXPECT_TRUE(
      describe().workflow_extended_info().request_id_infos().at("second-request").buffered());
  EXPECT_EQ(start(attach), run_id);  // The same request again.
  respond(task, {});

  EXPECT_THAT(events(), testing::StartsWith(
                            "Started TaskScheduled TaskStarted TaskCompleted OptionsUpdated"));
  const auto infos = describe().workflow_extended_info().request_id_infos();
  EXPECT_EQ(infos.at("second-request").event_id(), 5);
  EXPECT_EQ(infos.at("second-request").event_type(),
            enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);
  const HistoryEvent event = event_of(enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);
  EXPECT_TRUE(event.worker_may_ignore());
  EXPECT_EQ(event.links_size(), 1);
}

TEST_F(StartTest, use_existing_attaches_at_once) {
  start();
  respond(poll(), {});
  start([](Start& request) {
    request.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
    request.mutable_on_conflict_options()->set_attach_request_id(true);
  });
  start([](Start& request) {
    request.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
    request.mutable_on_conflict_options();
  });

  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted OptionsUpdated OptionsUpdated");
  EXPECT_TRUE(no_task_within(std::chrono::seconds(1)));
}

TEST_F(StartTest, attaching_callbacks_needs_the_request) {
  Start request = start_request();
  request.mutable_on_conflict_options()->set_attach_completion_callbacks(true);

  const absl::Status refused = rpc<wf::StartWorkflowExecutionResponse>(request).status();

  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << refused;
}

TEST_F(StartTest, conflict_terminate_existing) {
  std::string first = start();

  std::string second = start([](Start& request) {
    request.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING);
  });

  EXPECT_NE(first, second);
  EXPECT_EQ(last_event(first).event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
  EXPECT_EQ(events(second), "Started TaskScheduled");
}

TEST_F(StartTest, reuse_allow) {
  std::string first = start();
  respond(poll(), {complete_workflow()});

  EXPECT_NE(start(), first);
}

TEST_F(StartTest, reuse_failed_only_matrix) {
  auto failed_only = [](Start& request) {
    request.set_workflow_id_reuse_policy(
        enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY);
  };
  start();
  respond(poll(), {fail_workflow("no")});
  start(failed_only);
  respond(poll(), {complete_workflow()});

  Start request = start_request();
  failed_only(request);
  auto refused = rpc<wf::StartWorkflowExecutionResponse>(request);

  ASSERT_EQ(refused.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("finished successfully"));
}

TEST_F(StartTest, reuse_reject) {
  start();
  respond(poll(), {fail_workflow("no")});

  Start request = start_request();
  request.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE);
  auto refused = rpc<wf::StartWorkflowExecutionResponse>(request);

  ASSERT_EQ(refused.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("reject duplicate"));
}

TEST_F(StartTest, reuse_terminate_if_running) {
  const std::string first = start();

  const std::string second = start([](Start& request) {
    request.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING);
  });

  EXPECT_NE(first, second);
  EXPECT_EQ(last_event(first).event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
}

TEST_F(StartTest, start_delay) {
  auto begun = std::chrono::steady_clock::now();
  start([](Start& request) { request.mutable_workflow_start_delay()->set_seconds(1); });

  EXPECT_EQ(events(), "Started");
  Task task = poll();

  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(950));
  EXPECT_EQ(events(), "Started TaskScheduled TaskStarted");
  respond(task, {complete_workflow()});
}

TEST_F(StartTest, eager_start) {
  Start request = start_request();
  request.set_request_eager_execution(true);
  auto reply = rpc<wf::StartWorkflowExecutionResponse>(request);

  ASSERT_TRUE(reply.ok()) << reply.status();
  ASSERT_TRUE(reply->has_eager_workflow_task());
  EXPECT_EQ(reply->eager_workflow_task().history().events_size(), 3);
  respond(reply->eager_workflow_task(), {complete_workflow()});
  EXPECT_EQ(events(), "Started TaskScheduled TaskStarted TaskCompleted Completed");
}

TEST_F(StartTest, invalid_args_texts) {
  auto refusal = [this](const std::function<void(Start&)>& change) {
    Start request = start_request();
    change(request);
    auto reply = rpc<wf::StartWorkflowExecutionResponse>(request);
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kInvalidArgument) << reply.status();
    return std::string(reply.status().message());
  };

  EXPECT_EQ(refusal([](Start& r) { r.clear_workflow_id(); }), "WorkflowId is not set on request.");
  EXPECT_EQ(refusal([](Start& r) { r.clear_workflow_type(); }),
            "WorkflowType is not set on request.");
  EXPECT_THAT(refusal([](Start& r) { r.clear_task_queue(); }), HasSubstr("askQueue is not set"));
  EXPECT_THAT(refusal([](Start& r) { r.set_cron_schedule("not cron"); }),
              HasSubstr("invalid CronSchedule."));
  EXPECT_THAT(refusal([](Start& r) {
                (*r.mutable_search_attributes()->mutable_indexed_fields())["Nope"] = payload("1");
              }),
              HasSubstr("Nope"));
}

TEST_F(StartTest, unknown_namespace) {
  Start request = start_request();
  request.set_namespace_("nowhere");
  auto reply = rpc<wf::StartWorkflowExecutionResponse>(request);

  EXPECT_EQ(reply.status().code(), absl::StatusCode::kNotFound) << reply.status();
  EXPECT_EQ(std::string(reply.status().message()), "Namespace nowhere is not found.");
}

// Workers tell "none" from zero.
TEST_F(StartTest, timeouts_unset) {
  start();

  const auto a = history().front().workflow_execution_started_event_attributes();
  EXPECT_FALSE(a.has_workflow_execution_timeout());
  EXPECT_FALSE(a.has_workflow_run_timeout());
  EXPECT_EQ(a.workflow_task_timeout().seconds(), 10);
}

TEST_F(StartTest, run_timeout_follows_execution_timeout) {
  start([](Start& request) { request.mutable_workflow_execution_timeout()->set_seconds(60); });

  const auto a = history().front().workflow_execution_started_event_attributes();
  EXPECT_EQ(a.workflow_execution_timeout().seconds(), 60);
  EXPECT_EQ(a.workflow_run_timeout().seconds(), 60);
}

// Now and such a delay are more than 64 bits of nanoseconds hold: it must not begin at once.
TEST_F(StartTest, start_delay_of_centuries) {
  start([](Start& request) {
    request.mutable_workflow_start_delay()->set_seconds(9'000'000'000);
    request.mutable_workflow_execution_timeout()->set_seconds(9'000'000'000);
  });

  EXPECT_EQ(events(), "Started");
  EXPECT_TRUE(no_task_within(milliseconds(1)));
  EXPECT_EQ(describe().workflow_execution_info().status(),
            enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
}

}  // namespace
}  // namespace chimera::conformance
