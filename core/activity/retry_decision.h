// When a failed attempt of a local activity is followed by another. The server decides for all
// other activities.
#ifndef CHIMERA_CORE_ACTIVITY_RETRY_DECISION_H_
#define CHIMERA_CORE_ACTIVITY_RETRY_DECISION_H_

#include <chrono>
#include <optional>

#include "core/base/api.h"

namespace chimera::core {

// The pause before the next attempt; nothing where there is none. `attempt`: the one that failed,
// from 1 up. Fields that the policy leaves unset are the server's defaults: 1 s, twice as long each
// time, up to 100 times the first, for ever.
std::optional<std::chrono::nanoseconds> retry_delay(const api::common::v1::RetryPolicy& policy,
                                                    const api::failure::v1::Failure& failure,
                                                    std::uint32_t attempt);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_ACTIVITY_RETRY_DECISION_H_
