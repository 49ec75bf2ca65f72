// WorkerOptions: whether they make sense, and what they are to the core. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_WORKER_OPTIONS_H_
#define CHIMERA_SDK_CPP_SRC_WORKER_OPTIONS_H_

#include <string>
#include <vector>

#include "chimera/worker.h"
#include "core/worker/options.h"

namespace chimera::sdk {

// Throws std::invalid_argument that names the option and says what it must be.
void check(const WorkerOptions& options);
// Likewise, once it is known which workflows the worker has.
void check_behaviors(const WorkerOptions& options,
                     const std::vector<detail::WorkflowType>& workflows);

core::WorkerOptions to_core(const WorkerOptions& options, const std::string& namespace_);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_WORKER_OPTIONS_H_
