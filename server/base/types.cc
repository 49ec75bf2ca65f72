#include "server/base/types.h"

#include <algorithm>
#include <limits>

namespace chimera::server {
namespace {
// Leaves room for nanos that a sloppy client gives more than a second of.
constexpr std::int64_t kMaxSeconds = std::numeric_limits<std::int64_t>::max() / 1'000'000'000 - 3;
}  // namespace

Nanos to_nanos(const google::protobuf::Duration& duration) {
  if (duration.seconds() < 0 || duration.nanos() < 0) return Nanos{0};
  if (duration.seconds() <= kMaxSeconds) return base::to_nanoseconds(duration);
  return seconds{kMaxSeconds} + Nanos{duration.nanos()};
}

WallTime to_wall(const google::protobuf::Timestamp& time) {
  return WallTime{seconds{std::clamp(time.seconds(), -kMaxSeconds, kMaxSeconds)} +
                  Nanos{time.nanos()}};
}

WallTime add_saturated(WallTime time, Nanos delay) {
  return kNever - time > delay ? time + delay : kNever;
}

WallTime deadline_after(WallTime time, Nanos delay) {
  return delay <= Nanos{0} ? kNever : add_saturated(time, delay);
}

}  // namespace chimera::server
