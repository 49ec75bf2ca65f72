#include "core/machines/local_marker.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

#include "core/base/proto_time.h"

namespace chimera::core {
namespace {

using nlohmann::json;

constexpr char kData[] = "data";
constexpr char kResult[] = "result";

template <class T>
std::optional<T> number(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<T>();
}

std::string text(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<std::chrono::nanoseconds> span(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_object()) return std::nullopt;
  return std::chrono::seconds(number<std::int64_t>(*found, "seconds").value_or(0)) +
         std::chrono::nanoseconds(number<std::int64_t>(*found, "nanos").value_or(0));
}

std::optional<base::WallTime> time(const json& object, const char* name) {
  const auto since_epoch = span(object, name);
  return since_epoch ? std::optional(base::WallTime(*since_epoch)) : std::nullopt;
}

void append(std::string& out, const std::string& value) {
  const bool plain = std::all_of(value.begin(), value.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
  });
  if (plain) {
    absl::StrAppend(&out, "\"", value, "\"");
  } else {
    out += json(value).dump(-1, ' ', false, json::error_handler_t::replace);
  }
}

void append(std::string& out, std::uint32_t value) { absl::StrAppend(&out, value); }

void append(std::string& out, std::chrono::nanoseconds span) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(span);
  absl::StrAppend(&out, "{\"seconds\":", seconds.count(), ",\"nanos\":", (span - seconds).count(),
                  "}");
}

void append(std::string& out, base::WallTime time) { append(out, time.time_since_epoch()); }

template <class T>
void append(std::string& out, const std::optional<T>& value) {
  if (value) {
    append(out, *value);
  } else {
    out += "null";
  }
}

}  // namespace

bool is_local_marker(const api::history::v1::MarkerRecordedEventAttributes& marker) {
  return marker.marker_name() == kLocalActivityMarker;
}

std::optional<LocalMarker> read_local_marker(
    const api::history::v1::MarkerRecordedEventAttributes& marker) {
  const auto data = marker.details().find(kData);
  if (data == marker.details().end() || data->second.payloads().empty()) return std::nullopt;
  const json object =
      json::parse(data->second.payloads(0).data(), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return std::nullopt;
  const auto seq = number<std::uint32_t>(object, "seq");
  if (!seq) return std::nullopt;
  LocalMarker read;
  read.seq = *seq;
  read.attempt = number<std::uint32_t>(object, "attempt").value_or(0);
  read.activity_id = text(object, "activity_id");
  read.activity_type = text(object, "activity_type");
  read.complete_time = time(object, "complete_time");
  read.backoff = span(object, "backoff");
  read.original_schedule_time = time(object, "original_schedule_time");
  read.activation_index = number<std::uint32_t>(object, "activation_index");
  if (marker.has_failure()) {
    read.failure = std::make_shared<api::failure::v1::Failure>(marker.failure());
  } else if (const auto result = marker.details().find(kResult);
             result != marker.details().end() && !result->second.payloads().empty()) {
    read.result = std::make_shared<api::common::v1::Payload>(result->second.payloads(0));
  }
  return read;
}

// Keys in the official order: people compare histories as text.
void write_local_marker(const LocalMarker& marker,
                        api::command::v1::RecordMarkerCommandAttributes& attributes) {
  attributes.set_marker_name(kLocalActivityMarker);
  auto& details = *attributes.mutable_details();
  auto& data = *details[kData].add_payloads();
  (*data.mutable_metadata())["encoding"] = "json/plain";
  std::string& text = *data.mutable_data();
  constexpr std::size_t kUsual = 256;
  text.reserve(kUsual + marker.activity_id.size() + marker.activity_type.size());
  const auto field = [&text](const char* before, const auto& value) {
    text += before;
    append(text, value);
  };
  field("{\"seq\":", marker.seq);
  field(",\"attempt\":", marker.attempt);
  field(",\"activity_id\":", marker.activity_id);
  field(",\"activity_type\":", marker.activity_type);
  field(",\"complete_time\":", marker.complete_time);
  field(",\"backoff\":", marker.backoff);
  field(",\"original_schedule_time\":", marker.original_schedule_time);
  field(",\"activation_index\":", marker.activation_index);
  text += '}';
  if (marker.result) *details[kResult].add_payloads() = *marker.result;
  if (marker.failure) *attributes.mutable_failure() = *marker.failure;
}

}  // namespace chimera::core
