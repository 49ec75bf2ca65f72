#include "server/engine/deployments/routing.h"

#include "server/schedule/fingerprint.h"

namespace chimera::server {
namespace {

void hear_side(const DeploymentVersion& version, bool has, WallTime changed, std::int64_t revision,
               QueueRouting::Side& side) {
  if (changed == kUnset) return;
  if (!version.unversioned() && !has) return;
  const bool stronger = !version.unversioned() && side.version.unversioned();
  const bool weaker = version.unversioned() && !side.version.unversioned();
  if (weaker || (!stronger && changed <= side.changed)) return;
  side = {version, revision, changed};
}

}  // namespace

void QueueRouting::hear(const deployment::RoutingConfig& config, bool has_current,
                        bool has_ramping) {
  hear_side(version_of(config.current_deployment_version()), has_current,
            to_wall(config.current_version_changed_time()), config.revision_number(), current);
  const WallTime before = ramping.changed;
  hear_side(version_of(config.ramping_deployment_version()), has_ramping,
            to_wall(config.ramping_version_percentage_changed_time()), config.revision_number(),
            ramping);
  if (ramping.changed == before) return;
  percentage = config.ramping_version_percentage();
  is_ramping = !ramping.version.unversioned() || percentage > 0;
}

double ramp_threshold(const std::string& workflow_id) {
  constexpr double kAll = 4294967296.0;
  return 100 * (schedule::fingerprint(workflow_id) / kAll);
}

VersionTarget target_of(const QueueRouting& routing, const std::string& workflow_id,
                        bool to_ramping) {
  const VersionTarget current{routing.current.version, routing.current.revision};
  const VersionTarget ramping{routing.ramping.version, routing.ramping.revision};
  if (to_ramping && !ramping.version.unversioned()) return ramping;
  if (routing.percentage <= 0) return current;
  if (routing.percentage >= 100) return ramping;
  return ramp_threshold(workflow_id) <= routing.percentage ? ramping : current;
}

VersionTarget choose(const RunBinding& run, const VersionTarget& target) {
  if (target.version.unversioned()) return {};
  const bool stale =
      target.version.deployment == run.version.deployment && target.revision < run.revision;
  return stale ? VersionTarget{run.version, run.revision} : target;
}

}  // namespace chimera::server
