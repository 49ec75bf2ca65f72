// ResetWorkflowExecution. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_TURN_RESET_H_
#define CHIMERA_SERVER_ENGINE_TURN_RESET_H_

#include "absl/status/status.h"

#include "server/base/types.h"

namespace chimera::server {

class Engine;

absl::Status reset_workflow(Engine& engine, wf::ResetWorkflowExecutionRequest& request,
                            wf::ResetWorkflowExecutionResponse& response);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_TURN_RESET_H_
