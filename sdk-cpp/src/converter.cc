// The out-of-line half of chimera/converter.h and chimera/json.h: JSON text, paths in errors, the
// calendar.
#include "chimera/converter.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"

#include "chimera/definition.h"
#include "core/converter/json.h"
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

// A JsonNode is one pointer; the public header keeps it as such.
static_assert(sizeof(core::JsonNode) == sizeof(const void*));
core::JsonNode node(const void* pointer) {
  core::JsonNode out = *reinterpret_cast<core::JsonNode*>(&pointer);
  return out;
}
const void* pointer(core::JsonNode node) { return *reinterpret_cast<const void**>(&node); }

}  // namespace

// The writer's text is core's; this one only carries whether a comma is due.
#define CHIMERA_FORWARD(call)     \
  core::JsonWriter writer(*out_); \
  writer.set_first(first_);       \
  writer.call;                    \
  first_ = writer.first()
void JsonWriter::begin_object() { CHIMERA_FORWARD(begin_object()); }
void JsonWriter::key(std::string_view name) { CHIMERA_FORWARD(key(name)); }
void JsonWriter::end_object() { CHIMERA_FORWARD(end_object()); }
void JsonWriter::begin_array() { CHIMERA_FORWARD(begin_array()); }
void JsonWriter::end_array() { CHIMERA_FORWARD(end_array()); }
void JsonWriter::null() { CHIMERA_FORWARD(null()); }
void JsonWriter::boolean(bool value) { CHIMERA_FORWARD(boolean(value)); }
void JsonWriter::integer(std::int64_t value) { CHIMERA_FORWARD(integer(value)); }
void JsonWriter::unsigned_integer(std::uint64_t value) { CHIMERA_FORWARD(unsigned_integer(value)); }
void JsonWriter::number(double value) { CHIMERA_FORWARD(number(value)); }
void JsonWriter::string(std::string_view value) { CHIMERA_FORWARD(string(value)); }
#undef CHIMERA_FORWARD

struct JsonText::State {
  core::JsonDocument document;
};

JsonText::JsonText(std::string_view text) {
  auto document = core::JsonDocument::parse(text);
  if (!document.ok()) throw ConversionError(std::string(document.status().message()));
  state_ = std::make_unique<State>(State{*std::move(document)});
}
JsonText::~JsonText() = default;
JsonReader JsonText::root() const { return JsonReader(pointer(state_->document.root()), nullptr); }

std::string JsonReader::path() const {
  if (parent_ == nullptr) return "";
  const std::string above = parent_->path();
  if (key_.data() == nullptr) return absl::StrCat(above, "[", index_, "]");
  return absl::StrCat(above, above.empty() ? "" : ".", std::string(key_));
}

void JsonReader::fail(std::string_view expected) const {
  const std::string where = path();
  throw ConversionError(absl::StrCat(where, where.empty() ? "" : ": ", "expected ",
                                     std::string(expected), ", got ", node(node_).preview()));
}

bool JsonReader::is_null() const { return node(node_).kind() == core::JsonKind::kNull; }
bool JsonReader::is_string() const { return node(node_).kind() == core::JsonKind::kString; }

bool JsonReader::boolean() const {
  if (node(node_).kind() != core::JsonKind::kBoolean) fail("true or false");
  return node(node_).boolean();
}

std::int64_t JsonReader::integer(std::int64_t min, std::int64_t max) const {
  const core::JsonNode value = node(node_);
  std::int64_t number = 0;
  if (value.kind() == core::JsonKind::kInteger) {
    number = value.integer();
  } else if (value.kind() == core::JsonKind::kUnsigned) {
    if (value.unsigned_integer() > static_cast<std::uint64_t>(max))
      fail(absl::StrCat("at most ", max));
    number = static_cast<std::int64_t>(value.unsigned_integer());
  } else if (value.kind() == core::JsonKind::kNumber && value.number() >= -9e15 &&
             value.number() <= 9e15 &&
             value.number() == static_cast<double>(static_cast<std::int64_t>(value.number()))) {
    number = static_cast<std::int64_t>(value.number());  // 3.0, as other languages may write it.
  } else {
    fail("integer");
  }
  if (number < min || number > max) fail(absl::StrCat("an integer from ", min, " to ", max));
  return number;
}

std::uint64_t JsonReader::unsigned_integer(std::uint64_t max) const {
  const core::JsonNode value = node(node_);
  if (value.kind() == core::JsonKind::kUnsigned) {
    if (value.unsigned_integer() > max) fail(absl::StrCat("an integer up to ", max));
    return value.unsigned_integer();
  }
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  const auto most =
      max > static_cast<std::uint64_t>(kMost) ? kMost : static_cast<std::int64_t>(max);
  return static_cast<std::uint64_t>(integer(0, most));
}

double JsonReader::number() const {
  const core::JsonKind kind = node(node_).kind();
  if (kind != core::JsonKind::kNumber && kind != core::JsonKind::kInteger &&
      kind != core::JsonKind::kUnsigned) {
    fail("number");
  }
  return node(node_).number();
}

std::string_view JsonReader::string() const {
  if (!is_string()) fail("string");
  return node(node_).string();
}

std::size_t JsonReader::array_size() const {
  if (node(node_).kind() != core::JsonKind::kArray) fail("array");
  return node(node_).size();
}

JsonReader JsonReader::element(std::size_t index) const {
  JsonReader child(pointer(node(node_).at(index)), this);
  child.index_ = index;
  return child;
}

void JsonReader::object(Visit visit, void* context) const {
  if (node(node_).kind() != core::JsonKind::kObject) fail("object");
  node(node_).for_each([&](std::string_view key, core::JsonNode value) {
    JsonReader child(pointer(value), this);
    child.key_ = key;
    visit(context, key, child);
    return true;
  });
}

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
  return std::chrono::nanoseconds(absl::ToUnixNanos(time));
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
