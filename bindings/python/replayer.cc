#include "bindings/python/replayer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "bindings/python/ending.h"
#include "bindings/python/options.h"

namespace chimera::bindings {
namespace {

core::RecordedTask task_of(std::string workflow_id, std::string_view bytes) {
  api::history::v1::History history;
  if (!history.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw py::value_error("history: these bytes are no temporal.api.history.v1.History");
  }
  auto task = core::recorded_task(std::move(workflow_id), std::move(history));
  if (!task.ok()) throw py::value_error(std::string(task.status().message()));
  return *std::move(task);
}

}  // namespace

Replayer::Replayer(const py::dict& values, std::shared_ptr<WorkflowBridge> bridge)
    : bridge_(std::move(bridge)) {
  Options options(values, "replayer");
  options_.context.namespace_ = "ReplayNamespace";
  options_.context.task_queue = "ReplayTaskQueue";
  options.read("namespace", options_.context.namespace_);
  options.read("task_queue", options_.context.task_queue);
  options.read("nondeterminism_fails_workflow", nondeterminism_fails_all_);
  options.read("nondeterminism_fails_workflow_types", nondeterminism_fails_types_);
  options.finish();
  options_.identity = bridge_->identity();
}

void Replayer::replay(Text workflow_id, const py::bytes& history, std::shared_ptr<Queue> queue,
                      py::object done) {
  core::RecordedTask task = task_of(std::move(workflow_id.value), view(history));
  core::RunOptions options = options_;
  options.nondeterminism_fails_workflow =
      nondeterminism_fails_all_ ||
      std::ranges::find(nondeterminism_fails_types_, task->workflow_type().name()) !=
          nondeterminism_fails_types_.end();
  auto callback = std::make_shared<const Ref>(std::move(done));
  run_on_thread([options = std::move(options), bridge = bridge_, task = std::move(task),
                 queue = std::move(queue), callback = std::move(callback)]() mutable {
    core::ReplayVerdict verdict = core::replay(std::move(options), *bridge, std::move(task));
    queue->push(std::move(callback), [verdict = std::move(verdict)] {
      return py::make_tuple(static_cast<int>(verdict.reason), text(verdict.message));
    });
  });
}

void define_replayer(py::module_& module) {
  py::class_<Replayer>(module, "Replayer")
      .def(py::init<const py::dict&, std::shared_ptr<WorkflowBridge>>(), py::arg("options"),
           py::arg("bridge"))
      .def("replay", &Replayer::replay, py::arg("workflow_id"), py::arg("history"),
           py::arg("queue"), py::arg("done"));
}

}  // namespace chimera::bindings
