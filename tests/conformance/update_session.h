// UpdateSession, a case that sends updates and answers them as a worker does.
#ifndef CHIMERA_TESTS_CONFORMANCE_UPDATE_SESSION_H_
#define CHIMERA_TESTS_CONFORMANCE_UPDATE_SESSION_H_

#include <string>
#include <thread>

#include "temporal/api/update/v1/message.pb.h"

#include "tests/conformance/session.h"

namespace chimera::conformance {

using UpdateReply = wf::UpdateWorkflowExecutionResponse;

class UpdateSession : public Session {
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

}  // namespace chimera::conformance

#endif  // CHIMERA_TESTS_CONFORMANCE_UPDATE_SESSION_H_
