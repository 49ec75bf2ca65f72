#include "bindings/python/ref.h"

#include <mutex>
#include <vector>

#include "bindings/python/gil.h"

namespace chimera::bindings {
namespace {

// Never destroyed: core threads may drop references while the process ends.
struct Dropped {
  std::mutex mutex;
  std::vector<PyObject*> objects;
};

Dropped& dropped() {
  static auto* instance = new Dropped;
  return *instance;
}

}  // namespace

Ref::~Ref() {
  if (object_ == nullptr) return;
  if (Py_IsInitialized() && PyGILState_Check()) {
    drop(object_);
    return;
  }
  std::lock_guard lock(dropped().mutex);
  dropped().objects.push_back(object_);
}

void release_dropped_refs() {
  std::vector<PyObject*> objects;
  {
    std::lock_guard lock(dropped().mutex);
    objects.swap(dropped().objects);
  }
  for (PyObject* object : objects) drop(object);
}

}  // namespace chimera::bindings
