// GrpcFrontend, the TCP listener: one generic gRPC service for every method of the table. It has no
// threads: the loop's waits in it.
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
  virtual ~GrpcFrontend() = default;  // Nobody waits in it any more.
  virtual int port() const = 0;
  // Where calls come in: to be waited in, also while it shuts down.
  virtual LoopSleeper& sleeper() = 0;
  virtual void shut_down() = 0;  // No new calls; returns when none is open.
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_GRPC_FRONTEND_H_
