// Runtime::State, a metrics registry, the server that shows it and who sends it. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_RUNTIME_H_
#define CHIMERA_SDK_CPP_SRC_RUNTIME_H_

#include <memory>

#include "chimera/runtime.h"
#include "core/telemetry/metrics.h"
#include "core/telemetry/metrics_server.h"
#include "sdk-cpp/src/otlp/metrics_reporter.h"

namespace chimera {

class Runtime::State {
 public:
  std::shared_ptr<core::Metrics> metrics;  // Also of calls that outlive their client.
  std::unique_ptr<core::MetricsServer> server;
  std::unique_ptr<otlp::MetricsReporter> reporter;
};

}  // namespace chimera

#endif  // CHIMERA_SDK_CPP_SRC_RUNTIME_H_
