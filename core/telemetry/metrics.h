// Metrics, the numbers that a process shows to Prometheus. Looking an instrument up takes a lock,
// so keep what you got; counting takes none. Any thread.
#ifndef CHIMERA_CORE_TELEMETRY_METRICS_H_
#define CHIMERA_CORE_TELEMETRY_METRICS_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

#include "core/telemetry/metric_buffer.h"

namespace chimera::core {

using MetricTags = std::vector<std::pair<std::string, std::string>>;

class Counter {
 public:
  explicit Counter(MetricTap tap = {}) : tap_(std::move(tap)) {}
  void add(std::uint64_t count = 1) {
    value_.fetch_add(count, std::memory_order_relaxed);
    tap_.push(static_cast<double>(count));
  }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
  const MetricTap tap_;
};

class Gauge {
 public:
  explicit Gauge(MetricTap tap = {}) : tap_(std::move(tap)) {}
  void set(double value) {
    value_.store(value, std::memory_order_relaxed);
    tap_.push(value);
  }
  void add(double difference) {
    tap_.push(value_.fetch_add(difference, std::memory_order_relaxed) + difference);
  }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
  const MetricTap tap_;
};

// Values fall into the first bucket whose bound is not below them.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds, MetricTap tap = {});  // Rising bounds.
  void record(double value);

  const std::vector<double>& bounds() const { return bounds_; }
  std::uint64_t bucket(std::size_t index) const {  // bounds().size() is the one without a bound.
    return buckets_[index].load(std::memory_order_relaxed);
  }
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  const std::vector<double> bounds_;
  const std::unique_ptr<std::atomic<std::uint64_t>[]> buckets_;
  std::atomic<double> sum_{0};
  const MetricTap tap_;
};

struct MetricsOptions {
  std::string prefix = "temporal_";  // Of the official names.
  bool service_name = true;          // Tag service_name="chimera" on the official metrics.
  // Instead of the official buckets of a histogram, in the unit of the durations; by its name with
  // or without the prefix.
  std::map<std::string, std::vector<double>> buckets;
  MetricTags global_tags;                // On every metric.
  bool counters_total_suffix = false;    // requests -> requests_total.
  bool unit_suffix = false;              // latency -> latency_milliseconds.
  bool durations_as_seconds = false;     // Otherwise milliseconds, as the official SDKs do.
  std::shared_ptr<MetricBuffer> buffer;  // Gets every update, too; null: nobody does.
};

// What one metric has counted, for who sends it on.
struct MetricReading {
  struct Point {
    MetricTags tags;                          // Sorted.
    double value = 0;                         // A counter's or a gauge's; a histogram's sum.
    std::vector<std::uint64_t> buckets = {};  // A histogram's, each alone.
  };
  std::string name;  // Without the suffixes that Prometheus' options add.
  std::string help, unit;
  const char* kind;  // "counter", "gauge", "histogram".
  std::vector<double> bounds;
  std::vector<Point> points;
};

class Metrics {
 public:
  explicit Metrics(MetricsOptions options = {}) : options_(std::move(options)) {}

  // The same instrument for the same name and tags, in any order of the tags; lives as long as the
  // registry. InvalidArgument for a name or tag that Prometheus cannot read, or when the name is
  // already in use for another kind of instrument or for other buckets.
  absl::StatusOr<Counter*> counter(const std::string& name, const std::string& help,
                                   MetricTags tags, const std::string& unit = "");
  absl::StatusOr<Gauge*> gauge(const std::string& name, const std::string& help, MetricTags tags,
                               const std::string& unit = "");
  absl::StatusOr<Histogram*> histogram(const std::string& name, const std::string& help,
                                       std::vector<double> bounds, MetricTags tags,
                                       const std::string& unit = "");

  // What `duration` is to be recorded as, and bounds in milliseconds in the same unit.
  double in_unit(std::chrono::nanoseconds duration) const;
  std::vector<double> bounds_in_unit(std::vector<double> milliseconds) const;
  std::string duration_name(std::string name) const;  // With the unit's suffix, if wanted.
  const MetricsOptions& options() const { return options_; }

  // Prometheus' text exposition format 0.0.4.
  std::string prometheus_text() const;
  std::vector<MetricReading> read() const;

 private:
  using Instrument =
      std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>, std::unique_ptr<Histogram>>;
  struct Series {
    MetricTags tags;
    Instrument instrument;
  };
  struct Family {
    std::string name;  // As it was given: Prometheus may need another one.
    std::string help, unit;
    const char* kind;                      // "counter", "gauge", "histogram".
    std::vector<double> bounds;            // Of histograms.
    std::map<std::string, Series> series;  // By their tags as text.
  };

  absl::StatusOr<std::pair<Family*, std::string>> family(std::string name, const std::string& help,
                                                         const char* kind, const std::string& unit,
                                                         MetricTags& tags)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string plain_name(std::string name, const Family& family) const;
  MetricTap tap(const std::string& name, const std::string& help, const char* kind,
                const std::string& unit, MetricTags tags) const;

  const MetricsOptions options_;
  mutable absl::Mutex mutex_;
  std::map<std::string, Family> families_ ABSL_GUARDED_BY(mutex_);
};

// The process's metrics, for whoever is given no others. Live for ever.
Metrics& process_metrics();

}  // namespace chimera::core

#endif  // CHIMERA_CORE_TELEMETRY_METRICS_H_
