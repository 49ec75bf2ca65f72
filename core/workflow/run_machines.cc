#include "core/workflow/run_machines.h"

#include "absl/strings/str_cat.h"

#include "core/machines/describe.h"
#include "core/workflow/run_local.h"
#include "core/workflow/run_report.h"

namespace chimera::core {

void RunMachines::send(const MachineBase& machine, EventType confirmed_by, CommandPtr command) {
  OutgoingCommand entry{machine.kind, confirmed_by, machine.seq};
  entry.command = std::move(command);
  run_.outgoing.push(std::move(entry));
}

void RunMachines::issue(CommandVariant command) {
  std::visit(
      [this](auto& one) {
        if constexpr (requires { one.seq; }) one.seq = next_own_++;
      },
      command);
  issued_.push_back(std::move(command));
}

void RunMachines::execute(const MachineBase& machine,
                          std::shared_ptr<const ScheduleLocalActivity> activity) {
  local_.execute(machine.seq, std::move(activity));
}
void RunMachines::executed() { local_.executed(); }
void RunMachines::stop(const MachineBase& machine) { local_.stop(machine.seq); }
std::optional<LocalMarker> RunMachines::take_cancelled_ahead(const MachineBase& machine) {
  return local_.take_cancelled_ahead(machine.seq);
}

std::optional<CommandVariant> RunMachines::next_issued() {
  if (issued_.empty()) return std::nullopt;
  std::optional<CommandVariant> command(std::move(issued_.back()));
  issued_.pop_back();
  return command;
}

void RunMachines::swallow(const MachineBase& machine) { run_.table.swallow(machine.began); }

absl::Status RunMachines::nondeterminism(const HistoryEvent* event, const OutgoingCommand* command,
                                         const std::string& what) const {
  return absl::FailedPreconditionError(report_disagreement(run_, event, command, what));
}

absl::Status RunMachines::match(const HistoryEvent& event) {
  if (event.has_marker_recorded_event_attributes()) {
    if (const auto patch = read_patch_marker(event.marker_recorded_event_attributes())) {
      meeting_ = run_.outgoing.front();
      absl::Status status = run_.patches.meet(*patch, event, *this, run_.outgoing);
      meeting_ = nullptr;
      return status;
    }
    if (is_record_marker(event.marker_recorded_event_attributes())) return match_record(event);
  }
  Patches::pass(run_.outgoing);
  const OutgoingCommand* head = run_.outgoing.front();
  if (!head) return nondeterminism(&event, nullptr, "no command was issued for this event");
  if (head->confirmed_by != event.event_type()) {
    return nondeterminism(&event, head, "the command does not make such an event");
  }
  if (absl::Status status = confirm(*head, event); !status.ok()) return status;
  run_.outgoing.pop();
  if (is_final_event(event.event_type())) run_.ended = true;
  return absl::OkStatus();
}

absl::Status RunMachines::match_record(const HistoryEvent& event) {
  // In replay a version or mutable side effect is no command: a patch at the head waits for its own
  // marker, which comes later.
  if (event.marker_recorded_event_attributes().marker_name() == kSideEffectMarker)
    Patches::pass(run_.outgoing);
  meeting_ = run_.outgoing.front();
  const LanguageIdentity& language = run_.options.identity;
  absl::Status status = language.has_side_effects
                            ? run_.records.meet(event, *this, run_.outgoing)
                            : disagree(event, absl::StrCat("workflows of ", language.sdk_name,
                                                           " make no such marker"));
  meeting_ = nullptr;
  return status;
}

// Its type is right.
absl::Status RunMachines::confirm(const OutgoingCommand& command, const HistoryEvent& event) {
  if (command.kind == MachineKind::kUpdate) return confirm_update(command, event);
  if (command.kind < MachineKind::kNumbered && event.has_marker_recorded_event_attributes())
    return nondeterminism(&event, &command, "the marker is another one");
  if (command.kind < MachineKind::kNumbered) return absl::OkStatus();
  const auto found = run_.table.find(command.kind, command.seq);
  if (found == run_.table.end())
    return nondeterminism(&event, &command, "what the code commanded has ended");
  meeting_ = &command;
  absl::Status status;
  const bool gone = std::visit(
      [&](auto& machine) {
        if (event.event_type() == machine.kBegunBy) run_.table.began(found, event.event_id());
        status = machine.on(event, *this);
        return machine.done();
      },
      found->second);
  meeting_ = nullptr;
  if (status.ok() && gone) run_.table.erase(found);
  return status;
}

absl::Status RunMachines::confirm_update(const OutgoingCommand& command,
                                         const HistoryEvent& event) {
  const auto found = run_.updates.find(command.id);
  if (found == run_.updates.end()) return nondeterminism(&event, &command, "the update has ended");
  meeting_ = &command;
  absl::Status status = found->second.on(event, command.id, *this);
  meeting_ = nullptr;
  if (!status.ok()) return status;
  run_.known_updates.erase(command.id);
  if (found->second.done()) run_.updates.erase(found);
  return absl::OkStatus();
}

absl::Status RunMachines::route(const HistoryEvent& event) {
  const LaterEvent* later = later_event(event.event_type());
  const std::int64_t began = later ? later->began(event) : 0;
  if (began == 0) {
    if (event.worker_may_ignore()) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("this worker does not know what to do with ",
                                            describe_event(event), "; a newer one may"));
  }
  if (run_.table.swallows(began, later->ends)) return absl::OkStatus();
  const auto machine = run_.table.by_event(began);
  if (machine == run_.table.end()) {
    return nondeterminism(&event, nullptr,
                          absl::StrCat("nothing that event ", began, " began is under way"));
  }
  absl::Status status;
  const bool gone = std::visit(
      [&](auto& one) {
        status = one.on(event, *this);
        return one.done();
      },
      machine->second);
  if (status.ok() && gone) run_.table.erase(machine);
  return status;
}

}  // namespace chimera::core
