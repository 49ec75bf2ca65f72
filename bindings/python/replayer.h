// Replayer, histories through workflow code without a server. See sdk-python/chimera/_bridge.pyi.
#ifndef CHIMERA_BINDINGS_PYTHON_REPLAYER_H_
#define CHIMERA_BINDINGS_PYTHON_REPLAYER_H_

#include <memory>
#include <string>

#include "bindings/python/convert.h"
#include "bindings/python/workflow_bridge.h"
#include "core/workflow/replay.h"

namespace chimera::bindings {

// Made and used on the Python thread; each replay steps its run on a thread of its own.
class Replayer {
 public:
  Replayer(const py::dict& options, std::shared_ptr<WorkflowBridge> bridge);

  void replay(Text workflow_id, const py::bytes& history, std::shared_ptr<Queue> queue,
              py::object done);

 private:
  core::RunOptions options_;  // What every replay's run starts from.
  bool nondeterminism_fails_all_ = false;
  std::vector<std::string> nondeterminism_fails_types_;
  std::shared_ptr<WorkflowBridge> bridge_;
};

void define_replayer(py::module_& module);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_REPLAYER_H_
