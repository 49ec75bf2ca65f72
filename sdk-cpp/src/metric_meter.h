// Meter and Metric, what the public metrics stand on: a registry and the attributes of a place in
// user code. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_METRIC_METER_H_
#define CHIMERA_SDK_CPP_SRC_METRIC_METER_H_

#include <variant>

#include "absl/status/statusor.h"

#include "chimera/metrics.h"
#include "core/telemetry/metrics.h"

namespace chimera::detail {

class Meter {
 public:
  // The registry outlives the meter. `silent_in_replay`: for workflow code.
  Meter(core::Metrics& registry, MetricAttributes attributes, bool silent_in_replay)
      : registry_(registry),
        attributes_(std::move(attributes)),
        silent_in_replay_(silent_in_replay) {}

  core::Metrics& registry() const { return registry_; }
  const MetricAttributes& attributes() const { return attributes_; }
  // Not while the workflow that runs on this thread replays.
  bool counts() const;
  bool silent_in_replay() const { return silent_in_replay_; }

 private:
  core::Metrics& registry_;
  const MetricAttributes attributes_;
  const bool silent_in_replay_;
};

class Metric {
 public:
  using Instrument = std::variant<core::Counter*, core::Gauge*, core::Histogram*>;

  // Throws std::invalid_argument when the registry refuses the name.
  Metric(MeterPtr meter, MetricKind kind, std::string name, std::string description,
         const std::string& unit);
  void record(double value, const MetricAttributes& more) const;
  const Meter& meter() const { return *meter_; }

 private:
  absl::StatusOr<Instrument> find(const MetricAttributes& more) const;

  const MeterPtr meter_;
  const MetricKind kind_;
  const std::string name_, shown_name_, unit_, description_;
  Instrument plain_;  // Without attributes of a call.
};

}  // namespace chimera::detail

#endif  // CHIMERA_SDK_CPP_SRC_METRIC_METER_H_
