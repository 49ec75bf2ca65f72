// ClientState, what a client's copies and handles share: the connection, the namespace and the
// codec. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_CLIENT_STATE_H_
#define CHIMERA_SDK_CPP_SRC_CLIENT_STATE_H_

#include <memory>
#include <string>
#include <string_view>

#include "chimera/runtime.h"
#include "core/rpc/connection.h"
#include "core/worker/worker.h"
#include "sdk-cpp/src/client_calls.h"
#include "sdk-cpp/src/payload_access.h"

namespace chimera::detail {

class ClientState {
 public:
  ClientState();
  ~ClientState();
  ClientState(const ClientState&) = delete;
  ClientState& operator=(const ClientState&) = delete;

  std::shared_ptr<const Runtime> runtime;  // Shared with the program, which made it; may be null.
  std::shared_ptr<core::Connection> connection;  // Shared with the workers of this client.
  std::string namespace_;
  sdk::Codec codec;
  int query_reject_condition = 0;  // Of queries that name none.

  // The first link of what the client's calls go through.
  sdk::ClientOutbound& outbound() const { return outbound_->first(); }
  // Before the first call.
  void intercept(const sdk::ClientInterceptors& interceptors);

  absl::Status call(std::string_view method, const google::protobuf::MessageLite& request,
                    google::protobuf::MessageLite& response,
                    std::chrono::milliseconds timeout = {});
  // Throws RpcError, which begins with `doing`.
  void must(std::string_view doing, std::string_view method,
            const google::protobuf::MessageLite& request, google::protobuf::MessageLite& response,
            std::chrono::milliseconds timeout = {});

 private:
  const std::unique_ptr<sdk::ClientCalls> calls_;
  std::unique_ptr<sdk::Chain<sdk::ClientOutbound>> outbound_;
};

}  // namespace chimera::detail

namespace chimera::sdk {

// Blocks until the server has answered; throws RpcError. The transport, if there is one, takes the
// place of the way to options.target_host.
detail::ClientPtr open_client(const ClientOptions& options,
                              std::shared_ptr<base::Transport> transport);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_CLIENT_STATE_H_
