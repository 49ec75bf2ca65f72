// R: a workflow that is paused. Server 1.29 has no such thing; the others only where
// frontend.WorkflowPauseEnabled is set.
#include "tests/conformance/update_session.h"

namespace chimera::conformance {
namespace {

class PauseTest : public UpdateSession {
 protected:
  void SetUp() override {
    if (server_is("1.29")) GTEST_SKIP() << "it cannot pause workflows";
  }

  absl::Status pause(const std::string& request_id = "") {
    wf::PauseWorkflowExecutionRequest request;
    request.set_namespace_(ns);
    request.set_workflow_id(id);
    request.set_identity("operator");
    request.set_reason("to look");
    request.set_request_id(request_id);
    return rpc<wf::PauseWorkflowExecutionResponse>(request).status();
  }

  absl::Status unpause() {
    wf::UnpauseWorkflowExecutionRequest request;
    request.set_namespace_(ns);
    request.set_workflow_id(id);
    request.set_identity("operator");
    request.set_reason("seen");
    return rpc<wf::UnpauseWorkflowExecutionResponse>(request).status();
  }

  void expect_paused(bool paused) {
    const auto described = describe();
    EXPECT_EQ(described.workflow_execution_info().status(),
              paused ? enums::WORKFLOW_EXECUTION_STATUS_PAUSED
                     : enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
    EXPECT_EQ(described.workflow_extended_info().has_pause_info(), paused);
    if (!paused) return;
    EXPECT_EQ(described.workflow_extended_info().pause_info().reason(), "to look");
    EXPECT_EQ(described.workflow_extended_info().pause_info().identity(), "operator");
    EXPECT_TRUE(described.workflow_execution_info().search_attributes().indexed_fields().contains(
        "TemporalPauseInfo"));
  }
};

TEST_F(PauseTest, pause_workflow) {
  start();

  ASSERT_TRUE(pause().ok());

  expect_paused(true);
  EXPECT_EQ(events(), "Started TaskScheduled TaskFailed Paused");
  ASSERT_TRUE(signal("one").ok());  // Taken down.
  EXPECT_EQ(events(), "Started TaskScheduled TaskFailed Paused Signaled");

  ASSERT_TRUE(unpause().ok());

  expect_paused(false);
  EXPECT_EQ(events(), "Started TaskScheduled TaskFailed Paused Signaled Unpaused TaskScheduled");
  const Task task = poll();
  EXPECT_EQ(task.attempt(), 1);
  respond(task, {complete_workflow()});
}

TEST_F(PauseTest, pause_while_a_task_runs) {
  start();
  const Task task = poll();
  ASSERT_TRUE(pause().ok());
  expect_paused(true);

  respond(task, {start_timer("t", milliseconds(1))});  // It is taken.

  EXPECT_TRUE(no_task_within(milliseconds(100)));
  ASSERT_TRUE(unpause().ok());
  respond(poll(), {complete_workflow()});
}

TEST_F(PauseTest, pause_holds_activities_back) {
  start();
  respond(poll(), {schedule_activity("a")});
  ASSERT_TRUE(pause().ok());

  EXPECT_FALSE(describe().pending_activities().empty());
  wf::PollActivityTaskQueueRequest poll_request;
  poll_request.set_namespace_(ns);
  poll_request.mutable_task_queue()->set_name(queue);
  const auto none = rpc<ActivityTask>(poll_request, milliseconds(3000));
  EXPECT_TRUE(!none.ok() || none->task_token().empty());

  ASSERT_TRUE(unpause().ok());
  EXPECT_TRUE(complete_activity(poll_activity()).ok());
}

TEST_F(PauseTest, pause_twice) {
  start();
  EXPECT_EQ(unpause().message(), "workflow is not paused.");
  ASSERT_TRUE(pause("one").ok());
  EXPECT_TRUE(pause("one").ok());

  const absl::Status other = pause("two");

  EXPECT_EQ(other.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(other.message(), "workflow is already paused.");
  EXPECT_EQ(events(), "Started TaskScheduled TaskFailed Paused");
}

TEST_F(PauseTest, pause_refuses_queries) {
  start();
  respond(poll(), {});
  ASSERT_TRUE(pause().ok());
  wf::QueryWorkflowRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = execution();
  request.mutable_query()->set_query_type("q");

  const auto reply = rpc<wf::QueryWorkflowResponse>(request);

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->query_rejected().status(), enums::WORKFLOW_EXECUTION_STATUS_PAUSED);
}

TEST_F(PauseTest, pause_ends_with_the_workflow) {
  start();
  ASSERT_TRUE(pause().ok());
  ASSERT_TRUE(terminate().ok());

  EXPECT_EQ(describe().workflow_execution_info().status(),
            enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
  EXPECT_EQ(pause().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace chimera::conformance
