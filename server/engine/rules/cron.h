// CronSchedule, the schedule of a cron workflow: five fields, @hourly and the like, or @every 90s;
// in UTC, or in the zone of a CRON_TZ= or TZ= before them. What it accepts and when it fires is as
// in robfig/cron 3, which the genuine server uses. Pure.
#ifndef CHIMERA_SERVER_ENGINE_RULES_CRON_H_
#define CHIMERA_SERVER_ENGINE_RULES_CRON_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "server/base/types.h"

namespace chimera::server {

class CronSchedule {
 public:
  // Nothing for an empty or a bad schedule.
  static std::optional<CronSchedule> parse(absl::string_view text);
  // Why the schedule cannot be taken at `now`; empty: it can, or there is none.
  static std::string problem(absl::string_view text, WallTime now);

  // The first time after `after`; kNever if there is none within five years. A local time that a
  // change of the clocks skips does not come, one that it repeats comes twice.
  WallTime next(WallTime after) const;
  // When the run after one of the time `previous` is due; what was due before `now` is left out.
  WallTime next_run(WallTime previous, WallTime now) const;
  Nanos first_backoff(WallTime now) const;  // Of a run that starts now.

 private:
  struct Field {
    std::uint64_t values = 0;  // A bit set.
    bool any = false;          // "*", "?"; not "*/2".
    bool has(int value) const { return (values >> value & 1) != 0; }
  };
  static std::optional<Field> parse_field(absl::string_view text, int low, int high);
  bool parse_every(absl::string_view text);
  bool parse_fields(absl::string_view text);
  bool fits_day(absl::CivilDay day) const;

  absl::TimeZone zone_ = absl::UTCTimeZone();
  Nanos every_{};  // Not zero: an @every schedule, in whole seconds.
  Field minutes_, hours_, days_, months_, weekdays_;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RULES_CRON_H_
