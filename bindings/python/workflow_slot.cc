#include "bindings/python/workflow_slot.h"

#include <stdexcept>
#include <utility>

#include "bindings/python/gil.h"

namespace chimera::bindings {

WorkflowSlot::~WorkflowSlot() {
  if (!made_here_) leave_alone(std::move(core_));
  release();
}

std::optional<py::bytes> WorkflowSlot::deployment() const {
  if (core_ == nullptr || core_->deployment() == nullptr) return std::nullopt;
  return py::bytes(core_->deployment()->SerializeAsString());
}

void WorkflowSlot::run(const py::bytes& task) {
  if (core_ == nullptr) throw std::runtime_error("this slot has been used or released");
  auto message = std::make_shared<api::workflowservice::v1::PollWorkflowTaskQueueResponse>();
  if (!message->ParseFromString(std::string(task)))
    throw py::value_error("these bytes are no PollWorkflowTaskQueueResponse");
  {
    GilReleased released;
    core_->run(std::move(message));
  }
  release();
}

void WorkflowSlot::release() {
  GilReleased released;  // A poll may begin with what is given back.
  core_.reset();
}

void reserve_workflow_slot(const Connection& connection, Text namespace_, Text task_queue,
                           std::shared_ptr<Queue> queue, py::object done) {
  auto callback = std::make_shared<const Ref>(std::move(done));
  const std::shared_ptr<core::EagerStarts> starts = connection.core()->eager_starts();
  GilReleased released;
  starts->reserve(
      std::move(namespace_.value), std::move(task_queue.value),
      [queue = std::move(queue), callback](core::WorkflowSlotPtr slot) mutable {
        queue->push(std::move(callback), [slot = std::move(slot)]() mutable -> py::tuple {
          if (slot == nullptr) return py::make_tuple(py::none(), py::none());
          return py::make_tuple(std::make_unique<WorkflowSlot>(std::move(slot)), py::none());
        });
      });
}

void define_workflow_slot(py::module_& module) {
  py::class_<WorkflowSlot>(module, "WorkflowSlot")
      .def("deployment", &WorkflowSlot::deployment)
      .def("run", &WorkflowSlot::run, py::arg("task"))
      .def("release", &WorkflowSlot::release);
}

}  // namespace chimera::bindings
