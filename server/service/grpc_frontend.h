// GrpcFrontend, the TCP listener: one generic gRPC service for every method of the table. gRPC's
// threads parse and post; they own no state of the server.
#ifndef CHIMERA_SERVER_SERVICE_GRPC_FRONTEND_H_
#define CHIMERA_SERVER_SERVICE_GRPC_FRONTEND_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "server/service/dispatcher.h"

namespace chimera::server {

class GrpcFrontend {
 public:
  static absl::StatusOr<std::unique_ptr<GrpcFrontend>> listen(const std::string& ip, int port,
                                                              Dispatcher& dispatcher);
  virtual ~GrpcFrontend() = default;  // Open calls have been answered by then.
  virtual int port() const = 0;
  virtual void shut_down() = 0;  // No new calls; returns when none is open.
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_GRPC_FRONTEND_H_
