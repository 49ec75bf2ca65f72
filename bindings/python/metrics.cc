#include "bindings/python/metrics.h"

#include "bindings/python/options.h"
#include "sdk-cpp/src/otlp/environment.h"

namespace chimera::bindings {
namespace {

core::MetricsOptions metrics_options(const py::dict& values) {
  core::MetricsOptions result;
  Options options(values, "metrics");
  options.read("prefix", result.prefix);
  options.read("service_name", result.service_name);
  options.read("global_tags", result.global_tags);
  options.read("buckets", result.buckets);
  options.read("counters_total_suffix", result.counters_total_suffix);
  options.read("unit_suffix", result.unit_suffix);
  options.read("durations_as_seconds", result.durations_as_seconds);
  std::size_t buffer = 0;
  options.read("buffer", buffer);
  if (buffer > 0) result.buffer = std::make_shared<core::MetricBuffer>(buffer);
  options.finish();
  return result;
}

OtlpMetricsConfig otlp_config(const py::dict& values) {
  OtlpMetricsConfig result;
  std::vector<std::pair<std::string, std::string>> headers;
  std::int64_t interval_ms = 0;
  Options options(values, "report");
  options.read("endpoint", result.endpoint);
  options.read("headers", headers);
  options.read("interval_ms", interval_ms);
  options.read("delta", result.delta);
  options.finish();
  result.headers.insert(headers.begin(), headers.end());
  result.interval = std::chrono::milliseconds(interval_ms);
  result.resource_attributes = otlp::resource_from_environment();
  return result;
}

using Tags = std::vector<std::pair<Text, Text>>;

core::MetricTags metric_tags(Tags& tags) {
  core::MetricTags result;
  for (auto& [name, value] : tags)
    result.emplace_back(std::move(name.value), std::move(value.value));
  return result;
}

// The instrument, or ValueError.
template <class Instrument>
Instrument* must(absl::StatusOr<Instrument*> made) {
  if (!made.ok()) throw py::value_error(std::string(made.status().message()));
  return *made;
}

// [(series, value)], and a series as (id, name, help, unit, kind, tags): its id stays with it.
py::list take_updates(const Metrics& metrics) {
  py::list result;
  const auto& buffer = metrics.core().options().buffer;
  if (buffer == nullptr) return result;
  for (const auto& [series, value] : buffer->take()) {
    auto id = reinterpret_cast<std::uintptr_t>(series.get());
    result.append(py::make_tuple(py::make_tuple(id, series->name, series->help, series->unit,
                                                series->kind, py::cast(series->tags)),
                                 value));
  }
  return result;
}

}  // namespace

int Metrics::serve(const std::string& address) {
  GilReleased released;
  auto server = core::MetricsServer::start(address, *core_, core::process_health());
  if (!server.ok()) throw std::runtime_error(std::string(server.status().message()));
  server_ = *std::move(server);
  return server_->port();
}

void Metrics::report(const OtlpMetricsConfig& config) {
  GilReleased released;
  reporter_ = std::make_unique<otlp::MetricsReporter>(config, core_);
}

void Metrics::leave() {
  leave_alone(std::move(server_));
  leave_alone(std::move(reporter_));
}

// An instrument keeps its registry.
void define_metrics(py::module_& module) {
  constexpr auto kBorrowed = py::return_value_policy::reference_internal;
  py::class_<core::Counter, std::unique_ptr<core::Counter, py::nodelete>>(module, "_Counter")
      .def("add", &core::Counter::add);
  py::class_<core::Gauge, std::unique_ptr<core::Gauge, py::nodelete>>(module, "_Gauge")
      .def("set", &core::Gauge::set);
  py::class_<core::Histogram, std::unique_ptr<core::Histogram, py::nodelete>>(module, "_Histogram")
      .def("record", &core::Histogram::record);
  py::class_<Metrics>(module, "Metrics")
      .def(py::init([](const py::dict& options) {
             return std::make_unique<Metrics>(metrics_options(options));
           }),
           py::arg("options"))
      .def("text", [](const Metrics& self) { return text(self.core().prometheus_text()); })
      .def("serve", &Metrics::serve, py::arg("address"))
      .def(
          "report",
          [](Metrics& self, const py::dict& options) { self.report(otlp_config(options)); },
          py::arg("options"))
      .def("take_updates", &take_updates)
      .def(
          "counter",
          [](const Metrics& self, Text name, Text help, Tags tags, Text unit) {
            return must(self.core().counter(name.value, help.value, metric_tags(tags), unit.value));
          },
          kBorrowed, py::arg("name"), py::arg("help"), py::arg("tags"), py::arg("unit") = "")
      .def(
          "gauge",
          [](const Metrics& self, Text name, Text help, Tags tags, Text unit) {
            return must(self.core().gauge(name.value, help.value, metric_tags(tags), unit.value));
          },
          kBorrowed, py::arg("name"), py::arg("help"), py::arg("tags"), py::arg("unit") = "")
      .def(
          "histogram",
          [](const Metrics& self, Text name, Text help, Tags tags, std::vector<double> bounds,
             Text unit) {
            return must(self.core().histogram(name.value, help.value, std::move(bounds),
                                              metric_tags(tags), unit.value));
          },
          kBorrowed, py::arg("name"), py::arg("help"), py::arg("tags"), py::arg("bounds"),
          py::arg("unit") = "");
}

}  // namespace chimera::bindings
