#include "server/engine/deployments/overrides.h"

#include "absl/strings/str_cat.h"

#include "server/base/errors.h"
#include "server/engine/deployments/deployments.h"
#include "server/engine/engine.h"

namespace chimera::server {
namespace {

absl::Status check_oldest(const deployment::Deployment& deployment) {
  if (deployment.series_name().empty()) return invalid("deployment series name cannot be empty");
  if (deployment.build_id().empty()) return invalid("deployment build ID cannot be empty");
  return absl::OkStatus();
}

// As the field was before there were kinds of overrides.
absl::Status check_older(const VersioningOverride& override) {
  switch (override.behavior()) {
    case enums::VERSIONING_BEHAVIOR_PINNED: {
      if (override.has_deployment()) return check_oldest(override.deployment());
      const std::string& version = override.pinned_version();
      if (version.empty()) {
        return invalid(
            "must provide deployment (deprecated) or pinned version if behavior is 'PINNED'");
      }
      if (parse_version(version).ok()) return absl::OkStatus();
      return invalid(absl::StrCat("invalid version string \"", version,
                                  "\", expected format is \"<deployment_name>.<build_id>\""));
    }
    case enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE:
      if (override.has_deployment())
        return invalid("only provide deployment if behavior is 'PINNED'");
      if (!override.pinned_version().empty())
        return invalid("only provide pinned version if behavior is 'PINNED'");
      return absl::OkStatus();
    case enums::VERSIONING_BEHAVIOR_UNSPECIFIED:
      return invalid("override behavior is required");
    default:
      return invalid(absl::StrCat("override behavior ", static_cast<int>(override.behavior()),
                                  " not recognized"));
  }
}

}  // namespace

absl::Status check_override(const VersioningOverride& override) {
  switch (override.override_case()) {
    case VersioningOverride::kAutoUpgrade:
      return override.auto_upgrade() ? absl::OkStatus()
                                     : invalid("auto-upgrade override must be true");
    case VersioningOverride::kPinned:
      if (!override.pinned().has_version())
        return invalid("must provide version if override is pinned.");
      if (override.pinned().behavior() == VersioningOverride::PINNED_OVERRIDE_BEHAVIOR_UNSPECIFIED)
        return invalid("must specify pinned override behavior if override is pinned.");
      return absl::OkStatus();
    case VersioningOverride::kOneTime:
      if (!override.one_time().has_target_deployment_version())
        return invalid("must provide target deployment version if override is one-time.");
      return absl::OkStatus();
    default:
      return check_older(override);
  }
}

absl::Status check_override(const Engine& engine, const Namespace& ns, const std::string& queue,
                            const VersioningOverride& override) {
  if (absl::Status s = check_override(override); !s.ok()) return s;
  const VersioningOverride now = modern(override);
  if (!now.has_pinned() && !now.has_one_time()) return absl::OkStatus();
  const DeploymentVersion version = target_of(now);
  if (engine.deployments->has_queue(version, {ns.id, queue, enums::TASK_QUEUE_TYPE_WORKFLOW}))
    return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("Pinned version '", version.deployment, ":", version.build_id,
                   "' is not present in task queue '", queue, "' of type 'Workflow'"));
}

void note_override(Engine& engine, const Namespace& ns, const VersioningOverride& override) {
  const DeploymentVersion version = target_of(modern(override));
  if (!version.unversioned()) engine.deployments->reactivate(ns, version);
}

}  // namespace chimera::server
