#include "core/workflow/run_commands.h"

#include "absl/strings/str_cat.h"

#include "core/converter/failure_size.h"

namespace chimera::core {

namespace enums = api::enums::v1;

absl::Status RunCommands::take(std::vector<Command>& commands) {
  if (!run_.outgoing.front()) run_.issued.clear();
  absl::Status status = take_each(commands);
  run_.outgoing.issuing(nullptr);
  // Moved, they stay where they are.
  if (!run_.live()) run_.issued.push_back(std::move(commands));
  return status;
}

absl::Status RunCommands::take_each(std::vector<Command>& commands) {
  for (Command& command : commands) {
    // Commands beside the workflow's end are kept before it (flag 3); histories from before that
    // rule drop what follows.
    if (run_.terminal_commanded && !run_.flags.use(CoreFlag::kTerminalCommandLast, run_.replaying))
      break;
    run_.outgoing.issuing(run_.live() ? nullptr : &command);
    absl::Status status =
        std::visit([&](auto& variant) { return take(variant, command); }, command.variant);
    if (!status.ok()) return status;
    run_.outgoing.issuing(nullptr);
    if (status = take_issued(); !status.ok()) return status;
  }
  run_.outgoing.terminal_last();
  return absl::OkStatus();
}

// What machines command on their own account.
absl::Status RunCommands::take_issued() {
  while (std::optional<CommandVariant> issued = machines_.next_issued()) {
    Command command{*std::move(issued)};
    absl::Status status =
        std::visit([&](auto& variant) { return take(variant, command); }, command.variant);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

template <class One>
absl::Status RunCommands::take(One& command, Command& whole) {
  if constexpr (kBegins<One> >= 0) {
    return machines_.begin(command, whole);
  } else if constexpr (kCancels<One> >= 0) {
    machines_.cancel(command, whole);
    return absl::OkStatus();
  } else {
    return take_other(command, whole);
  }
}

absl::Status RunCommands::take_other(SetPatchMarker& command, Command& whole) {
  run_.patches.take(command, whole, run_.replaying, machines_, run_.outgoing);
  return absl::OkStatus();
}

absl::Status RunCommands::take_other(UpsertWorkflowSearchAttributes& command, Command& whole) {
  run_.properties.take(command, whole, machines_, run_.outgoing);
  return absl::OkStatus();
}

absl::Status RunCommands::take_other(RecordOnce& command, Command& whole) {
  run_.records.take(command, whole, machines_, run_.outgoing);
  return absl::OkStatus();
}

absl::Status RunCommands::take_other(ModifyWorkflowProperties& command, Command& whole) {
  run_.properties.take(command, whole, machines_, run_.outgoing);
  return absl::OkStatus();
}

void RunCommands::end_with(EventType confirmed_by, CommandPtr command) {
  run_.terminal_commanded = true;
  OutgoingCommand entry{MachineKind::kEnd, confirmed_by};
  entry.command = std::move(command);
  run_.outgoing.push(std::move(entry));
}

absl::Status RunCommands::take_other(CompleteWorkflowExecution& command, Command& whole) {
  if (run_.terminal_commanded) return absl::OkStatus();
  auto out = machines_.make(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION, whole);
  if (out) {
    auto& attributes = *out->mutable_complete_workflow_execution_command_attributes();
    if (command.result) *attributes.mutable_result()->add_payloads() = *std::move(command.result);
  }
  end_with(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, std::move(out));
  return absl::OkStatus();
}

absl::Status RunCommands::take_other(FailWorkflowExecution& command, Command& whole) {
  if (run_.terminal_commanded) return absl::OkStatus();
  cut_causes(command.failure);
  auto out = machines_.make(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION, whole);
  if (out)
    *out->mutable_fail_workflow_execution_command_attributes()->mutable_failure() =
        std::move(command.failure);
  end_with(enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, std::move(out));
  return absl::OkStatus();
}

absl::Status RunCommands::take_other(CancelWorkflowExecution&, Command& whole) {
  if (run_.terminal_commanded) return absl::OkStatus();
  auto out = machines_.make(enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION, whole);
  if (out) out->mutable_cancel_workflow_execution_command_attributes();
  end_with(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, std::move(out));
  return absl::OkStatus();
}

absl::Status RunCommands::take_other(ContinueAsNewWorkflowExecution& command, Command& whole) {
  if (run_.terminal_commanded) return absl::OkStatus();
  auto out = machines_.make(enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION, whole);
  if (out) {
    auto& attributes = *out->mutable_continue_as_new_workflow_execution_command_attributes();
    attributes = std::move(command.attributes);
    // The server takes the run's own type and task queue where the names are empty.
    attributes.mutable_workflow_type();
    attributes.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
    run_.properties.fill(attributes);
  }
  end_with(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, std::move(out));
  return absl::OkStatus();
}

absl::Status RunCommands::take_other(RespondToQuery& command, Command&) {
  return absl::InvalidArgumentError(absl::StrCat("the language answered the query ",
                                                 command.query_id, ", which it was not asked"));
}

absl::Status RunCommands::take_other(UpdateResponse& command, Command&) {
  const auto found = run_.updates.find(command.protocol_instance_id);
  if (found == run_.updates.end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the language answered update ", command.protocol_instance_id, ", which is not under way"));
  }
  absl::Status status = found->second.answer(command, command.protocol_instance_id, machines_,
                                             run_.outgoing, run_.messages);
  if (status.ok() && found->second.done()) run_.updates.erase(found);
  return status;
}

}  // namespace chimera::core
