// The embedded server as Python sees it. See sdk-python/chimera/_bridge.pyi.
#ifndef CHIMERA_BINDINGS_PYTHON_SERVER_H_
#define CHIMERA_BINDINGS_PYTHON_SERVER_H_

#include <memory>

#include "bindings/python/convert.h"
#include "server/server.h"

namespace chimera::bindings {

// Owned by Python. stop() may come from any thread that holds the GIL, any number of times.
class Server {
 public:
  explicit Server(const py::dict& options);
  ~Server();

  int port() const { return port_; }
  // Throws RuntimeError once stopped.
  std::shared_ptr<base::Transport> transport() const;
  void stop();

 private:
  std::unique_ptr<server::Server> core_;
  int port_ = -1;
};

void define_server(py::module_& module);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_SERVER_H_
