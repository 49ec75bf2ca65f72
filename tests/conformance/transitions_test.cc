// The count of a run's transitions, as describe and the CLI show it.
#include <future>

#include "tests/conformance/reset_session.h"
#include "tests/conformance/update_session.h"

namespace chimera::conformance {
namespace {

std::int64_t count(const wf::DescribeWorkflowExecutionResponse& described) {
  return described.workflow_execution_info().state_transition_count();
}

class TransitionsTest : public UpdateSession {
 protected:
  std::int64_t transitions() { return count(describe()); }
};

class ResetTransitionsTest : public ResetSession {};

TEST_F(TransitionsTest, of_an_activity) {
  start();
  respond(poll(), {schedule_activity("a")});
  EXPECT_EQ(transitions(), 3);

  const ActivityTask task = poll_activity();
  EXPECT_EQ(transitions(), 4) << "its start, though it writes no event";
  wf::RecordActivityTaskHeartbeatRequest heartbeat;
  heartbeat.set_namespace_(ns);
  heartbeat.set_task_token(task.task_token());
  ASSERT_TRUE(rpc<wf::RecordActivityTaskHeartbeatResponse>(heartbeat).ok());
  EXPECT_EQ(transitions(), 5);
  ASSERT_TRUE(complete_activity(task).ok());

  EXPECT_EQ(transitions(), 6);
}

TEST_F(TransitionsTest, of_updates) {
  start();
  respond_sticky(poll(), {});
  const std::int64_t before = transitions();

  StickyPoll polling(*this);  // Without a poller there the task would go to the other queue.
  auto refused = std::async(std::launch::async, [this] { return update("refused"); });
  Task task = polling.task();
  const auto rejection = reject(task, "no");
  respond(task, {}, [&](Respond& request) { *request.add_messages() = rejection; });
  EXPECT_TRUE(refused.get().ok());
  EXPECT_EQ(transitions(), before) << "a refused update leaves no trace";

  auto done = std::async(std::launch::async, [this] { return update("done"); });
  respond_done(poll(), "1");
  EXPECT_TRUE(done.get().ok());
  EXPECT_EQ(transitions(), before + 1);
}

TEST_F(TransitionsTest, of_a_child) {
  start();
  Command child_command = start_child(id + "-child");
  child_command.mutable_start_child_workflow_execution_command_attributes()
      ->mutable_task_queue()
      ->set_name(queue + "-child");
  respond(poll(), {child_command});
  respond(poll(), {});
  poll_queue(queue + "-child", false, std::chrono::seconds(10));

  wf::DescribeWorkflowExecutionRequest request;
  request.set_namespace_(ns);
  request.mutable_execution()->set_workflow_id(id + "-child");
  const auto child = rpc<wf::DescribeWorkflowExecutionResponse>(request);

  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(count(*child), 3) << "start, first task, its start";
  const auto& requests = child->workflow_extended_info().request_id_infos();
  ASSERT_EQ(requests.size(), 1);
  EXPECT_TRUE(requests.begin()->first.ends_with(":5:0")) << requests.begin()->first;
}

TEST_F(ResetTransitionsTest, of_a_run_that_has_closed) {
  const std::string base = start();
  respond(poll(), {complete_workflow()});
  ASSERT_EQ(count(describe(base)), 3);

  const std::string run_id = reset(base, 4);

  EXPECT_EQ(count(describe(base)), 4);
  EXPECT_EQ(count(describe(run_id)), 2);
}

TEST_F(ResetTransitionsTest, of_a_run_that_runs) {
  const std::string base = start();
  respond(poll(), {});

  const std::string run_id = reset(base, 4);

  EXPECT_EQ(count(describe(base)), 4) << "its end only";
  EXPECT_EQ(count(describe(run_id)), 2);
}

}  // namespace
}  // namespace chimera::conformance
