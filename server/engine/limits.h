// The limits of the genuine server's default configuration on sizes, lengths and counts, and what
// breaking one does. Pure.
#ifndef CHIMERA_SERVER_ENGINE_LIMITS_H_
#define CHIMERA_SERVER_ENGINE_LIMITS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "server/engine/types.h"
#include "server/engine/workflow_task.h"

namespace chimera::server {

inline constexpr std::size_t kIdMax = 1000;
inline constexpr std::size_t kBlobBytesMax = 2 << 20;
inline constexpr std::size_t kPendingMax = 2000;  // Activities, children, signals, cancels each.
inline constexpr std::int64_t kSignalsMax = 10000;
inline constexpr int kHistoryEventsMax = 51200;
inline constexpr std::int64_t kHistoryBytesMax = 50 << 20;

// Lengths of names and sizes of payloads in a command. Too large a payload ends the workflow.
std::optional<TaskFailure> check_limits(const command::Command& command);

// `what` as in "SignalName length exceeds limit."
absl::Status check_length(absl::string_view what, absl::string_view value);
absl::Status check_blob(const google::protobuf::Message& payloads);

failure::Failure server_failure(std::string message);
// A failure over the limit becomes one that says so, with what is short of it as its cause.
bool cut_failure(failure::Failure& failure);  // True: it was cut.

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_LIMITS_H_
