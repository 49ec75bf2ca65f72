#include "sdk-cpp/src/runtime.h"

#include <stdexcept>

#include "core/telemetry/log.h"

namespace chimera {
namespace {

core::MetricsOptions to_core(const TelemetryConfig& telemetry) {
  core::MetricsOptions options;
  options.prefix = telemetry.metric_prefix;
  options.service_name = telemetry.attach_service_name;
  options.global_tags.assign(telemetry.global_tags.begin(), telemetry.global_tags.end());
  if (telemetry.otlp_metrics) {
    options.buckets = telemetry.otlp_metrics->histogram_bucket_overrides;
    options.durations_as_seconds = telemetry.otlp_metrics->durations_as_seconds;
  }
  if (telemetry.metrics) {
    options.buckets = telemetry.metrics->histogram_bucket_overrides;
    options.counters_total_suffix = telemetry.metrics->counters_total_suffix;
    options.unit_suffix = telemetry.metrics->unit_suffix;
    options.durations_as_seconds = telemetry.metrics->durations_as_seconds;
  }
  return options;
}

// Both show one registry.
void check_agreement(const PrometheusConfig& shown, const OtlpMetricsConfig& sent) {
  const char* what = nullptr;
  if (shown.durations_as_seconds != sent.durations_as_seconds) what = "durations_as_seconds";
  if (shown.histogram_bucket_overrides != sent.histogram_bucket_overrides)
    what = "histogram_bucket_overrides";
  if (what != nullptr)
    throw std::invalid_argument(
        std::string("TelemetryConfig: metrics and otlp_metrics must agree on ") + what);
}

void apply(const LoggingConfig& logging) {
  core::set_log_level(static_cast<core::LogLevel>(logging.level));
  if (!logging.forwarding) return core::set_log_sink(nullptr);
  core::set_log_sink([forward = logging.forwarding](const core::LogRecord& record) {
    forward({.level = static_cast<LogLevel>(record.level),
             .logger = record.logger,
             .message = record.message,
             .fields = record.fields});
  });
}

static_assert(static_cast<int>(LogLevel::kOff) == static_cast<int>(core::LogLevel::kOff));

}  // namespace

Runtime::Runtime(const TelemetryConfig& telemetry) : state_(std::make_unique<State>()) {
  if (telemetry.metrics && telemetry.otlp_metrics)
    check_agreement(*telemetry.metrics, *telemetry.otlp_metrics);
  if (telemetry.otlp_metrics) otlp::check(*telemetry.otlp_metrics);
  if (telemetry.logging) apply(*telemetry.logging);
  state_->metrics = std::make_shared<core::Metrics>(to_core(telemetry));
  if (telemetry.metrics) {
    auto server = core::MetricsServer::start(telemetry.metrics->bind_address, *state_->metrics,
                                             core::process_health());
    if (!server.ok()) throw std::runtime_error(std::string(server.status().message()));
    state_->server = *std::move(server);
  }
  if (telemetry.otlp_metrics)
    state_->reporter =
        std::make_unique<otlp::MetricsReporter>(*telemetry.otlp_metrics, state_->metrics);
}
Runtime::~Runtime() = default;

int Runtime::metrics_port() const { return state_->server ? state_->server->port() : 0; }

std::string Runtime::metrics_text() const { return state_->metrics->prometheus_text(); }

}  // namespace chimera
