// Times and durations of the API as std::chrono, and back. Values outside the range of int64
// nanoseconds are clamped: a server may say 1000 years.
#ifndef CHIMERA_CORE_BASE_PROTO_TIME_H_
#define CHIMERA_CORE_BASE_PROTO_TIME_H_

#include <chrono>
#include <cstdint>

#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

#include "core/base/clock.h"

namespace chimera::base {

inline std::chrono::nanoseconds clamped_nanoseconds(std::int64_t seconds, std::int32_t nanos) {
  constexpr std::int64_t kMost = std::chrono::nanoseconds::max() / std::chrono::seconds(1) - 1;
  if (seconds > kMost) return std::chrono::nanoseconds::max();
  if (seconds < -kMost) return std::chrono::nanoseconds::min();
  return std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanos);
}

inline WallTime to_wall_time(const google::protobuf::Timestamp& time) {
  return WallTime(clamped_nanoseconds(time.seconds(), time.nanos()));
}

inline std::chrono::nanoseconds to_nanoseconds(const google::protobuf::Duration& duration) {
  return clamped_nanoseconds(duration.seconds(), duration.nanos());
}

inline void set_timestamp(WallTime time, google::protobuf::Timestamp& out) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  out.set_seconds(seconds.time_since_epoch().count());
  out.set_nanos(static_cast<int>((time - seconds).count()));
}

// Both parts of a negative duration are negative, as protobuf wants them.
inline void set_duration(std::chrono::nanoseconds duration, google::protobuf::Duration& out) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  out.set_seconds(seconds.count());
  out.set_nanos(static_cast<int>((duration - seconds).count()));
}

}  // namespace chimera::base

#endif  // CHIMERA_CORE_BASE_PROTO_TIME_H_
