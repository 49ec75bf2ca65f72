// Which version a task goes to: by the routing of its queue, and by what its run is bound to. Pure.
#ifndef CHIMERA_SERVER_ENGINE_DEPLOYMENTS_ROUTING_H_
#define CHIMERA_SERVER_ENGINE_DEPLOYMENTS_ROUTING_H_

#include <cstdint>
#include <string>

#include "server/engine/deployments/version.h"

namespace chimera::server {

// Of one task queue, from the deployments that have it in a version.
struct QueueRouting {
  struct Side {
    DeploymentVersion version;
    std::int64_t revision = 0;
    WallTime changed{};  // kUnset: nobody has said anything.
  };
  Side current, ramping;
  bool is_ramping = false;  // Perhaps to the workers without a version.
  float percentage = 0;

  // What one deployment says of the queue; whether its current and its ramping version have it. A
  // version comes before "unversioned", and the later word before the earlier one.
  void hear(const deployment::RoutingConfig& config, bool has_current, bool has_ramping);
};

// Where a workflow's id is on the ramp: 0 to 100, the same for ever (genuine servers).
double ramp_threshold(const std::string& workflow_id);

struct VersionTarget {
  DeploymentVersion version;
  std::int64_t revision = 0;  // Of the routing that says so; 0: none does.
};
// Where new and auto-upgrade runs of this id go. `to_ramping`: there, if there is one.
VersionTarget target_of(const QueueRouting& routing, const std::string& workflow_id,
                        bool to_ramping = false);

// What binds a run: its behaviour and version at this moment.
struct RunBinding {
  enums::VersioningBehavior behavior = enums::VERSIONING_BEHAVIOR_UNSPECIFIED;
  DeploymentVersion version;
  std::int64_t revision = 0;  // Of the routing by which it came to its version.
  bool to_ramping = false;

  bool pinned() const { return behavior == enums::VERSIONING_BEHAVIOR_PINNED; }
};
// The version whose workers are to have the task of a run that is not pinned to one, and by which
// revision. A queue may hear of a change after the run did: the run does not go back.
VersionTarget choose(const RunBinding& run, const VersionTarget& target);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_DEPLOYMENTS_ROUTING_H_
