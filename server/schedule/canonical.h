// The canonical form of a schedule's spec: calendars and cron strings become structured calendars
// and intervals, and what cannot be one is refused. Rules and texts are the genuine server's (1.29,
// 1.32). Pure.
#ifndef CHIMERA_SERVER_SCHEDULE_CANONICAL_H_
#define CHIMERA_SERVER_SCHEDULE_CANONICAL_H_

#include "absl/status/statusor.h"
#include "temporal/api/schedule/v1/message.pb.h"

namespace chimera::server::schedule {

// kInvalidArgument with the text behind "Invalid schedule spec: ".
absl::StatusOr<::temporal::api::schedule::v1::ScheduleSpec> canonical_form(
    ::temporal::api::schedule::v1::ScheduleSpec spec);
// Writes out what a range leaves to the reader: its end and its step.
void fill_ranges(::temporal::api::schedule::v1::ScheduleSpec& spec);
// In nanoseconds; what is beyond 290 years is cut.
std::int64_t saturated(const google::protobuf::Duration& duration);

}  // namespace chimera::server::schedule

#endif  // CHIMERA_SERVER_SCHEDULE_CANONICAL_H_
