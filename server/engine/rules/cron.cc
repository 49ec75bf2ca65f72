#include "server/engine/rules/cron.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace chimera::server {
namespace {

constexpr std::array kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array kWeekdays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr int kYearsMax = 5;
constexpr absl::Duration kEveryMax = absl::Hours(2'562'047);  // What 64 bits of nanoseconds hold.

// A number of `high`'s field: only months end at 12, only weekdays at 6.
bool parse_value(absl::string_view text, int high, std::int64_t& out) {
  const std::string name = absl::AsciiStrToLower(text);
  for (std::size_t i = 0; i < kMonths.size() && high == 12; ++i) {
    if (name == kMonths[i]) return out = static_cast<int>(i) + 1, true;
  }
  for (std::size_t i = 0; i < kWeekdays.size() && high == 6; ++i) {
    if (name == kWeekdays[i]) return out = static_cast<int>(i), true;
  }
  return absl::SimpleAtoi(text, &out);
}

}  // namespace

std::optional<CronSchedule> CronSchedule::parse(absl::string_view text) {
  CronSchedule schedule;
  text = absl::StripAsciiWhitespace(text);
  if (absl::ConsumePrefix(&text, "CRON_TZ=") || absl::ConsumePrefix(&text, "TZ=")) {
    const std::size_t space = text.find(' ');
    if (space == absl::string_view::npos) return std::nullopt;
    if (!absl::LoadTimeZone(text.substr(0, space), &schedule.zone_)) return std::nullopt;
    text = absl::StripAsciiWhitespace(text.substr(space));
  }
  if (absl::ConsumePrefix(&text, "@every ")) {
    if (!schedule.parse_every(text)) return std::nullopt;
    return schedule;
  }
  if (text == "@yearly" || text == "@annually") text = "0 0 1 1 *";
  if (text == "@monthly") text = "0 0 1 * *";
  if (text == "@weekly") text = "0 0 * * 0";
  if (text == "@daily" || text == "@midnight") text = "0 0 * * *";
  if (text == "@hourly") text = "0 * * * *";
  if (!schedule.parse_fields(text)) return std::nullopt;
  return schedule;
}

std::string CronSchedule::problem(absl::string_view text, WallTime now) {
  if (text.empty()) return {};
  const std::optional<CronSchedule> schedule = parse(text);
  if (!schedule) return "invalid CronSchedule.";
  if (schedule->next(now) == kNever)
    return "invalid CronSchedule, no time can be found to satisfy the schedule";
  return {};
}

// At least a second, and whole ones.
bool CronSchedule::parse_every(absl::string_view text) {
  absl::Duration every;
  if (!absl::ParseDuration(text, &every) || every > kEveryMax) return false;
  every = std::max(absl::Trunc(every, absl::Seconds(1)), absl::Seconds(1));
  every_ = absl::ToChronoNanoseconds(every);
  return true;
}

// A field such as "*", "*/5", "1-3,7".
std::optional<CronSchedule::Field> CronSchedule::parse_field(absl::string_view text, int low,
                                                             int high) {
  Field field;
  for (absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::vector<absl::string_view> halves = absl::StrSplit(part, '/');
    const std::vector<absl::string_view> range = absl::StrSplit(halves[0], '-');
    std::int64_t first = low, last = high, step = 1;
    if (halves.size() > 2) return std::nullopt;
    if (halves.size() == 2 && (!absl::SimpleAtoi(halves[1], &step) || step < 1))
      return std::nullopt;
    if (range[0] == "*" || range[0] == "?") {
      field.any = field.any || step == 1;
    } else {
      if (range.size() > 2 || !parse_value(range[0], high, first)) return std::nullopt;
      if (range.size() == 1 && halves.size() == 1) last = first;  // But "5/10" goes on to the end.
      if (range.size() == 2 && !parse_value(range[1], high, last)) return std::nullopt;
    }
    if (first < low || last > high || first > last) return std::nullopt;
    step = std::min<std::int64_t>(step, high + 1);
    for (; first <= last; first += step) field.values |= std::uint64_t{1} << first;
  }
  return field;
}

bool CronSchedule::parse_fields(absl::string_view text) {
  const std::vector<absl::string_view> fields =
      absl::StrSplit(text, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty());
  if (fields.size() != 5) return false;
  struct Range {
    Field& field;
    int low, high;
  };
  const Range ranges[] = {
      {minutes_, 0, 59}, {hours_, 0, 23}, {days_, 1, 31}, {months_, 1, 12}, {weekdays_, 0, 6}};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::optional<Field> field = parse_field(fields[i], ranges[i].low, ranges[i].high);
    if (!field) return false;
    ranges[i].field = *field;
  }
  return true;
}

// As in Vixie cron: a day and a weekday that are both restricted are alternatives.
bool CronSchedule::fits_day(absl::CivilDay day) const {
  if (!months_.has(day.month())) return false;
  const bool by_day = days_.has(day.day());
  // absl counts from Monday.
  const bool by_weekday = weekdays_.has((static_cast<int>(absl::GetWeekday(day)) + 1) % 7);
  return days_.any || weekdays_.any ? by_day && by_weekday : by_day || by_weekday;
}

// Steps through true time and looks at the local one, so that it never goes back with the clocks.
WallTime CronSchedule::next(WallTime after) const {
  if (every_ > Nanos{0}) return add_saturated(WallTime(std::chrono::floor<seconds>(after)), every_);
  constexpr absl::Duration kMinute = absl::Minutes(1);
  absl::Time time = absl::FromChrono(std::chrono::floor<std::chrono::microseconds>(after));
  time = absl::UnixEpoch() + absl::Floor(time - absl::UnixEpoch(), kMinute) + kMinute;
  const absl::civil_year_t last_year = absl::ToCivilYear(time, zone_).year() + kYearsMax;
  while (true) {
    const absl::CivilMinute local = absl::ToCivilMinute(time, zone_);
    if (local.year() > last_year) return kNever;
    if (!fits_day(absl::CivilDay(local))) {
      time = std::max(time + kMinute, absl::FromCivil(absl::CivilDay(local) + 1, zone_));
    } else if (!hours_.has(local.hour())) {
      time += (60 - local.minute()) * kMinute;
    } else if (!minutes_.has(local.minute())) {
      time += kMinute;
    } else {
      return WallTime{Nanos{absl::ToUnixNanos(time)}};
    }
  }
}

WallTime CronSchedule::next_run(WallTime previous, WallTime now) const {
  if (now < previous) return previous;
  if (every_ == Nanos{0}) return next(std::max(previous, now - Nanos{1}));
  const WallTime base = std::chrono::floor<seconds>(previous);
  const std::int64_t missed = std::max<std::int64_t>((now - base - Nanos{1}) / every_, 0);
  return add_saturated(base + missed * every_, every_);
}

Nanos CronSchedule::first_backoff(WallTime now) const {
  const WallTime first = next(now);
  return first == kNever ? Nanos{0} : first - now;
}

}  // namespace chimera::server
