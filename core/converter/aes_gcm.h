// AES-256-GCM, as the codecs use it: nonce (12 bytes) || ciphertext || tag (16). Free functions
// without state; any thread.
#ifndef CHIMERA_CORE_CONVERTER_AES_GCM_H_
#define CHIMERA_CORE_CONVERTER_AES_GCM_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace chimera::core {

using AesKeys = std::map<std::string, std::string>;  // By id.

// All keys have 32 bytes, and one of them this id.
absl::Status check_keys(const std::string& key_id, const AesKeys& keys);

// `bound` is not in the result, but has to be the same for it to be opened.
absl::StatusOr<std::string> seal(std::string_view key, std::string_view plain,
                                 std::string_view bound = {});
absl::StatusOr<std::string> open_sealed(std::string_view key, std::string_view sealed,
                                        std::string_view bound = {});

}  // namespace chimera::core

#endif  // CHIMERA_CORE_CONVERTER_AES_GCM_H_
