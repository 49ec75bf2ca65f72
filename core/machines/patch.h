// Patches: how their markers are written and read, and how they meet. A patch has one step, command
// to marker, so its entry among the outgoing commands is its machine.
#ifndef CHIMERA_CORE_MACHINES_PATCH_H_
#define CHIMERA_CORE_MACHINES_PATCH_H_

#include <optional>
#include <set>
#include <string>

#include "core/machines/port.h"

namespace chimera::core {

inline constexpr char kPatchMarker[] = "core_patch";
inline constexpr char kChangeVersionAttribute[] = "TemporalChangeVersion";

struct PatchMarker {
  std::string id;
  bool deprecated = false;
};

// Nothing if it is another marker or cannot be read. Understands the old form with two details,
// too.
std::optional<PatchMarker> read_patch_marker(
    const api::history::v1::MarkerRecordedEventAttributes& marker);
void write_patch_marker(const PatchMarker& patch,
                        api::command::v1::RecordMarkerCommandAttributes& marker);

// The search attribute that lists a run's patches, for people to search by; nothing if it grew too
// long for that.
std::optional<api::common::v1::Payload> change_version_attribute(
    const std::set<std::string>& patch_ids);

// A run's patches: what the code asked for, and what its history has. Lane thread.
class Patches {
 public:
  // The language asks for a patch; `known` as below, of a marker that history has.
  void take(SetPatchMarker& command, Command& whole, bool replaying, RunPort& run,
            Outgoing& outgoing);
  // A marker of a task to come: true if the language has to hear of it.
  bool know(const std::string& id) { return known_.insert(id).second; }
  // A marker event meets the outgoing commands (rules of sdk-core 1.35).
  absl::Status meet(const PatchMarker& marker, const HistoryEvent& event, RunPort& run,
                    Outgoing& outgoing);
  // Patches at the head that the code asked for and history lacks: it was told so.
  static void pass(Outgoing& outgoing);
  // The event behind a marker that the code no longer asks for is that marker's upsert: skip it.
  bool skips_upsert(const HistoryEvent& event);

 private:
  std::set<std::string> made_, known_;  // Markers commanded; markers that history has.
  bool skip_upsert_ = false;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_PATCH_H_
