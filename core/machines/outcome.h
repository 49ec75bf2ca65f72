// What machines resolve their jobs with: failures shared by the job and its machine, and results
// that stay in the history's page.
#ifndef CHIMERA_CORE_MACHINES_OUTCOME_H_
#define CHIMERA_CORE_MACHINES_OUTCOME_H_

#include <memory>

#include "core/base/api.h"

namespace chimera::core {

using FailurePtr = std::shared_ptr<const api::failure::v1::Failure>;

// Null when there is none. Borrowed.
inline const api::common::v1::Payload* only_payload(const api::common::v1::Payloads& payloads) {
  return payloads.payloads().empty() ? nullptr : &payloads.payloads(0);
}

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_OUTCOME_H_
