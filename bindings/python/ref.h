// Ref, a Python object that any thread may carry and drop. Only threads that hold the GIL may look
// inside.
#ifndef CHIMERA_BINDINGS_PYTHON_REF_H_
#define CHIMERA_BINDINGS_PYTHON_REF_H_

#include <memory>
#include <utility>

#include <pybind11/pybind11.h>

namespace chimera::bindings {

namespace py = pybind11;

// Owned by whoever carries it across threads. Dropped without the GIL, its reference is given up
// later by release_dropped_refs(), so that no core thread ever waits for Python.
class Ref {
 public:
  Ref() = default;
  explicit Ref(py::object object) : object_(object.release().ptr()) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;
  ~Ref();

  bool empty() const { return object_ == nullptr; }
  // With the GIL.
  py::object get() const { return py::reinterpret_borrow<py::object>(object_); }
  int traverse(visitproc visit, void* arg) const {
    Py_VISIT(object_);
    return 0;
  }

 private:
  PyObject* object_ = nullptr;
};

// With the GIL. Shows the object to the garbage collector, unless others hold the reference, too.
inline int traverse(const std::shared_ptr<const Ref>& ref, visitproc visit, void* arg) {
  return ref != nullptr && ref.use_count() == 1 ? ref->traverse(visit, arg) : 0;
}

// With the GIL; Queue::take calls it.
void release_dropped_refs();

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_REF_H_
