// The marker of a local activity: how the official core writes it, and how it is read.
#ifndef CHIMERA_CORE_MACHINES_LOCAL_MARKER_H_
#define CHIMERA_CORE_MACHINES_LOCAL_MARKER_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "core/base/api.h"
#include "core/base/clock.h"

namespace chimera::core {

// An order that is not known: that of the markers.
inline constexpr std::uint64_t kNoOrder = ~std::uint64_t{0};

inline constexpr char kLocalActivityMarker[] = "core_local_activity";

struct LocalMarker {
  std::uint32_t seq = 0, attempt = 0;
  std::string activity_id, activity_type;
  std::optional<base::WallTime> complete_time;  // Workflow time; none where nobody waited.
  std::optional<std::chrono::nanoseconds> backoff;
  std::optional<base::WallTime> original_schedule_time;
  // How many activations the task had when the result came; markers of older cores have none.
  std::optional<std::uint32_t> activation_index;
  // Another SDK's, where `seq` says nothing: it grows as the run asked for local activities.
  std::optional<std::uint64_t> order;
  std::shared_ptr<const api::common::v1::Payload> result;    // Null: none.
  std::shared_ptr<const api::failure::v1::Failure> failure;  // Null: it succeeded. Bare.
};

bool is_local_marker(const api::history::v1::MarkerRecordedEventAttributes& marker);
// Nothing if its data cannot be read. Takes fields that are missing or null.
std::optional<LocalMarker> read_local_marker(
    const api::history::v1::MarkerRecordedEventAttributes& marker);
void write_local_marker(const LocalMarker& marker,
                        api::command::v1::RecordMarkerCommandAttributes& attributes);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_LOCAL_MARKER_H_
