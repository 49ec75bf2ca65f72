// Workflows behind Nexus operations: their tokens, and what starts and signals carry that a Nexus
// handler makes. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_NEXUS_WORKFLOW_H_
#define CHIMERA_SDK_CPP_SRC_NEXUS_WORKFLOW_H_

#include <optional>
#include <string>

#include "core/base/api.h"

namespace chimera::sdk {

// What the official SDKs write: base64url of {"t":1,"ns":...,"wid":...}.
struct NexusWorkflowToken {
  std::string namespace_, workflow_id;
};
std::string write_token(const NexusWorkflowToken& token);
// Throws nexus::HandlerError NOT_FOUND for any other.
NexusWorkflowToken read_token(const std::string& token);

// Of the Nexus request that this thread handles; no effect where it handles none. A start that is
// the operation's own gets its request id and its callback.
void put_nexus_request(api::workflowservice::v1::StartWorkflowExecutionRequest& request);
void put_nexus_request(api::workflowservice::v1::SignalWorkflowExecutionRequest& request);
void put_nexus_request(api::workflowservice::v1::SignalWithStartWorkflowExecutionRequest& request);
// The other way: the links that the caller is shown.
void take_nexus_links(const api::workflowservice::v1::StartWorkflowExecutionRequest& request,
                      const api::workflowservice::v1::StartWorkflowExecutionResponse& response);
void take_nexus_links(const api::workflowservice::v1::SignalWorkflowExecutionResponse& response);
void take_nexus_links(
    const api::workflowservice::v1::SignalWithStartWorkflowExecutionResponse& response);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_NEXUS_WORKFLOW_H_
