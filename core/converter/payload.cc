#include "core/converter/payload.h"

#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"

namespace chimera::core {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

Payload with_encoding(std::string_view encoding, std::string data) {
  Payload payload;
  set_encoding(payload, encoding);
  payload.set_data(std::move(data));
  return payload;
}

// Floors, so that nanos is never negative (google.protobuf.Timestamp asks for it).
std::pair<std::int64_t, std::int32_t> split(std::int64_t nanos) {
  std::int64_t seconds = nanos / kNanosPerSecond;
  std::int64_t rest = nanos % kNanosPerSecond;
  if (rest < 0) {
    rest += kNanosPerSecond;
    --seconds;
  }
  return {seconds, static_cast<std::int32_t>(rest)};
}

std::int64_t join(std::int64_t seconds, std::int32_t nanos) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max() / kNanosPerSecond - 1;
  if (seconds > kMax) return std::numeric_limits<std::int64_t>::max();
  if (seconds < -kMax) return std::numeric_limits<std::int64_t>::min();
  return seconds * kNanosPerSecond + nanos;
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

std::string describe(const Payload& payload) {
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

void set_duration(google::protobuf::Duration& proto, std::chrono::nanoseconds value) {
  proto.set_seconds(value.count() / kNanosPerSecond);
  proto.set_nanos(static_cast<std::int32_t>(value.count() % kNanosPerSecond));
}

std::chrono::nanoseconds to_nanoseconds(const google::protobuf::Duration& proto) {
  return std::chrono::nanoseconds(join(proto.seconds(), proto.nanos()));
}

void set_timestamp(google::protobuf::Timestamp& proto, base::WallTime value) {
  const auto [seconds, nanos] = split(value.time_since_epoch().count());
  proto.set_seconds(seconds);
  proto.set_nanos(nanos);
}

base::WallTime to_wall_time(const google::protobuf::Timestamp& proto) {
  return base::WallTime(std::chrono::nanoseconds(join(proto.seconds(), proto.nanos())));
}

}  // namespace chimera::core
