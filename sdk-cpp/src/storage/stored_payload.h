// A payload as drivers keep it: the serialized message, named by its SHA-256. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_STORAGE_STORED_PAYLOAD_H_
#define CHIMERA_SDK_CPP_SRC_STORAGE_STORED_PAYLOAD_H_

#include <string>
#include <string_view>

#include "chimera/external_storage.h"

namespace chimera::sdk {

std::string stored_bytes(const Payload& payload);
std::string sha256_hex(std::string_view bytes);

// Claims of both drivers have the hash.
inline constexpr char kHashAlgorithm[] = "hash_algorithm", kHashValue[] = "hash_value",
                      kSha256[] = "sha256";

// A claim's text; throws std::runtime_error where it has none.
const std::string& claimed(const StorageClaim& claim, const char* name);
// Throws std::runtime_error for bytes that are not what was stored; `where` says which.
Payload verified(const std::string& bytes, const StorageClaim& claim, const std::string& where);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_STORAGE_STORED_PAYLOAD_H_
