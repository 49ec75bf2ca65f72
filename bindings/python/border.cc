#include "bindings/python/border.h"

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_join.h"

#include "bindings/python/shapes.h"

namespace chimera::bindings {
namespace {

template <class... Ts>
struct List {};
template <class Variant>
struct ListOf;
template <class... Ts>
struct ListOf<std::variant<Ts...>> {
  using type = List<Ts...>;
};

// What is in jobs and commands, and they themselves.
using Parts =
    List<core::Completed, core::Failed, core::Cancelled, core::Backoff,
         core::ResolveNexusOperation::TimedOut, core::ResolveChildWorkflowExecutionStart::Succeeded,
         core::ResolveChildWorkflowExecutionStart::StartFailed,
         core::ResolveNexusOperationStart::OperationToken,
         core::ResolveNexusOperationStart::StartedSync,
         api::deployment::v1::WorkerDeploymentVersion>;
using Jobs = ListOf<core::Job>::type;
using Whole = List<core::Activation>;
using CommandParts = List<core::UpdateResponse::Accepted, core::UpdateResponse::Rejected,
                          core::UpdateResponse::Completed>;
using Commands = ListOf<core::CommandVariant>::type;
using Tasks = List<core::ActivityTask, core::NexusTask>;

template <class... Ts, class Do>
void for_each(List<Ts...>, Do what) {
  (what.template operator()<Ts>(), ...);
}
template <class Do>
void for_all(Do what) {
  for_each(Parts{}, what);
  for_each(Jobs{}, what);
  for_each(Whole{}, what);
  for_each(CommandParts{}, what);
  for_each(Commands{}, what);
  for_each(Tasks{}, what);
}

constexpr const char* kMetadata = "user_metadata";

template <class Struct>
std::vector<std::string> names_of() {
  std::vector<std::string> names;
  std::apply([&](const auto&... fields) { (names.push_back(fields.name), ...); },
             Shape<Struct>::kFields);
  if (kWithMetadata<Struct>) names.push_back(kMetadata);
  return names;
}

template <class Struct>
void load_class(const py::module_& module) {
  py::object found = py::getattr(module, Shape<Struct>::kName, py::none());
  py::object fields = py::getattr(found, "_fields", py::none());
  if (fields.is_none() || fields.cast<std::vector<std::string>>() != names_of<Struct>()) {
    throw py::import_error(absl::StrCat(
        "chimera._border does not fit this build of the native "
        "module: ",
        Shape<Struct>::kName, " should have the fields ", absl::StrJoin(names_of<Struct>(), ", ")));
  }
  class_of<Struct> = reinterpret_cast<PyTypeObject*>(found.release().ptr());  // For good.
}

using Reader = void (*)(py::handle, core::Command&);
absl::flat_hash_map<const PyTypeObject*, Reader>& readers() {
  static auto* table = new absl::flat_hash_map<const PyTypeObject*, Reader>;
  return *table;
}

template <class Struct>
void read_command(py::handle tuple, core::Command& command) {
  read_struct(tuple, command.variant.emplace<Struct>());
  if constexpr (kWithMetadata<Struct>) {
    const py::handle metadata = PyTuple_GET_ITEM(tuple.ptr(), kFieldCount<Struct>);
    reading(Shape<Struct>::kName, kMetadata, [&] { read(metadata, command.user_metadata); });
  }
}

// The Python module

template <class Struct>
std::string class_source() {
  std::string result = absl::StrCat("\n\nclass ", Shape<Struct>::kName, "(NamedTuple):\n");
  const bool told = *Shape<Struct>::kDoc != '\0';
  if (told) absl::StrAppend(&result, "    \"\"\"", Shape<Struct>::kDoc, "\"\"\"\n");
  std::string fields;
  std::apply(
      [&](const auto&... each) {
        (absl::StrAppend(&fields, "    ", each.name, ": ", annotation_of<Struct>(each), "\n"), ...);
      },
      Shape<Struct>::kFields);
  if (kWithMetadata<Struct>)
    absl::StrAppend(&fields, "    ", kMetadata, ": ",
                    annotation<std::unique_ptr<api::sdk::v1::UserMetadata>>(), "\n");
  if (told && !fields.empty()) result += "\n";
  if (!told && fields.empty()) fields = "    pass\n";
  return result + fields;
}

template <class... Ts>
std::string union_source(const char* name, List<Ts...>) {
  std::vector<std::string> names = {Shape<Ts>::kName...};
  return absl::StrCat("\n\n", name, ": TypeAlias = (\n    ", absl::StrJoin(names, "\n    | "),
                      "\n)\n");
}

std::string border_source() {
  std::string classes;
  const auto add = [&classes]<class T>() { classes += class_source<T>(); };
  for_each(Parts{}, add);
  for_each(Jobs{}, add);
  classes += union_source("Job", Jobs{});
  for_each(Whole{}, add);
  for_each(CommandParts{}, add);
  for_each(Commands{}, add);
  classes += union_source("Command", Commands{});
  for_each(Tasks{}, add);

  std::string result =
      "\"\"\"What crosses between the core and Python: activations, commands, and "
      "the tasks of activities and of Nexus.\n"
      "\n"
      "Written by scripts/border from bindings/python/shapes.h; a test compares the two.\n"
      "\"\"\"\n"
      "\n"
      "from __future__ import annotations\n"
      "\n"
      "from typing import Any, NamedTuple, TypeAlias\n"
      "\n"
      "Nanoseconds: TypeAlias = int\n"
      "\n"
      "# Messages cross serialized. Between workflow code and a codec they are the messages "
      "themselves.\n";
  for (const std::string& name : message_names())
    absl::StrAppend(&result, name, ": TypeAlias = Any\n");
  return result + classes;
}

}  // namespace

void load_border() {
  if (!readers().empty()) return;
  const py::module_ module = py::module_::import("chimera._border");
  for_all([&]<class T>() { load_class<T>(module); });
  for_each(Commands{}, []<class T>() { readers()[class_of<T>] = &read_command<T>; });
}

py::object activation_of(const core::Activation& activation) { return make(activation); }
py::object activity_task_of(const core::ActivityTask& task) { return make(task); }
py::object nexus_task_of(const core::NexusTask& task) { return make(task); }

std::vector<core::Command> commands_from(const py::list& commands) {
  std::vector<core::Command> result(commands.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    const py::handle command = PyList_GET_ITEM(commands.ptr(), static_cast<Py_ssize_t>(i));
    const auto reader = readers().find(Py_TYPE(command.ptr()));
    if (reader == readers().end())
      throw py::type_error(absl::StrCat("a ", Py_TYPE(command.ptr())->tp_name, " is no command"));
    reader->second(command, result[i]);
  }
  return result;
}

void define_border(py::module_& module) { module.def("border_source", &border_source); }

}  // namespace chimera::bindings
