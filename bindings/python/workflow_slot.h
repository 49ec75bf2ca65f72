// WorkflowSlot as Python sees it: a slot of a worker for the first task of an eager start. See
// sdk-python/chimera/_bridge.pyi.
#ifndef CHIMERA_BINDINGS_PYTHON_WORKFLOW_SLOT_H_
#define CHIMERA_BINDINGS_PYTHON_WORKFLOW_SLOT_H_

#include <memory>
#include <optional>

#include "bindings/python/connection.h"
#include "bindings/python/convert.h"
#include "bindings/python/ending.h"
#include "core/rpc/eager_starts.h"

namespace chimera::bindings {

// Used on Python threads. The worker's end waits until it is released.
class WorkflowSlot {
 public:
  explicit WorkflowSlot(core::WorkflowSlotPtr core) : core_(std::move(core)) {}
  ~WorkflowSlot();

  // Serialized WorkerDeploymentOptions, or nothing.
  std::optional<py::bytes> deployment() const;
  // A serialized PollWorkflowTaskQueueResponse.
  void run(const py::bytes& task);
  void release();

 private:
  const MadeHere made_here_;
  core::WorkflowSlotPtr core_;
};

// Of the workers on this connection. `done(slot or None, None)`.
void reserve_workflow_slot(const Connection& connection, Text namespace_, Text task_queue,
                           std::shared_ptr<Queue> queue, py::object done);

void define_workflow_slot(py::module_& module);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_WORKFLOW_SLOT_H_
