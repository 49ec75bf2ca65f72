// Metrics, a registry of the core for one runtime, and the endpoint that shows it. Used on Python
// threads.
#ifndef CHIMERA_BINDINGS_PYTHON_METRICS_H_
#define CHIMERA_BINDINGS_PYTHON_METRICS_H_

#include <memory>
#include <string>

#include "bindings/python/convert.h"
#include "bindings/python/ending.h"
#include "bindings/python/gil.h"
#include "core/telemetry/metrics.h"
#include "core/telemetry/metrics_server.h"

namespace chimera::bindings {

class Metrics {
 public:
  explicit Metrics(core::MetricsOptions options)
      : core_(std::make_shared<core::Metrics>(std::move(options))) {}
  ~Metrics() {
    if (!made_here_) leave_alone(std::move(server_));
    GilReleased released;
    server_.reset();
  }

  core::Metrics& core() const { return *core_; }
  const std::shared_ptr<core::Metrics>& shared() const { return core_; }
  // Listens for as long as this lives; the port.
  int serve(const std::string& address);

 private:
  const MadeHere made_here_;
  const std::shared_ptr<core::Metrics> core_;  // Also of calls that outlive the runtime.
  std::unique_ptr<core::MetricsServer> server_;
};

void define_metrics(py::module_& module);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_METRICS_H_
