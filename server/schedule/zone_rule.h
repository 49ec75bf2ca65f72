// ZoneRule, how a time zone's clocks change year by year: the last line of its data, in the form of
// the environment variable TZ ("CET-1CEST,M3.5.0,M10.5.0/3"). What Go's time package makes of it.
#ifndef CHIMERA_SERVER_SCHEDULE_ZONE_RULE_H_
#define CHIMERA_SERVER_SCHEDULE_ZONE_RULE_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace chimera::server::schedule {

class ZoneRule {
 public:
  // Nothing for what is no rule.
  static std::optional<ZoneRule> parse(absl::string_view text);

  // One stretch of a year, in seconds of it: how far local time is before UTC outside of it and
  // inside. Without summer time it is empty.
  struct Year {
    std::int64_t begin = 0, end = 0, outside = 0, inside = 0;
  };
  Year year(int year) const;

 private:
  struct Day {
    enum class Kind { kJulian, kDayOfYear, kWeekday } kind = Kind::kJulian;
    int day = 0, week = 0, month = 0;
    std::int64_t time = 0;  // Since local midnight, in seconds.
  };
  static std::optional<Day> parse_day(absl::string_view& text);
  static std::int64_t seconds_of(const Day& day, int year);

  std::int64_t standard_ = 0, summer_ = 0;
  bool has_summer_ = false;
  Day begin_, end_;
};

}  // namespace chimera::server::schedule

#endif  // CHIMERA_SERVER_SCHEDULE_ZONE_RULE_H_
