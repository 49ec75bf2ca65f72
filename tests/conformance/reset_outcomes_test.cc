// J: reset to a point between what a run began with others and its outcome.
#include "absl/strings/match.h"

#include "tests/conformance/reset_session.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;

class ResetOutcomesTest : public ResetSession {
 protected:
  const std::string other = "other-" + id;
  const std::string other_queue = "q-" + other;

  Command start_other() {
    Command command = start_child(other);
    command.mutable_start_child_workflow_execution_command_attributes()
        ->mutable_task_queue()
        ->set_name(other_queue);
    return command;
  }

  Task poll_other() {
    wf::PollWorkflowTaskQueueRequest request;
    request.set_namespace_(ns);
    request.mutable_task_queue()->set_name(other_queue);
    auto task = rpc<Task>(request, std::chrono::seconds(10));
    EXPECT_TRUE(task.ok()) << task.status();
    return task.ok() ? *task : Task();
  }

  // A target of its own id, that signals and cancels can be sent to.
  void run_other() {
    Start request = start_request();
    request.set_workflow_id(other);
    request.mutable_task_queue()->set_name(other_queue);
    ASSERT_TRUE(rpc<wf::StartWorkflowExecutionResponse>(request).ok());
  }

  std::string events_of_other() {
    const std::string own = std::exchange(id, other);
    const std::string all = events();
    id = own;
    return all;
  }

  // Issues the command while a signal is buffered, so that the next task is scheduled before the
  // command's outcome: a reset to that task comes before the outcome, too. Answers the next task.
  std::string run_with(const Command& command, const std::string& outcome) {
    const std::string base = start();
    const Task task = poll();
    EXPECT_TRUE(signal("go").ok());
    respond(task, {command});
    wait_for(base, outcome);
    respond(poll(), {});
    return base;
  }

  // A reset to event 8: "Started TaskScheduled TaskStarted TaskCompleted (command's) Signaled
  // TaskScheduled" come before it.
  std::string reset_before_outcome(const std::string& base) { return reset(base, 8); }

  // The genuine server's queues bring an outcome soon, not at once.
  void wait_for(const std::string& run_id, const std::string& outcome) {
    wf::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_(ns);
    *request.mutable_execution() = execution(run_id);
    request.set_wait_new_event(true);
    for (int i = 0; i < 6 && !absl::StrContains(events(run_id), outcome); ++i) {
      auto reply = rpc<wf::GetWorkflowExecutionHistoryResponse>(request);
      ASSERT_TRUE(reply.ok()) << reply.status();
      request.set_next_page_token(reply->next_page_token());
    }
    EXPECT_THAT(events(run_id), HasSubstr(outcome));
  }
};

TEST_F(ResetOutcomesTest, reset_reapplies_the_end_of_a_child) {
  const std::string base = start();
  respond(poll(), {start_other()});
  respond(poll(), {});  // Events 7 to 9, behind ChildStarted.
  respond(poll_other(), {complete_workflow("childs")});
  wait_for(base, "ChildCompleted");

  const std::string run_id = reset(base, 9);

  EXPECT_EQ(events(run_id),
            "Started TaskScheduled TaskStarted TaskCompleted StartChildInitiated ChildStarted "
            "TaskScheduled TaskStarted TaskFailed ChildCompleted TaskScheduled");
  const auto completed = event_of(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED, run_id)
                             .child_workflow_execution_completed_event_attributes();
  EXPECT_EQ(completed.initiated_event_id(), 5);
  EXPECT_EQ(completed.started_event_id(), 6);
  EXPECT_EQ(completed.result().payloads(0).data(), "\"childs\"");
  EXPECT_EQ(describe().pending_children_size(), 0);
}

TEST_F(ResetOutcomesTest, reset_reapplies_the_start_of_a_child) {
  const std::string base = run_with(start_other(), "ChildStarted");
  const Task childs = poll_other();

  const std::string run_id = reset_before_outcome(base);

  wait_for(run_id, "ChildStarted");
  EXPECT_EQ(events_of_other(), "Started TaskScheduled TaskStarted") << "it is not started again";
  const auto started = event_of(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, run_id)
                           .child_workflow_execution_started_event_attributes();
  EXPECT_EQ(started.initiated_event_id(), 5);
  EXPECT_EQ(started.workflow_execution().run_id(), childs.workflow_execution().run_id());
  respond(childs, {complete_workflow()});
  wait_for(run_id, "ChildCompleted");
}

TEST_F(ResetOutcomesTest, reset_signals_again) {
  run_other();
  Command command;
  command.set_command_type(enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION);
  auto& a = *command.mutable_signal_external_workflow_execution_command_attributes();
  a.set_namespace_(ns);
  a.mutable_execution()->set_workflow_id(other);
  a.set_signal_name("ping");
  const std::string base = run_with(command, "ExternalSignaled");

  const std::string run_id = reset_before_outcome(base);

  wait_for(run_id, "TaskFailed TaskScheduled ExternalSignaled");
  EXPECT_EQ(events_of_other(), "Started TaskScheduled Signaled Signaled");
}

TEST_F(ResetOutcomesTest, reset_cancels_again) {
  run_other();
  Command command;
  command.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION);
  auto& a = *command.mutable_request_cancel_external_workflow_execution_command_attributes();
  a.set_namespace_(ns);
  a.set_workflow_id(other);
  const std::string base = run_with(command, "ExternalCancelRequested");

  const std::string run_id = reset_before_outcome(base);

  wait_for(run_id, "TaskFailed TaskScheduled ExternalCancelRequested");
  EXPECT_EQ(events_of_other(), "Started TaskScheduled CancelRequested");
}

}  // namespace
}  // namespace chimera::conformance
