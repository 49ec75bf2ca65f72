// H: updates.
#include <chrono>
#include <thread>
#include <tuple>

#include "tests/conformance/update_session.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;

class UpdateTest : public UpdateSession {
 protected:
  absl::StatusOr<wf::PollWorkflowExecutionUpdateResponse> poll_update(
      const std::string& update_id, enums::UpdateWorkflowExecutionLifecycleStage stage) {
    wf::PollWorkflowExecutionUpdateRequest request;
    request.set_namespace_(ns);
    *request.mutable_update_ref()->mutable_workflow_execution() = execution();
    request.mutable_update_ref()->set_update_id(update_id);
    request.mutable_wait_policy()->set_lifecycle_stage(stage);
    return rpc<wf::PollWorkflowExecutionUpdateResponse>(request);
  }

  // An update that another thread sends is with the server.
  void wait_admitted(const std::string& update_id) {
    // The thread that sends it may have to wait for a processor first.
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < patience) {
      if (poll_update(update_id, enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_UNSPECIFIED).ok())
        return;
      std::this_thread::yield();
    }
    ADD_FAILURE() << update_id << " did not come";
  }
};

TEST_F(UpdateTest, accept_complete) {
  start();
  respond(poll(), {});
  absl::StatusOr<UpdateReply> reply = absl::UnknownError("not run");
  std::thread client([&] { reply = update("u1"); });

  Task task = poll();
  EXPECT_EQ(task.messages(0).id(), "u1/request");
  EXPECT_EQ(task.messages(0).protocol_instance_id(), "u1");
  EXPECT_EQ(request_in(task).input().name(), "add");
  respond_done(task, "three");
  client.join();

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->stage(), enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
  EXPECT_EQ(reply->outcome().success().payloads(0).data(), "\"three\"");
  EXPECT_EQ(
      events(),
      "Started TaskScheduled TaskStarted TaskCompleted TaskScheduled TaskStarted TaskCompleted "
      "UpdateAccepted UpdateCompleted");
}

// Whatever they are called.
TEST_F(UpdateTest, delivered_in_the_order_of_their_coming) {
  start();
  Task first = poll();  // Under way while they come.
  std::vector<std::thread> clients;
  for (const char* name : {"z", "b", "a", "y"}) {
    clients.emplace_back([this, name] { std::ignore = update(name); });
    wait_admitted(name);
  }
  respond(first, {});

  Task task = poll();

  std::vector<std::string> order;
  for (const auto& message : task.messages()) order.push_back(message.protocol_instance_id());
  EXPECT_THAT(order, testing::ElementsAre("z", "b", "a", "y"));
  respond(task, {complete_workflow()});
  for (std::thread& client : clients) client.join();
}

TEST_F(UpdateTest, comes_behind_a_signal_that_came_before_it) {
  start();
  respond(poll(), {});
  ASSERT_TRUE(signal("first").ok());   // Schedules a task,
  ASSERT_TRUE(signal("second").ok());  // and comes behind that.
  std::thread client([this] { std::ignore = update("u1"); });
  wait_admitted("u1");

  Task task = poll();

  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted Signaled TaskScheduled Signaled "
            "TaskStarted");
  ASSERT_EQ(task.messages_size(), 1);
  EXPECT_EQ(task.messages(0).event_id(), 7);
  respond_done(task, "three");
  client.join();
  EXPECT_EQ(event_of(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
                .workflow_execution_update_accepted_event_attributes()
                .accepted_request_sequencing_event_id(),
            7);
}

TEST_F(UpdateTest, reject_no_trace) {
  start();
  respond(poll(), {});
  absl::StatusOr<UpdateReply> reply = absl::UnknownError("not run");
  std::thread client([&] { reply = update("u1"); });

  Task task = poll();
  auto rejected = reject(task, "not now");
  auto answer = respond(task, {}, [&](Respond& request) { *request.add_messages() = rejected; });
  client.join();

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->outcome().failure().message(), "not now");
  EXPECT_EQ(answer.reset_history_event_id(), 3);
  EXPECT_EQ(events(), "Started TaskScheduled TaskStarted TaskCompleted");
}

// A worker that cannot see events twice must not have its task forgotten once it has seen some.
TEST_F(UpdateTest, reject_leaves_a_trace_where_events_were_shown) {
  start();
  respond(poll(), {start_timer("t", std::chrono::hours(1))});
  absl::StatusOr<UpdateReply> reply = absl::UnknownError("not run");
  std::thread client([&] { reply = update("u1"); });

  Task task = poll();
  auto rejected = reject(task, "not now");
  respond(task, {}, [&](Respond& request) {
    *request.add_messages() = rejected;
    request.clear_capabilities();
  });
  client.join();

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->outcome().failure().message(), "not now");
  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted TimerStarted TaskScheduled "
            "TaskStarted TaskCompleted");
}

TEST_F(UpdateTest, accepted_then_poll) {
  start();
  respond(poll(), {});
  absl::StatusOr<UpdateReply> reply = absl::UnknownError("not run");
  std::thread client(
      [&] { reply = update("u1", enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED); });
  Task task = poll();
  auto accepted = accept(task);
  respond(task, {protocol_message(accepted.id()), start_timer("t", milliseconds(100))},
          [&](Respond& request) { *request.add_messages() = accepted; });
  client.join();
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->stage(), enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED);

  Task later = poll();
  auto completed = complete(task, "later");
  respond(later, {protocol_message(completed.id())},
          [&](Respond& request) { *request.add_messages() = completed; });
  auto outcome = poll_update("u1", enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);

  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->outcome().success().payloads(0).data(), "\"later\"");
}

TEST_F(UpdateTest, duplicate_id) {
  start();
  respond(poll(), {});
  absl::StatusOr<UpdateReply> reply = absl::UnknownError("not run");
  std::thread client([&] { reply = update("same"); });
  respond_done(poll(), "once");
  client.join();

  auto again = update("same");

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->outcome().success().payloads(0).data(), "\"once\"");
}

TEST_F(UpdateTest, result_after_close) {
  start();
  respond(poll(), {});
  absl::StatusOr<UpdateReply> reply = absl::UnknownError("not run");
  std::thread client([&] { reply = update("u1"); });
  Task task = poll();
  auto accepted = accept(task), completed = complete(task, "end");
  EXPECT_THAT(events(), testing::Not(testing::HasSubstr("UpdateAccepted")));
  ASSERT_TRUE(terminate().ok());
  client.join();
}

TEST_F(UpdateTest, wf_closes_accepted) {
  start();
  respond(poll(), {});
  absl::StatusOr<UpdateReply> reply = absl::UnknownError("not run");
  std::thread client([&] { reply = update("u1"); });
  Task task = poll();
  auto accepted = accept(task);
  respond(task, {protocol_message(accepted.id()), complete_workflow()},
          [&](Respond& request) { *request.add_messages() = accepted; });
  client.join();

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->outcome().failure().application_failure_info().type(),
            "AcceptedUpdateCompletedWorkflow");
}

TEST_F(UpdateTest, update_unknown_workflow_nf) {
  auto refused = update("u1");

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kNotFound) << refused.status();
}

TEST_F(UpdateTest, admitted_wait_pd) {
  start();
  auto refused = update("u1", enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED);

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kPermissionDenied) << refused.status();
}

TEST_F(UpdateTest, speculative_becomes_normal) {
  start();
  respond(poll(), {});
  absl::StatusOr<UpdateReply> reply = absl::UnknownError("not run");
  std::thread client([&] { reply = update("u1"); });
  Task task = poll();
  ASSERT_TRUE(signal("meanwhile").ok());

  auto rejected = reject(task, "no");
  auto answer = respond(task, {}, [&](Respond& request) { *request.add_messages() = rejected; });
  client.join();

  EXPECT_EQ(answer.reset_history_event_id(), 0);
  EXPECT_THAT(events(),
              HasSubstr("TaskScheduled TaskStarted TaskCompleted Signaled TaskScheduled"));
}

// After a reset the history carries the request, and the acceptance points to it.
TEST_F(UpdateTest, reset_update_admitted) {
  const std::string base = start();
  respond(poll(), {});
  std::thread client([this] { EXPECT_TRUE(update("u").ok()); });
  respond_done(poll(), "first");
  client.join();
  wf::ResetWorkflowExecutionRequest request;
  request.set_namespace_(ns);
  *request.mutable_workflow_execution() = execution(base);
  request.set_workflow_task_finish_event_id(4);
  request.set_request_id("reset-" + id);
  auto reset = rpc<wf::ResetWorkflowExecutionResponse>(request);
  ASSERT_TRUE(reset.ok()) << reset.status();
  const HistoryEvent admitted =
      event_of(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED, reset->run_id());
  Task task = poll();
  EXPECT_EQ(task.messages_size(), 0);
  api::update::v1::Acceptance body;
  body.set_accepted_request_message_id("u/request");
  body.set_accepted_request_sequencing_event_id(admitted.event_id());
  api::protocol::v1::Message accepted;
  accepted.set_id("u/accept");
  accepted.set_protocol_instance_id("u");
  accepted.mutable_body()->PackFrom(body);
  respond(task, {protocol_message("u/accept")},
          [&](Respond& respond) { *respond.add_messages() = accepted; });

  const auto& a = admitted.workflow_execution_update_admitted_event_attributes();
  EXPECT_EQ(a.request().meta().update_id(), "u");
  EXPECT_EQ(a.origin(), enums::UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY);
  const auto event = event_of(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, reset->run_id())
                         .workflow_execution_update_accepted_event_attributes();
  EXPECT_EQ(event.accepted_request_sequencing_event_id(), admitted.event_id());
  EXPECT_FALSE(event.has_accepted_request());
}

TEST_F(UpdateTest, reset_history_event_id) {
  start();
  respond(poll(), {});
  ASSERT_TRUE(signal("go").ok());
  respond(poll(), {});
  absl::StatusOr<UpdateReply> reply = absl::UnknownError("not run");
  std::thread client([&] { reply = update("u1"); });
  Task task = poll();
  EXPECT_EQ(task.previous_started_event_id(), 7);
  EXPECT_EQ(task.started_event_id(), 10);

  auto rejected = reject(task, "no");
  auto answer = respond(task, {}, [&](Respond& request) { *request.add_messages() = rejected; });
  client.join();

  EXPECT_EQ(answer.reset_history_event_id(), 7);
  ASSERT_TRUE(signal("again").ok());
  task = poll();
  EXPECT_EQ(task.previous_started_event_id(), 7) << "the dropped task counts for nothing";
  EXPECT_EQ(task.started_event_id(), 11);
}

TEST_F(UpdateTest, soft_timeout_stage) {
  start();

  auto reply = update("u1");

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->stage(), enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED);
  EXPECT_FALSE(reply->has_outcome());
}

TEST_F(UpdateTest, wf_closes_admitted) {
  start();
  Task task = poll();  // It has not the update, which comes later.
  absl::StatusOr<UpdateReply> reply = absl::UnknownError("not run");
  std::thread client([&] { reply = update("u1"); });
  wait_admitted("u1");

  respond(task, {complete_workflow()});
  client.join();

  EXPECT_EQ(reply.status().code(), absl::StatusCode::kNotFound) << reply.status();
  EXPECT_EQ(std::string(reply.status().message()),
            "workflow update was aborted by closing workflow");
}

// A worker that knows no updates passes them over.
TEST_F(UpdateTest, unprocessed_rejected) {
  start();
  respond(poll(), {});
  absl::StatusOr<UpdateReply> reply = absl::UnknownError("not run");
  std::thread client([&] { reply = update("u1"); });

  respond(poll(), {});
  client.join();

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->stage(), enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
  EXPECT_EQ(reply->outcome().failure().application_failure_info().type(), "UnprocessedUpdate");
}

TEST_F(UpdateTest, in_flight_limit) {
  start();
  std::vector<std::thread> clients;
  for (int i = 0; i < 10; ++i) {
    const std::string update_id = absl::StrCat("u", i);
    clients.emplace_back([this, update_id] { (void)update(update_id); });
    wait_admitted(update_id);
  }

  const absl::Status refused = update("one-more").status();
  ASSERT_TRUE(terminate().ok());
  for (std::thread& client : clients) client.join();

  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted) << refused;
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("limit on number of concurrent in-flight updates has been reached (10)"));
}

TEST_F(UpdateTest, worker_fails_its_task) {
  start();
  respond(poll(), {});
  absl::StatusOr<UpdateReply> reply = absl::UnknownError("not run");
  std::thread client([&] { reply = update("u1"); });
  ASSERT_TRUE(fail_task(poll()).ok());
  Task again = poll();
  EXPECT_EQ(again.attempt(), 2);
  ASSERT_TRUE(fail_task(again).ok());

  Task third = poll();
  EXPECT_EQ(request_in(third).meta().update_id(), "u1");
  respond_done(third, "at last");
  client.join();

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->outcome().success().payloads(0).data(), "\"at last\"");
}

TEST_F(UpdateTest, server_fails_its_task) {
  start();
  respond(poll(), {});
  absl::StatusOr<UpdateReply> reply = absl::UnknownError("not run");
  std::thread client([&] { reply = update("u1"); });
  Command bad;
  bad.set_command_type(enums::COMMAND_TYPE_START_TIMER);

  EXPECT_FALSE(try_respond(poll(), {bad}).ok());
  client.join();

  EXPECT_EQ(reply.status().code(), absl::StatusCode::kFailedPrecondition) << reply.status();
  EXPECT_THAT(std::string(reply.status().message()), HasSubstr("unexpected workflow task failure"));
}

// Not a stage: the caller would ask again at once, and again.
TEST_F(UpdateTest, short_deadline) {
  start();
  respond(poll(), {});
  wf::UpdateWorkflowExecutionRequest request;
  request.set_namespace_(ns);
  *request.mutable_workflow_execution() = execution();
  request.mutable_wait_policy()->set_lifecycle_stage(
      enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED);
  request.mutable_request()->mutable_meta()->set_update_id("u1");
  request.mutable_request()->mutable_input()->set_name("add");

  auto reply = rpc<UpdateReply>(request, milliseconds(300));

  EXPECT_EQ(reply.status().code(), absl::StatusCode::kDeadlineExceeded) << reply.status();
}

TEST_F(UpdateTest, close_is_the_last_command_even_before_messages) {
  start();
  respond(poll(), {});
  std::thread client([&] { (void)update("u1"); });
  Task task = poll();
  auto accepted = accept(task), completed = complete(task, "done");
  auto with_messages = [&](Respond& request) {
    *request.add_messages() = accepted;
    *request.add_messages() = completed;
  };

  auto refused = try_respond(
      task,
      {protocol_message(accepted.id()), complete_workflow(), protocol_message(completed.id())},
      with_messages);

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  EXPECT_EQ(refused.status().message(),
            "invalid command sequence: [ProtocolMessage, CompleteWorkflowExecution, "
            "ProtocolMessage], command CompleteWorkflowExecution must be the last command.");
  EXPECT_THAT(events(), testing::Not(testing::HasSubstr("UpdateAccepted")));
  ASSERT_TRUE(terminate().ok());
  client.join();
}

TEST_F(UpdateTest, no_updates_while_a_refused_close_is_tried_again) {
  start();
  Task task = poll();
  ASSERT_TRUE(signal("late").ok());
  EXPECT_FALSE(try_respond(task, {complete_workflow()}).ok());
  Task again = poll();

  const absl::Status refused = update("u1").status();

  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted) << refused;
  respond(again, {complete_workflow()});
}

// The task that carried the update is written before the run ends.
TEST_F(UpdateTest, terminate_with_a_started_speculative_task) {
  start();
  respond(poll(), {});
  std::thread client([&] { (void)update("u1"); });
  poll();

  ASSERT_TRUE(terminate().ok());
  client.join();

  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted TaskScheduled TaskStarted TaskFailed "
            "Terminated");
}

}  // namespace
}  // namespace chimera::conformance
