// When a failed attempt of an activity or workflow is tried again. Pure.
#ifndef CHIMERA_SERVER_ENGINE_RULES_RETRY_H_
#define CHIMERA_SERVER_ENGINE_RULES_RETRY_H_

#include <string>

#include "server/base/types.h"

namespace chimera::server {

struct RetryDecision {
  enums::RetryState state =
      enums::RETRY_STATE_IN_PROGRESS;  // In progress: try again after `delay`.
  Nanos delay{};
  bool retry() const { return state == enums::RETRY_STATE_IN_PROGRESS; }
};

// `attempt` is the one that failed; `expires` is when no attempt may start any more (kNever: no
// such time).
RetryDecision decide_retry(const common::RetryPolicy& policy, int attempt, WallTime now,
                           WallTime expires, const failure::Failure& failure);
// From the failure of the attempt to the next one.
Nanos retry_interval(const common::RetryPolicy& policy, int attempt);
// Fills in what a policy leaves open: 1 s, 2.0, 100 x the initial interval.
void default_retry_policy(common::RetryPolicy& policy);
// An error text for a bad policy, empty if it is good.
std::string check_retry_policy(const common::RetryPolicy& policy);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RULES_RETRY_H_
