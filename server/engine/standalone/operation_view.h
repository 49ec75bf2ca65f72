// What is shown of a Nexus operation that stands alone: described, and in lists. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_STANDALONE_OPERATION_VIEW_H_
#define CHIMERA_SERVER_ENGINE_STANDALONE_OPERATION_VIEW_H_

#include <string>

#include "temporal/api/nexus/v1/message.pb.h"
#include "temporal/api/workflow/v1/message.pb.h"

#include "server/engine/standalone/operation_execution.h"
#include "server/visibility/entry.h"

namespace chimera::server {

// In lists such operations are a division of their own, named as in the genuine server 1.32.
inline constexpr char kOperationDivision[] = "131748067";
// In the index, where a namespace's own attributes have their names already.
inline constexpr char kEndpointAttribute[] = "TemporalNexusEndpoint",
                      kServiceAttribute[] = "TemporalNexusService",
                      kOperationAttribute[] = "TemporalNexusOperation",
                      kRequestIdAttribute[] = "TemporalNexusRequestId";

void describe(const OperationExecution& execution, WallTime now,
              nexus::NexusOperationExecutionInfo& info);
visibility::Entry entry_of(const OperationExecution& execution);
// What lists of such operations show of an entry. Its info is a WorkflowExecutionInfo, as any.
void fill_listed(const ::temporal::api::workflow::v1::WorkflowExecutionInfo& entry,
                 nexus::NexusOperationExecutionListInfo& info);
// Another one when lists would show something else.
std::string shown_key(const OperationExecution& execution);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_STANDALONE_OPERATION_VIEW_H_
