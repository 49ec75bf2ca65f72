// Records, the side effects and versions of a run: what its code decided, and what its history has.
// Each has one step, command to marker, so its entry among the outgoing commands is its machine.
// Lane thread.
#ifndef CHIMERA_CORE_MACHINES_RECORD_H_
#define CHIMERA_CORE_MACHINES_RECORD_H_

#include <map>
#include <optional>
#include <string>

#include "core/machines/change_versions.h"
#include "core/machines/port.h"
#include "core/machines/record_marker.h"

namespace chimera::core {

class Records {
 public:
  // `versions` is borrowed, and shared with the patches.
  explicit Records(ChangeVersions& versions) : versions_(versions) {}

  void take(RecordOnce& command, Command& whole, RunPort& run, Outgoing& outgoing);
  // A marker of a task to come: the job that tells the language, once. An error if it cannot be
  // read.
  absl::StatusOr<std::optional<NotifyRecorded>> know(const HistoryEvent& event, RunPort& run);
  // A marker event meets the outgoing commands. As in the Go SDK: side effects must agree one by
  // one; versions and mutable side effects that the code no longer asks for are passed over.
  absl::Status meet(const HistoryEvent& event, RunPort& run, Outgoing& outgoing);
  static std::string describe(const OutgoingCommand& command);

 private:
  struct Ahead {
    Recorded::Kind kind{};
    std::string id;  // Among the outgoing commands.
  };
  absl::Status read(const HistoryEvent& event, RunPort& run, Recorded& recorded);

  ChangeVersions& versions_;
  RecordMarkerReader reader_;
  std::int64_t known_up_to_ = 0;         // The event of the last marker that was read ahead.
  std::map<std::int64_t, Ahead> ahead_;  // By event: read, and not met yet.
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_RECORD_H_
