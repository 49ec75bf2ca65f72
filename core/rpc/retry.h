// RetryState, whether and when one call is tried again (gRPC codes and intervals of sdk-core
// 1.35, RetryClient). Pure: time and chance are arguments. One call's.
#ifndef CHIMERA_CORE_RPC_RETRY_H_
#define CHIMERA_CORE_RPC_RETRY_H_

#include <chrono>
#include <limits>
#include <optional>

#include "absl/status/status.h"

#include "core/base/clock.h"
#include "core/rpc/connection.h"

namespace chimera::core {

struct RetryPolicy {
  RetryClass kind = RetryClass::kNormal;
  std::chrono::nanoseconds initial{std::chrono::milliseconds(100)};
  std::chrono::nanoseconds max_interval{std::chrono::seconds(5)};
  double multiplier = 1.7;
  double jitter = 0.2;
  int max_tries = std::numeric_limits<int>::max();
  std::optional<std::chrono::nanoseconds> max_elapsed;
  // max_elapsed counts from the first failure: a long poll may have been well for a minute before.
  bool elapsed_from_failure = false;
};

RetryPolicy retry_policy(RetryClass kind, const RetryOptions& options);

// A reply or request that is too big stays so: never retried, and a workflow task's answer reacts.
bool is_message_too_large(const absl::Status& status);

class RetryState {
 public:
  RetryState(RetryPolicy policy, base::SteadyTime started)
      : policy_(policy), started_(started), next_(policy.initial) {}

  // How long to wait before the next try, or nothing when `failure` is final. `chance` is in
  // [0, 1). Fatal codes of task polls are retried while now < tolerate_fatal_until.
  std::optional<std::chrono::nanoseconds> next_delay(const absl::Status& failure,
                                                     base::SteadyTime now, double chance,
                                                     base::SteadyTime tolerate_fatal_until = {});
  int tries() const { return tries_; }

 private:
  bool retryable(const absl::Status& failure, base::SteadyTime now,
                 base::SteadyTime tolerate_fatal_until) const;

  RetryPolicy policy_;
  base::SteadyTime started_;
  bool failed_ = false;
  std::chrono::nanoseconds next_;
  std::chrono::nanoseconds next_throttle_{std::chrono::seconds(1)};
  int tries_ = 1;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_RPC_RETRY_H_
