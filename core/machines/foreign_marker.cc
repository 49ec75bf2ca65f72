#include "core/machines/foreign_marker.h"

#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace chimera::core {
namespace {

using nlohmann::json;
using Marker = api::history::v1::MarkerRecordedEventAttributes;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

const api::common::v1::Payload* detail(const Marker& marker, const char* name) {
  const auto found = marker.details().find(name);
  if (found == marker.details().end() || found->second.payloads().empty()) return nullptr;
  return &found->second.payloads(0);
}

json parsed(const Marker& marker, const char* name) {
  const auto* payload = detail(marker, name);
  return payload ? json::parse(payload->data(), nullptr, /*allow_exceptions=*/false) : json();
}

std::string text(const json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

const json& member(const json& object, const char* name) {
  static const json none;
  if (!object.is_object()) return none;
  const auto found = object.find(name);
  return found == object.end() ? none : *found;
}

void take_outcome(const Marker& marker, const char* result, LocalMarker& read) {
  if (marker.has_failure()) {
    read.failure = std::make_shared<api::failure::v1::Failure>(marker.failure());
  } else if (const auto* payload = detail(marker, result)) {
    read.result = std::make_shared<api::common::v1::Payload>(*payload);
  }
}

std::optional<base::WallTime> go_time(const json& value) {
  absl::Time time;
  std::string error;
  if (!value.is_string() ||
      !absl::ParseTime(absl::RFC3339_full, value.get<std::string>(), &time, &error))
    return std::nullopt;
  return base::WallTime(nanoseconds(absl::ToUnixNanos(time)));
}

std::optional<base::WallTime> java_time(const json& value) {
  if (!value.is_number()) return std::nullopt;
  return base::WallTime(milliseconds(value.get<std::int64_t>()));
}

// A Duration of Jackson's: seconds with a fraction, or "PT1M30S".
std::optional<nanoseconds> java_span(const json& value) {
  if (value.is_number())
    return std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(value));
  std::string iso = text(value);
  if (iso.size() < 3 || iso.compare(0, 2, "PT") != 0) return std::nullopt;
  for (char& c : iso) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  absl::Duration span;  // "1m30s", as absl has it.
  if (!absl::ParseDuration(iso.substr(2), &span)) return std::nullopt;
  return absl::ToChronoNanoseconds(span);
}

}  // namespace

std::optional<LocalMarker> read_go_local_marker(const Marker& marker) {
  const json data = parsed(marker, "data");
  if (!data.is_object()) return std::nullopt;
  LocalMarker read;
  read.activity_id = text(member(data, "ActivityID"));
  read.activity_type = text(member(data, "ActivityType"));
  read.complete_time = go_time(member(data, "ReplayTime"));
  if (const json& attempt = member(data, "Attempt"); attempt.is_number_unsigned())
    read.attempt = attempt.get<std::uint32_t>();
  // In nanoseconds; 0 and -1: it is not tried again.
  if (const json& backoff = member(data, "Backoff");
      backoff.is_number_integer() && backoff.get<std::int64_t>() > 0)
    read.backoff = nanoseconds(backoff.get<std::int64_t>());
  take_outcome(marker, "result", read);
  return read;
}

std::optional<LocalMarker> read_java_local_marker(const Marker& marker) {
  LocalMarker read;
  read.activity_id = text(parsed(marker, "activityId"));
  if (read.activity_id.empty()) return std::nullopt;
  read.activity_type = text(parsed(marker, "type"));
  read.complete_time = java_time(parsed(marker, "time"));
  const json meta = parsed(marker, "meta");
  read.original_schedule_time = java_time(member(meta, "firstSkd"));
  if (const json& attempt = member(meta, "atpt"); attempt.is_number_unsigned())
    read.attempt = attempt.get<std::uint32_t>();
  if (const auto backoff = java_span(member(meta, "backoff")); backoff && backoff->count() > 0)
    read.backoff = backoff;
  // "data" in older ones.
  take_outcome(marker, detail(marker, "result") ? "result" : "data", read);
  return read;
}

}  // namespace chimera::core
