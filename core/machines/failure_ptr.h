// FailurePtr, a failure that a machine resolves its job with: shared by the job and its machine.
#ifndef CHIMERA_CORE_MACHINES_FAILURE_PTR_H_
#define CHIMERA_CORE_MACHINES_FAILURE_PTR_H_

#include <memory>

#include "core/base/api.h"

namespace chimera::core {

using FailurePtr = std::shared_ptr<const api::failure::v1::Failure>;

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_FAILURE_PTR_H_
