#include "server/engine/deployments/inheritance.h"

#include "server/engine/deployments/binding.h"
#include "server/engine/deployments/deployments.h"
#include "server/engine/engine.h"

namespace chimera::server {
namespace {

// What the run before had is its own; the override is inherited by itself.
void clear_versioning(StartedAttributes& a) {
  a.clear_versioning_override();
  a.clear_parent_pinned_worker_deployment_version();
  a.clear_inherited_pinned_version();
  a.clear_inherited_auto_upgrade_info();
  a.clear_declined_target_version_upgrade();
}

// The next one's queue is the run's, or one of the version's.
bool fits(const Engine& engine, const Run& run, const DeploymentVersion& version,
          const std::string& queue) {
  if (queue == run.task_queue) return true;
  return engine.deployments->has_queue(version,
                                       {run.ns->id, queue, enums::TASK_QUEUE_TYPE_WORKFLOW});
}

bool is_pinned(const VersioningOverride* override) {
  return override != nullptr && override->has_pinned();
}

void set_source(const RunBinding& from, enums::ContinueAsNewVersioningBehavior wanted,
                StartedAttributes& a) {
  if (from.version.unversioned() || from.revision == 0) return;
  auto& info = *a.mutable_inherited_auto_upgrade_info();
  *info.mutable_source_deployment_version() = message_of(from.version);
  info.set_source_deployment_revision_number(from.revision);
  info.set_continue_as_new_initial_versioning_behavior(wanted);
}

}  // namespace

void inherit_as_child(const Engine& engine, const Run& parent, const Namespace& ns,
                      StartedAttributes& a) {
  // Its own override comes first; nothing goes into another namespace.
  if (a.has_versioning_override() || parent.versioning == nullptr || &ns != parent.ns) return;
  const RunBinding from = binding_of(parent);
  const bool fit = fits(engine, parent, from.version, a.task_queue().name());
  if (!fit) return;
  if (from.pinned()) *a.mutable_inherited_pinned_version() = message_of(from.version);
  const VersioningOverride* override = parent.versioning->override();
  if (override != nullptr && !target_of(*override).unversioned())
    *a.mutable_versioning_override() = *override;
  if (from.behavior == enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE)
    set_source(from, enums::CONTINUE_AS_NEW_VERSIONING_BEHAVIOR_UNSPECIFIED, a);
}

void inherit_as_cron(const Run& before, StartedAttributes& a) {
  clear_versioning(a);
  if (before.versioning == nullptr) return;
  if (const VersioningOverride* override = before.versioning->override(); is_pinned(override))
    *a.mutable_versioning_override() = *override;
}

void inherit_as_retry(const Run& before, StartedAttributes& a) {
  inherit_as_cron(before, a);
  if (before.versioning == nullptr) return;
  const RunBinding from = binding_of(before);
  const auto& start = before.start();
  if (from.pinned() && start.has_inherited_pinned_version()) {
    *a.mutable_inherited_pinned_version() = message_of(from.version);
    if (start.has_declined_target_version_upgrade())
      *a.mutable_declined_target_version_upgrade() = start.declined_target_version_upgrade();
  } else if (from.behavior == enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE) {
    set_source(from, before.versioning->info->continue_as_new_initial_versioning_behavior(), a);
  }
}

void inherit_as_continued(const Engine& engine, const Run& before,
                          enums::ContinueAsNewVersioningBehavior wanted, StartedAttributes& a) {
  clear_versioning(a);
  if (before.versioning == nullptr) return;
  const RunBinding from = binding_of(before);
  const RunVersioning& versioning = *before.versioning;
  const bool fit = fits(engine, before, from.version, a.task_queue().name());
  const bool as_before = wanted == enums::CONTINUE_AS_NEW_VERSIONING_BEHAVIOR_UNSPECIFIED;
  if (const VersioningOverride* override = versioning.override();
      is_pinned(override) && (a.task_queue().name() == before.task_queue || (fit && as_before)))
    *a.mutable_versioning_override() = *override;
  if (!fit) return;
  if (from.pinned() && as_before) {
    *a.mutable_inherited_pinned_version() = message_of(from.version);
    const auto& declined = versioning.notified ? versioning.notified : versioning.declined;
    if (declined) *a.mutable_declined_target_version_upgrade() = *declined;
  } else if (from.pinned() || from.behavior == enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE) {
    set_source(from, wanted, a);
  }
}

}  // namespace chimera::server
