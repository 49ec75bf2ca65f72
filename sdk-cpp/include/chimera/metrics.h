// Metrics of user code, shown by the Runtime beside the worker's own. A meter makes them:
// workflow::metric_meter() for workflow code, whose metrics count nothing while history is
// replayed, activity::metric_meter() for activities, Runtime::metric_meter() for the rest. Any
// thread; cheap to copy. A meter and its metrics are used no longer than their Runtime lives.
#ifndef CHIMERA_METRICS_H_
#define CHIMERA_METRICS_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace chimera {

using MetricAttributes = std::map<std::string, std::string>;

namespace detail {

class Meter;   // Where metrics are shown, and what they all carry.
class Metric;  // One metric with its attributes.
using MeterPtr = std::shared_ptr<const Meter>;
using MetricPtr = std::shared_ptr<const Metric>;  // Shared by copies of the user's metric.

enum class MetricKind { kCounter, kGauge, kHistogram, kDurationHistogram };
MetricPtr make_metric(const MeterPtr& meter, MetricKind kind, std::string name,
                      std::string description, std::string unit);
MeterPtr with_attributes(const Meter& meter, const MetricAttributes& more);
void record(const Metric& metric, double value, const MetricAttributes& more);
void record(const Metric& metric, std::chrono::nanoseconds value, const MetricAttributes& more);

}  // namespace detail

// Attributes that a call adds cost a look-up under a lock; those of the meter do not.
class MetricCounter {
 public:
  explicit MetricCounter(detail::MetricPtr metric) : metric_(std::move(metric)) {}
  void add(std::uint64_t value = 1, const MetricAttributes& additional = {}) const {
    detail::record(*metric_, static_cast<double>(value), additional);
  }

 private:
  detail::MetricPtr metric_;
};

class MetricGauge {
 public:
  explicit MetricGauge(detail::MetricPtr metric) : metric_(std::move(metric)) {}
  void set(double value, const MetricAttributes& additional = {}) const {
    detail::record(*metric_, value, additional);
  }

 private:
  detail::MetricPtr metric_;
};

class MetricHistogram {
 public:
  explicit MetricHistogram(detail::MetricPtr metric) : metric_(std::move(metric)) {}
  void record(double value, const MetricAttributes& additional = {}) const {
    detail::record(*metric_, value, additional);
  }

 private:
  detail::MetricPtr metric_;
};

// In milliseconds, or in seconds where PrometheusConfig::durations_as_seconds asks for them.
class MetricDurationHistogram {
 public:
  explicit MetricDurationHistogram(detail::MetricPtr metric) : metric_(std::move(metric)) {}
  void record(std::chrono::nanoseconds value, const MetricAttributes& additional = {}) const {
    detail::record(*metric_, value, additional);
  }

 private:
  detail::MetricPtr metric_;
};

// Each create call gives the same metric for the same name. Throws std::invalid_argument for a name
// that Prometheus cannot read or that is another kind of metric already. The unit is shown where
// PrometheusConfig::unit_suffix asks for it.
class MetricMeter {
 public:
  explicit MetricMeter(detail::MeterPtr meter) : meter_(std::move(meter)) {}

  MetricCounter create_counter(std::string name, std::string description = "",
                               std::string unit = "") const {
    return MetricCounter(make(detail::MetricKind::kCounter, name, description, unit));
  }
  MetricGauge create_gauge(std::string name, std::string description = "",
                           std::string unit = "") const {
    return MetricGauge(make(detail::MetricKind::kGauge, name, description, unit));
  }
  MetricHistogram create_histogram(std::string name, std::string description = "",
                                   std::string unit = "") const {
    return MetricHistogram(make(detail::MetricKind::kHistogram, name, description, unit));
  }
  MetricDurationHistogram create_histogram_duration(std::string name, std::string description = "",
                                                    std::string unit = "") const {
    return MetricDurationHistogram(
        make(detail::MetricKind::kDurationHistogram, name, description, unit));
  }
  // A meter whose metrics carry these attributes, too.
  MetricMeter with_additional_attributes(const MetricAttributes& additional) const {
    return MetricMeter(detail::with_attributes(*meter_, additional));
  }

 private:
  detail::MetricPtr make(detail::MetricKind kind, std::string& name, std::string& description,
                         std::string& unit) const {
    return detail::make_metric(meter_, kind, std::move(name), std::move(description),
                               std::move(unit));
  }
  detail::MeterPtr meter_;
};

}  // namespace chimera

#endif  // CHIMERA_METRICS_H_
