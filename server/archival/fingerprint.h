// The hash in the names of an archive's files. Pure.
#ifndef CHIMERA_SERVER_ARCHIVAL_FINGERPRINT_H_
#define CHIMERA_SERVER_ARCHIVAL_FINGERPRINT_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace chimera::server::archival {

// FarmHash's 64-bit fingerprint, which never changes.
std::uint64_t fingerprint64(absl::string_view text);

}  // namespace chimera::server::archival

#endif  // CHIMERA_SERVER_ARCHIVAL_FINGERPRINT_H_
