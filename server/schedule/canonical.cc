#include "server/schedule/canonical.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "server/schedule/calendar.h"
#include "server/schedule/go_text.h"

namespace chimera::server::schedule {
namespace {

namespace api = ::temporal::api::schedule::v1;
using Ranges = google::protobuf::RepeatedPtrField<api::Range>;

constexpr std::size_t kCommentMax = 200;
constexpr char kConflict[] = "conflicting timezone names";

enum class Names { kNone, kMonths, kWeekdays };

struct Field {
  const char* name;
  int low, high;  // Of a text; a structured weekday ends at 6.
  const char* otherwise;
  Names names;
};
constexpr Field kSecond{"Second", 0, 59, "0", Names::kNone};
constexpr Field kMinute{"Minute", 0, 59, "0", Names::kNone};
constexpr Field kHour{"Hour", 0, 23, "0", Names::kNone};
constexpr Field kDayOfMonth{"DayOfMonth", 1, 31, "*", Names::kNone};
constexpr Field kMonth{"Month", 1, 12, "*", Names::kMonths};
constexpr Field kYear{"Year", kFirstYear, kLastYear, "*", Names::kNone};
constexpr Field kDayOfWeek{"DayOfWeek", 0, 7, "*", Names::kWeekdays};

absl::Status wrong(absl::string_view text) { return absl::InvalidArgumentError(text); }

std::string not_in_range(const Field& field, absl::string_view what, int low, int high) {
  return absl::StrCat(field.name, what, " not in range [", low, "-", high, "]");
}

template <std::size_t kCount>
std::optional<int> by_name(const std::array<const char*, kCount>& names, std::size_t shortest,
                           absl::string_view text) {
  if (text.size() < shortest) return std::nullopt;
  for (std::size_t i = 0; i < kCount; ++i) {
    if (absl::StartsWithIgnoreCase(names[i], text)) return static_cast<int>(i);
  }
  return std::nullopt;
}

// A number, or as much of a name as tells it from others.
std::optional<int> parse_value(const Field& field, absl::string_view text, int low, int high) {
  static constexpr std::array kMonths = {"january",   "february", "march",    "april",
                                         "may",       "june",     "july",     "august",
                                         "september", "october",  "november", "december"};
  static constexpr std::array kWeekdays = {"sunday",   "monday", "tuesday", "wednesday",
                                           "thursday", "friday", "saturday"};
  std::optional<int> value;
  if (field.names == Names::kMonths) {
    value = by_name(kMonths, 3, text);
    if (value) ++*value;
  }
  if (field.names == Names::kWeekdays) value = by_name(kWeekdays, 2, text);
  if (!value) {
    const absl::StatusOr<std::int64_t> number = go_atoi(text);
    if (!number.ok() || *number < low || *number > high) return std::nullopt;
    value = static_cast<int>(*number);
  }
  return *value < low || *value > high ? std::nullopt : value;
}

struct Part {
  int first, last;
  std::int64_t step = 1;
};

absl::StatusOr<Part> parse_part(const Field& field, absl::string_view text) {
  Part part{field.low, field.high};
  const std::vector<absl::string_view> halves = absl::StrSplit(text, '/');
  if (halves.size() > 2) return wrong(absl::StrCat(field.name, " has too many slashes"));
  if (halves.size() == 2) {
    if (halves[1].empty()) return wrong(absl::StrCat(field.name, " missing step value"));
    const absl::StatusOr<std::int64_t> step = go_atoi(halves[1]);
    if (!step.ok()) return step.status();
    if (*step < 1) return wrong(absl::StrCat(field.name, " has invalid Step"));
    part.step = *step;
  }
  if (halves[0] == "*") return part;
  const std::vector<absl::string_view> ends = absl::StrSplit(halves[0], '-');
  if (ends.size() > 2) return wrong(absl::StrCat(field.name, " has too many dashes"));
  const bool is_range = ends.size() == 2;
  const auto first = parse_value(field, ends[0], field.low, field.high);
  if (!first)
    return wrong(not_in_range(field, is_range ? " Start is" : " is", field.low, field.high));
  part.first = *first;
  if (is_range) {
    const auto last = parse_value(field, ends[1], part.first, field.high);
    if (!last) {
      return wrong(not_in_range(field, " End is before Start or", field.low, field.high));
    }
    part.last = *last;
  } else if (halves.size() == 1) {
    part.last = part.first;  // But "5/10" goes on to the end.
  }
  return part;
}

// Sunday is 0 and 7. What reaches 7 ends at 6, and has a 0 beside it unless it has one already.
bool fold_sunday(Part& part, Ranges& ranges) {
  if (part.last != 7) return true;
  const bool has_seven = (7 - part.first) % part.step == 0;
  if (has_seven && (part.step > 1 || part.first > 1)) {
    ranges.Add()->set_start(0);
    if (part.first == 7) return false;
  }
  part.last = 6;
  return true;
}

absl::Status parse_ranges(const Field& field, absl::string_view text, Ranges& ranges) {
  text = absl::StripAsciiWhitespace(text);
  if (text.empty()) text = field.otherwise;
  if (text == "*" && field.low == kYear.low) return absl::OkStatus();  // Every year: no range.
  for (absl::string_view each : absl::StrSplit(text, ',')) {
    absl::StatusOr<Part> part = parse_part(field, each);
    if (!part.ok()) return part.status();
    if (field.names == Names::kWeekdays && !fold_sunday(*part, ranges)) continue;
    api::Range& range = *ranges.Add();
    range.set_start(part->first);
    // What goes without saying is left out.
    if (part->last != part->first) range.set_end(part->last);
    if (part->step != 1) range.set_step(static_cast<std::int32_t>(part->step));
  }
  return absl::OkStatus();
}

absl::StatusOr<api::StructuredCalendarSpec> structured(const api::CalendarSpec& calendar) {
  api::StructuredCalendarSpec result;
  std::vector<std::string> problems;
  const auto parse = [&](const Field& field, const std::string& text, Ranges* ranges) {
    absl::Status status = parse_ranges(field, text, *ranges);
    if (!status.ok()) problems.emplace_back(status.message());
  };
  parse(kSecond, calendar.second(), result.mutable_second());
  parse(kMinute, calendar.minute(), result.mutable_minute());
  parse(kHour, calendar.hour(), result.mutable_hour());
  parse(kDayOfWeek, calendar.day_of_week(), result.mutable_day_of_week());
  parse(kDayOfMonth, calendar.day_of_month(), result.mutable_day_of_month());
  parse(kMonth, calendar.month(), result.mutable_month());
  parse(kYear, calendar.year(), result.mutable_year());
  result.set_comment(calendar.comment());
  if (!problems.empty()) return wrong(absl::StrJoin(problems, ", "));
  return result;
}

absl::Status parse_every(absl::string_view text, api::IntervalSpec& interval) {
  const std::size_t space = text.find(' ');
  if (space == absl::string_view::npos)
    return wrong("CronString does not have interval after @every");
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text.substr(space + 1), absl::MaxSplits('/', 1));
  const auto set = [](absl::string_view from, google::protobuf::Duration& to) {
    const absl::StatusOr<std::int64_t> nanos = go_duration(from);
    if (!nanos.ok()) return nanos.status();
    constexpr std::int64_t kSecondNanos = 1'000'000'000;
    to.set_seconds(*nanos / kSecondNanos);
    to.set_nanos(static_cast<std::int32_t>(*nanos % kSecondNanos));
    return absl::OkStatus();
  };
  if (absl::Status s = set(parts.first, *interval.mutable_interval()); !s.ok()) return s;
  return parts.second.empty() ? absl::OkStatus() : set(parts.second, *interval.mutable_phase());
}

absl::string_view predefined(absl::string_view text) {
  if (text == "@yearly" || text == "@annually") return "0 0 1 1 *";
  if (text == "@monthly") return "0 0 1 * *";
  if (text == "@weekly") return "0 0 * * 0";
  if (text == "@daily" || text == "@midnight") return "0 0 * * *";
  return text == "@hourly" ? "0 * * * *" : text;
}

// Adds the string's calendar or interval to the spec; `zone` is what it names.
absl::Status add_cron(absl::string_view text, api::ScheduleSpec& spec, std::string& zone) {
  text = absl::StripAsciiWhitespace(text);
  if (absl::StartsWith(text, "TZ=") || absl::StartsWith(text, "CRON_TZ=")) {
    const std::size_t space = text.find(' ');
    if (space == absl::string_view::npos)
      return wrong("CronString has time zone but missing fields");
    const std::size_t begin = text.find('=') + 1;
    zone = std::string(text.substr(begin, space - begin));
    text.remove_prefix(space + 1);
  }
  const std::pair<absl::string_view, absl::string_view> halves =
      absl::StrSplit(text, absl::MaxSplits('#', 1));
  text = absl::StripAsciiWhitespace(halves.first);
  if (absl::StartsWith(text, "@every")) {
    zone.clear();  // An interval has none.
    return parse_every(text, *spec.add_interval());
  }
  const std::vector<std::string> fields =
      absl::StrSplit(predefined(text), absl::ByAnyChar(" \t\n\v\f\r"), absl::SkipEmpty());
  if (fields.size() < 5 || fields.size() > 7) return wrong("CronString does not have 5-7 fields");
  api::CalendarSpec calendar;
  std::size_t next = 0;
  if (fields.size() == 7) calendar.set_second(fields[next++]);
  calendar.set_minute(fields[next++]);
  calendar.set_hour(fields[next++]);
  calendar.set_day_of_month(fields[next++]);
  calendar.set_month(fields[next++]);
  calendar.set_day_of_week(fields[next++]);
  if (fields.size() > 5) calendar.set_year(fields[next]);
  calendar.set_comment(std::string(absl::StripAsciiWhitespace(halves.second)));
  absl::StatusOr<api::StructuredCalendarSpec> parsed = structured(calendar);
  if (!parsed.ok()) return parsed.status();
  *spec.add_structured_calendar() = *std::move(parsed);
  return absl::OkStatus();
}

// All cron strings must agree on the zone, and with the spec.
absl::Status fold_cron_strings(api::ScheduleSpec& spec) {
  std::optional<std::string> agreed;
  for (const std::string& text : std::exchange(*spec.mutable_cron_string(), {})) {
    std::string zone;
    if (absl::Status status = add_cron(text, spec, zone); !status.ok()) return status;
    if (agreed && zone != *agreed) return wrong(kConflict);
    agreed = zone;
  }
  if (!agreed || agreed->empty()) return absl::OkStatus();
  const std::string& own = spec.timezone_name();
  if ((!own.empty() && own != *agreed) || !spec.timezone_data().empty()) return wrong(kConflict);
  spec.set_timezone_name(*agreed);
  return absl::OkStatus();
}

void check_ranges(const Field& field, int high, const Ranges& ranges,
                  std::vector<std::string>& problems) {
  for (const api::Range& range : ranges) {
    if (range.start() < field.low || range.start() > high)
      problems.push_back(not_in_range(field, " Start is", field.low, high));
    if (range.end() != 0 && (range.end() < range.start() || range.end() > high))
      problems.push_back(not_in_range(field, " End is before Start or", field.low, high));
    if (range.step() < 0) problems.push_back(absl::StrCat(field.name, " has invalid Step"));
  }
}

absl::Status check_calendar(const api::StructuredCalendarSpec& spec) {
  std::vector<std::string> problems;
  check_ranges(kSecond, kSecond.high, spec.second(), problems);
  check_ranges(kMinute, kMinute.high, spec.minute(), problems);
  check_ranges(kHour, kHour.high, spec.hour(), problems);
  check_ranges(kDayOfMonth, kDayOfMonth.high, spec.day_of_month(), problems);
  check_ranges(kMonth, kMonth.high, spec.month(), problems);
  check_ranges(kYear, kYear.high, spec.year(), problems);
  check_ranges(kDayOfWeek, 6, spec.day_of_week(), problems);
  if (spec.comment().size() > kCommentMax) problems.emplace_back("comment is too long");
  if (problems.empty()) return absl::OkStatus();
  return wrong(absl::StrCat("invalid calendar spec: ", absl::StrJoin(problems, ", ")));
}

absl::Status check_interval(const api::IntervalSpec& spec) {
  constexpr std::int64_t kShortest = 1'000'000'000;
  const std::int64_t interval = saturated(spec.interval()), phase = saturated(spec.phase());
  if (interval < kShortest) return wrong("interval is too small");
  if (phase < 0) return wrong("phase is negative");
  if (phase >= interval) return wrong("phase cannot be greater than Interval");
  return absl::OkStatus();
}

}  // namespace

std::int64_t saturated(const google::protobuf::Duration& duration) {
  constexpr std::int64_t kSecondNanos = 1'000'000'000;
  using Limits = std::numeric_limits<std::int64_t>;
  if (duration.seconds() >= Limits::max() / kSecondNanos) return Limits::max();
  if (duration.seconds() <= Limits::min() / kSecondNanos) return Limits::min();
  return duration.seconds() * kSecondNanos + duration.nanos();
}

absl::StatusOr<api::ScheduleSpec> canonical_form(api::ScheduleSpec spec) {
  for (const auto& calendar : std::exchange(*spec.mutable_calendar(), {})) {
    absl::StatusOr<api::StructuredCalendarSpec> parsed = structured(calendar);
    if (!parsed.ok()) return parsed.status();
    *spec.add_structured_calendar() = *std::move(parsed);
  }
  for (const auto& calendar : std::exchange(*spec.mutable_exclude_calendar(), {})) {
    absl::StatusOr<api::StructuredCalendarSpec> parsed = structured(calendar);
    if (!parsed.ok()) return parsed.status();
    *spec.add_exclude_structured_calendar() = *std::move(parsed);
  }
  if (absl::Status status = fold_cron_strings(spec); !status.ok()) return status;
  for (const auto& calendar : spec.structured_calendar()) {
    if (absl::Status status = check_calendar(calendar); !status.ok()) return status;
  }
  for (const auto& interval : spec.interval()) {
    if (absl::Status status = check_interval(interval); !status.ok()) return status;
  }
  return spec;
}

void fill_ranges(api::ScheduleSpec& spec) {
  const auto fill = [](Ranges* ranges) {
    for (api::Range& range : *ranges) {
      if (range.end() < range.start()) range.set_end(range.start());
      if (range.step() == 0) range.set_step(1);
    }
  };
  for (auto* calendars :
       {spec.mutable_structured_calendar(), spec.mutable_exclude_structured_calendar()}) {
    for (api::StructuredCalendarSpec& calendar : *calendars) {
      for (Ranges* ranges :
           {calendar.mutable_second(), calendar.mutable_minute(), calendar.mutable_hour(),
            calendar.mutable_day_of_month(), calendar.mutable_month(), calendar.mutable_year(),
            calendar.mutable_day_of_week()})
        fill(ranges);
    }
  }
}

}  // namespace chimera::server::schedule
