#include "sdk-cpp/src/otlp/metrics_message.h"

#include <algorithm>
#include <numeric>
#include <string_view>

#include "core/base/utf8.h"

namespace chimera::otlp {
namespace {

namespace metrics = proto::metrics::v1;

}  // namespace

MetricsMessage::MetricsMessage(bool delta, std::map<std::string, std::string> resource,
                               core::MetricTags global_tags)
    : delta_(delta),
      global_tags_(std::move(global_tags)),
      start_(nanoseconds(std::chrono::system_clock::now())) {
  for (const auto& [name, value] : global_tags_) resource[name] = value;
  resource.emplace("service.name", "chimera");
  for (const auto& [name, value] : resource)
    set(*envelope_.mutable_resource()->add_attributes(), name, value);
  set_sdk(*envelope_.mutable_resource());
  auto* const scope = envelope_.add_scope_metrics()->mutable_scope();
  scope->set_name("chimera");
  scope->set_version(CHIMERA_VERSION);
}

core::MetricReading::Point MetricsMessage::since_last(const std::string& name,
                                                      const core::MetricReading::Point& point) {
  if (!delta_) return point;
  const Key key(name, point.tags);
  next_[key] = {point.value, point.buckets};
  core::MetricReading::Point out = point;
  const auto last = last_.find(key);
  if (last == last_.end()) return out;
  out.value -= last->second.value;
  for (std::size_t i = 0; i < out.buckets.size(); ++i) out.buckets[i] -= last->second.buckets[i];
  return out;
}

template <class Point>
void MetricsMessage::begin(Point& point, const core::MetricTags& tags) const {
  point.set_start_time_unix_nano(start_);
  point.set_time_unix_nano(now_);
  for (const auto& tag : tags)
    if (std::ranges::find(global_tags_, tag) == global_tags_.end())
      set(*point.add_attributes(), tag.first, tag.second);
}

void MetricsMessage::add_sum(const core::MetricReading& reading, metrics::Metric& out) {
  auto& sum = *out.mutable_sum();
  sum.set_is_monotonic(true);
  sum.set_aggregation_temporality(delta_ ? metrics::AGGREGATION_TEMPORALITY_DELTA
                                         : metrics::AGGREGATION_TEMPORALITY_CUMULATIVE);
  for (const auto& point : reading.points) {
    const auto counted = since_last(reading.name, point);
    if (delta_ && counted.value == 0) continue;
    auto& to = *sum.add_data_points();
    begin(to, point.tags);
    to.set_as_int(static_cast<std::int64_t>(counted.value));
  }
}

void MetricsMessage::add_gauge(const core::MetricReading& reading, metrics::Metric& out) const {
  for (const auto& point : reading.points) {
    auto& to = *out.mutable_gauge()->add_data_points();
    begin(to, point.tags);
    to.clear_start_time_unix_nano();
    to.set_as_double(point.value);
  }
}

void MetricsMessage::add_histogram(const core::MetricReading& reading, metrics::Metric& out) {
  auto& histogram = *out.mutable_histogram();
  histogram.set_aggregation_temporality(delta_ ? metrics::AGGREGATION_TEMPORALITY_DELTA
                                               : metrics::AGGREGATION_TEMPORALITY_CUMULATIVE);
  for (const auto& point : reading.points) {
    const auto counted = since_last(reading.name, point);
    const std::uint64_t count =
        std::accumulate(counted.buckets.begin(), counted.buckets.end(), std::uint64_t{0});
    if (delta_ && count == 0) continue;
    auto& to = *histogram.add_data_points();
    begin(to, point.tags);
    to.set_count(count);
    to.set_sum(counted.value);
    to.mutable_bucket_counts()->Add(counted.buckets.begin(), counted.buckets.end());
    to.mutable_explicit_bounds()->Add(reading.bounds.begin(), reading.bounds.end());
  }
}

bool MetricsMessage::fill(const std::vector<core::MetricReading>& readings,
                          std::chrono::system_clock::time_point now,
                          metrics::ResourceMetrics& out) {
  now_ = nanoseconds(now);
  next_.clear();
  out = envelope_;
  auto& into = *out.mutable_scope_metrics(0)->mutable_metrics();
  for (const core::MetricReading& reading : readings) {
    metrics::Metric metric;
    metric.set_name(reading.name);
    metric.set_description(base::valid_utf8(reading.help));
    metric.set_unit(base::valid_utf8(reading.unit));
    const std::string_view kind = reading.kind;
    if (kind == "counter")
      add_sum(reading, metric);
    else if (kind == "gauge")
      add_gauge(reading, metric);
    else
      add_histogram(reading, metric);
    const bool silent = metric.sum().data_points().empty() &&
                        metric.gauge().data_points().empty() &&
                        metric.histogram().data_points().empty();
    if (!silent) *into.Add() = std::move(metric);
  }
  return !into.empty();
}

void MetricsMessage::taken() {
  if (!delta_) return;
  last_.swap(next_);
  start_ = now_;
}

}  // namespace chimera::otlp
