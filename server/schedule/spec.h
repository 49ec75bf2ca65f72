// Spec, when a schedule is due: intervals, calendars, what they leave out, a start and an end,
// jitter, a time zone. Rules and texts are the genuine server's (1.29, 1.32). Pure.
#ifndef CHIMERA_SERVER_SCHEDULE_SPEC_H_
#define CHIMERA_SERVER_SCHEDULE_SPEC_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "temporal/api/schedule/v1/message.pb.h"

#include "server/base/types.h"
#include "server/schedule/calendar.h"

namespace chimera::server::schedule {

// One time of a schedule. kNever: there is none.
struct Due {
  WallTime nominal = kNever;  // What the spec says, in whole seconds.
  WallTime actual = kNever;   // Jitter later; before the nominal time of the next one.
};

class Spec {
 public:
  Spec() = default;  // Never due.
  // kInvalidArgument "Invalid schedule spec: ...".
  static absl::StatusOr<Spec> compile(const ::temporal::api::schedule::v1::ScheduleSpec& spec);

  const ::temporal::api::schedule::v1::ScheduleSpec& canonical() const { return canonical_; }
  // The first whose nominal time is after `after`. The seed decides on the jitter. A spec whose
  // exclusions leave out too much for the search is never due; `gave_up` says so.
  Due next(absl::string_view seed, WallTime after, bool* gave_up = nullptr) const;

 private:
  struct Interval {
    std::int64_t length = 1, phase = 0;  // Seconds.
  };
  std::optional<std::int64_t> raw_next(std::int64_t after) const;
  // A time that is left out: when the calendar that does so does so no longer.
  std::optional<std::int64_t> left_out_until(std::int64_t time) const;

  ::temporal::api::schedule::v1::ScheduleSpec canonical_;
  std::vector<Calendar> calendars_, exclusions_;
  std::vector<Interval> intervals_;
  std::int64_t jitter_ms_ = 0;
};

}  // namespace chimera::server::schedule

#endif  // CHIMERA_SERVER_SCHEDULE_SPEC_H_
