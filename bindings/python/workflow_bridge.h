// WorkflowBridge, Python as a WorkflowLanguage. See sdk-python/chimera/_bridge.pyi.
#ifndef CHIMERA_BINDINGS_PYTHON_WORKFLOW_BRIDGE_H_
#define CHIMERA_BINDINGS_PYTHON_WORKFLOW_BRIDGE_H_

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

#include "bindings/python/ending.h"
#include "bindings/python/queue.h"
#include "core/language/language.h"

namespace chimera::bindings {

// Shared by Python, by the workers that use it and by each run's instance. Lanes create and
// activate; Python threads complete: that of the activation, the watchdog's for code that does not
// come to a wait, and the loop's where a codec is awaited.
class WorkflowBridge : public core::WorkflowLanguage,
                       public Ending,
                       public std::enable_shared_from_this<WorkflowBridge> {
 public:
  WorkflowBridge(std::shared_ptr<Queue> queue, py::object activate, py::object drop);

  // Lanes.
  const core::LanguageIdentity& identity() const override;
  std::string name() const override { return "Python"; }
  absl::StatusOr<std::unique_ptr<core::WorkflowInstance>> create(
      const core::RunContext& run) override;
  void activate(const std::string& run_id, std::shared_ptr<const std::string> workflow_type,
                std::shared_ptr<const core::Activation> activation, core::ActivationDone done);
  void drop(std::string run_id);

  // Any Python thread. A run that has no activation outstanding is a ValueError.
  void complete(const std::string& run_id, const py::list& commands, const py::object& flags,
                int versioning_behavior);
  void fail(const std::string& run_id, const py::bytes& failure, int cause);

  // Any thread, with the GIL or without. Python is not called any more: activations that wait, and
  // those that come, fail their tasks; answers that come have no effect.
  void close();
  void end() override { close(); }

  // For collected.h.
  int traverse(visitproc visit, void* arg);
  void clear() { close(); }

 private:
  // Empty once closed.
  core::ActivationDone take_done(const std::string& run_id);

  const std::shared_ptr<Queue> queue_;
  absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<const Ref> activate_ ABSL_GUARDED_BY(mutex_), drop_ ABSL_GUARDED_BY(mutex_);
  // What each run's outstanding activation waits for. At most one a run.
  absl::flat_hash_map<std::string, core::ActivationDone> waiting_ ABSL_GUARDED_BY(mutex_);
};

void define_workflow_bridge(py::module_& module);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_WORKFLOW_BRIDGE_H_
