// Runtime, the telemetry that clients and their workers share. A program that wants no metrics of
// its own shape needs none: without one, everything counts in the process's metrics.
#ifndef CHIMERA_RUNTIME_H_
#define CHIMERA_RUNTIME_H_

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chimera/metrics.h"

namespace chimera {

// Metrics served for Prometheus at /metrics, and Kubernetes' probes at /livez and /readyz.
struct PrometheusConfig {
  std::string bind_address;  // HOST:PORT; port 0 takes a free one, see Runtime::metrics_port().
  bool counters_total_suffix = false;
  bool unit_suffix = false;
  bool durations_as_seconds = false;  // Otherwise milliseconds.
  std::map<std::string, std::vector<double>> histogram_bucket_overrides = {};
};

// Metrics sent to an OpenTelemetry collector by OTLP over HTTP, beside or instead of Prometheus.
struct OtlpMetricsConfig {
  std::string endpoint = "http://localhost:4318/v1/metrics";  // https, too.
  std::map<std::string, std::string> headers = {};
  std::chrono::milliseconds interval{60000};  // And once at the end.
  std::chrono::milliseconds timeout{10000};   // Of one report; the next one has what failed.
  bool delta = false;  // Since the last report that was taken; otherwise since the start.
  bool durations_as_seconds = false;  // As PrometheusConfig's, where there are both.
  std::map<std::string, std::vector<double>> histogram_bucket_overrides = {};  // Likewise.
  std::map<std::string, std::string> resource_attributes = {{"service.name", "chimera"}};
};

enum class LogLevel { kTrace, kDebug, kInfo, kWarning, kError, kOff };

struct LogRecord {
  LogLevel level;
  std::string logger;  // "workflow", "activity", "worker", "sdk".
  std::string message;
  std::vector<std::pair<std::string, std::string>> fields;  // workflow_id, run_id, attempt, ...
};

// The log of the whole process: of the worker, and of workflows and activities by logger().
struct LoggingConfig {
  LogLevel level = LogLevel::kWarning;
  // Instead of lines on stderr. From any thread, several at once; must not block, throw or log.
  std::function<void(const LogRecord&)> forwarding = {};
};

struct TelemetryConfig {
  std::optional<LoggingConfig> logging = {};  // Otherwise as before; at first CHIMERA_LOG or WARN.
  std::optional<PrometheusConfig> metrics = {};
  std::optional<OtlpMetricsConfig> otlp_metrics = {};
  std::map<std::string, std::string> global_tags = {};
  bool attach_service_name = true;
  std::string metric_prefix = "temporal_";
};

// Serves for as long as it lives; give it to clients (ClientOptions::runtime), which share it with
// their workers. Any thread.
class Runtime {
 public:
  // Throws std::runtime_error, saying what to change, when it cannot listen on the address, and
  // std::invalid_argument for an option that means nothing.
  explicit Runtime(const TelemetryConfig& telemetry);
  ~Runtime();

  int metrics_port() const;          // 0 when none are served.
  std::string metrics_text() const;  // What /metrics answers.
  MetricMeter metric_meter() const;  // For code that is neither workflow nor activity.

  class State;
  State& state() const { return *state_; }

 private:
  const std::unique_ptr<State> state_;
};

}  // namespace chimera

#endif  // CHIMERA_RUNTIME_H_
