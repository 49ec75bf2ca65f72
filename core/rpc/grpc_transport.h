// GrpcTransport, calls over one gRPC channel (gRPC 1.51, generic stub, callback API). Replies are
// parsed on gRPC's threads, straight from its buffers into the caller's message. Any thread.
#ifndef CHIMERA_CORE_RPC_GRPC_TRANSPORT_H_
#define CHIMERA_CORE_RPC_GRPC_TRANSPORT_H_

#include <memory>

#include "core/rpc/connection.h"

namespace chimera::core {

class GrpcTransport : public base::Transport {
 public:
  // Does not connect: the first call does. TLS material must have been checked (tls.h).
  static std::unique_ptr<GrpcTransport> create(const ConnectionOptions& options);
  // Off after a server has said that it cannot read compressed messages.
  virtual void set_gzip(bool on) = 0;
};

// TLS is on when asked for, or when an API key is given and TLS is not disabled.
bool uses_tls(const ConnectionOptions& options);

// Whether requests to this target are worth compressing: not on the same machine, where it is only
// cost. (The server compresses its replies iff the request was.)
bool worth_compressing(std::string_view target_host);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_RPC_GRPC_TRANSPORT_H_
