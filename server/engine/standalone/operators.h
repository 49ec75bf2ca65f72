// What an operator does to an activity that stands alone. A request whose id was the last of its
// kind to be granted changes nothing. Texts and rules of the genuine server 1.32, where they differ
// from those of activities of workflows. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_STANDALONE_OPERATORS_H_
#define CHIMERA_SERVER_ENGINE_STANDALONE_OPERATORS_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"

#include "server/engine/standalone/activity_execution.h"

namespace chimera::server {

absl::Status pause_activity(Engine& engine, const ActivityExecution& execution,
                            const std::string& identity, const std::string& reason,
                            const std::string& request_id);
absl::Status unpause_activity(Engine& engine, const ActivityExecution& execution, Nanos jitter,
                              const std::string& request_id);
// While an attempt runs it is left alone; when that ends without success the next is the first
// again, at once.
absl::Status reset_activity(Engine& engine, const ActivityExecution& execution,
                            const attempt::ActivityReset& how, const std::string& request_id);

// Whether its options may be changed now; `start_delay`: that, too.
absl::Status check_changeable(const ActivityExecution& execution, WallTime now, bool start_delay);
struct OptionsChange {
  std::unique_ptr<Activity::Attributes> attributes;  // Null: as it was started.
  std::optional<Nanos> start_delay;
  bool retry_policy = false;  // That is among what changes.
  std::string request_id;
};
void change_activity(Engine& engine, const ActivityExecution& execution, OptionsChange change);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_STANDALONE_OPERATORS_H_
