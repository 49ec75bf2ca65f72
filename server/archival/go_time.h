// Times of RFC 3339, with the words in which Go refuses them. Pure.
#ifndef CHIMERA_SERVER_ARCHIVAL_GO_TIME_H_
#define CHIMERA_SERVER_ARCHIVAL_GO_TIME_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace chimera::server::archival {

// Nanoseconds since 1970; beyond what they can tell, the first or the last.
absl::StatusOr<std::int64_t> parse_rfc3339(const std::string& text);

}  // namespace chimera::server::archival

#endif  // CHIMERA_SERVER_ARCHIVAL_GO_TIME_H_
