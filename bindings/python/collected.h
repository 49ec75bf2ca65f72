// Types whose objects hold Python objects take part in garbage collection. Needs the GIL.
#ifndef CHIMERA_BINDINGS_PYTHON_COLLECTED_H_
#define CHIMERA_BINDINGS_PYTHON_COLLECTED_H_

#include <memory>

#include <pybind11/pybind11.h>

namespace chimera::bindings {

namespace py = pybind11;

template <class T>
std::shared_ptr<T> held_by(PyObject* self) {
  if (!py::detail::is_holder_constructed(self)) return nullptr;
  return py::cast<std::shared_ptr<T>>(py::handle(self));
}

// For a py::class_ held by shared_ptr. T::traverse(visit, argument) shows the objects that T alone
// holds, T::clear() lets go of them. Nothing is shown while the core shares the object: what it
// will call is no garbage.
template <class T>
py::custom_type_setup collected() {
  return py::custom_type_setup([](PyHeapTypeObject* heap_type) {
    PyTypeObject& type = heap_type->ht_type;
    type.tp_flags |= Py_TPFLAGS_HAVE_GC;
    type.tp_traverse = [](PyObject* self, visitproc visit, void* arg) -> int {
      Py_VISIT(Py_TYPE(self));
      const std::shared_ptr<T> held = held_by<T>(self);
      return held != nullptr && held.use_count() == 2 ? held->traverse(visit, arg) : 0;
    };
    type.tp_clear = [](PyObject* self) -> int {
      const std::shared_ptr<T> held = held_by<T>(self);
      if (held != nullptr && held.use_count() == 2) held->clear();
      return 0;
    };
  });
}

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_COLLECTED_H_
