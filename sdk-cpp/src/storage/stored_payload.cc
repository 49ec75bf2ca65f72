#include "sdk-cpp/src/storage/stored_payload.h"

#include <array>
#include <stdexcept>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include <openssl/sha.h>

#include "sdk-cpp/src/payload_access.h"

namespace chimera::sdk {

std::string stored_bytes(const Payload& payload) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream out(&stream);
  out.SetSerializationDeterministic(true);  // The same payload is the same file.
  to_proto(payload).SerializeToCodedStream(&out);
  out.Trim();
  return bytes;
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

const std::string& claimed(const StorageClaim& claim, const char* name) {
  const auto found = claim.find(name);
  if (found == claim.end()) throw std::runtime_error(absl::StrCat("the claim has no ", name));
  return found->second;
}

Payload verified(const std::string& bytes, const StorageClaim& claim, const std::string& where) {
  const std::string& algorithm = claimed(claim, kHashAlgorithm);
  if (algorithm != kSha256)
    throw std::runtime_error(
        absl::StrCat(where, ": its hash is of the unknown algorithm '", algorithm, "'"));
  const std::string& expected = claimed(claim, kHashValue);
  const std::string actual = sha256_hex(bytes);
  ProtoPayload payload;
  if (actual != expected || !payload.ParseFromString(bytes))
    throw std::runtime_error(absl::StrCat(where, " is damaged: it has ", bytes.size(),
                                          " bytes of SHA-256 ", actual, ", and was stored with ",
                                          expected));
  return to_public(payload);
}

}  // namespace chimera::sdk
