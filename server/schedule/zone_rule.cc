#include "server/schedule/zone_rule.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"

namespace chimera::server::schedule {
namespace {

constexpr std::int64_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour;

bool take_name(absl::string_view& text) {
  if (absl::ConsumePrefix(&text, "<")) {
    const std::size_t end = text.find('>');
    if (end == absl::string_view::npos) return false;
    text.remove_prefix(end + 1);
    return true;
  }
  const std::size_t length = std::min(text.find_first_of("0123456789,-+"), text.size());
  text.remove_prefix(length);
  return length >= 3;
}

std::optional<int> take_number(absl::string_view& text, int low, int high) {
  int value = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && absl::ascii_isdigit(text[digits]); ++digits) {
    value = value * 10 + (text[digits] - '0');
    if (value > high) return std::nullopt;
  }
  if (digits == 0 || value < low) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

// "[+-]hh[:mm[:ss]]" in seconds.
std::optional<std::int64_t> take_time(absl::string_view& text) {
  constexpr int kHoursMax = 24 * 7, kSixtiethMax = 59;
  const bool negative = absl::ConsumePrefix(&text, "-");
  if (!negative) absl::ConsumePrefix(&text, "+");
  const std::optional<int> hours = take_number(text, 0, kHoursMax);
  if (!hours) return std::nullopt;
  std::int64_t time = *hours * kHour;
  for (const std::int64_t unit : {kMinute, std::int64_t{1}}) {
    if (!absl::ConsumePrefix(&text, ":")) break;
    const std::optional<int> value = take_number(text, 0, kSixtiethMax);
    if (!value) return std::nullopt;
    time += *value * unit;
  }
  return negative ? -time : time;
}

}  // namespace

std::optional<ZoneRule::Day> ZoneRule::parse_day(absl::string_view& text) {
  constexpr int kMonths = 12, kWeeks = 5, kLastWeekday = 6, kDaysOfYear = 365;
  Day day;
  std::optional<int> number;
  if (absl::ConsumePrefix(&text, "M")) {
    day.kind = Day::Kind::kWeekday;
    const std::optional<int> month = take_number(text, 1, kMonths);
    if (!month || !absl::ConsumePrefix(&text, ".")) return std::nullopt;
    const std::optional<int> week = take_number(text, 1, kWeeks);
    if (!week || !absl::ConsumePrefix(&text, ".")) return std::nullopt;
    day.month = *month;
    day.week = *week;
    number = take_number(text, 0, kLastWeekday);
  } else if (absl::ConsumePrefix(&text, "J")) {
    number = take_number(text, 1, kDaysOfYear);
  } else {
    day.kind = Day::Kind::kDayOfYear;
    number = take_number(text, 0, kDaysOfYear);
  }
  if (!number) return std::nullopt;
  day.day = *number;
  day.time = 2 * kHour;
  if (!absl::ConsumePrefix(&text, "/")) return day;
  const std::optional<std::int64_t> time = take_time(text);
  if (!time) return std::nullopt;
  day.time = *time;
  return day;
}

std::optional<ZoneRule> ZoneRule::parse(absl::string_view text) {
  ZoneRule rule;
  // Of the text it is what is to be added to local time.
  const auto take_offset = [&text](std::int64_t& offset) {
    const std::optional<std::int64_t> time = take_time(text);
    if (time) offset = -*time;
    return time.has_value();
  };
  if (!take_name(text) || !take_offset(rule.standard_)) return std::nullopt;
  if (text.empty() || text[0] == ',') return rule;
  rule.has_summer_ = true;
  if (!take_name(text)) return std::nullopt;
  rule.summer_ = rule.standard_ + kHour;
  if (!text.empty() && text[0] != ',' && !take_offset(rule.summer_)) return std::nullopt;
  if (text.empty()) text = ",M3.2.0,M11.1.0";
  if (text[0] != ',' && text[0] != ';') return std::nullopt;
  text.remove_prefix(1);
  const std::optional<Day> begin = parse_day(text);
  if (!begin || !absl::ConsumePrefix(&text, ",")) return std::nullopt;
  const std::optional<Day> end = parse_day(text);
  if (!end || !text.empty()) return std::nullopt;
  rule.begin_ = *begin;
  rule.end_ = *end;
  return rule;
}

// Of the local year.
std::int64_t ZoneRule::seconds_of(const Day& day, int year) {
  const absl::CivilDay first(year, 1, 1);
  switch (day.kind) {
    case Day::Kind::kJulian: {  // February 29th is not counted.
      constexpr int kMarchFirst = 60;
      const bool leap = absl::CivilDay(year, 2, 29).day() == 29;
      return (day.day - 1 + (leap && day.day >= kMarchFirst ? 1 : 0)) * kDay + day.time;
    }
    case Day::Kind::kDayOfYear:
      return day.day * kDay + day.time;
    case Day::Kind::kWeekday:
      break;
  }
  const absl::CivilDay month(year, day.month, 1);
  const int weekday = (static_cast<int>(absl::GetWeekday(month)) + 1) % 7;  // From Sunday.
  absl::CivilDay at = month + (day.day - weekday + 7) % 7;
  for (int week = 1; week < day.week && (at + 7).month() == day.month; ++week) at += 7;
  return (at - first) * kDay + day.time;
}

ZoneRule::Year ZoneRule::year(int year) const {
  if (!has_summer_) return {.outside = standard_, .inside = standard_};
  const std::int64_t begin = seconds_of(begin_, year) - standard_;
  const std::int64_t end = seconds_of(end_, year) - summer_;
  // South of the equator summer time is what is left of the year.
  if (end < begin) return {end, begin, summer_, standard_};
  return {begin, end, standard_, summer_};
}

}  // namespace chimera::server::schedule
