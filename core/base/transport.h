// Transport, how a request reaches a server: over gRPC (core/rpc) or straight into an embedded
// server in this process (server/). Knows nothing of retries, namespaces or headers;
// core/rpc/connection.h adds those.
#ifndef CHIMERA_CORE_BASE_TRANSPORT_H_
#define CHIMERA_CORE_BASE_TRANSPORT_H_

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "google/protobuf/message_lite.h"

namespace chimera::base {

// Names are lower case; a name that ends in "-bin" carries bytes.
using RpcMetadata = std::vector<std::pair<std::string, std::string>>;

// A failed call's absl::Status has gRPC's code and message; the serialized google.rpc.Status of the
// trailer grpc-status-details-bin, if any, is its payload under this name.
inline constexpr char kStatusDetails[] = "type.googleapis.com/google.rpc.Status";

struct RpcCall {
  std::string_view
      method;  // "/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo"; static storage.
  // A message (borrowed, read before start() returns) or its serialized form.
  std::variant<const google::protobuf::MessageLite*, std::string> request;
  // Where the reply goes: a message (may live on an arena) or its serialized form. Borrowed until
  // `done` has run.
  std::variant<google::protobuf::MessageLite*, std::string*> response;
  std::chrono::nanoseconds timeout{};  // From now; zero means none.
  RpcMetadata metadata;
  // Runs exactly once, on a thread of the transport and never inside start(). Must not block.
  absl::AnyInvocable<void(absl::Status) &&> done;
};

// A call under way. Dropping it does not cancel the call.
class RpcInFlight {
 public:
  virtual ~RpcInFlight() = default;
  virtual void cancel() = 0;  // Any thread, any number of times; `done` then reports kCancelled
                              // unless it was faster.
};

// Any thread.
class Transport {
 public:
  virtual ~Transport() = default;  // Calls still under way end with kCancelled first.
  virtual std::shared_ptr<RpcInFlight> start(RpcCall call) = 0;
};

}  // namespace chimera::base

#endif  // CHIMERA_CORE_BASE_TRANSPORT_H_
