#include "core/rpc/retrying_call.h"

#include <algorithm>
#include <utility>

namespace chimera::core {

RetryingCall::RetryingCall(std::shared_ptr<CallEnvironment> environment, Request request)
    : environment_(std::move(environment)),
      request_(std::move(request)),
      retry_(request_.policy, environment_->timers.now()) {}

void RetryingCall::start() { try_once(); }

void RetryingCall::try_once() {
  auto metadata =
      environment_->headers.for_call(request_.options.namespace_, request_.options.metadata);
  if (!metadata.ok()) return finish_later(metadata.status());
  int number = 0;
  {
    absl::MutexLock lock(&mutex_);
    timer_ = 0;
    number = ++try_;
    if (cancelled_) number = 0;
  }
  if (number == 0) return finish_later(absl::CancelledError("cancelled by the caller"));
  try_started_ = environment_->timers.now();
  std::chrono::nanoseconds timeout = request_.timeout;
  if (const auto& deadline = request_.options.deadline) {
    if (*deadline <= try_started_)
      return finish_later(absl::DeadlineExceededError("the time for the call is over"));
    timeout = std::min<std::chrono::nanoseconds>(timeout, *deadline - try_started_);
  }
  base::RpcCall call{.method = request_.method,
                     .response = request_.response,
                     .timeout = timeout,
                     .metadata = *std::move(metadata),
                     .done = [self = shared_from_this()](absl::Status status) {
                       self->on_reply(std::move(status));
                     }};
  if (request_.policy.kind == RetryClass::kNone) {
    call.request = std::move(request_.request);
  } else {
    call.request = request_.request;
  }
  std::shared_ptr<base::RpcInFlight> in_flight = environment_->transport->start(std::move(call));
  bool cancelled = false;
  {
    absl::MutexLock lock(&mutex_);
    // The reply may have come already, and even the next try may have begun.
    if (try_ == number && answered_ != number) in_flight_ = in_flight;
    cancelled = cancelled_;
  }
  if (cancelled) in_flight->cancel();
}

void RetryingCall::on_reply(absl::Status status) {
  std::shared_ptr<base::RpcInFlight> ended;  // It may hold us in turn. Released without the lock.
  {
    absl::MutexLock lock(&mutex_);
    ended = std::move(in_flight_);
    answered_ = try_;
  }
  const base::SteadyTime now = environment_->timers.now();
  environment_->metrics.record(request_.method, request_.options.namespace_, request_.long_poll,
                               now - try_started_, status);
  environment_->server.note(status, request_.long_poll, now);
  if (status.ok() || environment_->closed.load()) return finish(std::move(status));
  if (request_.is_final && request_.is_final(status)) return finish(std::move(status));
  bool again = false;
  {
    absl::MutexLock lock(&mutex_);
    if (!cancelled_) {
      base::Timers& timers = environment_->timers;
      auto delay = retry_.next_delay(status, timers.now(), environment_->chance(),
                                     request_.options.tolerate_fatal_until);
      const auto& deadline = request_.options.deadline;
      again = delay.has_value() && (!deadline || timers.now() + *delay < *deadline);
      if (again) timer_ = timers.after(*delay, [self = shared_from_this()] { self->try_once(); });
    }
  }
  if (again) {
    if (request_.options.on_retry) request_.options.on_retry(status);
    return;
  }
  finish(std::move(status));
}

void RetryingCall::cancel() {
  std::shared_ptr<base::RpcInFlight> in_flight;
  bool was_waiting = false;
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(cancelled_, true)) return;
    in_flight = in_flight_;
    was_waiting = timer_ != 0 && environment_->timers.cancel(timer_);
    timer_ = 0;
  }
  if (was_waiting) return finish_later(absl::CancelledError("cancelled by the caller"));
  if (in_flight) in_flight->cancel();
}

void RetryingCall::finish(absl::Status status) {
  auto done = std::move(request_.done);
  std::move(done)(std::move(status));
}

void RetryingCall::finish_later(absl::Status status) {
  environment_->timers.after({}, [self = shared_from_this(), status = std::move(status)]() mutable {
    self->finish(std::move(status));
  });
}

}  // namespace chimera::core
