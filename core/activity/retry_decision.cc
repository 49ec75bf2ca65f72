#include "core/activity/retry_decision.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/match.h"

#include "core/base/proto_time.h"

namespace chimera::core {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kInitialInterval = std::chrono::seconds(1);
constexpr double kBackoffCoefficient = 2;
constexpr int kMaximumIntervals = 100;
constexpr nanoseconds kLongest = std::chrono::hours(24 * 365 * 100);

bool retryable(const api::common::v1::RetryPolicy& policy,
               const api::failure::v1::Failure& failure) {
  if (failure.has_timeout_failure_info()) {
    return failure.timeout_failure_info().timeout_type() ==
           api::enums::v1::TIMEOUT_TYPE_START_TO_CLOSE;
  }
  if (!failure.has_application_failure_info()) return !failure.has_canceled_failure_info();
  const auto& info = failure.application_failure_info();
  if (info.non_retryable()) return false;
  return std::none_of(
      policy.non_retryable_error_types().begin(), policy.non_retryable_error_types().end(),
      [&](const std::string& type) { return absl::EqualsIgnoreCase(type, info.type()); });
}

}  // namespace

std::optional<nanoseconds> retry_delay(const api::common::v1::RetryPolicy& policy,
                                       const api::failure::v1::Failure& failure,
                                       std::uint32_t attempt) {
  if (!retryable(policy, failure)) return std::nullopt;
  if (policy.maximum_attempts() > 0 &&
      attempt >= static_cast<std::uint32_t>(policy.maximum_attempts()))
    return std::nullopt;
  if (failure.application_failure_info().has_next_retry_delay())
    return base::to_nanoseconds(failure.application_failure_info().next_retry_delay());
  nanoseconds initial = base::to_nanoseconds(policy.initial_interval());
  if (initial <= nanoseconds::zero()) initial = kInitialInterval;
  nanoseconds longest = base::to_nanoseconds(policy.maximum_interval());
  if (longest <= nanoseconds::zero())
    longest = initial > kLongest / kMaximumIntervals ? kLongest : initial * kMaximumIntervals;
  const double coefficient =
      policy.backoff_coefficient() >= 1 ? policy.backoff_coefficient() : kBackoffCoefficient;
  const double delay =
      static_cast<double>(initial.count()) * std::pow(coefficient, attempt > 0 ? attempt - 1 : 0);
  // Compared as doubles: the product may not fit.
  if (delay >= static_cast<double>(longest.count())) return longest;
  return nanoseconds(static_cast<std::int64_t>(delay));
}

}  // namespace chimera::core
