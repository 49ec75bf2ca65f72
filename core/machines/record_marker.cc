#include "core/machines/record_marker.h"

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

#include "core/converter/payload.h"

namespace chimera::core {
namespace {

using nlohmann::json;
using Marker = api::history::v1::MarkerRecordedEventAttributes;
using Kind = Recorded::Kind;

// Details of the Go SDK; Java has other names for three.
constexpr char kChangeId[] = "change-id", kJavaChangeId[] = "changeId";
constexpr char kVersion[] = "version";
constexpr char kListed[] = "version-search-attribute-updated";
constexpr char kSideEffectId[] = "side-effect-id", kJavaId[] = "id";
constexpr char kData[] = "data";
constexpr char kCall[] = "mutable-side-effect-call-counter", kJavaSkipped[] = "skipCount";

const Payload* detail(const Marker& marker, const char* name, int at = 0) {
  const auto found = marker.details().find(name);
  if (found == marker.details().end() || found->second.payloads_size() <= at) return nullptr;
  return &found->second.payloads(at);
}

std::optional<std::string> text(const Payload* payload) {
  if (payload == nullptr) return std::nullopt;
  const auto value = json::parse(payload->data(), nullptr, /*allow_exceptions=*/false);
  return value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
}

std::optional<std::int64_t> number(const Payload* payload) {
  if (payload == nullptr) return std::nullopt;
  const auto value = json::parse(payload->data(), nullptr, /*allow_exceptions=*/false);
  return value.is_number_integer() ? std::optional(value.get<std::int64_t>()) : std::nullopt;
}

Payload value_of(const Payload* payload) { return payload ? *payload : null_payload(); }

std::optional<Recorded> read_version(const Marker& marker) {
  auto id = text(detail(marker, kChangeId));
  if (!id) id = text(detail(marker, kJavaChangeId));
  const auto version = number(detail(marker, kVersion));
  if (!id || !version) return std::nullopt;
  return Recorded{Kind::kVersion, *std::move(id), *version};
}

// Go wraps the value, so that the id can stand beside it: "ms" and a Payloads message.
std::optional<Recorded> read_go_mutable(const Marker& marker) {
  auto id = text(detail(marker, kData));
  const Payload* wrapped = detail(marker, kData, 1);
  Payloads values;
  if (!id || wrapped == nullptr || !read_proto(*wrapped, values).ok()) return std::nullopt;
  return Recorded{Kind::kMutableSideEffect, *std::move(id),
                  number(detail(marker, kCall)).value_or(0),
                  value_of(values.payloads().empty() ? nullptr : &values.payloads(0))};
}

Payload json_of(const json& value) {
  return json_payload(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace

bool is_record_marker(const Marker& marker) {
  const std::string& name = marker.marker_name();
  return name == kVersionMarker || name == kSideEffectMarker || name == kMutableSideEffectMarker;
}

std::optional<Recorded> RecordMarkerReader::read(const Marker& marker) {
  if (marker.marker_name() == kVersionMarker) return read_version(marker);
  if (marker.marker_name() == kSideEffectMarker) {
    side_effects_ = number(detail(marker, kSideEffectId)).value_or(side_effects_ + 1);
    return Recorded{Kind::kSideEffect, "", side_effects_, value_of(detail(marker, kData))};
  }
  if (marker.marker_name() != kMutableSideEffectMarker) return std::nullopt;
  std::optional<Recorded> read;
  if (detail(marker, kSideEffectId)) {
    read = read_go_mutable(marker);
  } else if (auto id = text(detail(marker, kJavaId))) {
    // The calls since the last marker that recorded nothing.
    const std::int64_t skipped = number(detail(marker, kJavaSkipped)).value_or(0);
    const std::int64_t call = calls_[*id] + skipped + 1;
    read =
        Recorded{Kind::kMutableSideEffect, *std::move(id), call, value_of(detail(marker, kData))};
  }
  if (read && read->number > 0) calls_[read->id] = read->number;
  return read;
}

void write_record_marker(const Recorded& recorded, std::int64_t event_id, bool listed,
                         api::command::v1::RecordMarkerCommandAttributes& attributes) {
  auto& details = *attributes.mutable_details();
  const auto add = [&](const char* name, Payload payload) {
    *details[name].add_payloads() = std::move(payload);
  };
  switch (recorded.kind) {
    case Kind::kVersion:
      attributes.set_marker_name(kVersionMarker);
      add(kChangeId, json_of(recorded.id));
      add(kVersion, json_of(recorded.number));
      if (!listed) add(kListed, json_of(false));
      return;
    case Kind::kSideEffect:
      attributes.set_marker_name(kSideEffectMarker);
      add(kSideEffectId, json_of(recorded.number));
      add(kData, recorded.value);
      return;
    case Kind::kMutableSideEffect: {
      attributes.set_marker_name(kMutableSideEffectMarker);
      add(kSideEffectId, json_of(absl::StrCat(recorded.id, "_", event_id)));
      add(kData, json_of(recorded.id));
      Payloads values;
      *values.add_payloads() = recorded.value;
      auto wrapped = proto_json_payload(values);
      add(kData, wrapped.ok() ? *std::move(wrapped) : proto_binary_payload(values));
      add(kCall, json_of(recorded.number));
      return;
    }
  }
}

std::string describe(const Recorded& recorded) {
  switch (recorded.kind) {
    case Kind::kVersion:
      return absl::StrCat("version ", recorded.number, " of change \"", recorded.id, "\"");
    case Kind::kSideEffect:
      return absl::StrCat("side effect ", recorded.number);
    case Kind::kMutableSideEffect:
      break;
  }
  return absl::StrCat("mutable side effect \"", recorded.id, "\", call ", recorded.number);
}

}  // namespace chimera::core
