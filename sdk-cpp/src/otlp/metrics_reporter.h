// MetricsReporter, which sends a registry's metrics to a collector every so often, and once at its
// end. A collector that fails or hangs holds nobody up.
#ifndef CHIMERA_SDK_CPP_SRC_OTLP_METRICS_REPORTER_H_
#define CHIMERA_SDK_CPP_SRC_OTLP_METRICS_REPORTER_H_

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "chimera/runtime.h"
#include "core/telemetry/metrics.h"

namespace chimera::otlp {

class MetricsReporter {
 public:
  // Throws std::invalid_argument. What the config says of the registry itself (unit of durations,
  // buckets) is not read here.
  MetricsReporter(const OtlpMetricsConfig& config, std::shared_ptr<const core::Metrics> metrics);
  ~MetricsReporter();  // After a last report, of at most the timeout. Any thread.

 private:
  class State;
  std::shared_ptr<State> state_;  // Shared with the process's end.
};

// Throws std::invalid_argument, as the constructor does.
void check(const OtlpMetricsConfig& config);

}  // namespace chimera::otlp

#endif  // CHIMERA_SDK_CPP_SRC_OTLP_METRICS_REPORTER_H_
