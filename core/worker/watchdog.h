// Watchdog, finds workflow code that does not yield: looks at the lanes now and then from the
// timers' thread, so that a task pays nothing for it. A stuck run's task is failed, once, with the
// stack of its thread; its lane gets no new tasks until the code returns, the other lanes go on.
#ifndef CHIMERA_CORE_WORKER_WATCHDOG_H_
#define CHIMERA_CORE_WORKER_WATCHDOG_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "core/base/executor.h"
#include "core/worker/lane.h"

namespace chimera::core {

class Watchdog : public std::enable_shared_from_this<Watchdog> {
 public:
  // Borrows both.
  Watchdog(const WorkerContext& context, const std::vector<std::unique_ptr<Lane>>& lanes)
      : context_(context), lanes_(lanes) {}

  void start();
  // Before what it borrows ends. Not from a lane or a timer.
  void stop();

 private:
  void set_timer() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void look_at_all();
  void look(Lane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void report(const Lane& lane, const StuckRun& stuck);

  const WorkerContext& context_;
  const std::vector<std::unique_ptr<Lane>>& lanes_;
  absl::Mutex mutex_;
  std::set<std::string> told_ ABSL_GUARDED_BY(mutex_);  // Task tokens that were failed.
  base::TimerId timer_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  // To get a thread's stack may take a while, which timers must not. Made for the first report.
  std::shared_ptr<base::Strand> reporter_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_WATCHDOG_H_
