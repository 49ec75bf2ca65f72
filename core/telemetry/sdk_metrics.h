// The official metrics of a Temporal worker and client (names, tags and buckets of
// temporalio 1.35), as one object per namespace and task queue. Instruments with a type's name as
// tag are looked up once per type and thread user: see TypeMetrics. Any thread.
#ifndef CHIMERA_CORE_TELEMETRY_SDK_METRICS_H_
#define CHIMERA_CORE_TELEMETRY_SDK_METRICS_H_

#include <chrono>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"

#include "core/telemetry/metrics.h"

namespace chimera::core {

// A histogram of durations in the registry's unit.
class DurationHistogram {
 public:
  DurationHistogram(Metrics& metrics, Histogram& histogram)
      : metrics_(&metrics), histogram_(&histogram) {}
  void record(std::chrono::nanoseconds duration) {
    histogram_->record(metrics_->in_unit(duration));
  }

 private:
  Metrics* metrics_;
  Histogram* histogram_;
};

// Makes instruments by their official names ("workflow_completed", without the prefix temporal_)
// with the common tags. A name that a user has taken for something else gives an instrument that is
// counted but not shown.
class SdkMetrics {
 public:
  // Tags namespace, task_queue (if not empty) and service_name.
  SdkMetrics(Metrics& metrics, std::string namespace_, std::string task_queue);

  Counter& counter(std::string_view name, MetricTags tags = {}) const;
  Gauge& gauge(std::string_view name, MetricTags tags = {}) const;
  DurationHistogram duration(std::string_view name, MetricTags tags = {}) const;

 private:
  MetricTags with_common(MetricTags tags) const;
  std::string prefixed(std::string_view name) const;

  Metrics& metrics_;
  MetricTags common_;
};

// The bounds in milliseconds of one official histogram.
std::vector<double> official_buckets(std::string_view name);

// What is counted of one workflow type.
struct WorkflowTypeMetrics {
  WorkflowTypeMetrics(const SdkMetrics& metrics, const std::string& workflow_type);
  Counter &completed, &canceled, &failed, &continue_as_new, &cache_hit;
  DurationHistogram endtoend_latency, task_execution_latency, task_replay_latency;
};

// What is counted of one activity type called from one workflow type; of local activities under
// names of their own.
struct ActivityTypeMetrics {
  ActivityTypeMetrics(const SdkMetrics& metrics, const std::string& activity_type,
                      const std::string& workflow_type, bool local = false);
  Counter &received, &received_eagerly, &failed;
  Counter* cancelled;  // Null: not counted.
  DurationHistogram execution_latency, succeed_endtoend_latency;
};

// The metrics of each workflow type, made when first asked for. One thread's own, so no lock.
class WorkflowTypeTable {
 public:
  explicit WorkflowTypeTable(const SdkMetrics& metrics) : metrics_(metrics) {}
  WorkflowTypeMetrics& of(const std::string& workflow_type);

 private:
  const SdkMetrics& metrics_;
  absl::flat_hash_map<std::string, std::unique_ptr<WorkflowTypeMetrics>> by_type_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_TELEMETRY_SDK_METRICS_H_
