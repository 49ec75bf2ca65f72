#include "core/machines/record.h"

#include "absl/strings/str_cat.h"

namespace chimera::core {

namespace enums = api::enums::v1;
using Kind = Recorded::Kind;

namespace {

MachineKind machine_kind(Kind kind) {
  switch (kind) {
    case Kind::kVersion:
      return MachineKind::kVersion;
    case Kind::kSideEffect:
      return MachineKind::kSideEffect;
    case Kind::kMutableSideEffect:
      break;
  }
  return MachineKind::kMutableSideEffect;
}

// Among the outgoing commands.
std::string entry_id(const Recorded& recorded) {
  return recorded.kind == Kind::kSideEffect ? absl::StrCat(recorded.number) : recorded.id;
}

}  // namespace

void Records::take(RecordOnce& command, Command& whole, RunPort& run, Outgoing& outgoing) {
  const Recorded& recorded = command.recorded;
  const bool version = recorded.kind == Kind::kVersion;
  // A version that history has needs no second marker, whenever the code asks.
  if (version && !versions_.add_version(recorded.id, recorded.number)) return;
  if (recorded.kind != Kind::kSideEffect && !run.live()) return;  // meet() passes them over.
  auto attribute = version ? versions_.attribute() : std::nullopt;
  OutgoingCommand entry{machine_kind(recorded.kind), enums::EVENT_TYPE_MARKER_RECORDED, 0,
                        entry_id(recorded)};
  entry.command = run.make_marker(whole);
  if (entry.command) {
    write_record_marker(recorded, run.next_command_event_id(), attribute.has_value(),
                        *entry.command->mutable_record_marker_command_attributes());
  }
  outgoing.push(std::move(entry));
  if (attribute) ChangeVersions::upsert(*std::move(attribute), run, outgoing);
}

absl::Status Records::read(const HistoryEvent& event, RunPort& run, Recorded& recorded) {
  known_up_to_ = event.event_id();
  auto plain = run.dialect().plain(event.marker_recorded_event_attributes());
  if (!plain.ok()) return run.disagree(event, std::string(plain.status().message()));
  auto read = reader_.read(*plain);
  if (!read) return run.disagree(event, "the marker's details cannot be read");
  recorded = *std::move(read);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<NotifyRecorded>> Records::know(const HistoryEvent& event,
                                                            RunPort& run) {
  if (event.event_id() <= known_up_to_) return std::nullopt;
  Recorded recorded;
  if (absl::Status status = read(event, run, recorded); !status.ok()) return status;
  if (recorded.kind == Kind::kVersion) versions_.add_version(recorded.id, recorded.number);
  ahead_[event.event_id()] = {recorded.kind, entry_id(recorded)};
  return NotifyRecorded{std::move(recorded)};
}

absl::Status Records::meet(const HistoryEvent& event, RunPort& run, Outgoing& outgoing) {
  Ahead marker;
  if (const auto found = ahead_.find(event.event_id()); found != ahead_.end()) {
    marker = std::move(found->second);
    ahead_.erase(found);
  } else {  // Made by this worker.
    Recorded recorded;
    if (absl::Status status = read(event, run, recorded); !status.ok()) return status;
    marker = {recorded.kind, entry_id(recorded)};
  }
  const OutgoingCommand* head = outgoing.front();
  if (head && head->kind == machine_kind(marker.kind) && head->id == marker.id) {
    outgoing.pop();
    return absl::OkStatus();
  }
  if (marker.kind == Kind::kVersion) versions_.pass_marker();
  if (marker.kind != Kind::kSideEffect) return absl::OkStatus();
  return run.disagree(event, absl::StrCat("the code no longer asks for side effect ", marker.id,
                                          " here, which this run was made with"));
}

std::string Records::describe(const OutgoingCommand& command) {
  switch (command.kind) {
    case MachineKind::kVersion:
      return absl::StrCat("version of change \"", command.id, "\"");
    case MachineKind::kSideEffect:
      return absl::StrCat("side effect ", command.id);
    default:
      return absl::StrCat("mutable side effect \"", command.id, "\"");
  }
}

}  // namespace chimera::core
