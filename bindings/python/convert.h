// Small conversions between Python and the core's values. Everything here needs the GIL.
#ifndef CHIMERA_BINDINGS_PYTHON_CONVERT_H_
#define CHIMERA_BINDINGS_PYTHON_CONVERT_H_

#include <string>
#include <string_view>

#include "absl/strings/string_view.h"
#include "google/protobuf/message_lite.h"
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace chimera::bindings {

namespace py = pybind11;

// Text that may come from outside: bytes that are no UTF-8 become U+FFFD instead of an exception.
inline py::str text(std::string_view value) {
  PyObject* object =
      PyUnicode_DecodeUTF8(value.data(), static_cast<Py_ssize_t>(value.size()), "replace");
  if (object == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(object);
}
inline py::str text(absl::string_view value) {
  return text(std::string_view(value.data(), value.size()));
}
inline py::str text(const std::string& value) { return text(std::string_view(value)); }

// Of a str. TypeError for anything else; ValueError, naming the place, for a str with a lone
// surrogate, which has no UTF-8 and can be in no message.
std::string utf8(py::handle value);

// A str parameter of a function of this room, with the errors of utf8().
struct Text {
  std::string value;
};

// The message's bytes, written once, straight into the Python object.
py::bytes serialize(const google::protobuf::MessageLite& message);

// Borrowed bytes of a Python bytes object. TypeError for anything else.
std::string_view view(py::handle bytes);

// ValueError that names `what`, unless that is empty, if the bytes are no such message.
void parse(py::handle bytes, google::protobuf::MessageLite& message, std::string_view what);

}  // namespace chimera::bindings

template <>
struct pybind11::detail::type_caster<chimera::bindings::Text> {
  PYBIND11_TYPE_CASTER(chimera::bindings::Text, const_name("str"));
  bool load(handle source, bool) {
    if (!PyUnicode_Check(source.ptr())) return false;
    value.value = chimera::bindings::utf8(source);
    return true;
  }
};

#endif  // CHIMERA_BINDINGS_PYTHON_CONVERT_H_
