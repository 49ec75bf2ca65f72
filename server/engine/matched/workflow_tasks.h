// A run's workflow task as matching sees it. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_MATCHED_WORKFLOW_TASKS_H_
#define CHIMERA_SERVER_ENGINE_MATCHED_WORKFLOW_TASKS_H_

#include <string>

#include "server/matching/task.h"

namespace chimera::server {

class Engine;
class Run;

class WorkflowTasks final : public TaskOwner {
 public:
  void attach(Engine& engine, const Run& run) {
    engine_ = &engine;
    run_ = &run;
  }
  bool is_stale(const MatchTask& task) const override;
  bool deliver(const MatchTask& task, const QueueKey& queue, Poller& poller) override;
  void desert(MatchTask task) override;
  std::string version_for(const MatchTask& task, const QueueKey& queue) const override;

 private:
  Engine* engine_ = nullptr;  // Borrowed, as the run; null in a run that no engine has.
  const Run* run_ = nullptr;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_MATCHED_WORKFLOW_TASKS_H_
