// Metrics, a registry of the core for one runtime, the endpoint that shows it and who sends it on.
// Used on Python threads.
#ifndef CHIMERA_BINDINGS_PYTHON_METRICS_H_
#define CHIMERA_BINDINGS_PYTHON_METRICS_H_

#include <memory>
#include <string>

#include "bindings/python/convert.h"
#include "bindings/python/ending.h"
#include "bindings/python/gil.h"
#include "core/telemetry/metrics.h"
#include "core/telemetry/metrics_server.h"
#include "sdk-cpp/src/otlp/metrics_reporter.h"

namespace chimera::bindings {

class Metrics {
 public:
  explicit Metrics(core::MetricsOptions options)
      : core_(std::make_shared<core::Metrics>(std::move(options))) {}
  ~Metrics() {
    if (!made_here_) leave();
    GilReleased released;
    server_.reset();
    reporter_.reset();
  }

  core::Metrics& core() const { return *core_; }
  const std::shared_ptr<core::Metrics>& shared() const { return core_; }
  // Listens for as long as this lives; the port.
  int serve(const std::string& address);
  // Sends them to a collector for as long as this lives. ValueError.
  void report(const OtlpMetricsConfig& config);

 private:
  void leave();

  const MadeHere made_here_;
  const std::shared_ptr<core::Metrics> core_;  // Also of calls that outlive the runtime.
  std::unique_ptr<core::MetricsServer> server_;
  std::unique_ptr<otlp::MetricsReporter> reporter_;
};

void define_metrics(py::module_& module);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_METRICS_H_
