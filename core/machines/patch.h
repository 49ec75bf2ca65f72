// Patch markers: how they are written and read. A patch has one step, command to
// marker, so its entry among the outgoing commands is its machine.
#ifndef CHIMERA_CORE_MACHINES_PATCH_H_
#define CHIMERA_CORE_MACHINES_PATCH_H_

#include <optional>
#include <set>
#include <string>

#include "core/base/api.h"

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

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_PATCH_H_
