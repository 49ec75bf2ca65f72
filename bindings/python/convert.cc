#include "bindings/python/convert.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace chimera::bindings {

py::bytes serialize(const google::protobuf::MessageLite& message) {
  const std::size_t size = message.ByteSizeLong();
  PyObject* object = PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(size));
  if (object == nullptr) throw py::error_already_set();
  message.SerializeWithCachedSizesToArray(
      reinterpret_cast<std::uint8_t*>(PyBytes_AS_STRING(object)));
  return py::reinterpret_steal<py::bytes>(object);
}

std::string utf8(py::handle value) {
  if (!PyUnicode_Check(value.ptr())) {
    throw py::type_error(absl::StrCat("expected str, got ", Py_TYPE(value.ptr())->tp_name));
  }
  Py_ssize_t size = 0;
  if (const char* data = PyUnicode_AsUTF8AndSize(value.ptr(), &size); data != nullptr)
    return std::string(data, static_cast<std::size_t>(size));
  PyErr_Clear();
  Py_ssize_t at = 0;
  Py_UCS4 unit = 0;
  do {
    unit = PyUnicode_READ_CHAR(value.ptr(), at++);
  } while (unit < 0xD800 || unit > 0xDFFF);
  throw py::value_error(absl::StrFormat(
      "this text cannot be sent: it has a lone surrogate, U+%04X, at index %d", unit, at - 1));
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
    throw py::value_error(absl::StrCat(std::string(what), what.empty() ? "" : ": ",
                                       "these bytes are no ", message.GetTypeName()));
  }
}

}  // namespace chimera::bindings
