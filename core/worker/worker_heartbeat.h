// WorkerHeartbeat, what a worker tells the server of itself, at once and then at intervals, where
// the namespace takes it: who and where it is, its slots, polls and cache. Made once the server is
// known. Any thread.
#ifndef CHIMERA_CORE_WORKER_WORKER_HEARTBEAT_H_
#define CHIMERA_CORE_WORKER_WORKER_HEARTBEAT_H_

#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "temporal/api/worker/v1/message.pb.h"

#include "core/base/api.h"
#include "core/worker/context.h"
#include "core/worker/machine_load.h"

namespace chimera::core {

class WorkerHeartbeat : public std::enable_shared_from_this<WorkerHeartbeat> {
 public:
  // Borrows the context until stop() has returned.
  WorkerHeartbeat(const WorkerContext& context, std::unique_ptr<LoadMeter> meter);

  void start();
  // The last one, which the worker's goodbye brings; no others are sent from then on.
  api::worker::v1::WorkerHeartbeat last();
  // The context is not used any more.
  void stop();

 private:
  // Task counts of a kind when the last heartbeat was made.
  struct Before {
    std::int32_t processed = 0, failed = 0;
  };

  void beat();
  api::worker::v1::WorkerHeartbeat make(api::enums::v1::WorkerStatus status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void describe_host(api::worker::v1::WorkerHostInfo& host) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void describe(const base::SlotSupplier& slots, const TaskFigures& tasks, Before& before,
                       api::worker::v1::WorkerSlotsInfo& info);
  static void describe(const PollFigures& polls, bool autoscaling,
                       api::worker::v1::WorkerPollerInfo& info);

  const WorkerContext& context_;
  const std::unique_ptr<LoadMeter> meter_;
  const base::WallTime began_;
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  base::TimerId timer_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<base::WallTime> last_beat_ ABSL_GUARDED_BY(mutex_);
  Before workflow_tasks_ ABSL_GUARDED_BY(mutex_), activities_ ABSL_GUARDED_BY(mutex_),
      local_activities_ ABSL_GUARDED_BY(mutex_), nexus_tasks_ ABSL_GUARDED_BY(mutex_);
};

// Where this process runs. `runtime`: "NAME VERSION" of the language's, such as "CPython 3.12.1";
// empty: compiled code alone.
api::worker::v1::EnvironmentInfo environment_info(const std::string& runtime);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_WORKER_HEARTBEAT_H_
