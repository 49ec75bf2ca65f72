// Patches: how their markers are written and read, and how they meet. A patch has one step, command
// to marker, so its entry among the outgoing commands is its machine.
#ifndef CHIMERA_CORE_MACHINES_PATCH_H_
#define CHIMERA_CORE_MACHINES_PATCH_H_

#include <optional>
#include <set>
#include <string>

#include "core/machines/change_versions.h"
#include "core/machines/port.h"

namespace chimera::core {

inline constexpr char kPatchMarker[] = "core_patch";

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

// A run's patches: what the code asked for, and what its history has. Lane thread.
class Patches {
 public:
  // `versions` is borrowed, and shared with the run's versions.
  explicit Patches(ChangeVersions& versions) : versions_(versions) {}
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

 private:
  ChangeVersions& versions_;     // Has those whose markers were commanded.
  std::set<std::string> known_;  // Markers that history has.
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_PATCH_H_
