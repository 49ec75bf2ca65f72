// OperationExecutions, all Nexus operations that stand alone. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_STANDALONE_OPERATION_EXECUTIONS_H_
#define CHIMERA_SERVER_ENGINE_STANDALONE_OPERATION_EXECUTIONS_H_

#include "server/engine/standalone/operation_execution.h"

namespace chimera::server {

class OperationExecutions final : public StandaloneExecutions<OperationExecution> {
 public:
  using StandaloneExecutions::StandaloneExecutions;

 private:
  void do_due(const OperationExecution& execution) override;
  void go_on(const OperationExecution& execution) override;
  void terminate(const OperationExecution& execution) override;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_STANDALONE_OPERATION_EXECUTIONS_H_
