// Times and durations of the API as std::chrono, and back.
#ifndef CHIMERA_CORE_BASE_PROTO_TIME_H_
#define CHIMERA_CORE_BASE_PROTO_TIME_H_

#include <chrono>

#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

#include "core/base/clock.h"

namespace chimera::base {

inline WallTime to_wall_time(const google::protobuf::Timestamp& time) {
  return WallTime(std::chrono::seconds(time.seconds()) + std::chrono::nanoseconds(time.nanos()));
}

inline std::chrono::nanoseconds to_nanoseconds(const google::protobuf::Duration& duration) {
  return std::chrono::seconds(duration.seconds()) + std::chrono::nanoseconds(duration.nanos());
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
