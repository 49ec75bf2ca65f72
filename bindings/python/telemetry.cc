#include "bindings/python/telemetry.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include <pybind11/stl.h>

#include "bindings/python/convert.h"
#include "bindings/python/errors.h"
#include "bindings/python/queue.h"
#include "core/telemetry/log.h"

namespace chimera::bindings {
namespace {

void set_log_level(const Text& text) {
  const std::string& name = text.value;
  const std::string wanted = absl::AsciiStrToUpper(name);
  for (int i = 0; i <= static_cast<int>(core::LogLevel::kOff); ++i) {
    const auto level = static_cast<core::LogLevel>(i);
    if (core::log_level_name(level) == wanted) return core::set_log_level(level);
  }
  throw_if_error(absl::InvalidArgumentError(
      absl::StrCat("no log level is called '", name, "': TRACE, DEBUG, INFO, WARN, ERROR or OFF")));
}

py::tuple arguments_of(const core::LogRecord& record) {
  py::dict fields;
  for (const auto& [key, value] : record.fields) fields[text(key)] = text(value);
  const std::chrono::duration<double> time = record.time.time_since_epoch();
  return py::make_tuple(static_cast<int>(record.level), text(record.logger), text(record.message),
                        fields, time.count());
}

// The sink only leaves records in the queue: it runs on the core's threads, without the GIL.
void forward_logs(std::shared_ptr<Queue> queue, const py::object& callback) {
  if (queue == nullptr) return core::set_log_sink({});
  auto ref = std::make_shared<const Ref>(callback);
  core::set_log_sink(
      [queue = std::move(queue), ref = std::move(ref)](const core::LogRecord& record) {
        queue->push(ref, [record] { return arguments_of(record); });
      });
}

}  // namespace

void define_telemetry(py::module_& module) {
  module.def("set_log_level", &set_log_level, py::arg("name"));
  module.def("forward_logs", &forward_logs, py::arg("queue").none(true), py::arg("callback"));
}

}  // namespace chimera::bindings
