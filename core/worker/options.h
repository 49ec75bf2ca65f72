// WorkerOptions, what a worker can be told: one list for all languages.
#ifndef CHIMERA_CORE_WORKER_OPTIONS_H_
#define CHIMERA_CORE_WORKER_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/api.h"

namespace chimera::core {

// A number of polls that follows the server's advice, within these limits.
struct PollerAutoscaling {
  int minimum = 1, maximum = 100, initial = 5;
};

// Shares of memory and CPU, above 0 and at most 1, below which more tasks are taken.
struct ResourceTargets {
  double memory = 0, cpu = 0;
};

struct ResourceSlotLimits {
  int minimum = 1;  // Whatever the load.
  int maximum = 500;
  std::chrono::milliseconds ramp_throttle{0};  // Beyond the minimum, between one slot and the next.
};

// Slots that follow the machine's load. A kind without limits keeps its fixed number.
struct ResourceTuner {
  ResourceTargets targets;
  std::optional<ResourceSlotLimits> workflow, activity, local_activity, nexus;
};

class CustomSlotSupplier;  // custom_slots.h

struct WorkerOptions {
  std::string namespace_ = "default";
  std::string task_queue;
  std::string identity;  // Default: the connection's.
  std::string build_id;
  // With a name, the worker is part of this deployment's version `build_id`.
  std::string deployment_name;
  bool use_worker_versioning = false;  // Takes only tasks that its version is to have.
  // For workflows that say nothing themselves.
  api::enums::v1::VersioningBehavior default_versioning_behavior{};
  std::size_t max_cached_workflows = 1000;
  std::size_t max_cached_bytes = std::size_t{1} << 30;
  int max_concurrent_workflow_tasks = 100;
  int max_concurrent_activities = 100;
  int max_concurrent_local_activities = 100;
  int max_concurrent_nexus_tasks = 100;
  std::optional<ResourceTuner> resource_tuner;
  // Users' own; null: as the numbers and the tuner say.
  std::shared_ptr<CustomSlotSupplier> workflow_slots, activity_slots, local_activity_slots,
      nexus_slots;
  int max_concurrent_workflow_task_polls = 5;
  double nonsticky_to_sticky_poll_ratio = 0.2;
  int max_concurrent_activity_task_polls = 5;
  int max_concurrent_nexus_task_polls = 5;
  // In place of the fixed numbers, for workflows at each of the two queues.
  std::optional<PollerAutoscaling> workflow_poll_autoscaling, activity_poll_autoscaling,
      nexus_poll_autoscaling;
  int lanes = 0;  // 0: the machine's cores.
  std::chrono::milliseconds sticky_queue_schedule_to_start_timeout{10000};
  std::chrono::milliseconds max_heartbeat_throttle_interval{60000};
  std::chrono::milliseconds default_heartbeat_throttle_interval{30000};
  std::chrono::milliseconds graceful_shutdown_timeout{0};
  double max_activities_per_second = 0;             // 0: no limit.
  double max_task_queue_activities_per_second = 0;  // 0: no limit.
  bool no_remote_activities = false;
  bool disable_eager_activity_execution = false;
  // Leaves it to the server to refuse values that are too large for it.
  bool disable_payload_error_limit = false;
  int max_eager_activity_reservations_per_workflow_task = 3;
  std::chrono::milliseconds deadlock_timeout{2000};  // 0: no watchdog.
  // Between what it tells the server of itself, where the namespace takes that; 0: nothing.
  std::chrono::milliseconds worker_heartbeat_interval{0};
  // For heartbeats: names of plugins, types of external storage, and what runs the language, as in
  // "CPython 3.12.1" (empty: compiled code alone).
  std::vector<std::string> plugins, storage_drivers;
  std::string language_runtime;
  bool disable_environment_info = false;  // Heartbeats do not say on what they run.
  // From the start on, how long polls go on although the server refuses them: a worker that starts
  // beside its server may come before its namespace and its keys (sdk-core 1.35).
  std::chrono::milliseconds fatal_poll_tolerance{60000};
};

// At most so many tasks of a kind at a time.
inline int most_slots(bool custom, const std::optional<ResourceSlotLimits>& limits, int fixed) {
  constexpr int kNoLimit = 1'000'000;
  if (custom) return kNoLimit;
  return limits ? limits->maximum : fixed;
}
// For a language that runs each activity on a thread: at most so many.
inline int activity_threads(const WorkerOptions& options) {
  const ResourceTuner tuner = options.resource_tuner.value_or(ResourceTuner{});
  return most_slots(options.activity_slots != nullptr, tuner.activity,
                    options.max_concurrent_activities) +
         most_slots(options.local_activity_slots != nullptr, tuner.local_activity,
                    options.max_concurrent_local_activities);
}
// The same for handlers of Nexus tasks.
inline int nexus_threads(const WorkerOptions& options) {
  return most_slots(options.nexus_slots != nullptr,
                    options.resource_tuner.value_or(ResourceTuner{}).nexus,
                    options.max_concurrent_nexus_tasks);
}

// Each option with its name, in order: for languages that read them by name. A test compares this
// with the struct's fields.
template <class Options, class Visit>
void for_each_option(Options& options, Visit&& visit) {
  visit("namespace", options.namespace_);
  visit("task_queue", options.task_queue);
  visit("identity", options.identity);
  visit("build_id", options.build_id);
  visit("deployment_name", options.deployment_name);
  visit("use_worker_versioning", options.use_worker_versioning);
  visit("default_versioning_behavior", options.default_versioning_behavior);
  visit("max_cached_workflows", options.max_cached_workflows);
  visit("max_cached_bytes", options.max_cached_bytes);
  visit("max_concurrent_workflow_tasks", options.max_concurrent_workflow_tasks);
  visit("max_concurrent_activities", options.max_concurrent_activities);
  visit("max_concurrent_local_activities", options.max_concurrent_local_activities);
  visit("max_concurrent_nexus_tasks", options.max_concurrent_nexus_tasks);
  visit("resource_tuner", options.resource_tuner);
  visit("workflow_slots", options.workflow_slots);
  visit("activity_slots", options.activity_slots);
  visit("local_activity_slots", options.local_activity_slots);
  visit("nexus_slots", options.nexus_slots);
  visit("max_concurrent_workflow_task_polls", options.max_concurrent_workflow_task_polls);
  visit("nonsticky_to_sticky_poll_ratio", options.nonsticky_to_sticky_poll_ratio);
  visit("max_concurrent_activity_task_polls", options.max_concurrent_activity_task_polls);
  visit("max_concurrent_nexus_task_polls", options.max_concurrent_nexus_task_polls);
  visit("workflow_poll_autoscaling", options.workflow_poll_autoscaling);
  visit("activity_poll_autoscaling", options.activity_poll_autoscaling);
  visit("nexus_poll_autoscaling", options.nexus_poll_autoscaling);
  visit("lanes", options.lanes);
  visit("sticky_queue_schedule_to_start_timeout", options.sticky_queue_schedule_to_start_timeout);
  visit("max_heartbeat_throttle_interval", options.max_heartbeat_throttle_interval);
  visit("default_heartbeat_throttle_interval", options.default_heartbeat_throttle_interval);
  visit("graceful_shutdown_timeout", options.graceful_shutdown_timeout);
  visit("max_activities_per_second", options.max_activities_per_second);
  visit("max_task_queue_activities_per_second", options.max_task_queue_activities_per_second);
  visit("no_remote_activities", options.no_remote_activities);
  visit("disable_eager_activity_execution", options.disable_eager_activity_execution);
  visit("disable_payload_error_limit", options.disable_payload_error_limit);
  visit("max_eager_activity_reservations_per_workflow_task",
        options.max_eager_activity_reservations_per_workflow_task);
  visit("deadlock_timeout", options.deadlock_timeout);
  visit("worker_heartbeat_interval", options.worker_heartbeat_interval);
  visit("plugins", options.plugins);
  visit("storage_drivers", options.storage_drivers);
  visit("language_runtime", options.language_runtime);
  visit("disable_environment_info", options.disable_environment_info);
  visit("fatal_poll_tolerance", options.fatal_poll_tolerance);
}

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_OPTIONS_H_
