#include "server/engine/standalone/operation_executions.h"

#include "server/engine/standalone/operation_change.h"

namespace chimera::server {

void OperationExecutions::do_due(const OperationExecution& execution) {
  OperationChange change(engine_, execution);
  change.do_due() ? change.commit() : change.commit_unseen();
}

void OperationExecutions::go_on(const OperationExecution& execution) {
  OperationChange change(engine_, execution);
  change.send();
  change.commit_unseen();
}

void OperationExecutions::terminate(const OperationExecution& execution) {
  OperationChange change(engine_, execution);
  change.terminate("Delete nexus operation execution", "", "");
  change.commit();
}

}  // namespace chimera::server
