#include "bindings/python/errors.h"

#include <string>

#include "absl/strings/cord.h"

#include "bindings/python/convert.h"
#include "core/base/transport.h"

namespace chimera::bindings {
namespace {

PyObject* rpc_error_type = nullptr;  // Set once at import; lives as long as the module.

}  // namespace

void define_errors(py::module_& module) {
  rpc_error_type = PyErr_NewExceptionWithDoc(
      "chimera._bridge.RpcError",
      "args: (message, gRPC code, serialized google.rpc.Status or b\"\").", nullptr, nullptr);
  module.add_object("RpcError", py::reinterpret_borrow<py::object>(rpc_error_type));
}

py::object rpc_error(const absl::Status& status) {
  std::string details;
  if (auto payload = status.GetPayload(base::kStatusDetails)) details = std::string(*payload);
  return py::reinterpret_borrow<py::object>(rpc_error_type)(
      text(status.message()), static_cast<int>(status.code()), py::bytes(details));
}

py::object local_error(const absl::Status& status) {
  const bool callers = absl::IsInvalidArgument(status) || absl::IsAlreadyExists(status);
  PyObject* type = callers ? PyExc_ValueError : PyExc_RuntimeError;
  return py::reinterpret_borrow<py::object>(type)(text(status.message()));
}

void throw_if_error(const absl::Status& status) {
  if (status.ok()) return;
  py::object error = local_error(status);
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error.ptr())), error.ptr());
  throw py::error_already_set();
}

}  // namespace chimera::bindings
