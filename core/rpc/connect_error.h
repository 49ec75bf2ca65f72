// What a user reads when no connection comes about: what was tried, where, and what to check.
#ifndef CHIMERA_CORE_RPC_CONNECT_ERROR_H_
#define CHIMERA_CORE_RPC_CONNECT_ERROR_H_

#include <string>

#include "absl/status/status.h"

#include "core/rpc/connection.h"

namespace chimera::core {

// InvalidArgument with the name of the option that is wrong.
absl::Status check_connection_options(const ConnectionOptions& options);

// What to check after a call failed so: whole sentences.
std::string connection_advice(const ConnectionOptions& options, const absl::Status& failure);

// Same code as `failure`, a message for people.
absl::Status describe_connect_failure(const ConnectionOptions& options, const absl::Status& failure,
                                      std::chrono::nanoseconds elapsed);

// Trying again does not help: the TLS handshake failed, or something else listens there.
bool is_lasting_connect_failure(const absl::Status& failure);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_RPC_CONNECT_ERROR_H_
