// What DescribeWorkflowExecution shows of a run; lists: visible.h. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_RUN_DESCRIBE_H_
#define CHIMERA_SERVER_ENGINE_RUN_DESCRIBE_H_

#include <map>
#include <string>

#include "temporal/api/workflow/v1/message.pb.h"

#include "server/engine/run/run.h"

namespace chimera::server {

void fill_info(const Run& run, ::temporal::api::workflow::v1::WorkflowExecutionInfo& info);
void describe_run(const Run& run, WallTime time, wf::DescribeWorkflowExecutionResponse& response);
// Its search attributes, with those that the server sets.
std::map<std::string, common::Payload> all_search_attributes(const Run& run);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RUN_DESCRIBE_H_
