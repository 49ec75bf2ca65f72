// A Runtime's metrics at a collector.
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chimera/runtime.h"
#include "core/telemetry/sdk_metrics.h"
#include "sdk-cpp/src/otlp/metrics_message.h"
#include "sdk-cpp/src/runtime.h"
#include "tests/support/collector.h"

namespace chimera::otlp {
namespace {

using namespace std::chrono_literals;
using testing::Collector;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Pair;
using testing::texts;

// The last one of that name in a report; empty where there is none.
Collector::Metric metric(const Collector::Metrics& report, const std::string& name) {
  Collector::Metric out;
  for (const auto& resource : report.resource_metrics())
    for (const auto& scope : resource.scope_metrics())
      for (const auto& each : scope.metrics())
        if (each.name() == name) out = each;
  return out;
}

TelemetryConfig to(const Collector& collector) {
  return {.otlp_metrics = OtlpMetricsConfig{.endpoint = collector.metrics_url(), .interval = 1h}};
}

TEST(OtlpMetricsTest, TheEndReportsAllThatWasCounted) {
  Collector collector;
  {
    TelemetryConfig config = to(collector);
    config.otlp_metrics->headers = {{"api-key", "k"}};
    config.otlp_metrics->resource_attributes = {{"service.name", "orders"}};
    config.global_tags = {{"team", "x"}};
    const Runtime runtime(config);
    runtime.metric_meter().create_counter("sold", "Things sold", "1").add(7, {{"colour", "red"}});
    runtime.metric_meter().create_gauge("level").set(0.5);
    const auto histogram = runtime.metric_meter().create_histogram("weight", "", "kg");
    histogram.record(50);
    histogram.record(70);
    runtime.metric_meter().create_histogram_duration("took").record(3ms);
    const core::SdkMetrics official(*runtime.state().metrics, "default", "queue");
    official.duration("workflow_endtoend_latency").record(200ms);
    official.counter("workflow_completed").add();
  }
  ASSERT_EQ(collector.metrics().size(), 1u);
  EXPECT_EQ(collector.requests()[0].header("api-key"), "k");
  const Collector::Metrics report = collector.metrics()[0];
  EXPECT_THAT(texts(report.resource_metrics(0).resource().attributes()),
              IsSupersetOf({Pair("service.name", "orders"), Pair("team", "x"),
                            Pair("telemetry.sdk.language", "cpp")}));

  const Collector::Metric sold = metric(report, "sold");
  EXPECT_EQ(sold.description(), "Things sold");
  EXPECT_EQ(sold.unit(), "1");
  EXPECT_TRUE(sold.sum().is_monotonic());
  EXPECT_EQ(sold.sum().aggregation_temporality(),
            chimera_otlp::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
  ASSERT_EQ(sold.sum().data_points_size(), 2);  // Without a colour, too.
  const auto& red = sold.sum().data_points(0);
  EXPECT_EQ(red.as_int(), 7);
  EXPECT_THAT(texts(red.attributes()),
              ElementsAre(Pair("colour", "red"), Pair("service_name", "chimera")));
  EXPECT_GT(red.time_unix_nano(), red.start_time_unix_nano());

  EXPECT_EQ(metric(report, "level").gauge().data_points(0).as_double(), 0.5);
  const auto weight = metric(report, "weight").histogram().data_points(0);
  EXPECT_THAT(weight.explicit_bounds(), ElementsAre(50, 100, 500, 1000, 2500, 10000));
  EXPECT_THAT(weight.bucket_counts(), ElementsAre(1, 1, 0, 0, 0, 0, 0));
  EXPECT_EQ(weight.count(), 2u);
  EXPECT_EQ(weight.sum(), 120);
  EXPECT_EQ(metric(report, "took").unit(), "ms");
  EXPECT_EQ(metric(report, "took").histogram().data_points(0).sum(), 3);

  const Collector::Metric latency = metric(report, "temporal_workflow_endtoend_latency");
  EXPECT_EQ(latency.unit(), "ms");
  EXPECT_EQ(latency.histogram().data_points(0).explicit_bounds(0), 100);
  EXPECT_EQ(metric(report, "temporal_workflow_completed").sum().data_points(0).as_int(), 1);
}

TEST(OtlpMetricsTest, ReportsAreMadeEveryInterval) {
  Collector collector;
  TelemetryConfig config = to(collector);
  config.otlp_metrics->interval = 1ms;
  const Runtime runtime(config);
  runtime.metric_meter().create_counter("c").add();
  collector.wait_for_requests(3);
}

TEST(OtlpMetricsTest, NamesAreOpenTelemetrysWhateverPrometheusShows) {
  Collector collector;
  {
    TelemetryConfig config = to(collector);
    config.metrics = PrometheusConfig{.bind_address = "127.0.0.1:0",
                                      .counters_total_suffix = true,
                                      .unit_suffix = true,
                                      .durations_as_seconds = true};
    config.otlp_metrics->durations_as_seconds = true;
    const Runtime runtime(config);
    runtime.metric_meter().create_counter("sold", "", "kg").add();
    const core::SdkMetrics official(*runtime.state().metrics, "default", "queue");
    official.duration("workflow_endtoend_latency").record(200ms);
    EXPECT_THAT(runtime.metrics_text(), HasSubstr("sold_kg_total"));
    EXPECT_THAT(runtime.metrics_text(), HasSubstr("workflow_endtoend_latency_seconds_sum"));
  }
  const Collector::Metrics report = collector.metrics().at(0);
  EXPECT_EQ(metric(report, "sold").unit(), "kg");
  const Collector::Metric latency = metric(report, "temporal_workflow_endtoend_latency");
  EXPECT_EQ(latency.unit(), "s");
  EXPECT_EQ(latency.histogram().data_points(0).sum(), 0.2);
}

TEST(OtlpMetricsTest, ADeltaIsWhatCameSinceTheCollectorTookOne) {
  core::Metrics registry;
  auto& counter = **registry.counter("c", "", {});
  auto& histogram = **registry.histogram("h", "", {1}, {});
  MetricsMessage message(/*delta=*/true, {}, {});
  auto report = [&, now = std::chrono::system_clock::time_point(1s)]() mutable {
    Collector::Metrics out;
    message.fill(registry.read(), now += 1s, *out.add_resource_metrics());
    return out;
  };

  counter.add(3);
  histogram.record(2);
  EXPECT_EQ(metric(report(), "c").sum().data_points(0).as_int(), 3);
  message.taken();
  counter.add(2);
  EXPECT_EQ(metric(report(), "c").sum().data_points(0).as_int(), 2);
  counter.add(1);
  const Collector::Metrics after_failure = report();
  const auto point = metric(after_failure, "c").sum().data_points(0);
  EXPECT_EQ(point.as_int(), 3);
  EXPECT_EQ(point.start_time_unix_nano(), 2'000'000'000u);
  EXPECT_FALSE(metric(after_failure, "h").has_histogram());  // Nothing came to it.
  message.taken();
  Collector::Metrics none;
  EXPECT_FALSE(message.fill(registry.read(), std::chrono::system_clock::time_point(9s),
                            *none.add_resource_metrics()));
}

TEST(OtlpMetricsTest, ACollectorThatHangsOrFailsHoldsNobodyUp) {
  Collector collector;
  collector.hold();
  {
    TelemetryConfig config = to(collector);
    config.otlp_metrics->interval = 1ms;
    config.otlp_metrics->timeout = 200ms;
    const Runtime runtime(config);
    runtime.metric_meter().create_counter("c").add();
    collector.wait_for_requests(1);
    ::testing::internal::CaptureStderr();
  }
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("metrics were not reported: " + collector.metrics_url()));
  collector.let_go();
}

TEST(OtlpMetricsTest, WrongOptionsAreNamed) {
  const auto refused = [](const TelemetryConfig& config, const std::string& name) {
    try {
      const Runtime runtime(config);
      ADD_FAILURE() << name;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), HasSubstr(name));
    }
  };
  refused({.otlp_metrics = OtlpMetricsConfig{.endpoint = "x"}}, "OtlpMetricsConfig::endpoint");
  refused({.otlp_metrics = OtlpMetricsConfig{.headers = {{"", ""}}}}, "OtlpMetricsConfig::headers");
  refused({.otlp_metrics = OtlpMetricsConfig{.interval = 0ms}}, "OtlpMetricsConfig::interval");
  refused({.otlp_metrics = OtlpMetricsConfig{.timeout = 0ms}}, "OtlpMetricsConfig::timeout");
  refused({.metrics = PrometheusConfig{.bind_address = "127.0.0.1:0"},
           .otlp_metrics = OtlpMetricsConfig{.durations_as_seconds = true}},
          "must agree on durations_as_seconds");
}

}  // namespace
}  // namespace chimera::otlp
