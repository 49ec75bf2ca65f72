// absl::Status as Python exceptions: the one translation of errors in this room.
#ifndef CHIMERA_BINDINGS_PYTHON_ERRORS_H_
#define CHIMERA_BINDINGS_PYTHON_ERRORS_H_

#include "absl/status/status.h"
#include <pybind11/pybind11.h>

namespace chimera::bindings {

namespace py = pybind11;

void define_errors(py::module_& module);

// With the GIL. An RpcError for the reply of a server.
py::object rpc_error(const absl::Status& status);

// With the GIL. ValueError for what the caller gave wrongly, RuntimeError for the rest.
py::object local_error(const absl::Status& status);

// With the GIL.
void throw_if_error(const absl::Status& status);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_ERRORS_H_
