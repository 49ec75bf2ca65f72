// Histories as proto3 JSON: what the Web UI, the CLI and the SDKs write, with long or short names
// of enum values.
#ifndef CHIMERA_CORE_HISTORY_JSON_H_
#define CHIMERA_CORE_HISTORY_JSON_H_

#include <string>

#include "absl/status/statusor.h"

#include "core/base/api.h"

namespace chimera::core {

// Understands "EVENT_TYPE_TIMER_STARTED" and "TimerStarted". Unknown fields are left out. The error
// says where.
absl::StatusOr<api::history::v1::History> history_from_json(const std::string& json);
// As the SDKs write it: {"events":[..]}, camel case, long enum names.
absl::StatusOr<std::string> history_to_json(const api::history::v1::History& history);
// One of its events: {"eventId":"1",..}.
absl::StatusOr<std::string> event_to_json(const api::history::v1::HistoryEvent& event);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_HISTORY_JSON_H_
