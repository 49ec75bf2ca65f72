// The out-of-line half of chimera/converter.h: arguments, payloads, the calendar.
#include "chimera/converter.h"

#include <charconv>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

#include "chimera/definition.h"
#include "core/converter/payload.h"
#include "sdk-cpp/src/payload_access.h"

namespace chimera {
namespace {

using api::common::v1::Payloads;
using ProtoPayload = api::common::v1::Payload;

ProtoPayload& proto(void* payload) { return *static_cast<ProtoPayload*>(payload); }
const ProtoPayload& proto(const void* payload) {
  return *static_cast<const ProtoPayload*>(payload);
}

}  // namespace

namespace detail {

// datetime.isoformat(): microseconds, left out when zero, and the offset.
std::string time_to_text(std::chrono::nanoseconds since_epoch) {
  const absl::Time time = absl::FromUnixNanos(since_epoch.count());
  const std::int64_t micros = absl::ToUnixMicros(time) - absl::ToUnixSeconds(time) * 1'000'000;
  std::string text = absl::FormatTime("%Y-%m-%dT%H:%M:%S", time, absl::UTCTimeZone());
  if (micros != 0) absl::StrAppendFormat(&text, ".%06d", micros);
  return text + "+00:00";
}

std::chrono::nanoseconds time_from_text(const JsonReader& reader) {
  const std::string text(reader.string());
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error) &&
      !absl::ParseTime("%Y-%m-%dT%H:%M:%E*S", text, absl::UTCTimeZone(), &time, &error)) {
    reader.fail("a time such as 2026-01-31T09:00:00+00:00");
  }
  using Nanos = std::chrono::nanoseconds;
  if (time < absl::FromUnixNanos(Nanos::min().count()) ||
      time > absl::FromUnixNanos(Nanos::max().count())) {
    reader.fail("a time between the years 1678 and 2262");
  }
  return Nanos(absl::ToUnixNanos(time));
}

std::int64_t key_integer(std::string_view key, const JsonReader& value) {
  std::int64_t number = 0;
  const auto end = std::from_chars(key.data(), key.data() + key.size(), number);
  if (end.ec != std::errc() || end.ptr != key.data() + key.size()) value.fail("an integer as key");
  return number;
}

void read_members(const JsonReader& in, std::span<const MemberIn> members) {
  in.object(
      [](void* context, std::string_view key, const JsonReader& value) {
        for (const MemberIn& member : *static_cast<std::span<const MemberIn>*>(context)) {
          if (member.name == key) return member.read(value, member.value);
        }
      },
      &members);
}

void read_bytes(const PayloadSource& in, std::vector<std::byte>& value) {
  if (in.encoding() != "binary/plain")
    throw ConversionError("expected bytes, got " + in.describe());
  const std::string_view data = in.data();
  value.resize(data.size());
  if (!data.empty()) std::memcpy(value.data(), data.data(), data.size());
}

void check_argument_count(const PayloadList& arguments, std::size_t least, std::size_t most) {
  std::size_t count = arguments.size();
  while (count > most && arguments[count - 1].encoding() == "binary/null") --count;
  if (count >= least && count <= most) return;
  throw ConversionError(absl::StrCat("expected ", least == most ? "" : absl::StrCat(least, " to "),
                                     most, most == 1 ? " argument" : " arguments", ", got ",
                                     arguments.size()));
}

void argument_failed(std::size_t index, const ConversionError& error) {
  throw ConversionError(absl::StrCat("argument ", index + 1, ": ", error.what()));
}

void argument_changes_sign(std::size_t number, const std::string& value) {
  throw std::invalid_argument(
      absl::StrCat("argument ", number, ": ", value, " is not a number of its parameter's type"));
}

template <>
DynamicArguments decode_arguments<DynamicArguments>(const PayloadList& arguments) {
  DynamicArguments values;
  decode_argument(arguments, 0, std::get<0>(values));
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    std::get<1>(values).push_back(arguments[i].get());
  }
  return values;
}

}  // namespace detail

void PayloadSink::set_null() { core::set_encoding(proto(payload_), core::kEncodingNull); }
void PayloadSink::set_bytes(std::string_view bytes) {
  core::set_encoding(proto(payload_), core::kEncodingBytes);
  proto(payload_).set_data(bytes.data(), bytes.size());
}
void PayloadSink::set(const Payload& payload) {
  for (const auto& [key, value] : payload.metadata)
    (*proto(payload_).mutable_metadata())[key] = value;
  proto(payload_).set_data(payload.data);
}
void PayloadSink::set_message(const google::protobuf::Message& message) {
  auto payload = core::proto_json_payload(message);
  if (!payload.ok()) throw ConversionError(std::string(payload.status().message()));
  proto(payload_) = *std::move(payload);
}
std::string& PayloadSink::json() {
  core::set_encoding(proto(payload_), core::kEncodingJson);
  return *proto(payload_).mutable_data();
}

std::string_view PayloadSource::encoding() const { return core::encoding_of(proto(payload_)); }
std::string_view PayloadSource::data() const { return proto(payload_).data(); }
Payload PayloadSource::get() const { return sdk::to_public(proto(payload_)); }
void PayloadSource::get_message(google::protobuf::Message& message) const {
  const absl::Status status = core::read_proto(proto(payload_), message);
  if (!status.ok()) throw ConversionError(std::string(status.message()));
}
std::string PayloadSource::describe() const { return core::describe(proto(payload_)); }

std::size_t PayloadList::size() const {
  if (payloads_ == nullptr) return 0;
  return static_cast<std::size_t>(static_cast<const Payloads*>(payloads_)->payloads_size());
}
PayloadSource PayloadList::operator[](std::size_t index) const {
  return PayloadSource(&static_cast<const Payloads*>(payloads_)->payloads(static_cast<int>(index)));
}

Payload finish_payload(void (*encode_into)(const void*, PayloadSink&), const void* value) {
  ProtoPayload payload;
  PayloadSink sink(&payload);
  encode_into(value, sink);
  return sdk::to_public(payload);
}

void open_payload(const Payload& payload, void (*decode_from)(const PayloadSource&, void*),
                  void* value) {
  const ProtoPayload copy = sdk::to_proto(payload);
  decode_from(PayloadSource(&copy), value);
}

}  // namespace chimera
