// Batch operations: what they do to one execution, by the handler of the RPC that does the same.
#ifndef CHIMERA_SERVER_SERVICE_BATCHES_H_
#define CHIMERA_SERVER_SERVICE_BATCHES_H_

#include <string>

#include "absl/status/status.h"

#include "server/engine/batches.h"

namespace chimera::server {

// Batches::Operate.
absl::Status operate(Engine& engine, const std::string& batch, const BatchRequest& request,
                     const common::WorkflowExecution& execution);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_BATCHES_H_
