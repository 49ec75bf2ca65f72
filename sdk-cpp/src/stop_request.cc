#include "sdk-cpp/src/stop_request.h"

#include "absl/time/time.h"

namespace chimera::sdk {

void StopRequest::request() {
  std::optional<std::stop_source> source;
  {
    const absl::MutexLock lock(&mutex_);
    requested_ = true;
    source = source_;
  }
  if (source) source->request_stop();
}

bool StopRequest::requested() {
  const absl::MutexLock lock(&mutex_);
  return requested_;
}

bool StopRequest::wait(Duration timeout) {
  const absl::MutexLock lock(&mutex_);
  if (timeout.count() > 0)
    mutex_.AwaitWithTimeout(absl::Condition(&requested_), absl::Nanoseconds(timeout.count()));
  return requested_;
}

std::stop_token StopRequest::token() {
  const absl::MutexLock lock(&mutex_);
  if (!source_) source_.emplace();
  if (requested_) source_->request_stop();
  return source_->get_token();
}

}  // namespace chimera::sdk
