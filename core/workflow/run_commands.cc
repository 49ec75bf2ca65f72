// Commands of the language to machines, and to the commands that the server gets.
#include "absl/strings/str_cat.h"

#include "core/converter/failure_size.h"
#include "core/workflow/run_state.h"

namespace chimera::core {

namespace enums = api::enums::v1;

absl::Status WorkflowRun::State::take(std::vector<Command>& commands) {
  for (Command& command : commands) {
    // Commands beside the workflow's end are kept before it (flag 3); histories from before that
    // rule drop what follows.
    if (terminal_commanded_ && !flags_.use(CoreFlag::kTerminalCommandLast, replaying_)) break;
    absl::Status status =
        std::visit([&](auto& variant) { return take(variant, command); }, command.variant);
    if (!status.ok()) return status;
    if (status = take_issued(); !status.ok()) return status;
  }
  outgoing_.terminal_last();
  return absl::OkStatus();
}

// What machines command on their own account.
absl::Status WorkflowRun::State::take_issued() {
  while (!issued_.empty()) {
    Command command{std::move(issued_.back())};
    issued_.pop_back();
    absl::Status status =
        std::visit([&](auto& variant) { return take(variant, command); }, command.variant);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

template <class One>
absl::Status WorkflowRun::State::take(One& command, Command& whole) {
  if constexpr (kBegins<One> >= 0) {
    return begin(command, whole);
  } else if constexpr (kCancels<One> >= 0) {
    const auto found = machines_.find(key_of(kind_of(kCancels<One>), command.seq));
    if (found == machines_.end())
      return absl::OkStatus();  // It has ended: the language may not know yet.
    auto& machine = std::get<kCancels<One>>(found->second);
    machine.cancel(command, whole, *this);
    if (machine.done()) let_go(found);
    return absl::OkStatus();
  } else {
    return take_other(command, whole);
  }
}

template <class One>
absl::Status WorkflowRun::State::begin(One& command, Command& whole) {
  constexpr int kIndex = kBegins<One>;
  using M = std::variant_alternative_t<kIndex, Machine>;
  const auto [at, fresh] =
      machines_.try_emplace(key_of(kind_of(kIndex), command.seq), std::in_place_type<M>);
  if (!fresh) {
    return absl::InvalidArgumentError(
        absl::StrCat("the language used the number ", command.seq, " for two ", M::kPlural));
  }
  M& machine = std::get<kIndex>(at->second);
  machine.kind = kind_of(kIndex);
  machine.seq = command.seq;
  machine.begin(command, whole, *this);
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take_other(SetPatchMarker& command, Command& whole) {
  patches_.take(command, whole, replaying_, *this, outgoing_);
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take_other(RecordOnce& command, Command& whole) {
  records_.take(command, whole, *this, outgoing_);
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take_other(UpsertWorkflowSearchAttributes& command,
                                            Command& whole) {
  properties_.take(command, whole, *this, outgoing_);
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take_other(ModifyWorkflowProperties& command, Command& whole) {
  properties_.take(command, whole, *this, outgoing_);
  return absl::OkStatus();
}

void WorkflowRun::State::end_with(EventType confirmed_by, std::unique_ptr<ApiCommand> command) {
  terminal_commanded_ = true;
  OutgoingCommand entry{MachineKind::kEnd, confirmed_by};
  entry.command = std::move(command);
  outgoing_.push(std::move(entry));
}

absl::Status WorkflowRun::State::take_other(CompleteWorkflowExecution& command, Command& whole) {
  if (terminal_commanded_) return absl::OkStatus();
  auto out = make(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION, whole);
  if (out) {
    auto& attributes = *out->mutable_complete_workflow_execution_command_attributes();
    if (command.result) *attributes.mutable_result()->add_payloads() = *std::move(command.result);
  }
  end_with(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, std::move(out));
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take_other(FailWorkflowExecution& command, Command& whole) {
  if (terminal_commanded_) return absl::OkStatus();
  cut_causes(command.failure);
  auto out = make(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION, whole);
  if (out)
    *out->mutable_fail_workflow_execution_command_attributes()->mutable_failure() =
        std::move(command.failure);
  end_with(enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, std::move(out));
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take_other(CancelWorkflowExecution&, Command& whole) {
  if (terminal_commanded_) return absl::OkStatus();
  auto out = make(enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION, whole);
  if (out) out->mutable_cancel_workflow_execution_command_attributes();
  end_with(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, std::move(out));
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take_other(ContinueAsNewWorkflowExecution& command,
                                            Command& whole) {
  if (terminal_commanded_) return absl::OkStatus();
  auto out = make(enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION, whole);
  if (out) {
    auto& attributes = *out->mutable_continue_as_new_workflow_execution_command_attributes();
    attributes = std::move(command.attributes);
    // The server takes the run's own type and task queue where the names are empty.
    attributes.mutable_workflow_type();
    attributes.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
    properties_.fill(attributes);
  }
  end_with(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, std::move(out));
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take_other(ScheduleNexusOperation& command, Command&) {
  return absl::UnimplementedError(absl::StrCat("Nexus operation ", command.attributes.service(),
                                               "/", command.attributes.operation(),
                                               ": Nexus operations are not supported yet"));
}

absl::Status WorkflowRun::State::take_other(RequestCancelNexusOperation&, Command&) {
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take_other(RespondToQuery& command, Command&) {
  return absl::InvalidArgumentError(absl::StrCat("the language answered the query ",
                                                 command.query_id, ", which it was not asked"));
}

absl::Status WorkflowRun::State::take_other(UpdateResponse& command, Command&) {
  const auto found = updates_.find(command.protocol_instance_id);
  if (found == updates_.end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the language answered update ", command.protocol_instance_id, ", which is not under way"));
  }
  absl::Status status =
      found->second.answer(command, command.protocol_instance_id, *this, outgoing_, messages_);
  if (status.ok() && found->second.done()) updates_.erase(found);
  return status;
}

}  // namespace chimera::core
