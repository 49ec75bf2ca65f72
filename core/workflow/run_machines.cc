// Events to machines: confirmation of commands, and what happens to what they began.
#include "absl/strings/str_cat.h"

#include "core/machines/describe.h"
#include "core/workflow/nondeterminism.h"
#include "core/workflow/run_state.h"

namespace chimera::core {

namespace enums = api::enums::v1;

void WorkflowRun::State::send(const MachineBase& machine, EventType confirmed_by,
                              std::unique_ptr<ApiCommand> command) {
  OutgoingCommand entry{machine.kind, confirmed_by, machine.seq};
  entry.command = std::move(command);
  outgoing_.push(std::move(entry));
}

void WorkflowRun::State::issue(CommandVariant command) {
  std::visit(
      [this](auto& one) {
        if constexpr (requires { one.seq; }) one.seq = next_own_++;
      },
      command);
  issued_.push_back(std::move(command));
}

void WorkflowRun::State::swallow(const MachineBase& machine) {
  swallow_.insert(machine.began);
  by_event_.erase(machine.began);
}

void WorkflowRun::State::let_go(Machines::iterator machine) {
  const std::int64_t began = base_of(machine->second).began;
  if (began != 0) by_event_.erase(began);
  machines_.erase(machine);
}

absl::Status WorkflowRun::State::nondeterminism(const HistoryEvent* event,
                                                const OutgoingCommand* command,
                                                const std::string& what) const {
  return absl::FailedPreconditionError(
      nondeterminism_message(options_.context, event, command ? describe(*command) : std::string(),
                             what, outgoing_.matched()));
}

std::string WorkflowRun::State::describe(const OutgoingCommand& command) const {
  switch (command.kind) {
    case MachineKind::kUpdate:
      return UpdateMachine::describe(command);
    case MachineKind::kPatch:
      return absl::StrCat("patch \"", command.id, "\"");
    case MachineKind::kVersion:
    case MachineKind::kSideEffect:
    case MachineKind::kMutableSideEffect:
      return Records::describe(command);
    case MachineKind::kSearchAttributes:
      return "UpsertWorkflowSearchAttributes";
    case MachineKind::kMemo:
      return "ModifyWorkflowProperties";
    case MachineKind::kEnd:
      return absl::StrCat("the workflow's end (", event_name(command.confirmed_by), ")");
    default:
      break;
  }
  const auto found = machines_.find(key_of(command.kind, command.seq));
  if (found == machines_.end())
    return absl::StrCat("a command for ", event_name(command.confirmed_by), " ", command.seq);
  return std::visit([&](const auto& machine) { return machine.describe(command.confirmed_by); },
                    found->second);
}

// A command event meets the head of the outgoing commands; its type is right.
absl::Status WorkflowRun::State::confirm(const OutgoingCommand& command,
                                         const HistoryEvent& event) {
  if (command.kind == MachineKind::kUpdate) return confirm_update(command, event);
  if (command.kind < MachineKind::kNumbered && event.has_marker_recorded_event_attributes())
    return nondeterminism(&event, &command, "the marker is another one");
  if (command.kind < MachineKind::kNumbered) return absl::OkStatus();
  const std::uint64_t key = key_of(command.kind, command.seq);
  const auto found = machines_.find(key);
  if (found == machines_.end())
    return nondeterminism(&event, &command, "what the code commanded has ended");
  meeting_ = &command;
  absl::Status status;
  const bool gone = std::visit(
      [&](auto& machine) {
        if (event.event_type() == machine.kBegunBy) {
          machine.began = event.event_id();
          by_event_[machine.began] = key;
        }
        status = machine.on(event, *this);
        return machine.done();
      },
      found->second);
  meeting_ = nullptr;
  if (status.ok() && gone) let_go(found);
  return status;
}

absl::Status WorkflowRun::State::confirm_update(const OutgoingCommand& command,
                                                const HistoryEvent& event) {
  const auto found = updates_.find(command.id);
  if (found == updates_.end()) return nondeterminism(&event, &command, "the update has ended");
  meeting_ = &command;
  absl::Status status = found->second.on(event, command.id, *this);
  meeting_ = nullptr;
  if (!status.ok()) return status;
  known_updates_.erase(command.id);
  if (found->second.done()) updates_.erase(found);
  return absl::OkStatus();
}

// An event that goes on with something a command began.
absl::Status WorkflowRun::State::route(const HistoryEvent& event) {
  const LaterEvent* later = later_event(event.event_type());
  const std::int64_t began = later ? later->began(event) : 0;
  if (began == 0) {
    if (event.worker_may_ignore()) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("this worker does not know what to do with ",
                                            describe_event(event), "; a newer one may"));
  }
  if (swallow_.contains(began)) {
    if (later->ends) swallow_.erase(began);
    return absl::OkStatus();
  }
  const auto found = by_event_.find(began);
  if (found == by_event_.end()) {
    return nondeterminism(&event, nullptr,
                          absl::StrCat("nothing that event ", began, " began is under way"));
  }
  const auto machine = machines_.find(found->second);
  absl::Status status;
  const bool gone = std::visit(
      [&](auto& one) {
        status = one.on(event, *this);
        return one.done();
      },
      machine->second);
  if (status.ok() && gone) let_go(machine);
  return status;
}

}  // namespace chimera::core
