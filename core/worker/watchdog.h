// Watchdog, finds workflow code that does not yield: samples the lanes from a thread of its own, so
// that a task pays nothing for it. A stuck run's task is failed, once, with the stack of its
// thread; its lane gets no new tasks until the code returns, the other lanes go on.
#ifndef CHIMERA_CORE_WORKER_WATCHDOG_H_
#define CHIMERA_CORE_WORKER_WATCHDOG_H_

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"

#include "core/worker/lane.h"

namespace chimera::core {

class Watchdog {
 public:
  // Borrows both; stops when destroyed, which must be before them.
  Watchdog(const WorkerContext& context, const std::vector<std::unique_ptr<Lane>>& lanes);
  ~Watchdog();

 private:
  void loop();
  void look(Lane& lane);

  const WorkerContext& context_;
  const std::vector<std::unique_ptr<Lane>>& lanes_;
  std::set<std::string> told_;  // Task tokens that were failed.
  absl::Notification stop_;
  std::thread thread_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_WATCHDOG_H_
