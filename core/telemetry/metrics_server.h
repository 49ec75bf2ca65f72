// MetricsServer, a small HTTP server for Prometheus and for Kubernetes' probes: GET /metrics,
// /livez and /readyz. One thread of its own, which no slow client can hold up. Any thread may start
// and destroy it.
#ifndef CHIMERA_CORE_TELEMETRY_METRICS_SERVER_H_
#define CHIMERA_CORE_TELEMETRY_METRICS_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "core/telemetry/health.h"
#include "core/telemetry/metrics.h"

namespace chimera::core {

class MetricsServer {
 public:
  // `address` is HOST:PORT; port 0 takes a free one, no host means all interfaces, an IPv6 host
  // stands in brackets. Listens when it returns. Borrows both until it is destroyed.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> start(const std::string& address,
                                                              const Metrics& metrics,
                                                              const Health& health);
  virtual ~MetricsServer() = default;
  virtual int port() const = 0;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_TELEMETRY_METRICS_SERVER_H_
