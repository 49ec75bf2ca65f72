// The embedded server as Python sees it. See sdk-python/chimera/_bridge.pyi.
#ifndef CHIMERA_BINDINGS_PYTHON_SERVER_H_
#define CHIMERA_BINDINGS_PYTHON_SERVER_H_

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "bindings/python/convert.h"
#include "bindings/python/ending.h"
#include "server/server.h"

namespace chimera::bindings {

// Owned by Python. stop() may come from any thread that holds the GIL, any number of times.
class Server : public Ending {
 public:
  explicit Server(const py::dict& options);
  ~Server() override;

  int port() const { return port_; }
  // Throws RuntimeError once stopped.
  std::shared_ptr<base::Transport> transport() const;
  void stop();
  void end() override { take(); }

 private:
  // Its end comes with the last who holds it.
  std::unique_ptr<server::Server> take();

  const MadeHere made_here_;
  mutable absl::Mutex mutex_;  // end() holds no GIL.
  std::unique_ptr<server::Server> core_ ABSL_GUARDED_BY(mutex_);
  int port_ = -1;
};

void define_server(py::module_& module);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_SERVER_H_
