#include "core/rpc/retry.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"

#include "core/base/server_gone.h"

namespace chimera::core {
namespace {

constexpr std::chrono::seconds kMaxThrottle{10};

std::chrono::nanoseconds scale(std::chrono::nanoseconds interval, double factor) {
  return std::chrono::nanoseconds(
      static_cast<std::int64_t>(static_cast<double>(interval.count()) * factor));
}

}  // namespace

RetryPolicy retry_policy(RetryClass kind, const RetryOptions& options) {
  if (kind == RetryClass::kTaskPoll) {
    return {.kind = kind,
            .initial = std::chrono::milliseconds(200),
            .max_interval = std::chrono::seconds(10),
            .multiplier = 2,
            .jitter = 0.2};
  }
  return {.kind = kind,
          .initial = options.initial_interval,
          .max_interval = options.max_interval,
          .multiplier = std::max(options.multiplier, 1.0),
          .jitter = std::clamp(options.randomization_factor, 0.0, 1.0),
          .max_tries = kind == RetryClass::kNone ? 1 : options.max_retries,
          .max_elapsed = options.max_elapsed_time};
}

bool is_message_too_large(const absl::Status& status) {
  if (!absl::IsResourceExhausted(status)) return false;
  // The Go server's words (grpc-go), then gRPC C++'s own, for messages that it refuses itself.
  for (absl::string_view start :
       {"grpc: received message larger than max",
        "grpc: message after decompression larger than max",
        "grpc: received message after decompression larger than max",
        "Received message larger than max", "Sent message larger than max"}) {
    if (absl::StartsWith(status.message(), start)) return true;
  }
  return false;
}

bool RetryState::retryable(const absl::Status& failure, base::SteadyTime now,
                           base::SteadyTime tolerate_fatal_until) const {
  if (is_message_too_large(failure)) return false;
  if (base::is_server_gone(failure)) return policy_.kind == RetryClass::kTaskPoll;
  switch (failure.code()) {
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kCancelled:  // From the transport: the caller's own never gets here.
      return true;
    case absl::StatusCode::kDeadlineExceeded:
      return policy_.kind == RetryClass::kTaskPoll;
    default:
      return policy_.kind == RetryClass::kTaskPoll && now < tolerate_fatal_until;
  }
}

std::optional<std::chrono::nanoseconds> RetryState::next_delay(
    const absl::Status& failure, base::SteadyTime now, double chance,
    base::SteadyTime tolerate_fatal_until) {
  if (policy_.kind == RetryClass::kNone || tries_ >= policy_.max_tries) return std::nullopt;
  if (!retryable(failure, now, tolerate_fatal_until)) return std::nullopt;
  double factor = 1 + policy_.jitter * (2 * chance - 1);
  std::chrono::nanoseconds delay = scale(next_, factor);
  next_ = std::min(scale(next_, policy_.multiplier), policy_.max_interval);
  if (absl::IsResourceExhausted(failure)) {
    delay = std::max(delay, scale(next_throttle_, factor));
    next_throttle_ = std::min<std::chrono::nanoseconds>(next_throttle_ * 2, kMaxThrottle);
  }
  if (!std::exchange(failed_, true) && policy_.elapsed_from_failure) started_ = now;
  if (policy_.max_elapsed && now - started_ + delay > *policy_.max_elapsed) return std::nullopt;
  ++tries_;
  return delay;
}

}  // namespace chimera::core
