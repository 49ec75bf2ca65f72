#include "bindings/python/activity_bridge.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"

#include "bindings/python/border.h"
#include "bindings/python/collected.h"
#include "bindings/python/convert.h"
#include "bindings/python/gil.h"

namespace chimera::bindings {
namespace {

// Servers take calls of 4 MiB (gRPC's default), and the call holds the token and names as well.
constexpr std::size_t kHeartbeatBytesMax = (4 << 20) - (64 << 10);

core::ActivityResult result_from(std::string_view status, const py::handle& value) {
  core::ActivityResult result;
  if (status == "completed") {
    auto& completed = result.status.emplace<core::ActivityResult::Completed>();
    if (!value.is_none()) parse(value, completed.result.emplace(), "activity result");
  } else if (status == "failed") {
    parse(value, result.status.emplace<core::ActivityResult::Failed>().failure, "activity failure");
  } else if (status == "cancelled") {
    auto& cancelled = result.status.emplace<core::ActivityResult::Cancelled>();
    for (py::handle detail : value)
      parse(detail, *cancelled.details.add_payloads(), "cancellation detail");
  } else if (status == "async") {
    result.status.emplace<core::ActivityResult::WillCompleteAsync>();
  } else {
    throw py::value_error(absl::StrCat("an activity cannot end as '", std::string(status), "'"));
  }
  return result;
}

// Nothing is reported of it, as if this process had been killed.
void leave(core::ActivityHandle& handle) {
  handle.complete({core::ActivityResult::WillCompleteAsync{}});
}

}  // namespace

ActivityBridge::ActivityBridge(std::shared_ptr<Queue> queue, py::object start, py::object cancel)
    : tasks_(std::move(queue), std::move(start), std::move(cancel)) {
  load_border();
}

void ActivityBridge::start(core::ActivityTask task) {
  Running running{std::move(task.handle), task.is_local};
  const std::string token = task.message->task_token();
  if (!tasks_.start(token, running,
                    [task = std::move(task)] { return py::make_tuple(activity_task_of(task)); }))
    leave(*running.handle);
}

void ActivityBridge::cancel(const std::string& task_token,
                            const core::ActivityCancellation& cancellation) {
  tasks_.cancel([task_token, flags = cancellation] {
    return py::make_tuple(py::bytes(task_token),
                          py::make_tuple(flags.not_found, flags.cancelled, flags.paused,
                                         flags.timed_out, flags.worker_shutdown, flags.reset));
  });
}

void ActivityBridge::close() {
  for (const Running& each : tasks_.close()) leave(*each.handle);
}

void ActivityBridge::heartbeat(const py::bytes& token, const py::list& details) {
  api::common::v1::Payloads payloads;
  for (py::handle detail : details) parse(detail, *payloads.add_payloads(), "heartbeat detail");
  const auto running = tasks_.find(view(token));
  if (!running) return;
  if (const std::size_t size = payloads.ByteSizeLong(); size > kHeartbeatBytesMax) {
    throw py::value_error(absl::StrCat("heartbeat details of ", size, " bytes: a server takes ",
                                       kHeartbeatBytesMax, " at most"));
  }

  GilReleased released;
  running->handle->heartbeat(std::move(payloads));
}

ActivityBridge::Ended ActivityBridge::ended(const py::handle& end) {
  const auto [token, status, value] = end.cast<std::tuple<py::bytes, std::string, py::object>>();
  core::ActivityResult result = result_from(status, value);
  std::optional<Running> running = tasks_.take(view(token));
  if (!running && !tasks_.closed())
    throw py::value_error("this activity task is not running, or was completed before");
  return {std::move(running).value_or(Running{}), std::move(result)};
}

void ActivityBridge::complete(const py::list& ends) {
  std::vector<Ended> all;
  all.reserve(ends.size());
  std::string refused;
  for (py::handle end : ends) {
    try {
      all.push_back(ended(end));
    } catch (const py::builtin_exception& error) {
      absl::StrAppend(&refused, refused.empty() ? "" : "; ", error.what());
    }
  }
  {
    // The end of a local one is only posted; a server's is put into a call here.
    std::optional<GilReleased> released;
    if (!std::ranges::all_of(all, [](const Ended& each) { return each.running.is_local; }))
      released.emplace();
    for (Ended& each : all) {
      if (each.running.handle != nullptr) each.running.handle->complete(std::move(each.result));
    }
    all.clear();
  }
  if (!refused.empty()) throw py::value_error(refused);
}

void define_activity_bridge(py::module_& module) {
  py::class_<ActivityBridge, std::shared_ptr<ActivityBridge>>(module, "ActivityBridge",
                                                              collected<ActivityBridge>())
      .def(py::init([](std::shared_ptr<Queue> queue, py::object start, py::object cancel) {
             auto bridge = std::make_shared<ActivityBridge>(std::move(queue), std::move(start),
                                                            std::move(cancel));
             end_with_interpreter(EndsWith::kLanguages, bridge);
             return bridge;
           }),
           py::arg("queue"), py::arg("start"), py::arg("cancel"))
      .def("close",
           [](ActivityBridge& self) {
             {
               GilReleased released;
               self.close();
             }
             release_dropped_refs();
           })
      .def("heartbeat", &ActivityBridge::heartbeat, py::arg("token"), py::arg("details"))
      .def("complete", &ActivityBridge::complete, py::arg("ends"));
}

}  // namespace chimera::bindings
