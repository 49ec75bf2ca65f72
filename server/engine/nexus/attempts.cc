#include "server/engine/nexus/attempts.h"

#include <algorithm>
#include <utility>

namespace chimera::server {
namespace {

constexpr Nanos kFirst = seconds{1}, kLongest = std::chrono::hours{1};

Nanos delay_after(int attempt, std::uint64_t random) {
  Nanos delay = kFirst;
  for (int i = 1; i < attempt && delay < kLongest; ++i) delay *= 2;
  delay = std::min(delay, kLongest);
  const Nanos jitter = delay / 5;
  return delay -
         Nanos{static_cast<std::int64_t>(random % static_cast<std::uint64_t>(jitter.count()))};
}

}  // namespace

void NexusAttempts::back_off(WallTime now, failure::Failure failure, std::uint64_t random) {
  fail(now, std::move(failure));
  next = add_saturated(now, delay_after(count, random));
}

void NexusAttempts::end(WallTime now) {
  ++count;
  last_ended = now;
  last_failure.reset();
  next = kUnset;
}

void NexusAttempts::fail(WallTime now, failure::Failure failure) {
  end(now);
  last_failure = std::make_unique<failure::Failure>(std::move(failure));
}

}  // namespace chimera::server
