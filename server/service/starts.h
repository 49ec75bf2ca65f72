// Requests that start a workflow: checked, and made a start of the engine's. Loop thread.
#ifndef CHIMERA_SERVER_SERVICE_STARTS_H_
#define CHIMERA_SERVER_SERVICE_STARTS_H_

#include "absl/status/status.h"

#include "server/engine/turn/start.h"

namespace chimera::server {

class Engine;

// Checks and defaults a request in place; an InvalidArgument otherwise.
absl::Status validate_start(Engine& engine, wf::StartWorkflowExecutionRequest& request);
// Of a request that has been checked; takes what is large out of it.
StartSpec spec_of(Engine& engine, Namespace& ns, wf::StartWorkflowExecutionRequest& request);
absl::Status start_workflow(Engine& engine, wf::StartWorkflowExecutionRequest& request,
                            wf::StartWorkflowExecutionResponse& response);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_STARTS_H_
