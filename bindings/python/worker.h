// Worker as Python sees it. See sdk-python/chimera/_bridge.pyi.
#ifndef CHIMERA_BINDINGS_PYTHON_WORKER_H_
#define CHIMERA_BINDINGS_PYTHON_WORKER_H_

#include <memory>
#include <string>
#include <vector>

#include "bindings/python/activity_bridge.h"
#include "bindings/python/codec.h"
#include "bindings/python/connection.h"
#include "bindings/python/ending.h"
#include "bindings/python/nexus_bridge.h"
#include "bindings/python/workflow_bridge.h"
#include "core/worker/worker.h"

namespace chimera::bindings {

// Made and used on the Python thread. The core's worker and the languages that it borrows live in
// State, which threads that start or wait share with this object.
class Worker {
 public:
  Worker(const Connection& connection, const py::dict& options);
  ~Worker();

  void add_workflow(const Text& workflow_type, std::shared_ptr<WorkflowBridge> bridge);
  void add_activity(const Text& activity_type, std::shared_ptr<ActivityBridge> bridge);
  void add_nexus_service(const Text& service, std::shared_ptr<NexusBridge> bridge);
  void add_dynamic_workflow(std::shared_ptr<WorkflowBridge> bridge);
  void add_dynamic_activity(std::shared_ptr<ActivityBridge> bridge);
  void nondeterminism_fails_workflow(const Text& workflow_type);
  std::vector<std::string> add_native_library(const Text& path, const Codec* codec);
  void start(std::shared_ptr<Queue> queue, py::object done);
  void initiate_shutdown();
  // Eager starts over the connection wait for this worker's start.
  void announce();
  void replace_connection(const Connection& connection);
  void wait(std::shared_ptr<Queue> queue, py::object done);

 private:
  absl::Status register_native();

  struct State;
  const MadeHere made_here_;
  std::shared_ptr<State> state_;
};

void define_worker(py::module_& module);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_WORKER_H_
