// References, which travel instead of payloads that are stored elsewhere. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_STORAGE_REFERENCE_H_
#define CHIMERA_SDK_CPP_SRC_STORAGE_REFERENCE_H_

#include <string>

#include "absl/status/statusor.h"

#include "chimera/external_storage.h"
#include "sdk-cpp/src/payload_access.h"

namespace chimera::sdk {

struct StorageReference {
  std::string driver;
  StorageClaim claim;
};

// As the official SDKs write it. `bytes` is the stored payload's size.
ProtoPayload to_payload(const StorageReference& reference, std::size_t bytes);
// core::is_reference(payload): in the new form, the older one, or as the codec has encoded it.
absl::StatusOr<StorageReference> read_reference(const ProtoPayload& payload, const Codec& codec);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_STORAGE_REFERENCE_H_
