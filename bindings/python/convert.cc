#include "bindings/python/convert.h"

#include "absl/strings/str_cat.h"

namespace chimera::bindings {

py::bytes serialize(const google::protobuf::MessageLite& message) {
  const std::size_t size = message.ByteSizeLong();
  PyObject* object = PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(size));
  if (object == nullptr) throw py::error_already_set();
  message.SerializeWithCachedSizesToArray(
      reinterpret_cast<std::uint8_t*>(PyBytes_AS_STRING(object)));
  return py::reinterpret_steal<py::bytes>(object);
}

std::string_view view(py::handle bytes) {
  if (!PyBytes_Check(bytes.ptr())) {
    throw py::type_error(absl::StrCat("expected bytes, got ", Py_TYPE(bytes.ptr())->tp_name));
  }
  return {PyBytes_AS_STRING(bytes.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.ptr()))};
}

void parse(py::handle bytes, google::protobuf::MessageLite& message, std::string_view what) {
  const std::string_view data = view(bytes);
  if (!message.ParseFromArray(data.data(), static_cast<int>(data.size()))) {
    throw py::value_error(std::string(what) + ": these bytes are no " + message.GetTypeName());
  }
}

}  // namespace chimera::bindings
