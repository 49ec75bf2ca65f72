#include "server/schedule/spec.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "server/schedule/canonical.h"
#include "server/schedule/fingerprint.h"

namespace chimera::server::schedule {
namespace {

namespace api = ::temporal::api::schedule::v1;

constexpr std::int64_t kSecondNanos = 1'000'000'000;
// Times in a row that exclusions leave out, each of which ends a stretch of them.
constexpr int kSearchMax = 20'000;

absl::Status wrong(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("Invalid schedule spec: ", what));
}

// As Go finds zones, which knows fewer names than absl does.
absl::StatusOr<Zone> load_zone(const std::string& name) {
  absl::TimeZone zone = absl::UTCTimeZone();
  if (name.empty() || name == "UTC") return Zone(zone);
  if (name == "Local") return Zone(absl::LocalTimeZone());
  if (absl::StrContains(name, "..") || name[0] == '/' || name[0] == '\\')
    return absl::InvalidArgumentError("time: invalid location name");
  const bool of_absl = name[0] == ':' || absl::StartsWith(name, "Fixed/") ||
                       absl::StartsWith(name, "libc:") || name == "localtime";
  if (of_absl || name.find('\0') != std::string::npos || !absl::LoadTimeZone(name, &zone))
    return absl::InvalidArgumentError(absl::StrCat("unknown time zone ", name));
  return Zone(zone);
}

std::int64_t floor_seconds(WallTime time) {
  return std::chrono::floor<seconds>(time).time_since_epoch().count();
}

// What is wrong with it, in the words of Go's protobuf; empty: nothing.
std::string problem_of(const google::protobuf::Duration& duration) {
  constexpr std::int64_t kSecondsMax = 315'576'000'000;  // The format's: 10,000 years.
  const std::int64_t whole = duration.seconds(), nanos = duration.nanos();
  const char* problem = nullptr;
  if (whole < -kSecondsMax) problem = "exceeds -10000 years";
  if (whole > kSecondsMax) problem = "exceeds +10000 years";
  if (problem == nullptr && (nanos <= -kSecondNanos || nanos >= kSecondNanos))
    problem = "has out-of-range nanos";
  if (problem == nullptr && ((whole > 0 && nanos < 0) || (whole < 0 && nanos > 0)))
    problem = "has seconds and nanos with different signs";
  if (problem == nullptr) return "";
  std::vector<std::string> fields;
  if (whole != 0) fields.push_back(absl::StrCat("seconds:", whole));
  if (nanos != 0) fields.push_back(absl::StrCat("nanos:", nanos));
  return absl::StrCat("proto: duration (", absl::StrJoin(fields, " "), ") ", problem);
}

}  // namespace

absl::StatusOr<Spec> Spec::compile(const api::ScheduleSpec& spec) {
  for (const auto& interval : spec.interval()) {
    for (const auto* duration : {&interval.interval(), &interval.phase()}) {
      const std::string problem = problem_of(*duration);
      if (problem.empty()) continue;
      return wrong(absl::StrCat(duration == &interval.phase() ? "phase" : "interval",
                                " is not a valid duration: ", problem));
    }
  }
  absl::StatusOr<api::ScheduleSpec> canonical = canonical_form(spec);
  if (!canonical.ok()) return wrong(canonical.status().message());
  const std::string& data = canonical->timezone_data();
  const absl::StatusOr<Zone> zone =
      data.empty() ? load_zone(canonical->timezone_name()) : Zone::of_data(data);
  if (!zone.ok()) return wrong(zone.status().message());
  Spec result;
  result.canonical_ = *std::move(canonical);
  for (const auto& calendar : result.canonical_.structured_calendar())
    result.calendars_.emplace_back(calendar, *zone);
  for (const auto& calendar : result.canonical_.exclude_structured_calendar())
    result.exclusions_.emplace_back(calendar, *zone);
  for (const auto& interval : result.canonical_.interval()) {
    result.intervals_.push_back({saturated(interval.interval()) / kSecondNanos,
                                 saturated(interval.phase()) / kSecondNanos});
  }
  constexpr std::int64_t kMillisecondNanos = 1'000'000;
  result.jitter_ms_ =
      std::clamp<std::int64_t>(saturated(result.canonical_.jitter()) / kMillisecondNanos, 0,
                               std::numeric_limits<std::uint32_t>::max());
  return result;
}

std::optional<std::int64_t> Spec::raw_next(std::int64_t after) const {
  std::optional<std::int64_t> first;
  const auto consider = [&first](std::int64_t time) {
    if (!first || time < *first) first = time;
  };
  for (const Calendar& calendar : calendars_) {
    if (const auto time = calendar.next(after)) consider(*time);
  }
  for (const Interval& each : intervals_)
    consider(((after - each.phase) / each.length + 1) * each.length + each.phase);
  return first;
}

std::optional<std::int64_t> Spec::left_out_until(std::int64_t time) const {
  std::optional<std::int64_t> end;
  for (const Calendar& each : exclusions_) {
    if (each.matches(time)) end = std::max(end.value_or(time), each.end_of_match(time));
  }
  return end;
}

Due Spec::next(absl::string_view seed, WallTime after_time, bool* gave_up) const {
  // Before the start: right before it, which may be due itself.
  std::int64_t after = std::max(
      floor_seconds(after_time),
      canonical_.has_start_time() ? floor_seconds(to_wall(canonical_.start_time())) - 1 : -1);
  const WallTime end = canonical_.has_end_time() ? to_wall(canonical_.end_time()) : kNever;
  static const std::int64_t too_late =
      absl::ToUnixSeconds(absl::FromCivil(absl::CivilYear(kLastYear + 1), absl::UTCTimeZone()));
  for (int searched = 0; searched < kSearchMax; ++searched) {
    const std::optional<std::int64_t> found = raw_next(after);
    if (!found || *found >= too_late) return {};
    const WallTime nominal{Nanos{*found * kSecondNanos}};
    if (nominal > end) return {};
    if (const auto until = left_out_until(*found)) {
      after = *until - 1;
      continue;
    }
    std::int64_t jitter = jitter_ms_;
    if (jitter > 0) {
      if (const auto following = raw_next(*found))
        jitter = std::min(jitter, std::min((*following - *found), jitter) * 1000);
    }
    const std::uint64_t share = std::uint64_t{fingerprint_of(*found, seed)} *
                                static_cast<std::uint64_t>(std::max<std::int64_t>(jitter, 0));
    return {nominal, nominal + milliseconds(share >> 32)};
  }
  if (gave_up != nullptr) *gave_up = true;
  return {};
}

}  // namespace chimera::server::schedule
