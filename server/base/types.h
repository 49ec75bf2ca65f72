// Short names for the API's packages, and conversions between its times and ours.
#ifndef CHIMERA_SERVER_BASE_TYPES_H_
#define CHIMERA_SERVER_BASE_TYPES_H_

#include <chrono>
#include <string>

#include "core/base/api.h"
#include "core/base/clock.h"
#include "core/base/proto_time.h"

namespace chimera::server {

namespace wf = ::temporal::api::workflowservice::v1;
namespace enums = ::temporal::api::enums::v1;
namespace common = ::temporal::api::common::v1;
namespace command = ::temporal::api::command::v1;
namespace history = ::temporal::api::history::v1;
namespace failure = ::temporal::api::failure::v1;
namespace taskqueue = ::temporal::api::taskqueue::v1;
namespace nexus = ::temporal::api::nexus::v1;
using history::HistoryEvent;

using base::WallTime;
using Nanos = std::chrono::nanoseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr WallTime kNever = WallTime::max();
inline constexpr WallTime kUnset = WallTime{};

// As base::to_nanoseconds() and base::to_wall_time(), for what clients send: an unset or negative
// Duration is zero, and what is beyond 290 years is cut.
Nanos to_nanos(const google::protobuf::Duration& duration);
WallTime to_wall(const google::protobuf::Timestamp& time);
inline void set(google::protobuf::Duration* out, Nanos value) { base::set_duration(value, *out); }
inline void set(google::protobuf::Timestamp* out, WallTime value) {
  base::set_timestamp(value, *out);
}
// `time` + `delay` without overflow; kNever for a zero delay, which in the API means "no timeout".
WallTime deadline_after(WallTime time, Nanos delay);
WallTime add_saturated(WallTime time, Nanos delay);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_BASE_TYPES_H_
