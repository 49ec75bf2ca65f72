#include "server/engine/deployments/binding.h"

#include "server/engine/deployments/deployments.h"
#include "server/engine/engine.h"

namespace chimera::server {
namespace {

// Most servers have no versions at all.
bool is_plain(const Engine& engine, const Run& run) {
  return run.versioning == nullptr && engine.deployments->empty();
}

QueueKey queue_of(const Run& run) {
  return {run.ns->id, run.task_queue, enums::TASK_QUEUE_TYPE_WORKFLOW};
}

}  // namespace

RunBinding binding_of(const Run& run) {
  if (run.versioning == nullptr || !run.versioning->info) return {};
  const RunVersioning& versioning = *run.versioning;
  RunBinding binding{versioning.behavior(), versioning.version(),
                     versioning.info->revision_number()};
  binding.to_ramping = run.last_completed_started_id == 0 &&
                       versioning.info->continue_as_new_initial_versioning_behavior() ==
                           enums::CONTINUE_AS_NEW_VERSIONING_BEHAVIOR_USE_RAMPING_VERSION;
  return binding;
}

DeploymentVersion version_of(const Poller& poller) {
  return poller.deployment == nullptr ? DeploymentVersion() : version_of(*poller.deployment);
}

VersionTarget workflow_target(const Engine& engine, const Run& run) {
  if (engine.deployments->empty()) return {};
  return target_of(engine.deployments->routing(queue_of(run)), run.workflow_id,
                   binding_of(run).to_ramping);
}

VersionTarget workflow_route(const Engine& engine, const Run& run) {
  if (is_plain(engine, run)) return {};
  const RunBinding binding = binding_of(run);
  if (binding.pinned()) return {binding.version, binding.revision};
  return choose(binding, workflow_target(engine, run));
}

VersionTarget activity_route(const Engine& engine, const Run& run, const std::string& queue) {
  if (is_plain(engine, run)) return {};
  const RunBinding binding = binding_of(run);
  const QueueKey key{run.ns->id, queue, enums::TASK_QUEUE_TYPE_ACTIVITY};
  if (binding.pinned() && engine.deployments->has_queue(binding.version, key))
    return {binding.version, binding.revision};
  return choose(binding, target_of(engine.deployments->routing(key), run.workflow_id));
}

bool leaves_sticky(const Engine& engine, const Run& run) {
  if (is_plain(engine, run)) return false;
  const RunBinding binding = binding_of(run);
  if (binding.pinned()) return false;
  const VersionTarget target = workflow_target(engine, run);
  return !target.version.unversioned() && target.version != binding.version;
}

void begin_transition(Transition& t, const VersionTarget& to) {
  Run& run = t.run();
  if (run.versioning == nullptr) run.versioning = std::make_unique<RunVersioning>();
  run.versioning->begin_transition(to);
  run.sticky_queue.clear();
  // A task that waits still is for the old version's workers; the commit sends one without a stamp.
  // A speculative one is left to its deadline (genuine server).
  if (run.task.pending() && !run.task.is_started() &&
      run.task.kind != WorkflowTask::Kind::kSpeculative)
    run.task.stamp = 0;
}

bool moves_run(Transition& t, const DeploymentVersion& by, const std::string& queue) {
  const Run& run = t.run();
  const RunBinding binding = binding_of(run);
  if (by == binding.version || binding.pinned()) return false;
  const VersionTarget own = workflow_target(t.engine(), run);
  const VersionTarget here = activity_route(t.engine(), run, queue);
  const bool ahead = by.deployment == own.version.deployment && here.revision > own.revision;
  if (by != own.version && !ahead) return false;
  begin_transition(t, {by, here.revision});
  if (!run.task.pending()) t.want_task();
  return true;
}

}  // namespace chimera::server
