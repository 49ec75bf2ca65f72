// The markers of local activities as the Go and Java SDKs write them. Read only.
#ifndef CHIMERA_CORE_MACHINES_FOREIGN_MARKER_H_
#define CHIMERA_CORE_MACHINES_FOREIGN_MARKER_H_

#include <optional>

#include "core/machines/local_marker.h"

namespace chimera::core {

inline constexpr char kForeignLocalMarker[] = "LocalActivity";

// Both without `order`, which the activity's id tells. Nothing if they cannot be read.
std::optional<LocalMarker> read_go_local_marker(
    const api::history::v1::MarkerRecordedEventAttributes& marker);
std::optional<LocalMarker> read_java_local_marker(
    const api::history::v1::MarkerRecordedEventAttributes& marker);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_FOREIGN_MARKER_H_
