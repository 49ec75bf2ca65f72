// ChangeVersions, the search attribute that lists the patches and versions of a run, for people to
// search by; and its upserts, which follow the markers. Lane thread.
#ifndef CHIMERA_CORE_MACHINES_CHANGE_VERSIONS_H_
#define CHIMERA_CORE_MACHINES_CHANGE_VERSIONS_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/machines/port.h"

namespace chimera::core {

inline constexpr char kChangeVersionAttribute[] = "TemporalChangeVersion";

class ChangeVersions {
 public:
  // Both: false if it is there already.
  bool add_patch(const std::string& id) { return patches_.insert(id).second; }
  bool add_version(const std::string& id, std::int64_t version);

  // Nothing if it grew too long.
  std::optional<api::common::v1::Payload> attribute() const;
  // Commands it.
  static void upsert(api::common::v1::Payload attribute, RunPort& run, Outgoing& outgoing);

  // History has a marker that the code does not ask for; the upsert that may come next is that
  // marker's.
  void pass_marker() { skip_upsert_ = true; }
  bool skips(const HistoryEvent& event);

 private:
  std::set<std::string> patches_;
  std::vector<std::string> versions_;  // Newest last.
  bool skip_upsert_ = false;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_CHANGE_VERSIONS_H_
