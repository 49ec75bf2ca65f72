// Payloads: how each kind of value is labelled on the wire (metadata key "encoding" and the
// data's form). Free functions without state; any thread.
#ifndef CHIMERA_CORE_CONVERTER_PAYLOAD_H_
#define CHIMERA_CORE_CONVERTER_PAYLOAD_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/api.h"
#include "core/base/clock.h"

namespace chimera::core {

using api::common::v1::Payload;
using api::common::v1::Payloads;

inline constexpr std::string_view kEncoding = "encoding";
inline constexpr std::string_view kMessageType = "messageType";
inline constexpr std::string_view kEncodingNull = "binary/null";
inline constexpr std::string_view kEncodingBytes = "binary/plain";
inline constexpr std::string_view kEncodingProtoJson = "json/protobuf";
inline constexpr std::string_view kEncodingProto = "binary/protobuf";
inline constexpr std::string_view kEncodingJson = "json/plain";
inline constexpr std::string_view kEncodingEncrypted = "binary/encrypted";
// References to external storage in their older form, and the mark of those that a codec encoded.
inline constexpr std::string_view kOldReferenceEncoding = "json/external-storage-reference";
inline constexpr std::string_view kEncodedReferenceMark = "__temporal_external_storage_reference";

// Empty when the payload has none.
std::string_view encoding_of(const Payload& payload);
void set_encoding(Payload& payload, std::string_view encoding);

Payload null_payload();
Payload bytes_payload(std::string data);
Payload json_payload(std::string json);

// Whether it stands for a payload that is kept in external storage.
bool is_reference(const Payload& payload);

// For error messages: "json/plain, 17 bytes".
std::string describe(const Payload& payload);

// A message as json/protobuf or binary/protobuf, with its full name as messageType.
absl::StatusOr<Payload> proto_json_payload(const google::protobuf::Message& message);
Payload proto_binary_payload(const google::protobuf::Message& message);
// Accepts both forms; another messageType is an error that names both.
absl::Status read_proto(const Payload& payload, google::protobuf::Message& message);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_CONVERTER_PAYLOAD_H_
