// The limits of the genuine server's default configuration on sizes and lengths, and what breaking
// one does. Pure. Those that can be changed are in dynamic_config.h.
#ifndef CHIMERA_SERVER_ENGINE_RULES_LIMITS_H_
#define CHIMERA_SERVER_ENGINE_RULES_LIMITS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "server/base/types.h"
#include "server/engine/rules/verdict.h"

namespace chimera::server {

inline constexpr std::size_t kIdMax = 1000;
inline constexpr std::size_t kBlobBytesMax = 2 << 20;

// Lengths of names and sizes of payloads in a command. Too large a payload ends the workflow.
Verdict check_limits(const command::Command& command);

// `what` as in "SignalName length exceeds limit."
absl::Status check_length(absl::string_view what, absl::string_view value);
absl::Status check_blob(const google::protobuf::Message& payloads);

failure::Failure server_failure(std::string message);
// A failure over the limit becomes one that says so, with what is short of it as its cause.
bool cut_failure(failure::Failure& failure);  // True: it was cut.

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RULES_LIMITS_H_
