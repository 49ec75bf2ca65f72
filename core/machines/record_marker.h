// The markers of side effects and versions: written as the Go SDK 1.50 writes them, read as Go and
// Java do.
#ifndef CHIMERA_CORE_MACHINES_RECORD_MARKER_H_
#define CHIMERA_CORE_MACHINES_RECORD_MARKER_H_

#include <map>
#include <optional>
#include <string>

#include "core/base/api.h"
#include "core/language/recorded.h"

namespace chimera::core {

inline constexpr char kVersionMarker[] = "Version";
inline constexpr char kSideEffectMarker[] = "SideEffect";
inline constexpr char kMutableSideEffectMarker[] = "MutableSideEffect";

bool is_record_marker(const api::history::v1::MarkerRecordedEventAttributes& marker);

// Java counts neither side effects nor calls in its markers: their order does.
class RecordMarkerReader {
 public:
  // Of each marker once, in history's order, its codec's work undone. Nothing if it is another
  // marker or cannot be read.
  std::optional<Recorded> read(const api::history::v1::MarkerRecordedEventAttributes& marker);

 private:
  std::int64_t side_effects_ = 0;
  std::map<std::string, std::int64_t> calls_;  // Of mutable side effects: the last one recorded.
};

// `event_id`: what the Go SDK expects the marker's event to be; it is part of a mutable side
// effect's id. `listed`: the version is in the search attribute, too.
void write_record_marker(const Recorded& recorded, std::int64_t event_id, bool listed,
                         api::command::v1::RecordMarkerCommandAttributes& attributes);

// For people: "side effect 2", "version 3 of change \"a\"".
std::string describe(const Recorded& recorded);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_RECORD_MARKER_H_
