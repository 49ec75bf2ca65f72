#include "core/converter/payload.h"

#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"

namespace chimera::core {
namespace {

Payload with_encoding(std::string_view encoding, std::string data) {
  Payload payload;
  set_encoding(payload, encoding);
  payload.set_data(std::move(data));
  return payload;
}

}  // namespace

std::string_view encoding_of(const Payload& payload) {
  const auto found = payload.metadata().find(std::string(kEncoding));
  return found == payload.metadata().end() ? std::string_view() : std::string_view(found->second);
}

void set_encoding(Payload& payload, std::string_view encoding) {
  (*payload.mutable_metadata())[std::string(kEncoding)] = std::string(encoding);
}

Payload null_payload() { return with_encoding(kEncodingNull, ""); }
Payload bytes_payload(std::string data) { return with_encoding(kEncodingBytes, std::move(data)); }
Payload json_payload(std::string json) { return with_encoding(kEncodingJson, std::move(json)); }

bool is_reference(const Payload& payload) {
  static const auto* const mark = new std::string(kEncodedReferenceMark);
  const auto& metadata = payload.metadata();
  const std::string_view encoding = encoding_of(payload);
  if (encoding == kEncodingProtoJson) {
    const auto type = metadata.find(std::string(kMessageType));
    return type != metadata.end() && type->second == "temporal.api.sdk.v1.ExternalStorageReference";
  }
  if (encoding == kOldReferenceEncoding) return true;
  const auto found = metadata.find(*mark);
  return found != metadata.end() && found->second == "true";
}

std::string describe(const Payload& payload) {
  if (is_reference(payload)) return "external storage, which is not configured here [TMPRL1105]";
  const std::string encoding(encoding_of(payload));
  return absl::StrCat(encoding.empty() ? "no encoding" : encoding, ", ", payload.data().size(),
                      " bytes");
}

absl::StatusOr<Payload> proto_json_payload(const google::protobuf::Message& message) {
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json);
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("message ", message.GetTypeName(),
                     " cannot be written as JSON: ", std::string(status.message())));
  }
  Payload payload = with_encoding(kEncodingProtoJson, std::move(json));
  (*payload.mutable_metadata())[std::string(kMessageType)] = message.GetTypeName();
  return payload;
}

Payload proto_binary_payload(const google::protobuf::Message& message) {
  Payload payload = with_encoding(kEncodingProto, message.SerializeAsString());
  (*payload.mutable_metadata())[std::string(kMessageType)] = message.GetTypeName();
  return payload;
}

absl::Status read_proto(const Payload& payload, google::protobuf::Message& message) {
  const auto type = payload.metadata().find(std::string(kMessageType));
  if (type != payload.metadata().end() && type->second != message.GetTypeName()) {
    if (is_reference(payload))
      return absl::InvalidArgumentError(
          absl::StrCat("expected message ", message.GetTypeName(), ", got ", describe(payload)));
    return absl::InvalidArgumentError(
        absl::StrCat("expected message ", message.GetTypeName(), ", got ", type->second));
  }
  const std::string_view encoding = encoding_of(payload);
  if (encoding == kEncodingProto) {
    if (message.ParseFromString(payload.data())) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("data is not a valid message ", message.GetTypeName()));
  }
  if (encoding != kEncodingProtoJson) {
    return absl::InvalidArgumentError(absl::StrCat("expected message ", message.GetTypeName(),
                                                   ", got a payload of ", describe(payload)));
  }
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto status =
      google::protobuf::util::JsonStringToMessage(payload.data(), &message, options);
  if (status.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "data is not JSON of message ", message.GetTypeName(), ": ", std::string(status.message())));
}

}  // namespace chimera::core
