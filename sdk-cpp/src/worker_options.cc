#include "sdk-cpp/src/worker_options.h"

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "absl/strings/str_cat.h"

#include "core/worker/option_checks.h"
#include "sdk-cpp/src/slots.h"
#include "sdk-cpp/src/stack_pool.h"

namespace chimera::sdk {
namespace {

[[noreturn]] void refuse(std::string_view option, std::string_view why) {
  throw std::invalid_argument(absl::StrCat("cannot create the worker: worker option ",
                                           std::string(option), " ", std::string(why)));
}

std::optional<core::PollerAutoscaling> to_core(const std::optional<PollerAutoscaling>& scaling) {
  if (!scaling) return std::nullopt;
  return core::PollerAutoscaling{scaling->minimum, scaling->maximum, scaling->initial};
}

std::optional<core::ResourceTuner> to_core(const std::optional<ResourceTuner>& tuner) {
  if (!tuner) return std::nullopt;
  const auto limits =
      [](const std::optional<ResourceSlotLimits>& from) -> std::optional<core::ResourceSlotLimits> {
    if (!from) return std::nullopt;
    return core::ResourceSlotLimits{from->minimum, from->maximum, from->ramp_throttle};
  };
  return core::ResourceTuner{{tuner->targets.memory, tuner->targets.cpu},
                             limits(tuner->workflow),
                             limits(tuner->activity),
                             limits(tuner->local_activity),
                             limits(tuner->nexus)};
}

[[noreturn]] void refuse_deployment(const std::string& why) {
  throw std::invalid_argument(absl::StrCat("WorkerOptions::deployment: ", why));
}

// What of a deployment would be ignored, or leave the server without an answer.
void check_deployment(const WorkerOptions& options) {
  if (!options.deployment) return;
  const WorkerDeploymentConfig& deployment = *options.deployment;
  if (!options.build_id.empty()) {
    refuse_deployment(
        "leave WorkerOptions::build_id empty; the build is the deployment's version.build_id");
  }
  if (deployment.version.deployment_name.empty() || deployment.version.build_id.empty())
    refuse_deployment("version needs a deployment_name and a build_id");
  if (!deployment.use_worker_versioning &&
      deployment.default_versioning_behavior != VersioningBehavior::kUnspecified)
    refuse_deployment("default_versioning_behavior has no effect without use_worker_versioning");
}

}  // namespace

void check(const WorkerOptions& options) {
  check_stack_bytes(options.workflow_stack_bytes);
  check_deployment(options);
  const std::chrono::milliseconds between = options.worker_heartbeat_interval;
  if (between.count() != 0 &&
      (between < std::chrono::seconds(1) || between > std::chrono::minutes(1)))
    refuse("worker_heartbeat_interval", "must be from 1 s to 60 s, or 0 for none");
  if (options.max_concurrent_workflow_tasks == 1 && options.max_cached_workflows > 0 &&
      !options.workflow_slots && !(options.resource_tuner && options.resource_tuner->workflow))
    refuse("max_concurrent_workflow_tasks", "must be at least 2 where runs are cached");
  if (options.max_concurrent_sessions < 0)
    refuse("max_concurrent_sessions", "must not be negative");
  if (options.max_concurrent_sessions > 0 && options.no_remote_activities)
    refuse("max_concurrent_sessions", "needs activities: no_remote_activities must be false");
  const absl::Status status = core::check(to_core(options, "any"));
  if (!status.ok())
    throw std::invalid_argument(
        absl::StrCat("cannot create the worker: ", std::string(status.message())));
}

void check_behaviors(const WorkerOptions& options,
                     const std::vector<detail::WorkflowType>& workflows) {
  if (!options.deployment || !options.deployment->use_worker_versioning ||
      options.deployment->default_versioning_behavior != VersioningBehavior::kUnspecified)
    return;
  for (const detail::WorkflowType& type : workflows) {
    if (type.versioning_behavior != VersioningBehavior::kUnspecified) continue;
    refuse_deployment(
        absl::StrCat("the workflow '", type.name,
                     "' has no versioning behavior: give its definition one "
                     "(.versioning_behavior(...)), or set default_versioning_behavior"));
  }
}

core::WorkerOptions to_core(const WorkerOptions& options, const std::string& namespace_) {
  core::WorkerOptions out;
  out.namespace_ = namespace_;
  out.task_queue = options.task_queue;
  out.identity = options.identity;
  out.build_id = options.build_id;
  if (options.deployment) {
    out.deployment_name = options.deployment->version.deployment_name;
    out.build_id = options.deployment->version.build_id;
    out.use_worker_versioning = options.deployment->use_worker_versioning;
    out.default_versioning_behavior = static_cast<api::enums::v1::VersioningBehavior>(
        options.deployment->default_versioning_behavior);
  }
  out.max_cached_workflows = options.max_cached_workflows;
  out.max_cached_bytes = options.max_cached_bytes;
  out.max_concurrent_workflow_tasks = options.max_concurrent_workflow_tasks;
  out.max_concurrent_activities = options.max_concurrent_activities;
  out.max_concurrent_local_activities = options.max_concurrent_local_activities;
  out.max_concurrent_nexus_tasks = options.max_concurrent_nexus_tasks;
  out.max_concurrent_workflow_task_polls = options.max_concurrent_workflow_task_polls;
  out.max_concurrent_activity_task_polls = options.max_concurrent_activity_task_polls;
  out.max_concurrent_nexus_task_polls = options.max_concurrent_nexus_task_polls;
  out.worker_heartbeat_interval = options.worker_heartbeat_interval;
  out.resource_tuner = to_core(options.resource_tuner);
  out.workflow_slots = sdk::to_core(core::SlotKind::kWorkflow, options.workflow_slots);
  out.activity_slots = sdk::to_core(core::SlotKind::kActivity, options.activity_slots);
  out.local_activity_slots =
      sdk::to_core(core::SlotKind::kLocalActivity, options.local_activity_slots);
  out.nexus_slots = sdk::to_core(core::SlotKind::kNexus, options.nexus_slots);
  out.workflow_poll_autoscaling = to_core(options.workflow_poll_autoscaling);
  out.activity_poll_autoscaling = to_core(options.activity_poll_autoscaling);
  out.nexus_poll_autoscaling = to_core(options.nexus_poll_autoscaling);
  out.sticky_queue_schedule_to_start_timeout = options.sticky_queue_schedule_to_start_timeout;
  out.graceful_shutdown_timeout = options.graceful_shutdown_timeout;
  out.nonsticky_to_sticky_poll_ratio = options.nonsticky_to_sticky_poll_ratio;
  out.max_heartbeat_throttle_interval = options.max_heartbeat_throttle_interval;
  out.default_heartbeat_throttle_interval = options.default_heartbeat_throttle_interval;
  out.max_activities_per_second = options.max_activities_per_second;
  out.max_task_queue_activities_per_second = options.max_task_queue_activities_per_second;
  out.no_remote_activities = options.no_remote_activities;
  out.disable_eager_activity_execution = options.disable_eager_activity_execution;
  out.max_eager_activity_reservations_per_workflow_task =
      options.max_eager_activity_reservations_per_workflow_task;
  out.deadlock_timeout = options.deadlock_timeout;
  return out;
}

}  // namespace chimera::sdk
