#include "server/engine/cron.h"

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace chimera::server {
namespace {

constexpr std::array kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array kWeekdays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

bool parse_number(absl::string_view text, int low, int& out) {
  if (absl::SimpleAtoi(text, &out)) return true;
  const std::string name = absl::AsciiStrToLower(text.substr(0, 3));
  for (std::size_t i = 0; i < kMonths.size() && low == 1; ++i) {
    if (name == kMonths[i]) return out = static_cast<int>(i) + 1, true;
  }
  for (std::size_t i = 0; i < kWeekdays.size() && low == 0; ++i) {
    if (name == kWeekdays[i]) return out = static_cast<int>(i), true;
  }
  return false;
}

// A field such as "*", "*/5", "1-3,7" as a bit set.
bool parse_field(absl::string_view text, int low, int high, std::uint64_t& bits) {
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    int step = 1;
    const std::vector<absl::string_view> halves = absl::StrSplit(part, absl::MaxSplits('/', 1));
    if (halves.size() == 2 && (!absl::SimpleAtoi(halves[1], &step) || step < 1)) return false;
    int first = low, last = high;
    if (halves[0] != "*" && halves[0] != "?") {
      const std::vector<absl::string_view> range =
          absl::StrSplit(halves[0], absl::MaxSplits('-', 1));
      if (!parse_number(range[0], low, first)) return false;
      last = halves.size() == 2 && range.size() == 1 ? high : first;
      if (range.size() == 2 && !parse_number(range[1], low, last)) return false;
    }
    if (first < low || last > high || first > last) return false;
    for (int value = first; value <= last; value += step) bits |= std::uint64_t{1} << value;
  }
  return true;
}

bool has(std::uint64_t bits, int value) { return (bits >> value & 1) != 0; }

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
  if (text.empty()) return std::nullopt;
  if (absl::ConsumePrefix(&text, "@every ")) {
    absl::Duration every;
    if (!absl::ParseDuration(text, &every) || every < absl::Seconds(1)) return std::nullopt;
    schedule.every_ = absl::ToChronoNanoseconds(every);
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

bool CronSchedule::parse_fields(absl::string_view text) {
  const std::vector<absl::string_view> fields = absl::StrSplit(text, ' ', absl::SkipEmpty());
  if (fields.size() != 5) return false;
  if (!parse_field(fields[0], 0, 59, minutes_) || !parse_field(fields[1], 0, 23, hours_) ||
      !parse_field(fields[2], 1, 31, days_) || !parse_field(fields[3], 1, 12, months_) ||
      !parse_field(fields[4], 0, 7, weekdays_)) {
    return false;
  }
  if (has(weekdays_, 7)) weekdays_ |= 1;
  any_day_ = fields[2][0] == '*';
  any_weekday_ = fields[4][0] == '*';
  return true;
}

WallTime CronSchedule::next(WallTime after) const {
  if (every_ > Nanos{0}) {
    const auto whole = std::chrono::floor<seconds>(after + every_);
    return whole < after + every_ ? whole + seconds{1} : WallTime(whole);
  }
  absl::CivilMinute minute =
      absl::ToCivilMinute(absl::FromChrono(std::chrono::floor<std::chrono::microseconds>(after)),
                          zone_) +
      1;
  const absl::CivilMinute end = minute + 5 * 366 * 24 * 60;
  while (minute < end) {
    const absl::CivilDay day(minute);
    const int weekday =
        (static_cast<int>(absl::GetWeekday(day)) + 1) % 7;  // absl counts from Monday.
    const bool by_day = has(days_, minute.day()), by_weekday = has(weekdays_, weekday);
    // As in Vixie cron: restricted day and weekday are alternatives.
    const bool day_fits = any_day_ || any_weekday_ ? by_day && by_weekday : by_day || by_weekday;
    if (!has(months_, minute.month()) || !day_fits) {
      minute = absl::CivilMinute(day + 1);
    } else if (!has(hours_, minute.hour())) {
      minute = absl::CivilMinute(absl::CivilHour(minute) + 1);
    } else if (!has(minutes_, minute.minute())) {
      ++minute;
    } else {
      return WallTime{Nanos{absl::ToUnixNanos(absl::FromCivil(minute, zone_))}};
    }
  }
  return kNever;
}

}  // namespace chimera::server
