#include "bindings/python/nexus_bridge.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

#include "bindings/python/border.h"
#include "bindings/python/collected.h"
#include "bindings/python/convert.h"
#include "bindings/python/gil.h"

namespace chimera::bindings {
namespace {

core::NexusResult result_from(std::string_view status, const py::handle& value) {
  core::NexusResult result;
  if (status == "completed") {
    parse(value, result.status.emplace<core::NexusResult::Completed>().response, "Nexus response");
  } else if (status == "failed") {
    parse(value, result.status.emplace<core::NexusResult::Failed>().failure, "Nexus failure");
  } else if (status == "cancelled") {
    result.status.emplace<core::NexusResult::CancelAcknowledged>();
  } else {
    throw py::value_error(absl::StrCat("a Nexus task cannot end as '", std::string(status), "'"));
  }
  return result;
}

void refuse(core::NexusHandle& handle) {
  core::NexusResult::Failed gone;
  gone.failure.set_message("The worker's Python code has ended before it answered");
  gone.failure.mutable_nexus_handler_failure_info()->set_type("UNAVAILABLE");
  handle.complete({std::move(gone)});
}

}  // namespace

NexusBridge::NexusBridge(std::shared_ptr<Queue> queue, py::object start, py::object cancel)
    : tasks_(std::move(queue), std::move(start), std::move(cancel)) {
  load_border();
}

void NexusBridge::start(core::NexusTask task) {
  const auto handle = std::move(task.handle);
  const std::string token = task.message->task_token();
  if (!tasks_.start(token, handle,
                    [task = std::move(task)] { return py::make_tuple(nexus_task_of(task)); }))
    refuse(*handle);
}

void NexusBridge::cancel(const std::string& task_token, core::NexusCancelReason reason) {
  tasks_.cancel([task_token, reason] {
    return py::make_tuple(py::bytes(task_token), static_cast<int>(reason));
  });
}

void NexusBridge::close() {
  for (const auto& handle : tasks_.close()) refuse(*handle);
}

void NexusBridge::complete(const py::bytes& token, const std::string& status,
                           const py::object& value) {
  core::NexusResult result = result_from(status, value);
  const auto handle = tasks_.take(view(token));
  if (!handle) {
    if (tasks_.closed()) return;
    throw py::value_error("this Nexus task is not running, or was completed before");
  }
  GilReleased released;
  (*handle)->complete(std::move(result));
}

void define_nexus_bridge(py::module_& module) {
  py::class_<NexusBridge, std::shared_ptr<NexusBridge>>(module, "NexusBridge",
                                                        collected<NexusBridge>())
      .def(py::init([](std::shared_ptr<Queue> queue, py::object start, py::object cancel) {
             auto bridge = std::make_shared<NexusBridge>(std::move(queue), std::move(start),
                                                         std::move(cancel));
             end_with_interpreter(EndsWith::kLanguages, bridge);
             return bridge;
           }),
           py::arg("queue"), py::arg("start"), py::arg("cancel"))
      .def("close",
           [](NexusBridge& self) {
             {
               GilReleased released;
               self.close();
             }
             release_dropped_refs();
           })
      .def("complete", &NexusBridge::complete, py::arg("token"), py::arg("status"),
           py::arg("value"));
}

}  // namespace chimera::bindings
