// RunVersioning, what a run knows of worker versions: folded from its events, and from the starts
// of its tasks. The rules are the genuine server's (1.32). Pure.
#ifndef CHIMERA_SERVER_ENGINE_DEPLOYMENTS_RUN_VERSIONING_H_
#define CHIMERA_SERVER_ENGINE_DEPLOYMENTS_RUN_VERSIONING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "temporal/api/workflow/v1/message.pb.h"

#include "server/engine/deployments/routing.h"

namespace chimera::server {

using VersioningOverride = ::temporal::api::workflow::v1::VersioningOverride;

// With the newer fields alone.
VersioningOverride modern(const VersioningOverride& override);
// The version that it binds a run to; unversioned: to none.
DeploymentVersion target_of(const VersioningOverride& override);

struct RunVersioning {
  using Info = ::temporal::api::workflow::v1::WorkflowExecutionVersioningInfo;
  using Declined = history::DeclinedTargetVersionUpgrade;

  std::optional<Info> info;  // Nothing: no versioned worker had it, and nothing was inherited.
  // The newer target that its worker was told of; the one that a run before it stayed away from.
  std::optional<Declined> notified, declined;
  std::vector<std::string> used;  // Versions that completed a task of it, in the order of that.

  // --- Its events.
  void started(const history::WorkflowExecutionStartedEventAttributes& a);
  void completed(const history::WorkflowTaskCompletedEventAttributes& a);
  void override_by(const VersioningOverride* override);  // Null: no more.

  // --- Its tasks.
  // Workers of another version have one: the run moves, until they complete it.
  void begin_transition(const VersionTarget& to);
  // A task starts while the queue's target is this; no revision: nobody looked.
  void note_target(const VersionTarget& target, std::optional<std::int64_t> revision);

  // --- What holds now.
  bool in_transition() const { return info && info->has_version_transition(); }
  const VersioningOverride* override() const {
    return info && info->has_versioning_override() ? &info->versioning_override() : nullptr;
  }
  enums::VersioningBehavior behavior() const;
  DeploymentVersion version() const;
  bool target_changed() const;  // As its next task says.
  // What lists show; without regard to a transition.
  enums::VersioningBehavior shown_behavior() const;
  DeploymentVersion shown_version() const;
  // As describes show it, with the older fields, too.
  Info described() const;

  std::string encode() const;
  bool decode(absl::string_view bytes);  // False: it is damaged.
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_DEPLOYMENTS_RUN_VERSIONING_H_
