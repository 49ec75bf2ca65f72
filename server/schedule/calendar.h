// Calendar, one structured calendar of a schedule: which local times it means, each a matter of a
// few bits. Times are whole seconds since 1970. Pure.
#ifndef CHIMERA_SERVER_SCHEDULE_CALENDAR_H_
#define CHIMERA_SERVER_SCHEDULE_CALENDAR_H_

#include <bitset>
#include <cstdint>
#include <optional>

#include "absl/time/civil_time.h"
#include "temporal/api/schedule/v1/message.pb.h"

#include "server/schedule/zone.h"

namespace chimera::server::schedule {

inline constexpr int kFirstYear = 2000, kLastYear = 2100;  // That a calendar may name.

class Calendar {
 public:
  Calendar(const ::temporal::api::schedule::v1::StructuredCalendarSpec& spec, Zone zone);

  // The first time after `after`, up to the last year. A local time that a change of the clocks
  // skips does not come, one that it repeats comes twice.
  std::optional<std::int64_t> next(std::int64_t after) const;
  bool matches(std::int64_t time) const;
  // A time that matches: all up to before the returned one match, too.
  std::int64_t end_of_match(std::int64_t time) const;

 private:
  struct Local {
    absl::CivilDay day;
    int hour = 0, minute = 0, second = 0;
  };
  static std::int64_t seconds_of(const Local& local);
  static Local local_of(std::int64_t seconds);
  // In local seconds, as if there were no zones: the first match at `from` or later.
  std::optional<std::int64_t> first_from(std::int64_t from) const;
  std::optional<int> time_of_day_from(const Local& local) const;
  // Bit 1 for the first day.
  std::uint64_t days_of(int year, int month) const;
  bool has_year(int year) const;

  Zone zone_;
  std::uint64_t seconds_ = 0, minutes_ = 0, hours_ = 0, days_ = 0, months_ = 0, weekdays_ = 0;
  bool any_year_ = true;
  std::bitset<kLastYear - kFirstYear + 1> years_;
};

}  // namespace chimera::server::schedule

#endif  // CHIMERA_SERVER_SCHEDULE_CALENDAR_H_
