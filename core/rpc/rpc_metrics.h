// RpcMetrics, counts and timings of a connection's tries (temporal_request and its kin). Any
// thread.
#ifndef CHIMERA_CORE_RPC_RPC_METRICS_H_
#define CHIMERA_CORE_RPC_RPC_METRICS_H_

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"

#include "core/telemetry/metric_table.h"
#include "core/telemetry/sdk_metrics.h"

namespace chimera::core {

class RpcMetrics {
 public:
  // Null: process_metrics().
  explicit RpcMetrics(std::shared_ptr<Metrics> metrics) : metrics_(std::move(metrics)) {}

  // One try has ended. `method` is the RPC's path.
  void record(std::string_view method, const std::string& namespace_, bool long_poll,
              std::chrono::nanoseconds took, const absl::Status& status);

 private:
  struct Operation {
    SdkMetrics sdk;
    std::string name, prefix;
    Counter& requests;
    DurationHistogram latency;
  };

  const std::shared_ptr<Metrics> metrics_;  // A reply may come after everyone else has let go.
  MetricTable<Operation> operations_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_RPC_RPC_METRICS_H_
