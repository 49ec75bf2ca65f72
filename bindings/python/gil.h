// How this room gives the GIL up, takes it again, and drops references.
//
// Before 3.14, Python ends a thread that wants the GIL while the interpreter ends: pthread_exit
// unwinds the stack, and the first C++ frame that may not throw (a destructor) ends the process.
// Where code of this room calls into Python and may meet that, the thread stops for good instead,
// as it does from 3.14 on; the process takes it along. Nothing here ever waits for a thread that
// has stopped: it holds no lock.
#ifndef CHIMERA_BINDINGS_PYTHON_GIL_H_
#define CHIMERA_BINDINGS_PYTHON_GIL_H_

#include "absl/functional/function_ref.h"
#include <pybind11/pybind11.h>

namespace chimera::bindings {

namespace py = pybind11;

// The GIL given up for as long as this lives. The room uses no other way (tests/tidy).
class GilReleased {
 public:
  GilReleased() : thread_(PyEval_SaveThread()) {}
  ~GilReleased();
  GilReleased(const GilReleased&) = delete;
  GilReleased& operator=(const GilReleased&) = delete;

 private:
  PyThreadState* const thread_;
};

// Calls Python from a thread of the core, which waits for the GIL. The body throws nothing; holding
// a lock that a thread with the GIL may want is a deadlock. Without an interpreter: no effect.
void with_gil(absl::FunctionRef<void()> body) noexcept;

// With the GIL. Gives a reference up, which may run any Python code. Null: no effect.
void drop(PyObject* object) noexcept;

// With the GIL: no garbage is collected while this lives, so that making objects runs no code of
// others within frames that a thread's end must not unwind.
class NoCollection {
 public:
  NoCollection() : was_enabled_(PyGC_Disable() != 0) {}
  ~NoCollection() {
    if (was_enabled_) PyGC_Enable();
  }
  NoCollection(const NoCollection&) = delete;
  NoCollection& operator=(const NoCollection&) = delete;

 private:
  const bool was_enabled_;
};

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_GIL_H_
