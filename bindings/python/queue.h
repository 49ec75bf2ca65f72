// Queue, where the core leaves work for one Python thread. See sdk-python/chimera/_bridge.pyi.
#ifndef CHIMERA_BINDINGS_PYTHON_QUEUE_H_
#define CHIMERA_BINDINGS_PYTHON_QUEUE_H_

#include <memory>
#include <mutex>
#include <vector>

#include "absl/functional/any_invocable.h"

#include "bindings/python/ref.h"

namespace chimera::bindings {

// Builds the arguments of a callback; runs in take(), with the GIL.
using MakeArgs = absl::AnyInvocable<py::tuple() &&>;

// Any thread may push; only the Python thread takes. Shared by that thread and by everything in the
// core that will still report to it.
class Queue {
 public:
  Queue();
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // Without the GIL or with it; never waits for it.
  void push(std::shared_ptr<const Ref> callback, MakeArgs make_args);

  int fileno() const { return fd_; }
  py::list take();

  // For collected.h.
  int traverse(visitproc visit, void* arg);
  void clear();

 private:
  struct Item {
    std::shared_ptr<const Ref>
        callback;  // Shared with the bridge object that pushes it again and again.
    MakeArgs make_args;
  };

  const int fd_;
  std::mutex mutex_;
  std::vector<Item> items_;  // Guarded by mutex_.
};

void define_queue(py::module_& module);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_QUEUE_H_
