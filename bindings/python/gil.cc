#include "bindings/python/gil.h"

#include <cxxabi.h>
#include <unistd.h>

namespace chimera::bindings {
namespace {

// The frame that catches is the innermost of ours: below it is C only.
template <class Body>
void or_stop(Body body) noexcept {
  try {
    body();
  } catch (abi::__forced_unwind&) {
    for (;;) ::pause();
  }
}

}  // namespace

GilReleased::~GilReleased() {
  or_stop([this] { PyEval_RestoreThread(thread_); });
}

void with_gil(absl::FunctionRef<void()> body) noexcept {
  if (!Py_IsInitialized()) return;
  or_stop([&] {
    const PyGILState_STATE state = PyGILState_Ensure();
    body();
    PyGILState_Release(state);
  });
}

void drop(PyObject* object) noexcept {
  or_stop([object] { Py_XDECREF(object); });
}

}  // namespace chimera::bindings
