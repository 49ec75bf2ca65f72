// MetricBuffer, every update of a registry's metrics one by one, for a program that fetches them
// itself. Any thread.
#ifndef CHIMERA_CORE_TELEMETRY_METRIC_BUFFER_H_
#define CHIMERA_CORE_TELEMETRY_METRIC_BUFFER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace chimera::core {

// One metric with one set of tags.
struct MetricSeries {
  std::string name, help, unit;
  const char* kind = "";  // "counter", "gauge", "histogram".
  std::vector<std::pair<std::string, std::string>> tags;
};

class MetricBuffer {
 public:
  struct Update {
    std::shared_ptr<const MetricSeries> series;
    double value = 0;  // A counter's increment, else the value.
  };

  explicit MetricBuffer(std::size_t capacity) : capacity_(capacity) {}

  // Dropped when the buffer is full.
  void push(const std::shared_ptr<const MetricSeries>& series, double value) {
    absl::MutexLock lock(&mutex_);
    if (updates_.size() < capacity_) updates_.push_back({series, value});
  }

  // What has come since the last call.
  std::vector<Update> take() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(updates_, {});
  }

 private:
  const std::size_t capacity_;
  absl::Mutex mutex_;
  std::vector<Update> updates_ ABSL_GUARDED_BY(mutex_);
};

// An instrument's way into the buffer of its registry; without one it does nothing.
struct MetricTap {
  void push(double value) const {
    if (buffer != nullptr) buffer->push(series, value);
  }

  std::shared_ptr<MetricBuffer> buffer;
  std::shared_ptr<const MetricSeries> series;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_TELEMETRY_METRIC_BUFFER_H_
