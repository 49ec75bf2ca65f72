// CronSchedule, the schedule of a cron workflow: five fields, @hourly and the like, or @every 90s;
// UTC, or with CRON_TZ=UTC. Pure.
#ifndef CHIMERA_SERVER_ENGINE_CRON_H_
#define CHIMERA_SERVER_ENGINE_CRON_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "server/engine/types.h"

namespace chimera::server {

class CronSchedule {
 public:
  // Nothing for an empty or a bad schedule.
  static std::optional<CronSchedule> parse(absl::string_view text);
  // The first time after `after`; kNever if there is none within five years.
  WallTime next(WallTime after) const;

 private:
  bool parse_fields(absl::string_view text);

  absl::TimeZone zone_ = absl::UTCTimeZone();
  Nanos every_{};  // Not zero: an @every schedule, counted from `after`.
  // Bit sets.
  std::uint64_t minutes_ = 0, hours_ = 0, days_ = 0, months_ = 0, weekdays_ = 0;
  bool any_day_ = false, any_weekday_ = false;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_CRON_H_
