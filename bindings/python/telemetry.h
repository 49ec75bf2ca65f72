// The core's log as Python sees it. See sdk-python/chimera/_bridge.pyi.
#ifndef CHIMERA_BINDINGS_PYTHON_TELEMETRY_H_
#define CHIMERA_BINDINGS_PYTHON_TELEMETRY_H_

#include <pybind11/pybind11.h>

namespace chimera::bindings {

namespace py = pybind11;

void define_telemetry(py::module_& module);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_TELEMETRY_H_
