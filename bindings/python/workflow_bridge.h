// WorkflowBridge, Python as a WorkflowLanguage, and RunHandle, a run as Python sees it. See
// sdk-python/chimera/_bridge.pyi.
#ifndef CHIMERA_BINDINGS_PYTHON_WORKFLOW_BRIDGE_H_
#define CHIMERA_BINDINGS_PYTHON_WORKFLOW_BRIDGE_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"

#include "bindings/python/ending.h"
#include "bindings/python/queue.h"
#include "core/language/language.h"

namespace chimera::bindings {

// One cached run: what Python keeps of it, and the way to answer its activation. Shared by the
// core's instance, by what is on its way to Python, and by Python.
class RunHandle {
 public:
  RunHandle(std::string run_id, std::string workflow_type)
      : run_id_(std::move(run_id)), workflow_type_(std::move(workflow_type)) {}

  const std::string& run_id() const { return run_id_; }
  const std::string& workflow_type() const { return workflow_type_; }

  // Any Python thread. Exactly one of them for each activation; ValueError if none is outstanding,
  // no effect if the bridge was closed meanwhile.
  void complete(const py::list& commands, const py::list& flags, int versioning_behavior,
                const py::list& places);
  void fail(const py::bytes& failure, int cause);

  // With the GIL: Python's half of the run; None at first.
  py::object state() const;
  void set_state(py::object state);

  // Lanes, and whoever closes the bridge.
  void expect(core::ActivationDone done);
  // The answer that is awaited; null if none is. No other is from `close` on.
  core::ActivationDone take(bool close);

  // For collected.h.
  int traverse(visitproc visit, void* arg) const { return state_.traverse(visit, arg); }
  void clear() { set_state(py::none()); }

 private:
  core::ActivationDone answer();

  const std::string run_id_, workflow_type_;
  Ref state_;  // The GIL's.
  absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  core::ActivationDone done_ ABSL_GUARDED_BY(mutex_);
};

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
  std::optional<core::Completion> activate(const std::shared_ptr<RunHandle>& run,
                                           std::shared_ptr<const core::Activation> activation,
                                           core::ActivationDone done);
  // The run leaves the cache; Python, which has seen it, is told if it does not know that yet.
  void leave(const std::shared_ptr<RunHandle>& run, bool tell);

  // Any thread, with the GIL or without. Python is not called any more: activations that wait, and
  // those that come, fail their tasks; answers that come have no effect.
  void close();
  void end() override { close(); }

  // For collected.h.
  int traverse(visitproc visit, void* arg);
  void clear() { close(); }

 private:
  const std::shared_ptr<Queue> queue_;
  absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<const Ref> activate_ ABSL_GUARDED_BY(mutex_), drop_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::shared_ptr<RunHandle>> runs_ ABSL_GUARDED_BY(mutex_);  // Cached ones.
};

void define_workflow_bridge(py::module_& module);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_WORKFLOW_BRIDGE_H_
