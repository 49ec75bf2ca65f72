// The hash that spreads a schedule's times over its jitter, and workflows over a ramp. Pure.
#ifndef CHIMERA_SERVER_SCHEDULE_FINGERPRINT_H_
#define CHIMERA_SERVER_SCHEDULE_FINGERPRINT_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace chimera::server::schedule {

// FarmHash's 32-bit fingerprint, which never changes.
std::uint32_t fingerprint(absl::string_view text);
// Of a time in seconds since 1970 and a seed, as the genuine server takes it.
std::uint32_t fingerprint_of(std::int64_t time, absl::string_view seed);

}  // namespace chimera::server::schedule

#endif  // CHIMERA_SERVER_SCHEDULE_FINGERPRINT_H_
