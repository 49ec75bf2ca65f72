// H: updates.
#include <thread>

#include "temporal/api/update/v1/message.pb.h"

#include "tests/conformance/session.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;
using UpdateReply = wf::UpdateWorkflowExecutionResponse;

class UpdateTest : public Session {
 protected:
  absl::StatusOr<UpdateReply> update(
      const std::string& update_id,
      enums::UpdateWorkflowExecutionLifecycleStage stage =
          enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED) {
    wf::UpdateWorkflowExecutionRequest request;
    request.set_namespace_(ns);
    *request.mutable_workflow_execution() = execution();
    request.mutable_wait_policy()->set_lifecycle_stage(stage);
    request.mutable_request()->mutable_meta()->set_update_id(update_id);
    request.mutable_request()->mutable_meta()->set_identity("client");
    request.mutable_request()->mutable_input()->set_name("add");
    *request.mutable_request()->mutable_input()->mutable_args() = payloads("1");
    return rpc<UpdateReply>(request, std::chrono::seconds(25));
  }

  static api::update::v1::Request request_in(const Task& task) {
    api::update::v1::Request request;
    EXPECT_EQ(task.messages_size(), 1);
    if (task.messages_size() > 0) {
      EXPECT_TRUE(task.messages(0).body().UnpackTo(&request));
    }
    return request;
  }

  static api::protocol::v1::Message accept(const Task& task) {
    const auto& incoming = task.messages(0);
    api::update::v1::Acceptance body;
    body.set_accepted_request_message_id(incoming.id());
    body.set_accepted_request_sequencing_event_id(incoming.event_id());
    *body.mutable_accepted_request() = request_in(task);
    return outgoing(incoming, "/accept", body);
  }

  static api::protocol::v1::Message complete(const Task& task, const std::string& result) {
    const auto& incoming = task.messages(0);
    api::update::v1::Response body;
    *body.mutable_meta() = request_in(task).meta();
    *body.mutable_outcome()->mutable_success() = payloads("\"" + result + "\"");
    return outgoing(incoming, "/complete", body);
  }

  static api::protocol::v1::Message reject(const Task& task, const std::string& message) {
    const auto& incoming = task.messages(0);
    api::update::v1::Rejection body;
    body.set_rejected_request_message_id(incoming.id());
    body.set_rejected_request_sequencing_event_id(incoming.event_id());
    *body.mutable_rejected_request() = request_in(task);
    body.mutable_failure()->set_message(message);
    body.mutable_failure()->mutable_application_failure_info()->set_type("Refused");
    return outgoing(incoming, "/reject", body);
  }

  // Answers the task's one update with accept and complete.
  wf::RespondWorkflowTaskCompletedResponse respond_done(const Task& task,
                                                        const std::string& result) {
    auto accepted = accept(task), completed = complete(task, result);
    return respond(task, {protocol_message(accepted.id()), protocol_message(completed.id())},
                   [&](Respond& request) {
                     *request.add_messages() = accepted;
                     *request.add_messages() = completed;
                   });
  }

 private:
  static api::protocol::v1::Message outgoing(const api::protocol::v1::Message& incoming,
                                             const std::string& suffix,
                                             const google::protobuf::Message& body) {
    api::protocol::v1::Message message;
    message.set_id(incoming.id() + suffix);
    message.set_protocol_instance_id(incoming.protocol_instance_id());
    message.mutable_body()->PackFrom(body);
    return message;
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
  wf::PollWorkflowExecutionUpdateRequest request;
  request.set_namespace_(ns);
  *request.mutable_update_ref()->mutable_workflow_execution() = execution();
  request.mutable_update_ref()->set_update_id("u1");
  request.mutable_wait_policy()->set_lifecycle_stage(
      enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
  auto outcome = rpc<wf::PollWorkflowExecutionUpdateResponse>(request);

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
  respond(task,
          {protocol_message(accepted.id()), protocol_message(completed.id()), complete_workflow()},
          [&](Respond& request) {
            *request.add_messages() = accepted;
            *request.add_messages() = completed;
          });
  client.join();

  auto again = update("u1");

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->outcome().success().payloads(0).data(), "\"end\"");
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

}  // namespace
}  // namespace chimera::conformance
