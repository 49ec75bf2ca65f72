// What DescribeWorkflowExecution and the lists show of a run. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_RUN_DESCRIBE_H_
#define CHIMERA_SERVER_ENGINE_RUN_DESCRIBE_H_

#include "temporal/api/workflow/v1/message.pb.h"

#include "server/engine/run/run.h"
#include "server/visibility/row.h"

namespace chimera::server {

void fill_info(const Run& run, ::temporal::api::workflow::v1::WorkflowExecutionInfo& info);
void describe_run(const Run& run, WallTime now, wf::DescribeWorkflowExecutionResponse& response);
Row row_of(const Run& run);  // As list filters see it; it lives no longer than the run.

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RUN_DESCRIBE_H_
