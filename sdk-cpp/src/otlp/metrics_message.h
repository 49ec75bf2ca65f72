// MetricsMessage, what a registry has counted as OTLP's messages. Used by one thread.
#ifndef CHIMERA_SDK_CPP_SRC_OTLP_METRICS_MESSAGE_H_
#define CHIMERA_SDK_CPP_SRC_OTLP_METRICS_MESSAGE_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "chimera_otlp/metrics/v1/metrics.pb.h"
#include "core/telemetry/metrics.h"
#include "sdk-cpp/src/otlp/sender.h"

namespace chimera::otlp {

class MetricsMessage {
 public:
  // Global tags are attributes of the resource, as the official SDKs have them, and not of points.
  MetricsMessage(bool delta, std::map<std::string, std::string> resource,
                 core::MetricTags global_tags);

  // Since the start, or, as a delta, since what was last taken. False: there is nothing to say.
  bool fill(const std::vector<core::MetricReading>& readings,
            std::chrono::system_clock::time_point now, proto::metrics::v1::ResourceMetrics& out);
  // The collector has it: the next delta begins where it ended.
  void taken();

 private:
  struct Last {
    double value = 0;
    std::vector<std::uint64_t> buckets;
  };
  using Key = std::pair<std::string, core::MetricTags>;

  // The point, or, of deltas, what came to it.
  core::MetricReading::Point since_last(const std::string& name,
                                        const core::MetricReading::Point& point);
  template <class Point>
  void begin(Point& point, const core::MetricTags& tags) const;
  void add_sum(const core::MetricReading& reading, proto::metrics::v1::Metric& out);
  void add_gauge(const core::MetricReading& reading, proto::metrics::v1::Metric& out) const;
  void add_histogram(const core::MetricReading& reading, proto::metrics::v1::Metric& out);

  const bool delta_;
  const core::MetricTags global_tags_;
  proto::metrics::v1::ResourceMetrics envelope_;
  std::uint64_t start_, now_ = 0;
  std::map<Key, Last> last_, next_;  // Deltas' ends: of what was taken, of what is under way.
};

}  // namespace chimera::otlp

#endif  // CHIMERA_SDK_CPP_SRC_OTLP_METRICS_MESSAGE_H_
