// Reads of histories that only an archive still has. Loop thread.
#ifndef CHIMERA_SERVER_SERVICE_ARCHIVES_H_
#define CHIMERA_SERVER_SERVICE_ARCHIVES_H_

#include "absl/status/status.h"

#include "server/base/call.h"
#include "server/base/types.h"
#include "server/engine/engine.h"

namespace chimera::server {

using HistoryCall =
    TypedCall<wf::GetWorkflowExecutionHistoryRequest, wf::GetWorkflowExecutionHistoryResponse>;

// Whether the history is to be looked for there: its run is named, and not here.
bool is_for_archive(Engine& engine, const Namespace& ns,
                    const wf::GetWorkflowExecutionHistoryRequest& request);
// Answers later, unless it returns an error.
absl::Status read_archived(Engine& engine, const Namespace& ns, HistoryCall call);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_ARCHIVES_H_
