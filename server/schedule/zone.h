// Zone, the clocks of a time zone: of this machine's database, or of data in its format ("TZif",
// RFC 8536), read as Go's time.LoadLocationFromTZData does, since the genuine server calls that.
// Times are whole seconds since 1970. Immutable; copies are cheap.
#ifndef CHIMERA_SERVER_SCHEDULE_ZONE_H_
#define CHIMERA_SERVER_SCHEDULE_ZONE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace chimera::server::schedule {

class Zone {
 public:
  // How far local time is before UTC from some time on, in seconds.
  struct Change {
    std::int64_t time, offset;
  };

  Zone(absl::TimeZone zone) : zone_(zone) {}  // NOLINT: a zone is one.
  // kInvalidArgument "malformed time zone information". Behind the last change the data's rule
  // holds, up to the last year that a calendar may name.
  static absl::StatusOr<Zone> of_data(absl::string_view data);

  std::int64_t offset_at(std::int64_t time) const;
  // When the offset changes next.
  std::optional<std::int64_t> change_after(std::int64_t time) const;

 private:
  absl::TimeZone zone_;
  // Of data, else null. In order; the first holds before its time, too.
  std::shared_ptr<const std::vector<Change>> changes_;
};

}  // namespace chimera::server::schedule

#endif  // CHIMERA_SERVER_SCHEDULE_ZONE_H_
