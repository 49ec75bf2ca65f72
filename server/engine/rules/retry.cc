#include "server/engine/rules/retry.h"

#include <cmath>

#include "server/engine/rules/limits.h"

namespace chimera::server {
namespace {

std::string timeout_name(enums::TimeoutType type) {
  return type == enums::TIMEOUT_TYPE_HEARTBEAT ? "TemporalTimeout:Heartbeat"
                                               : "TemporalTimeout:StartToClose";
}

bool listed(const common::RetryPolicy& policy, const std::string& type) {
  for (const std::string& name : policy.non_retryable_error_types()) {
    if (name == type) return true;
  }
  return false;
}

bool retryable(const common::RetryPolicy& policy, const failure::Failure& failure) {
  using Failure = failure::Failure;
  switch (failure.failure_info_case()) {
    case Failure::kTerminatedFailureInfo:
    case Failure::kCanceledFailureInfo:
      return false;
    case Failure::kTimeoutFailureInfo: {
      const auto type = failure.timeout_failure_info().timeout_type();
      if (type != enums::TIMEOUT_TYPE_START_TO_CLOSE && type != enums::TIMEOUT_TYPE_HEARTBEAT)
        return false;
      return !listed(policy, timeout_name(type));
    }
    case Failure::kServerFailureInfo:
      return !failure.server_failure_info().non_retryable();
    case Failure::kApplicationFailureInfo:
      return !failure.application_failure_info().non_retryable() &&
             !listed(policy, failure.application_failure_info().type());
    default:
      return true;
  }
}

}  // namespace

Nanos retry_interval(const common::RetryPolicy& policy, int attempt) {
  const double initial = static_cast<double>(to_nanos(policy.initial_interval()).count());
  const Nanos maximum = to_nanos(policy.maximum_interval());
  const double next = initial * std::pow(policy.backoff_coefficient(), attempt - 1);
  const double cap = maximum > Nanos{0} ? static_cast<double>(maximum.count()) : 9e18;
  return Nanos{static_cast<std::int64_t>(std::min(next, cap))};
}

RetryDecision decide_retry(const common::RetryPolicy& policy, int attempt, WallTime now,
                           WallTime expires, const failure::Failure& failure) {
  if (!retryable(policy, failure)) return {enums::RETRY_STATE_NON_RETRYABLE_FAILURE};
  if (policy.maximum_attempts() > 0 && attempt >= policy.maximum_attempts()) {
    return {enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED};
  }
  Nanos delay = retry_interval(policy, attempt);
  if (failure.application_failure_info().has_next_retry_delay()) {
    delay = to_nanos(failure.application_failure_info().next_retry_delay());
  }
  if (expires != kNever && add_saturated(now, delay) > expires) return {enums::RETRY_STATE_TIMEOUT};
  return {enums::RETRY_STATE_IN_PROGRESS, delay};
}

void default_retry_policy(common::RetryPolicy& policy) {
  if (to_nanos(policy.initial_interval()) == Nanos{0})
    set(policy.mutable_initial_interval(), seconds{1});
  if (policy.backoff_coefficient() == 0) policy.set_backoff_coefficient(2.0);
  if (to_nanos(policy.maximum_interval()) == Nanos{0}) {
    set(policy.mutable_maximum_interval(),
        Nanos{static_cast<std::int64_t>(std::min(
            9e18, 100.0 * static_cast<double>(to_nanos(policy.initial_interval()).count())))});
  }
}

std::string check_retry_policy(const common::RetryPolicy& policy) {
  constexpr char kSet[] = " set on retry policy: ";
  if (const std::string problem = duration_problem(policy.initial_interval()); !problem.empty())
    return absl::StrCat("invalid InitialInterval", kSet, problem);
  // Written so that it refuses NaN, too.
  if (policy.backoff_coefficient() != 0 && !(policy.backoff_coefficient() >= 1)) {
    return "BackoffCoefficient cannot be less than 1 on retry policy.";
  }
  if (const std::string problem = duration_problem(policy.maximum_interval()); !problem.empty())
    return absl::StrCat("invalid MaximumInterval", kSet, problem);
  const Nanos maximum = to_nanos(policy.maximum_interval());
  if (maximum > Nanos{0} && maximum < to_nanos(policy.initial_interval())) {
    return "MaximumInterval cannot be less than InitialInterval on retry policy.";
  }
  if (policy.maximum_attempts() < 0) return "MaximumAttempts cannot be negative on retry policy.";
  return {};
}

}  // namespace chimera::server
