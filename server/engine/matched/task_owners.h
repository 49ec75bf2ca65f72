// What of a run waits in matching: its workflow task and its activity attempts. Parts of the run,
// whose life they share. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_MATCHED_TASK_OWNERS_H_
#define CHIMERA_SERVER_ENGINE_MATCHED_TASK_OWNERS_H_

#include "server/matching/task.h"

namespace chimera::server {

class Engine;
class Run;

class RunTasks : public TaskOwner {
 public:
  void attach(Engine& engine, const Run& run) {
    engine_ = &engine;
    run_ = &run;
  }
  std::weak_ptr<TaskOwner> weak();

 protected:
  Engine* engine_ = nullptr;  // Borrowed; null in a run that no engine has.
  const Run* run_ = nullptr;
};

class WorkflowTasks final : public RunTasks {
 public:
  bool is_stale(const MatchTask& task) const override;
  bool deliver(const MatchTask& task, const QueueKey& queue, Poller& poller) override;
  void desert(MatchTask task) override;
};

class ActivityTasks final : public RunTasks {  // A task's id is its Scheduled event's.
 public:
  bool is_stale(const MatchTask& task) const override;
  bool deliver(const MatchTask& task, const QueueKey& queue, Poller& poller) override;
  void desert(MatchTask task) override;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_MATCHED_TASK_OWNERS_H_
