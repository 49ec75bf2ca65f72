#include "core/worker/worker_metrics.h"

namespace chimera::core {
namespace {

Gauge& pollers(const SdkMetrics& sdk, const char* type) {
  return sdk.gauge("num_pollers", {{"poller_type", type}});
}

Gauge& slots(const SdkMetrics& sdk, const char* name, const char* type) {
  return sdk.gauge(name, {{"worker_type", type}});
}

}  // namespace

WorkerMetrics::WorkerMetrics(Metrics& metrics, const std::string& namespace_,
                             const std::string& task_queue)
    : sdk(metrics, namespace_, task_queue),
      worker_start(sdk.counter("worker_start")),
      workflow_poll_empty(sdk.counter("workflow_task_queue_poll_empty")),
      workflow_poll_succeed(sdk.counter("workflow_task_queue_poll_succeed")),
      activity_poll_no_task(sdk.counter("activity_poll_no_task")),
      nexus_poll_no_task(sdk.counter("nexus_poll_no_task")),
      cache_miss(sdk.counter("sticky_cache_miss")),
      forced_eviction(sdk.counter("sticky_cache_total_forced_eviction")),
      workflow_pollers(pollers(sdk, "workflow_task")),
      sticky_pollers(pollers(sdk, "sticky_workflow_task")),
      activity_pollers(pollers(sdk, "activity_task")),
      nexus_pollers(pollers(sdk, "nexus_task")),
      cache_size(sdk.gauge("sticky_cache_size")),
      workflow_slots_available(slots(sdk, "worker_task_slots_available", "WorkflowWorker")),
      workflow_slots_used(slots(sdk, "worker_task_slots_used", "WorkflowWorker")),
      activity_slots_available(slots(sdk, "worker_task_slots_available", "ActivityWorker")),
      activity_slots_used(slots(sdk, "worker_task_slots_used", "ActivityWorker")),
      local_activity_slots_available(
          slots(sdk, "worker_task_slots_available", "LocalActivityWorker")),
      local_activity_slots_used(slots(sdk, "worker_task_slots_used", "LocalActivityWorker")),
      nexus_slots_available(slots(sdk, "worker_task_slots_available", "NexusWorker")),
      nexus_slots_used(slots(sdk, "worker_task_slots_used", "NexusWorker")),
      workflow_schedule_to_start(sdk.duration("workflow_task_schedule_to_start_latency")) {}

}  // namespace chimera::core
