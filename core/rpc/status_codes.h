// Between gRPC's statuses and ours. One of the three places where errors change their kind.
#ifndef CHIMERA_CORE_RPC_STATUS_CODES_H_
#define CHIMERA_CORE_RPC_STATUS_CODES_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace chimera::core {

// Same code and message; the serialized google.rpc.Status, if any, as payload kStatusDetails.
absl::Status from_grpc(const grpc::Status& status);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_RPC_STATUS_CODES_H_
