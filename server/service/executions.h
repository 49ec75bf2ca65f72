// What is done to one execution at a client's wish: the handlers, for the batch operations that ask
// for the same of many. Loop thread.
#ifndef CHIMERA_SERVER_SERVICE_EXECUTIONS_H_
#define CHIMERA_SERVER_SERVICE_EXECUTIONS_H_

#include "absl/status/status.h"

#include "server/engine/engine.h"

namespace chimera::server {

absl::Status signal_workflow(Engine& engine, wf::SignalWorkflowExecutionRequest& request,
                             wf::SignalWorkflowExecutionResponse& response);
absl::Status request_cancel(Engine& engine, wf::RequestCancelWorkflowExecutionRequest& request,
                            wf::RequestCancelWorkflowExecutionResponse& response);
absl::Status terminate(Engine& engine, wf::TerminateWorkflowExecutionRequest& request,
                       wf::TerminateWorkflowExecutionResponse& response);
absl::Status delete_execution(Engine& engine, wf::DeleteWorkflowExecutionRequest& request,
                              wf::DeleteWorkflowExecutionResponse& response);
absl::Status reset_workflow(Engine& engine, wf::ResetWorkflowExecutionRequest& request,
                            wf::ResetWorkflowExecutionResponse& response);
absl::Status update_workflow_options(Engine& engine,
                                     wf::UpdateWorkflowExecutionOptionsRequest& request,
                                     wf::UpdateWorkflowExecutionOptionsResponse& response);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_EXECUTIONS_H_
