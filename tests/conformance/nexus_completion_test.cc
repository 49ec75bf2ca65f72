// R: operations whose work goes on after the handler's answer, in a workflow that calls back.
#include "tests/conformance/nexus_session.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;

class NexusCompletionTest : public NexusSession {};

TEST_F(NexusCompletionTest, async_completed) {
  const NexusTask task = call();
  start_work(task);
  ASSERT_TRUE(answer(task, started("token")).ok());
  const Task caller = poll();
  EXPECT_EQ(pending().state(), enums::PENDING_NEXUS_OPERATION_STATE_STARTED);
  EXPECT_EQ(pending().operation_token(), "token");
  EXPECT_EQ(callback_info().state(), enums::CALLBACK_STATE_STANDBY);
  respond(caller, {});

  respond(poll_work(), {complete_workflow("worked")});

  finish();
  EXPECT_EQ(event_of(enums::EVENT_TYPE_NEXUS_OPERATION_COMPLETED)
                .nexus_operation_completed_event_attributes()
                .result()
                .data(),
            "\"worked\"");
  eventually([&] { return callback_info().state() == enums::CALLBACK_STATE_SUCCEEDED; });
  EXPECT_EQ(callback_info().attempt(), 1);
}

TEST_F(NexusCompletionTest, async_failed) {
  const NexusTask task = call();
  start_work(task);
  ASSERT_TRUE(answer(task, started("token")).ok());
  respond(poll(), {});

  respond(poll_work(), {fail_workflow("broken")});

  finish();
  EXPECT_EQ(event_of(enums::EVENT_TYPE_NEXUS_OPERATION_FAILED)
                .nexus_operation_failed_event_attributes()
                .failure()
                .cause()
                .message(),
            "broken");
}

TEST_F(NexusCompletionTest, async_canceled) {
  const NexusTask task = call();
  start_work(task);
  ASSERT_TRUE(answer(task, started("token")).ok());
  respond(poll(), {});

  respond(poll_work(), {cancel_workflow()});

  finish();
  EXPECT_THAT(events(), HasSubstr("NexusOperationCanceled"));
}

TEST_F(NexusCompletionTest, async_terminated) {
  const NexusTask task = call();
  start_work(task);
  ASSERT_TRUE(answer(task, started("token")).ok());
  respond(poll(), {});

  ASSERT_TRUE(of_work([&] { return terminate(); }).ok());

  finish();
  EXPECT_EQ(event_of(enums::EVENT_TYPE_NEXUS_OPERATION_FAILED)
                .nexus_operation_failed_event_attributes()
                .failure()
                .cause()
                .message(),
            "operation terminated");
}

TEST_F(NexusCompletionTest, async_timed_out) {
  const NexusTask task = call();
  start_work(task, [](Start& request) { set_seconds(request.mutable_workflow_run_timeout(), 1); });
  ASSERT_TRUE(answer(task, started("token")).ok());
  respond(poll(), {});

  finish();
  EXPECT_EQ(event_of(enums::EVENT_TYPE_NEXUS_OPERATION_FAILED)
                .nexus_operation_failed_event_attributes()
                .failure()
                .cause()
                .message(),
            "operation exceeded internal timeout");
}

// A chain of runs is one operation.
TEST_F(NexusCompletionTest, async_completed_by_a_later_run) {
  const NexusTask task = call();
  const std::string first = start_work(task);
  ASSERT_TRUE(answer(task, started("token")).ok());
  respond(poll(), {});
  const Task work = poll_work();
  Command again = continue_as_new();
  again.mutable_continue_as_new_workflow_execution_command_attributes()
      ->mutable_task_queue()
      ->set_name(worker_queue());
  respond(work, {again});
  const Task later = poll_work();
  EXPECT_EQ(callback_info(first).state(), enums::CALLBACK_STATE_STANDBY);

  respond(later, {complete_workflow("later")});

  finish();
  EXPECT_THAT(events(), HasSubstr("NexusOperationCompleted"));
  eventually([&] { return callback_info().state() == enums::CALLBACK_STATE_SUCCEEDED; });
}

TEST_F(NexusCompletionTest, completion_before_the_answer) {
  const NexusTask task = call();
  const std::string run_id = start_work(task);

  respond(poll_work(), {complete_workflow("fast")});

  finish();
  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted NexusOperationScheduled "
            "NexusOperationStarted NexusOperationCompleted TaskScheduled TaskStarted TaskCompleted "
            "Completed");
  const HistoryEvent begun = event_of(enums::EVENT_TYPE_NEXUS_OPERATION_STARTED);
  ASSERT_EQ(begun.links_size(), 1);
  EXPECT_EQ(begun.links(0).workflow_event().run_id(), run_id);
  EXPECT_TRUE(answer(task, started("token")).ok()) << "nobody needs it any more";
}

TEST_F(NexusCompletionTest, completion_that_nobody_waits_for) {
  const NexusTask task =
      call([](Schedule& a) { set_seconds(a.mutable_schedule_to_close_timeout(), 3); });
  start_work(task);
  ASSERT_TRUE(answer(task, started("token")).ok());
  respond(poll(), {});
  finish();
  EXPECT_THAT(events(), HasSubstr("NexusOperationTimedOut"));

  respond(poll_work(), {complete_workflow("late")});

  eventually([&] { return callback_info().state() == enums::CALLBACK_STATE_FAILED; });
  EXPECT_THAT(callback_info().last_attempt_failure().message(),
              HasSubstr("handler error (NOT_FOUND)"));
}

// --- Callbacks.

TEST_F(NexusCompletionTest, callbacks_that_are_refused) {
  const auto expect = [&](const std::string& url, const std::string& text) {
    Start request = start_request();
    request.set_workflow_id(id + "-refused");
    request.add_completion_callbacks()->mutable_nexus()->set_url(url);
    const absl::Status status = rpc<wf::StartWorkflowExecutionResponse>(request).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << url;
    EXPECT_EQ(status.message(), text);
  };
  expect("http://caller",
         "invalid url: url does not match any configured callback address: http://caller");
  expect("ftp://caller", "invalid url: unknown scheme: ftp://caller");
  expect("", "invalid url: unknown scheme: ");
  expect("http://" + std::string(1000, 'x'),
         "invalid url: url length longer than max length allowed of 1000");
}

TEST_F(NexusCompletionTest, a_callback_without_a_token_fails) {
  if (server_is("1.29")) GTEST_SKIP() << "server 1.29 has no callbacks within itself";
  start([](Start& request) {
    request.add_completion_callbacks()->mutable_nexus()->set_url("temporal://system");
  });

  finish();

  eventually([&] { return describe().callbacks(0).state() == enums::CALLBACK_STATE_FAILED; });
  EXPECT_EQ(describe().callbacks(0).last_attempt_failure().message(),
            "handler error (BAD_REQUEST): invalid callback token");
}

// Two operations, one workflow that does the work of both.
TEST_F(NexusCompletionTest, callbacks_attach_to_a_running_workflow) {
  const NexusTask first = call();
  start_work(first);
  ASSERT_TRUE(answer(first, started("token")).ok());
  respond(poll(), {schedule()});
  const NexusTask second = poll_nexus();
  Start again = start_request();
  again.set_workflow_id(worker_id());
  again.mutable_task_queue()->set_name(worker_queue());
  again.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
  *again.add_completion_callbacks() = callback_of(second);
  auto& options = *again.mutable_on_conflict_options();
  options.set_attach_request_id(true);
  options.set_attach_completion_callbacks(true);
  options.set_attach_links(true);
  auto& link = *again.add_links()->mutable_workflow_event();
  link.set_namespace_(ns);
  link.set_workflow_id("other");
  link.set_run_id("run");
  const auto reply = rpc<wf::StartWorkflowExecutionResponse>(again);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_FALSE(reply->started());
  if (!server_is("1.29")) {
    EXPECT_EQ(reply->link().workflow_event().request_id_ref().request_id(), again.request_id());
  }
  ASSERT_TRUE(answer(second, started("token")).ok());
  eventually([&] {
    const auto described = describe();
    return described.pending_nexus_operations_size() == 2 &&
           described.pending_nexus_operations(0).operation_token() == "token" &&
           described.pending_nexus_operations(1).operation_token() == "token";
  });

  respond(poll_work(), {complete_workflow("both")});

  eventually([&] { return describe().pending_nexus_operations_size() == 0; });
  finish();
  EXPECT_EQ(of_work([&] { return describe(); }).callbacks_size(), 2);
}

// --- Reset.

TEST_F(NexusCompletionTest, reset_with_an_operation_under_way) {
  const NexusTask task = call();
  start_work(task);
  ASSERT_TRUE(answer(task, started("token")).ok());
  const std::string first = describe().workflow_execution_info().execution().run_id();
  respond(poll(), {});

  wf::ResetWorkflowExecutionRequest reset;
  reset.set_namespace_(ns);
  *reset.mutable_workflow_execution() = execution(first);
  reset.set_reason("again");
  reset.set_request_id(id + "-reset");
  reset.set_workflow_task_finish_event_id(9);
  const auto reply = rpc<wf::ResetWorkflowExecutionResponse>(reset);
  ASSERT_TRUE(reply.ok()) << reply.status();
  respond(poll(), {});
  respond(poll_work(), {complete_workflow("worked")});

  finish();
  EXPECT_THAT(events(), HasSubstr("NexusOperationCompleted"));
}

TEST_F(NexusCompletionTest, reset_to_before_the_answer_keeps_it) {
  const NexusTask task = call();
  const std::string first = describe().workflow_execution_info().execution().run_id();
  ASSERT_TRUE(signal("wake").ok());
  respond(poll(), {});
  ASSERT_TRUE(answer(task, result("\"out\"")).ok());
  respond(poll(), {});

  wf::ResetWorkflowExecutionRequest reset;
  reset.set_namespace_(ns);
  *reset.mutable_workflow_execution() = execution(first);
  reset.set_reason("again");
  reset.set_request_id(id + "-reset");
  reset.set_workflow_task_finish_event_id(9);
  const auto reply = rpc<wf::ResetWorkflowExecutionResponse>(reset);
  ASSERT_TRUE(reply.ok()) << reply.status();

  finish();
  EXPECT_THAT(events(), HasSubstr("NexusOperationCompleted"));
}

}  // namespace
}  // namespace chimera::conformance
