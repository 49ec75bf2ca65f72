#include "core/telemetry/metrics.h"

#include <thread>

#include <gtest/gtest.h>

#include "core/telemetry/sdk_metrics.h"

namespace chimera::core {
namespace {

using std::chrono::milliseconds;

TEST(MetricsTest, WritesPrometheusText) {
  Metrics metrics;
  (*metrics.counter("seen", "Things seen", {{"who", "a \"b\"\\\n"}}))->add(3);
  (*metrics.gauge("level", "Level", {}))->set(1.5);
  Histogram* histogram = *metrics.histogram("took", "Time", {1, 10}, {{"op", "x"}});
  histogram->record(1);
  histogram->record(7);
  histogram->record(100);

  EXPECT_EQ(metrics.prometheus_text(),
            "# HELP level Level\n"
            "# TYPE level gauge\n"
            "level 1.5\n"
            "# HELP seen Things seen\n"
            "# TYPE seen counter\n"
            "seen{who=\"a \\\"b\\\"\\\\\\n\"} 3\n"
            "# HELP took Time\n"
            "# TYPE took histogram\n"
            "took_bucket{op=\"x\",le=\"1\"} 1\n"
            "took_bucket{op=\"x\",le=\"10\"} 2\n"
            "took_bucket{op=\"x\",le=\"+Inf\"} 3\n"
            "took_sum{op=\"x\"} 108\n"
            "took_count{op=\"x\"} 3\n");
}

TEST(MetricsTest, ReadsWhatItCountedWithoutPrometheusSuffixes) {
  Metrics metrics({.counters_total_suffix = true, .unit_suffix = true});
  (*metrics.counter("seen", "Things seen", {{"who", "b"}, {"at", "a"}}))->add(3);
  (*metrics.gauge("level_kg", "", {}, "kg"))->set(1.5);
  Histogram* histogram = *metrics.histogram("took_milliseconds", "", {1, 10}, {}, "ms");
  histogram->record(7);
  histogram->record(100);

  const std::vector<MetricReading> read = metrics.read();

  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read[0].name, "level");
  EXPECT_EQ(read[0].unit, "kg");
  EXPECT_EQ(read[0].points[0].value, 1.5);
  EXPECT_EQ(read[1].name, "seen");
  EXPECT_EQ(read[1].help, "Things seen");
  EXPECT_STREQ(read[1].kind, "counter");
  EXPECT_EQ(read[1].points[0].tags, (MetricTags{{"at", "a"}, {"who", "b"}}));
  EXPECT_EQ(read[1].points[0].value, 3);
  EXPECT_EQ(read[2].name, "took");
  EXPECT_EQ(read[2].bounds, (std::vector<double>{1, 10}));
  EXPECT_EQ(read[2].points[0].buckets, (std::vector<std::uint64_t>{0, 1, 1}));
  EXPECT_EQ(read[2].points[0].value, 107);
}

TEST(MetricsTest, TheOrderOfTagsDoesNotMatter) {
  Metrics metrics;

  EXPECT_EQ(*metrics.counter("c", "", {{"a", "1"}, {"b", "2"}}),
            *metrics.counter("c", "", {{"b", "2"}, {"a", "1"}}));
  EXPECT_NE(*metrics.counter("c", "", {{"a", "1"}}), *metrics.counter("c", "", {{"a", "2"}}));
}

TEST(MetricsTest, RefusesWhatPrometheusCannotReadAndNamesIt) {
  Metrics metrics;
  ASSERT_TRUE(metrics.counter("taken", "", {}).ok());
  ASSERT_TRUE(metrics.histogram("buckets", "", {1, 2}, {}).ok());

  absl::Status name = metrics.counter("has space", "", {}).status();
  absl::Status tag = metrics.counter("c", "", {{"1st", "x"}}).status();
  absl::Status kind = metrics.gauge("taken", "", {}).status();
  absl::Status other_buckets = metrics.histogram("buckets", "", {1, 3}, {}).status();
  absl::Status falling = metrics.histogram("falling", "", {2, 1}, {}).status();

  EXPECT_NE(name.message().find("has space"), std::string::npos) << name;
  EXPECT_NE(tag.message().find("1st"), std::string::npos) << tag;
  EXPECT_NE(kind.message().find("already a counter"), std::string::npos) << kind;
  EXPECT_FALSE(other_buckets.ok());
  EXPECT_FALSE(falling.ok());
}

TEST(MetricsTest, NamesOfOpenTelemetryAreShownAsPrometheusReadsThem) {
  Metrics metrics;
  (*metrics.counter("my-jobs.done/all", "", {{"of-queue", "a-b"}}))->add(2);

  EXPECT_EQ(metrics.prometheus_text(),
            "# HELP my_jobs_done_all \n"
            "# TYPE my_jobs_done_all counter\n"
            "my_jobs_done_all{of_queue=\"a-b\"} 2\n");
  EXPECT_EQ(metrics.read()[0].name, "my-jobs.done/all");
  EXPECT_EQ(metrics.read()[0].points[0].tags, (MetricTags{{"of-queue", "a-b"}}));
  EXPECT_TRUE(metrics.counter("my-jobs.done/all", "", {}).ok());
  const absl::Status same = metrics.counter("my_jobs.done/all", "", {}).status();
  EXPECT_NE(same.message().find("as my-jobs.done/all is"), std::string::npos) << same;
  const absl::Status tags = metrics.counter("c", "", {{"a-b", ""}, {"a_b", ""}}).status();
  EXPECT_NE(tags.message().find("two tags of metric c"), std::string::npos) << tags;
}

TEST(MetricsTest, OptionsChangeNamesAndUnits) {
  Metrics metrics({.global_tags = {{"env", "test"}},
                   .counters_total_suffix = true,
                   .unit_suffix = true,
                   .durations_as_seconds = true});
  SdkMetrics sdk(metrics, "default", "orders");

  sdk.counter("worker_start").add();
  sdk.duration("request_latency").record(milliseconds(75));
  std::string text = metrics.prometheus_text();

  EXPECT_NE(text.find("temporal_worker_start_total{env=\"test\",namespace=\"default\","
                      "service_name=\"chimera\",task_queue=\"orders\"} 1\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("temporal_request_latency_seconds_sum"), std::string::npos) << text;
  EXPECT_NE(text.find("le=\"0.05\"} 0\n"), std::string::npos) << text;
  EXPECT_NE(text.find("le=\"0.1\"} 1\n"), std::string::npos) << text;
}

TEST(MetricsTest, ByDefaultNamesAndUnitsAreThoseOfTheOfficialSdks) {
  Metrics metrics;
  SdkMetrics sdk(metrics, "default", "orders");
  WorkflowTypeTable types(sdk);

  types.of("Order").completed.add();
  types.of("Order").endtoend_latency.record(milliseconds(1200));
  ActivityTypeMetrics activity(sdk, "charge_card", "Order");
  activity.received_eagerly.add();
  std::string text = metrics.prometheus_text();

  for (const char* line :
       {"temporal_workflow_completed{namespace=\"default\",service_name=\"chimera\","
        "task_queue=\"orders\",workflow_type=\"Order\"} 1\n",
        "temporal_workflow_endtoend_latency_sum{namespace=\"default\",service_name=\"chimera\","
        "task_queue=\"orders\",workflow_type=\"Order\"} 1200\n",
        "workflow_type=\"Order\",le=\"1500\"} 1\n", "workflow_type=\"Order\",le=\"30600000\"} 1\n",
        "temporal_activity_task_received{activity_type=\"charge_card\",eager=\"true\","}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
}

// A user's metric of the same name must not end the process.
TEST(MetricsTest, AnOfficialNameThatAUserHasTakenIsOnlyHidden) {
  Metrics metrics;
  ASSERT_TRUE(metrics.gauge("temporal_worker_start", "", {}).ok());

  SdkMetrics(metrics, "default", "orders").counter("worker_start").add();

  EXPECT_EQ(metrics.prometheus_text().find("orders"), std::string::npos);
}

TEST(MetricsTest, PrefixServiceNameAndBucketsCanBeChosen) {
  Metrics metrics({.prefix = "shop_",
                   .service_name = false,
                   .buckets = {{"workflow_endtoend_latency", {7}}, {"shop_request_latency", {8}}}});
  SdkMetrics sdk(metrics, "default", "");
  sdk.duration("workflow_endtoend_latency").record(milliseconds(5));
  sdk.duration("request_latency").record(milliseconds(5));

  std::string text = metrics.prometheus_text();

  auto has = [&](const char* line) { return text.find(line) != std::string::npos; };
  EXPECT_TRUE(has("shop_workflow_endtoend_latency_bucket{namespace=\"default\",le=\"7\"} 1\n"))
      << text;
  EXPECT_TRUE(has("shop_request_latency_bucket{namespace=\"default\",le=\"8\"} 1\n")) << text;
}

TEST(MetricsTest, ABufferGetsEveryUpdate) {
  auto buffer = std::make_shared<MetricBuffer>(4);
  Metrics metrics({.global_tags = {{"shop", "north"}}, .buffer = buffer});
  Counter* counter = *metrics.counter("c", "Things", {{"size", "small"}});
  Gauge* gauge = *metrics.gauge("g", "", {});
  counter->add(2);
  gauge->set(3);
  gauge->add(-1);
  SdkMetrics(metrics, "", "").duration("request_latency").record(milliseconds(7));
  counter->add();  // No place is left.

  auto updates = buffer->take();

  ASSERT_EQ(updates.size(), 4u);
  EXPECT_EQ(updates[0].series->name, "c");
  EXPECT_EQ(updates[0].series->help, "Things");
  EXPECT_EQ(updates[0].series->tags, (MetricTags{{"shop", "north"}, {"size", "small"}}));
  EXPECT_EQ(updates[0].value, 2);
  EXPECT_EQ(updates[1].value, 3);
  EXPECT_EQ(updates[2].value, 2);
  EXPECT_EQ(updates[3].series->name, "temporal_request_latency");
  EXPECT_EQ(updates[3].series->unit, "ms");
  EXPECT_EQ(updates[3].value, 7);
  counter->add();
  updates = buffer->take();
  ASSERT_EQ(updates.size(), 1u);
  EXPECT_STREQ(updates[0].series->kind, "counter");
}

TEST(MetricsTest, NothingIsLostBetweenThreads) {
  Metrics metrics;
  Counter* counter = *metrics.counter("c", "", {});
  Histogram* histogram = *metrics.histogram("h", "", {5}, {});
  auto count = [&] {
    for (int i = 0; i < 10000; ++i) {
      counter->add();
      histogram->record(i % 10);
    }
  };

  std::thread other(count);
  count();
  other.join();

  EXPECT_EQ(counter->value(), 20000u);
  EXPECT_EQ(histogram->bucket(0) + histogram->bucket(1), 20000u);
  EXPECT_EQ(histogram->sum(), 90000);
}

}  // namespace
}  // namespace chimera::core
