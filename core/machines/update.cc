#include "core/machines/update.h"

#include "absl/strings/str_cat.h"

#include "core/converter/failure_size.h"

namespace chimera::core {

namespace enums = api::enums::v1;

namespace {

// What an acceptance or a rejection quotes of the request.
void quote(const api::update::v1::Request& request, api::update::v1::Request& out) {
  *out.mutable_meta() = request.meta();
  *out.mutable_input() = request.input();
}

void send_message(const std::string& instance_id, std::string message_id,
                  const google::protobuf::Message& body, UpdateMessages& messages) {
  auto message = std::make_unique<api::protocol::v1::Message>();
  message->set_id(std::move(message_id));
  message->set_protocol_instance_id(instance_id);
  message->mutable_body()->PackFrom(body);
  messages.push_back(std::move(message));
}

// The place of a message among the task's commands.
CommandPtr protocol_message(const std::string& message_id) {
  CommandPtr command(new ApiCommand);
  command->set_command_type(enums::COMMAND_TYPE_PROTOCOL_MESSAGE);
  command->mutable_protocol_message_command_attributes()->set_message_id(message_id);
  return command;
}

}  // namespace

absl::Status UpdateMachine::answer(UpdateResponse& response, const std::string& instance_id,
                                   RunPort& run, Outgoing& outgoing, UpdateMessages& messages) {
  auto* rejected = std::get_if<UpdateResponse::Rejected>(&response.response);
  if (rejected) cut_causes(rejected->failure);
  const Event event = rejected ? Event::kReject
                      : std::holds_alternative<UpdateResponse::Accepted>(response.response)
                          ? Event::kAccept
                          : Event::kComplete;
  const State before = state;
  Action action;
  if (!kTable.advance(state, event, action)) {
    return absl::InvalidArgumentError(absl::StrCat("the language gave the answer \"",
                                                   enum_name(event), "\" to update ", instance_id,
                                                   ", which is in state ", enum_name(before)));
  }
  if (action == Action::kSendAcceptance) accept(instance_id, run, outgoing, messages);
  if (action == Action::kSendRejection) reject(rejected->failure, instance_id, run, messages);
  if (action == Action::kSendResponse) complete(response, instance_id, run, outgoing, messages);
  return absl::OkStatus();
}

void UpdateMachine::accept(const std::string& instance_id, RunPort& run, Outgoing& outgoing,
                           UpdateMessages& messages) {
  OutgoingCommand entry{MachineKind::kUpdate, enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
                        0, instance_id};
  if (run.live()) {
    const std::string id = absl::StrCat(message_id, "/accept");
    api::update::v1::Acceptance body;
    body.set_accepted_request_message_id(message_id);
    body.set_accepted_request_sequencing_event_id(sequencing_event_id);
    quote(*request, *body.mutable_accepted_request());
    send_message(instance_id, id, body, messages);
    entry.command = protocol_message(id);
  }
  outgoing.push(std::move(entry));
  owner.reset();
  request = nullptr;
}

void UpdateMachine::reject(api::failure::v1::Failure& failure, const std::string& instance_id,
                           RunPort& run, UpdateMessages& messages) const {
  if (!run.live()) return;
  api::update::v1::Rejection body;
  body.set_rejected_request_message_id(message_id);
  body.set_rejected_request_sequencing_event_id(sequencing_event_id);
  quote(*request, *body.mutable_rejected_request());
  *body.mutable_failure() = std::move(failure);
  send_message(instance_id, absl::StrCat(message_id, "/reject"), body, messages);
}

void UpdateMachine::complete(UpdateResponse& response, const std::string& instance_id, RunPort& run,
                             Outgoing& outgoing, UpdateMessages& messages) const {
  OutgoingCommand entry{MachineKind::kUpdate, enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
                        0, instance_id};
  if (run.live()) {
    const std::string id = absl::StrCat(message_id, "/complete");
    api::update::v1::Response body;
    body.mutable_meta()->set_update_id(update_id);
    body.mutable_meta()->set_identity(identity);
    if (auto* rejected = std::get_if<UpdateResponse::Rejected>(&response.response)) {
      *body.mutable_outcome()->mutable_failure() = std::move(rejected->failure);
    } else {
      auto& result = std::get<UpdateResponse::Completed>(response.response).result;
      *body.mutable_outcome()->mutable_success()->add_payloads() = std::move(result);
    }
    send_message(instance_id, id, body, messages);
    entry.command = protocol_message(id);
  }
  outgoing.push(std::move(entry));
}

absl::Status UpdateMachine::on(const HistoryEvent& event, const std::string& instance_id,
                               RunPort& run) {
  const bool accepted = event.has_workflow_execution_update_accepted_event_attributes();
  const std::string& id =
      accepted ? event.workflow_execution_update_accepted_event_attributes().protocol_instance_id()
               : event.workflow_execution_update_completed_event_attributes().meta().update_id();
  if (id != (accepted ? instance_id : update_id)) return run.disagree(event, "the updates differ");
  Action action;
  if (!kTable.advance(state, accepted ? Event::kUpdateAccepted : Event::kUpdateCompleted, action))
    return run.disagree(event, "the update is not that far");
  return absl::OkStatus();
}

std::string UpdateMachine::describe(const OutgoingCommand& command) {
  return absl::StrCat(command.confirmed_by == enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
                          ? "acceptance of update "
                          : "completion of update ",
                      command.id);
}

std::string UpdateMachine::describe(const HistoryEvent& event) {
  if (event.has_workflow_execution_update_accepted_event_attributes()) {
    return absl::StrCat(
        "update ",
        event.workflow_execution_update_accepted_event_attributes().protocol_instance_id());
  }
  if (event.has_workflow_execution_update_completed_event_attributes()) {
    return absl::StrCat(
        "update ", event.workflow_execution_update_completed_event_attributes().meta().update_id());
  }
  return "";
}

}  // namespace chimera::core
