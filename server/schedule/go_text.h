// Numbers and durations as a spec's texts have them, which are those of Go; so are the errors,
// which users see. Pure.
#ifndef CHIMERA_SERVER_SCHEDULE_GO_TEXT_H_
#define CHIMERA_SERVER_SCHEDULE_GO_TEXT_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace chimera::server::schedule {

absl::StatusOr<std::int64_t> go_atoi(absl::string_view text);
// "1h30m", and "1.5d" for days; nanoseconds.
absl::StatusOr<std::int64_t> go_duration(absl::string_view text);

}  // namespace chimera::server::schedule

#endif  // CHIMERA_SERVER_SCHEDULE_GO_TEXT_H_
