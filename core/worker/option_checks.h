// What is wrong with a worker's options.
#ifndef CHIMERA_CORE_WORKER_OPTION_CHECKS_H_
#define CHIMERA_CORE_WORKER_OPTION_CHECKS_H_

#include "absl/status/status.h"

#include "core/worker/options.h"

namespace chimera::core {

// InvalidArgument that names the option and says what it must be.
absl::Status check(const WorkerOptions& options);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_OPTION_CHECKS_H_
