// WorkerFigures, what a worker's heartbeats tell of it. Metrics have the same, but summed up over
// all workers of a task queue. Any thread.
#ifndef CHIMERA_CORE_TELEMETRY_WORKER_FIGURES_H_
#define CHIMERA_CORE_TELEMETRY_WORKER_FIGURES_H_

#include <atomic>
#include <cstdint>

namespace chimera::core {

// Of one kind of task, since the worker's start.
struct TaskFigures {
  std::atomic<std::int32_t> processed{0}, failed{0};
  void count(bool has_failed) {
    processed.fetch_add(1, std::memory_order_relaxed);
    if (has_failed) failed.fetch_add(1, std::memory_order_relaxed);
  }
};

// Of the polls at one queue.
struct PollFigures {
  std::atomic<std::int32_t> under_way{0};
  std::atomic<std::int64_t> last_success{0};  // Nanoseconds since 1970; 0: none yet.
};

struct WorkerFigures {
  TaskFigures workflow_tasks, activities, local_activities, nexus_tasks;
  PollFigures workflow_polls, sticky_polls, activity_polls, nexus_polls;
  std::atomic<std::int32_t> cache_hits{0}, cache_misses{0}, cached_runs{0};
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_TELEMETRY_WORKER_FIGURES_H_
