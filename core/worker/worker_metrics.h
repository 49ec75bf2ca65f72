// WorkerMetrics, the instruments of one worker that carry no type's name, and where to get those
// that do. Any thread.
#ifndef CHIMERA_CORE_WORKER_WORKER_METRICS_H_
#define CHIMERA_CORE_WORKER_WORKER_METRICS_H_

#include <string>

#include "core/telemetry/sdk_metrics.h"

namespace chimera::core {

struct WorkerMetrics {
  WorkerMetrics(Metrics& metrics, const std::string& namespace_, const std::string& task_queue);

  SdkMetrics sdk;
  Counter &worker_start, &workflow_poll_empty, &workflow_poll_succeed, &activity_poll_no_task,
      &nexus_poll_no_task, &cache_miss, &forced_eviction;
  Gauge &workflow_pollers, &sticky_pollers, &activity_pollers, &nexus_pollers, &cache_size;
  Gauge &workflow_slots_available, &workflow_slots_used;
  Gauge &activity_slots_available, &activity_slots_used;
  Gauge &local_activity_slots_available, &local_activity_slots_used;
  Gauge &nexus_slots_available, &nexus_slots_used;
  DurationHistogram workflow_schedule_to_start;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_WORKER_METRICS_H_
