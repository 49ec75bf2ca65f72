#include "core/worker/option_checks.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"

#include "core/base/utf8.h"

namespace chimera::core {
namespace {

constexpr std::size_t kTaskQueueBytesMax = 1000;  // Servers take no longer names.
constexpr int kSlotsMax = 1'000'000;

absl::Status wrong(const char* option, const char* why) {
  return absl::InvalidArgumentError(absl::StrCat("worker option ", option, " ", why));
}

absl::Status check(const ResourceTuner& tuner, bool caches) {
  for (const double target : {tuner.targets.memory, tuner.targets.cpu}) {
    if (!(target > 0 && target <= 1))
      return wrong("resource_tuner", "needs targets above 0 and at most 1");
  }
  for (const auto* limits :
       {&tuner.workflow, &tuner.activity, &tuner.local_activity, &tuner.nexus}) {
    if (!*limits) continue;
    if (!((*limits)->minimum >= 0 && (*limits)->maximum >= 1 &&
          (*limits)->minimum <= (*limits)->maximum))
      return wrong("resource_tuner", "needs 0 <= minimum <= maximum, which is at least 1");
    if ((*limits)->ramp_throttle.count() < 0)
      return wrong("resource_tuner", "needs a ramp_throttle that is not negative");
  }
  if (caches && tuner.workflow && tuner.workflow->maximum < 2)
    return wrong("resource_tuner", "needs at least 2 workflow slots where runs are cached");
  return absl::OkStatus();
}

absl::Status check_polls(const WorkerOptions& options) {
  for (const auto& [name, polls] :
       {std::pair("max_concurrent_workflow_task_polls", options.max_concurrent_workflow_task_polls),
        std::pair("max_concurrent_activity_task_polls", options.max_concurrent_activity_task_polls),
        std::pair("max_concurrent_nexus_task_polls", options.max_concurrent_nexus_task_polls)}) {
    if (polls < 1) return wrong(name, "must be at least 1");
  }
  for (const auto& [name, scaling] :
       {std::pair("workflow_poll_autoscaling", options.workflow_poll_autoscaling),
        std::pair("activity_poll_autoscaling", options.activity_poll_autoscaling),
        std::pair("nexus_poll_autoscaling", options.nexus_poll_autoscaling)}) {
    if (scaling && !(1 <= scaling->minimum && scaling->minimum <= scaling->initial &&
                     scaling->initial <= scaling->maximum))
      return wrong(name, "needs 1 <= minimum <= initial <= maximum");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status check(const WorkerOptions& options) {
  if (options.task_queue.empty()) return wrong("task_queue", "is empty");
  if (options.task_queue.size() > kTaskQueueBytesMax)
    return wrong("task_queue", "must have at most 1000 bytes");
  if (!base::is_utf8(options.task_queue)) return wrong("task_queue", "is no UTF-8");
  if (options.namespace_.empty()) return wrong("namespace", "is empty");
  for (const auto& [name, count] :
       {std::pair("max_concurrent_workflow_tasks", options.max_concurrent_workflow_tasks),
        std::pair("max_concurrent_activities", options.max_concurrent_activities),
        std::pair("max_concurrent_local_activities", options.max_concurrent_local_activities),
        std::pair("max_concurrent_nexus_tasks", options.max_concurrent_nexus_tasks)}) {
    if (count < 1 || count > kSlotsMax) return wrong(name, "must be from 1 to 1000000");
  }
  if (absl::Status valid = check_polls(options); !valid.ok()) return valid;
  if (options.worker_heartbeat_interval.count() < 0 ||
      options.worker_heartbeat_interval > std::chrono::seconds(60))
    return wrong("worker_heartbeat_interval", "must be at most 60 s, or 0 for none");
  if (options.resource_tuner) {
    absl::Status valid = check(*options.resource_tuner, options.max_cached_workflows > 0);
    if (!valid.ok()) return valid;
    const ResourceTuner& tuner = *options.resource_tuner;
    for (const auto& [name, twice] :
         {std::pair("workflow_slots", tuner.workflow && options.workflow_slots),
          std::pair("activity_slots", tuner.activity && options.activity_slots),
          std::pair("local_activity_slots", tuner.local_activity && options.local_activity_slots),
          std::pair("nexus_slots", tuner.nexus && options.nexus_slots)}) {
      if (twice) return wrong(name, "and resource_tuner both say how many slots there are");
    }
  }
  if (options.use_worker_versioning && options.deployment_name.empty())
    return wrong("use_worker_versioning", "needs a deployment_name");
  if (!options.deployment_name.empty() && options.build_id.empty())
    return wrong("deployment_name", "needs a build_id");
  const double ratio = options.nonsticky_to_sticky_poll_ratio;
  if (!(ratio >= 0 && ratio <= 1))
    return wrong("nonsticky_to_sticky_poll_ratio", "must be between 0 and 1");
  for (const auto& [name, rate] :
       {std::pair("max_activities_per_second", options.max_activities_per_second),
        std::pair("max_task_queue_activities_per_second",
                  options.max_task_queue_activities_per_second)}) {
    if (!(rate >= 0)) return wrong(name, "must be a number of at least 0, which is no limit");
  }
  for (const auto& [name, time] :
       {std::pair("sticky_queue_schedule_to_start_timeout",
                  options.sticky_queue_schedule_to_start_timeout),
        std::pair("max_heartbeat_throttle_interval", options.max_heartbeat_throttle_interval),
        std::pair("default_heartbeat_throttle_interval",
                  options.default_heartbeat_throttle_interval),
        std::pair("graceful_shutdown_timeout", options.graceful_shutdown_timeout),
        std::pair("deadlock_timeout", options.deadlock_timeout),
        std::pair("fatal_poll_tolerance", options.fatal_poll_tolerance)}) {
    if (time.count() < 0) return wrong(name, "must not be negative");
  }
  if (options.max_eager_activity_reservations_per_workflow_task < 0)
    return wrong("max_eager_activity_reservations_per_workflow_task", "must not be negative");
  if (options.max_cached_workflows > 0 && options.max_cached_bytes == 0)
    return wrong("max_cached_bytes", "must be at least 1 where runs are cached");
  return absl::OkStatus();
}

}  // namespace chimera::core
