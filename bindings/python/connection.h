// Connection as Python sees it. See sdk-python/chimera/_bridge.pyi.
#ifndef CHIMERA_BINDINGS_PYTHON_CONNECTION_H_
#define CHIMERA_BINDINGS_PYTHON_CONNECTION_H_

#include <memory>

#include "bindings/python/ending.h"
#include "bindings/python/queue.h"
#include "core/rpc/connection.h"

namespace chimera::bindings {

// Made on the Python thread; shared by the clients and workers that use it.
class Connection {
 public:
  explicit Connection(std::shared_ptr<core::Connection> core) : core_(std::move(core)) {}
  ~Connection() {
    if (!made_here_) leave_alone(std::move(core_));
  }

  const std::shared_ptr<core::Connection>& core() const { return core_; }

 private:
  const MadeHere made_here_;
  std::shared_ptr<core::Connection> core_;
};

void define_connection(py::module_& module);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_CONNECTION_H_
