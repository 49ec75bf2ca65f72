// NexusBridge, Python as a NexusLanguage. See sdk-python/chimera/_bridge.pyi.
#ifndef CHIMERA_BINDINGS_PYTHON_NEXUS_BRIDGE_H_
#define CHIMERA_BINDINGS_PYTHON_NEXUS_BRIDGE_H_

#include <memory>
#include <string>

#include "bindings/python/ending.h"
#include "bindings/python/queue.h"
#include "bindings/python/tasks.h"
#include "core/language/nexus_language.h"

namespace chimera::bindings {

// Shared by Python and the workers that use it. The worker's threads start and cancel; any thread
// that holds the GIL completes.
class NexusBridge : public core::NexusLanguage, public Ending {
 public:
  NexusBridge(std::shared_ptr<Queue> queue, py::object start, py::object cancel);

  std::string name() const override { return "Python"; }
  void start(core::NexusTask task) override;
  void cancel(const std::string& task_token, core::NexusCancelReason reason) override;

  // ValueError if the task is not running or the value cannot be sent; then it still runs.
  void complete(const py::bytes& token, const std::string& status, const py::object& value);

  // Any thread, with the GIL or without. Python is not called any more: callers of tasks that run,
  // and of those that come, are told to try again; answers that come have no effect.
  void close();
  void end() override { close(); }

  // For collected.h.
  int traverse(visitproc visit, void* arg) { return tasks_.traverse(visit, arg); }
  void clear() { close(); }

 private:
  Tasks<std::shared_ptr<core::NexusHandle>> tasks_;
};

void define_nexus_bridge(py::module_& module);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_NEXUS_BRIDGE_H_
