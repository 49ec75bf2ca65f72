// ActivityExecutions, all activities that stand alone. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_STANDALONE_ACTIVITY_EXECUTIONS_H_
#define CHIMERA_SERVER_ENGINE_STANDALONE_ACTIVITY_EXECUTIONS_H_

#include "server/engine/standalone/activity_execution.h"

namespace chimera::server {

class ActivityExecutions final : public StandaloneExecutions<ActivityExecution> {
 public:
  using StandaloneExecutions::StandaloneExecutions;

 private:
  void do_due(const ActivityExecution& execution) override;
  void go_on(const ActivityExecution& execution) override;
  void terminate(const ActivityExecution& execution) override;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_STANDALONE_ACTIVITY_EXECUTIONS_H_
