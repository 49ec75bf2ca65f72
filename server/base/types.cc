#include "server/base/types.h"

#include <algorithm>
#include <limits>

namespace chimera::server {
namespace {
constexpr std::int64_t kGiga = 1'000'000'000;
// Leaves room for nanos that a sloppy client gives more than a second of.
constexpr std::int64_t kMaxSeconds = std::numeric_limits<std::int64_t>::max() / kGiga - 3;
}  // namespace

Nanos to_nanos(const google::protobuf::Duration& duration) {
  if (duration.seconds() < 0 || duration.nanos() < 0) return Nanos{0};
  return Nanos{std::min(duration.seconds(), kMaxSeconds) * kGiga + duration.nanos()};
}

WallTime to_wall(const google::protobuf::Timestamp& time) {
  return WallTime{
      Nanos{std::clamp(time.seconds(), -kMaxSeconds, kMaxSeconds) * kGiga + time.nanos()}};
}

void set(google::protobuf::Duration* out, Nanos value) {
  out->set_seconds(value.count() / kGiga);
  out->set_nanos(static_cast<std::int32_t>(value.count() % kGiga));
}

void set(google::protobuf::Timestamp* out, WallTime value) {
  const std::int64_t count = value.time_since_epoch().count();
  out->set_seconds(count / kGiga);
  out->set_nanos(static_cast<std::int32_t>(count % kGiga));
}

WallTime add_saturated(WallTime time, Nanos delay) {
  return kNever - time > delay ? time + delay : kNever;
}

WallTime deadline_after(WallTime time, Nanos delay) {
  return delay <= Nanos{0} ? kNever : add_saturated(time, delay);
}

}  // namespace chimera::server
