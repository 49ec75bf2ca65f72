// Shapes: how a struct of the core crosses to Python, as a named tuple of the same name.
//
// shapes.h lists each struct's fields once. From that list come the writer (make), the reader
// (read_struct), the Python class (sdk-python/chimera/_border.py) and the check that the two agree.
// Needs the GIL.
#ifndef CHIMERA_BINDINGS_PYTHON_SHAPE_H_
#define CHIMERA_BINDINGS_PYTHON_SHAPE_H_

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/duration.pb.h"

#include "bindings/python/convert.h"
#include "core/base/api.h"
#include "core/base/clock.h"
#include "core/base/proto_time.h"

namespace chimera::bindings {

// One field: its name in Python and where it is, a member or, towards Python, a function of the
// struct.
template <class Where>
struct Field {
  const char* name;
  Where where;
};
template <class Where>
constexpr Field<Where> field(const char* name, Where where) {
  return {name, where};
}

// A field that only a function can read into the struct.
template <class Struct>
struct ReadBy {
  const char* name;
  const char* annotation;
  void (*read)(py::handle, Struct&);
};

// Specialized in shapes.h: kName, kDoc and kFields, a tuple of fields.
template <class Struct>
struct Shape;
template <class Struct>
concept Shaped = requires { Shape<Struct>::kFields; };
template <class Struct>
inline constexpr std::size_t kFieldCount =
    std::tuple_size_v<std::remove_cvref_t<decltype(Shape<Struct>::kFields)>>;

// Text that is no text. Borrowed.
struct Bytes {
  std::string_view value;
};

// The Python class of a shape; null before load_border().
template <class Struct>
inline PyTypeObject* class_of = nullptr;

// Towards Python. Messages become bytes, times and durations nanoseconds, enums numbers.

template <class T>
py::object to_python(const T& value);

template <class Struct, class Where>
decltype(auto) get(const Struct& value, const Field<Where>& field) {
  return std::invoke(field.where, value);
}

template <Shaped Struct>
py::object make(const Struct& value) {
  PyTypeObject* type = class_of<Struct>;
  auto tuple = py::reinterpret_steal<py::object>(
      type->tp_alloc(type, static_cast<Py_ssize_t>(kFieldCount<Struct>)));
  if (!tuple) throw py::error_already_set();
  std::apply(
      [&](const auto&... fields) {
        Py_ssize_t at = 0;
        (PyTuple_SET_ITEM(tuple.ptr(), at++, to_python(get(value, fields)).release().ptr()), ...);
      },
      Shape<Struct>::kFields);
  return tuple;
}

template <class Repeated>
py::list list_of_bytes(const Repeated& messages) {
  py::list result(messages.size());
  for (int i = 0; i < messages.size(); ++i) result[i] = serialize(messages[i]);
  return result;
}

template <class T>
concept Message = std::derived_from<T, google::protobuf::MessageLite> && !Shaped<T>;

template <class T>
struct ToPython;
template <class T>
py::object to_python(const T& value) {
  return ToPython<T>::convert(value);
}
template <std::integral T>
struct ToPython<T> {
  static py::object convert(T value) {
    if constexpr (std::same_as<T, bool>)
      return py::bool_(value);
    else
      return py::int_(value);
  }
};
template <class T>
  requires std::is_enum_v<T>
struct ToPython<T> {
  static py::object convert(T value) { return py::int_(static_cast<int>(value)); }
};
template <>
struct ToPython<std::string> {
  static py::object convert(const std::string& value) { return text(value); }
};
template <>
struct ToPython<Bytes> {
  static py::object convert(Bytes bytes) {
    return py::bytes(bytes.value.data(), bytes.value.size());
  }
};
template <>
struct ToPython<base::WallTime> {
  static py::object convert(base::WallTime time) {
    return py::int_(time.time_since_epoch().count());
  }
};
template <>
struct ToPython<std::chrono::nanoseconds> {
  static py::object convert(std::chrono::nanoseconds time) { return py::int_(time.count()); }
};
template <Message T>
struct ToPython<T> {
  static py::object convert(const T& message) { return serialize(message); }
};
template <>
struct ToPython<google::protobuf::Duration> {
  // Longer ones than 292 years, too.
  static py::object convert(const google::protobuf::Duration& time) {
    constexpr std::int64_t kNanos = 1'000'000'000, kFits = 9'000'000'000;
    const std::int64_t seconds = time.seconds();
    if (-kFits < seconds && seconds < kFits) return py::int_(seconds * kNanos + time.nanos());
    return py::int_(seconds) * py::int_(kNanos) + py::int_(time.nanos());
  }
};
template <>
struct ToPython<api::common::v1::Payloads> {
  static py::object convert(const api::common::v1::Payloads& values) {
    return list_of_bytes(values.payloads());
  }
};
template <>
struct ToPython<api::common::v1::Header> {
  static py::object convert(const api::common::v1::Header& header) {
    py::dict result;
    for (const auto& [name, payload] : header.fields()) result[text(name)] = serialize(payload);
    return result;
  }
};
template <Message T>
struct ToPython<const T*> {
  static py::object convert(const T* message) {
    return message == nullptr ? py::object(py::none()) : serialize(*message);
  }
};
template <Message T>
struct ToPython<std::shared_ptr<const T>> {
  static py::object convert(const std::shared_ptr<const T>& message) {
    return to_python(message.get());
  }
};
template <Shaped T>
struct ToPython<T> {
  static py::object convert(const T& value) { return make(value); }
};
template <class T>
struct ToPython<std::optional<T>> {
  static py::object convert(const std::optional<T>& value) {
    return value.has_value() ? to_python(*value) : py::object(py::none());
  }
};
template <class... Ts>
struct ToPython<std::variant<Ts...>> {
  static py::object convert(const std::variant<Ts...>& value) {
    return std::visit([](const auto& held) { return to_python(held); }, value);
  }
};
template <class T>
struct ToPython<std::vector<T>> {
  static py::object convert(const std::vector<T>& values) {
    py::list result(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) result[i] = to_python(values[i]);
    return result;
  }
};

// From Python. TypeError for another type, ValueError for what cannot be sent.

template <class T>
void read(py::handle value, T& target);

template <class T>
struct FromPython {
  static void read(py::handle value, T& target) { target = value.cast<T>(); }
};
template <class T>
void read(py::handle value, T& target) {
  FromPython<T>::read(value, target);
}
template <class T>
  requires std::is_enum_v<T>
struct FromPython<T> {
  static void read(py::handle value, T& target) { target = static_cast<T>(value.cast<int>()); }
};
template <>
struct FromPython<std::string> {
  static void read(py::handle value, std::string& target) { target = utf8(value); }
};
template <>
struct FromPython<std::chrono::nanoseconds> {
  static void read(py::handle value, std::chrono::nanoseconds& target) {
    target = std::chrono::nanoseconds(value.cast<std::int64_t>());
  }
};
template <>
struct FromPython<base::WallTime> {
  static void read(py::handle value, base::WallTime& target) {
    target = base::WallTime(std::chrono::nanoseconds(value.cast<std::int64_t>()));
  }
};
// Nanoseconds. As protobuf has it: up to 10,000 years, which are more than 64 bits.
template <>
struct FromPython<google::protobuf::Duration> {
  static void read(py::handle value, google::protobuf::Duration& target) {
    constexpr std::int64_t kNanos = 1'000'000'000, kSecondsMax = 315'576'000'000;
    if (!PyLong_Check(value.ptr()))
      throw py::type_error(absl::StrCat("expected int, got ", Py_TYPE(value.ptr())->tp_name));
    int overflow = 0;
    const std::int64_t nanos = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
    if (overflow == 0) return base::set_duration(std::chrono::nanoseconds(nanos), target);
    const auto parts =
        py::reinterpret_steal<py::tuple>(PyNumber_Divmod(value.ptr(), py::int_(kNanos).ptr()));
    const std::int64_t seconds = PyLong_AsLongLongAndOverflow(parts[0].ptr(), &overflow);
    if (overflow != 0 || seconds < 0 || seconds > kSecondsMax)
      throw py::value_error("not within 0 and 10,000 years");
    target.set_seconds(seconds);
    target.set_nanos(parts[1].cast<int>());
  }
};
template <Message T>
struct FromPython<T> {
  static void read(py::handle value, T& target) { parse(value, target, ""); }
};
template <>
struct FromPython<api::common::v1::Payloads> {
  static void read(py::handle value, api::common::v1::Payloads& target) {
    for (py::handle payload : value) parse(payload, *target.add_payloads(), "");
  }
};
template <>
struct FromPython<api::common::v1::Header> {
  static void read(py::handle value, api::common::v1::Header& target) {
    for (auto item : value.cast<py::dict>())
      parse(item.second, (*target.mutable_fields())[utf8(item.first)], "");
  }
};
template <class T>
struct FromPython<std::optional<T>> {
  static void read(py::handle value, std::optional<T>& target) {
    target.reset();
    if (!value.is_none()) bindings::read(value, target.emplace());
  }
};
template <Message T>
struct FromPython<std::unique_ptr<T>> {
  static void read(py::handle value, std::unique_ptr<T>& target) {
    if (value.is_none()) return;
    target = std::make_unique<T>();
    bindings::read(value, *target);
  }
};

template <class Struct, class Where>
void read_field(py::handle value, Struct& target, const Field<Where>& field) {
  read(value, std::invoke(field.where, target));
}
template <class Struct>
void read_field(py::handle value, Struct& target, const ReadBy<Struct>& field) {
  field.read(value, target);
}

// Does it; the errors name the place.
template <class Body>
void reading(const char* struct_name, const char* const& field_name, Body body) {
  try {
    body();
  } catch (const py::cast_error& error) {
    throw py::type_error(absl::StrCat(struct_name, ".", field_name, ": ", error.what()));
  } catch (const py::builtin_exception& error) {
    const std::string told = absl::StrCat(struct_name, ".", field_name, ": ", error.what());
    if (dynamic_cast<const py::type_error*>(&error) != nullptr) throw py::type_error(told);
    throw py::value_error(told);
  }
}

// `tuple` is of the struct's class.
template <class Struct>
void read_struct(py::handle tuple, Struct& target) {
  const char* name = "";
  reading(Shape<Struct>::kName, name, [&] {
    std::apply(
        [&](const auto&... fields) {
          Py_ssize_t at = 0;
          ((name = fields.name,
            read_field(py::handle(PyTuple_GET_ITEM(tuple.ptr(), at++)), target, fields)),
           ...);
        },
        Shape<Struct>::kFields);
  });
}

template <class... Ts>
  requires(Shaped<Ts> && ...)
struct FromPython<std::variant<Ts...>> {
  static void read(py::handle value, std::variant<Ts...>& target) {
    const bool known = (try_one<Ts>(value, target) || ...);
    if (!known)
      throw py::type_error(absl::StrCat("no place for a ", Py_TYPE(value.ptr())->tp_name));
  }

 private:
  template <class T>
  static bool try_one(py::handle value, std::variant<Ts...>& target) {
    if (Py_TYPE(value.ptr()) != class_of<T>) return false;
    read_struct(value, target.template emplace<T>());
    return true;
  }
};

// The messages that annotations have named so far.
inline std::set<std::string>& message_names() {
  static auto* names = new std::set<std::string>;
  return *names;
}

// What a field of this C++ type is called in Python.
template <class T>
std::string annotation();

template <class T>
struct Annotation;
template <class T>
std::string annotation() {
  return Annotation<std::remove_cvref_t<T>>::text();
}
template <class T>
  requires(std::integral<T> || std::is_enum_v<T>)
struct Annotation<T> {
  static std::string text() { return std::same_as<T, bool> ? "bool" : "int"; }
};
template <>
struct Annotation<std::string> {
  static std::string text() { return "str"; }
};
template <>
struct Annotation<base::WallTime> {
  static std::string text() { return "Nanoseconds"; }
};
template <>
struct Annotation<std::chrono::nanoseconds> {
  static std::string text() { return "Nanoseconds"; }
};
template <>
struct Annotation<Bytes> {
  static std::string text() { return "bytes"; }
};
template <>
struct Annotation<google::protobuf::Duration> {
  static std::string text() { return "Nanoseconds"; }
};
template <Message T>
struct Annotation<T> {
  static std::string text() { return *message_names().emplace(T::descriptor()->name()).first; }
};
template <>
struct Annotation<api::common::v1::Payloads> {
  static std::string text() { return "list[Payload]"; }
};
template <>
struct Annotation<api::common::v1::Header> {
  static std::string text() { return "dict[str, Payload]"; }
};
template <class T>
struct Annotation<std::optional<T>> {
  static std::string text() { return annotation<T>() + " | None"; }
};
template <class T>
struct Annotation<const T*> : Annotation<std::optional<T>> {};
template <class T>
struct Annotation<std::shared_ptr<const T>> : Annotation<std::optional<T>> {};
template <class T>
struct Annotation<std::unique_ptr<T>> : Annotation<std::optional<T>> {};
template <Shaped T>
struct Annotation<T> {
  static std::string text() { return Shape<T>::kName; }
};
template <class T, class... Ts>
struct Annotation<std::variant<T, Ts...>> {
  static std::string text() { return annotation<T>() + ((" | " + annotation<Ts>()) + ... + ""); }
};
template <class T>
struct Annotation<std::vector<T>> {
  static std::string text() { return absl::StrCat("list[", annotation<T>(), "]"); }
};

template <class Struct, class Where>
std::string annotation_of(const Field<Where>&) {
  return annotation<std::invoke_result_t<Where, const Struct&>>();
}
template <class Struct>
std::string annotation_of(const ReadBy<Struct>& field) {
  return field.annotation;
}

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_SHAPE_H_
