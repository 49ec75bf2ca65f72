// ActivityBridge, Python as an ActivityLanguage. See sdk-python/chimera/_bridge.pyi.
#ifndef CHIMERA_BINDINGS_PYTHON_ACTIVITY_BRIDGE_H_
#define CHIMERA_BINDINGS_PYTHON_ACTIVITY_BRIDGE_H_

#include <memory>
#include <string>

#include "bindings/python/ending.h"
#include "bindings/python/queue.h"
#include "bindings/python/tasks.h"
#include "core/language/activity_language.h"

namespace chimera::bindings {

// Shared by Python and the workers that use it. The worker's threads start and cancel; any thread
// that holds the GIL heartbeats and completes.
class ActivityBridge : public core::ActivityLanguage, public Ending {
 public:
  ActivityBridge(std::shared_ptr<Queue> queue, py::object start, py::object cancel);

  std::string name() const override { return "Python"; }
  void start(core::ActivityTask task) override;
  void cancel(const std::string& task_token,
              const core::ActivityCancellation& cancellation) override;

  // Of a task that has ended already: no effect.
  void heartbeat(const py::bytes& token, const py::list& details);
  // Many at once, since each call gives the GIL up, and another thread may keep it for long.
  // ValueError if one of them is not running or cannot be sent; the others have ended even so.
  void complete(const py::list& ends);

  // Any thread, with the GIL or without. Python is not called any more: attempts that run, and
  // those that come, are left to their timeouts; answers that come have no effect.
  void close();
  void end() override { close(); }

  // For collected.h.
  int traverse(visitproc visit, void* arg) { return tasks_.traverse(visit, arg); }
  void clear() { close(); }

 private:
  struct Running {
    std::shared_ptr<core::ActivityHandle> handle;  // Null where there is none.
    bool is_local = true;
  };
  struct Ended {
    Running running;
    core::ActivityResult result;
  };
  Ended ended(const py::handle& end);

  Tasks<Running> tasks_;
};

void define_activity_bridge(py::module_& module);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_ACTIVITY_BRIDGE_H_
