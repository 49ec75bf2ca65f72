// What the end of the interpreter, and a fork, mean for this room.
//
// Python's atexit calls end(), once the program's own threads have ended: workers are to stop,
// languages answer for code that will not, helper threads are waited for and servers stop, all with
// the GIL released. So neither static destructors nor Python's finalization meet a thread at work.
// A forked child has none of the threads: there nothing is ended, and what was made before the fork
// is left alone.
#ifndef CHIMERA_BINDINGS_PYTHON_ENDING_H_
#define CHIMERA_BINDINGS_PYTHON_ENDING_H_

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include <pybind11/pybind11.h>

namespace chimera::bindings {

namespace py = pybind11;

// The order in which things are ended: workers stop asking for tasks before their languages refuse
// them. Helper threads are waited for before servers stop.
enum class EndsWith { kWorkers, kLanguages, kServers };

// Something that must not outlive the interpreter at work. end() comes once, without the GIL, on
// the thread that ends the interpreter.
class Ending {
 public:
  virtual ~Ending() = default;
  virtual void end() = 0;
};

// Borrowed: what has died by then needs no end.
void end_with_interpreter(EndsWith order, std::weak_ptr<Ending> what);

// A thread for what blocks in the core. `body` needs no GIL and must not take it; it is destroyed
// on that thread.
void run_on_thread(absl::AnyInvocable<void() &&> body);

// Whether this process was forked from the one in which this was made.
class MadeHere {
 public:
  MadeHere();
  explicit operator bool() const;

 private:
  const void* process_;
};

// Never destroyed: of another process, whose threads it would wait for.
template <class T>
void leave_alone(T value) {
  new T(std::move(value));
}

void define_ending(py::module_& module);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_ENDING_H_
