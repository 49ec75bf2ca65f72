#include "sdk-cpp/src/metric_meter.h"

#include <stdexcept>

#include "absl/strings/str_cat.h"

#include "chimera/activity.h"
#include "chimera/runtime.h"
#include "chimera/workflow.h"
#include "sdk-cpp/src/activity_pool.h"
#include "sdk-cpp/src/runtime.h"
#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera {
namespace detail {
namespace {

// As the Python package's: of histograms without buckets of their own.
const std::vector<double> kBuckets = {50, 100, 500, 1000, 2500, 10000};

std::string with_unit(const Meter& meter, const std::string& name, const std::string& unit) {
  const bool shown = !unit.empty() && meter.registry().options().unit_suffix;
  return shown ? absl::StrCat(name, "_", unit) : name;
}

std::string duration_unit(const Meter& meter) {
  return meter.registry().options().durations_as_seconds ? "s" : "ms";
}

template <class T>
absl::StatusOr<Metric::Instrument> as_instrument(absl::StatusOr<T*> made) {
  if (!made.ok()) return made.status();
  return Metric::Instrument(*made);
}

}  // namespace

bool Meter::counts() const {
  if (!silent_in_replay_) return true;
  const auto* run = sdk::WorkflowRuntime::current_or_null();
  return run == nullptr || !run->run().quiet();
}

Metric::Metric(MeterPtr meter, MetricKind kind, std::string name, std::string description,
               const std::string& unit)
    : meter_(std::move(meter)),
      kind_(kind),
      name_(std::move(name)),
      shown_name_(with_unit(*meter_, name_, unit)),
      unit_(unit.empty() && kind == MetricKind::kDurationHistogram ? duration_unit(*meter_) : unit),
      description_(std::move(description)) {
  absl::StatusOr<Instrument> plain = find({});
  if (!plain.ok()) throw std::invalid_argument(std::string(plain.status().message()));
  plain_ = *plain;
}

absl::StatusOr<Metric::Instrument> Metric::find(const MetricAttributes& more) const {
  core::Metrics& registry = meter_->registry();
  MetricAttributes all = more;  // They win over the meter's.
  all.insert(meter_->attributes().begin(), meter_->attributes().end());
  if (registry.options().service_name) all.emplace("service_name", "chimera");
  core::MetricTags tags(all.begin(), all.end());
  switch (kind_) {
    case MetricKind::kCounter:
      return as_instrument(registry.counter(shown_name_, description_, std::move(tags), unit_));
    case MetricKind::kGauge:
      return as_instrument(registry.gauge(shown_name_, description_, std::move(tags), unit_));
    default:
      break;
  }
  const auto own = registry.options().buckets.find(name_);
  return as_instrument(registry.histogram(
      shown_name_, description_, own == registry.options().buckets.end() ? kBuckets : own->second,
      std::move(tags), unit_));
}

void Metric::record(double value, const MetricAttributes& more) const {
  if (!meter_->counts()) return;
  Instrument instrument = plain_;
  if (!more.empty()) {
    absl::StatusOr<Instrument> found = find(more);
    if (!found.ok()) throw std::invalid_argument(std::string(found.status().message()));
    instrument = *found;
  }
  if (auto* const* counter = std::get_if<core::Counter*>(&instrument))
    (*counter)->add(static_cast<std::uint64_t>(value));
  else if (auto* const* gauge = std::get_if<core::Gauge*>(&instrument))
    (*gauge)->set(value);
  else
    std::get<core::Histogram*>(instrument)->record(value);
}

MetricPtr make_metric(const MeterPtr& meter, MetricKind kind, std::string name,
                      std::string description, std::string unit) {
  return std::make_shared<const Metric>(meter, kind, std::move(name), std::move(description), unit);
}

MeterPtr with_attributes(const Meter& meter, const MetricAttributes& more) {
  MetricAttributes all = more;
  all.insert(meter.attributes().begin(), meter.attributes().end());
  return std::make_shared<const Meter>(meter.registry(), std::move(all), meter.silent_in_replay());
}

void record(const Metric& metric, double value, const MetricAttributes& more) {
  metric.record(value, more);
}

void record(const Metric& metric, std::chrono::nanoseconds value, const MetricAttributes& more) {
  metric.record(metric.meter().registry().in_unit(value), more);
}

}  // namespace detail

MetricMeter Runtime::metric_meter() const {
  return MetricMeter(std::make_shared<const detail::Meter>(*state_->metrics, MetricAttributes{},
                                                           /*silent_in_replay=*/false));
}

namespace activity {

MetricMeter metric_meter() {
  sdk::ActivityContext& context = sdk::ActivityContext::current("metric_meter");
  const Info& info = context.info();
  return MetricMeter(
      std::make_shared<const detail::Meter>(context.metrics(),
                                            MetricAttributes{{"namespace", info.workflow_namespace},
                                                             {"task_queue", info.task_queue},
                                                             {"activity_type", info.activity_type}},
                                            /*silent_in_replay=*/false));
}

}  // namespace activity
}  // namespace chimera
