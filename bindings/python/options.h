// Options, a Python dict read field by field into an options struct. A name that nobody reads is a
// TypeError, so that a misspelt option is never silently ignored. Needs the GIL.
#ifndef CHIMERA_BINDINGS_PYTHON_OPTIONS_H_
#define CHIMERA_BINDINGS_PYTHON_OPTIONS_H_

#include <chrono>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"

#include "bindings/python/convert.h"
#include "bindings/python/slots.h"
#include "core/base/transport.h"
#include "core/worker/options.h"

namespace chimera::bindings {

// `bytes` values need a name that ends in "-bin", as gRPC has it.
base::RpcMetadata metadata_from(py::handle pairs);

// Used on the Python thread for the length of one call.
class Options {
 public:
  Options(py::dict values, std::string what) : values_(std::move(values)), what_(std::move(what)) {}

  // Leaves `target` alone if the dict has no such name.
  template <class T>
  void read(const char* name, T& target) {
    if (py::object value = take(name)) target = cast<T>(name, value);
  }
  void read(const char* name, std::chrono::milliseconds& target) {
    if (py::object value = take(name))
      target = std::chrono::milliseconds(cast<std::int64_t>(name, value));
  }
  void read(const char* name, std::optional<std::chrono::milliseconds>& target) {
    if (py::object value = take(name)) {
      target.reset();
      if (!value.is_none()) target = std::chrono::milliseconds(cast<std::int64_t>(name, value));
    }
  }
  // Minimum, maximum and initial, or None.
  void read(const char* name, std::optional<core::PollerAutoscaling>& target) {
    const py::object value = take(name);
    if (!value || value.is_none()) return;
    const auto [minimum, maximum, initial] = cast<std::tuple<int, int, int>>(name, value);
    target = {minimum, maximum, initial};
  }
  // Targets of memory and CPU, and for each kind minimum, maximum and throttle in ms, or None.
  void read(const char* name, std::optional<core::ResourceTuner>& target) {
    using Limits = std::optional<std::tuple<int, int, std::int64_t>>;
    const py::object value = take(name);
    if (!value || value.is_none()) return;
    const auto [memory, cpu, workflow, activity, local_activity, nexus] =
        cast<std::tuple<double, double, Limits, Limits, Limits, Limits>>(name, value);
    const auto limits = [](const Limits& from) -> std::optional<core::ResourceSlotLimits> {
      if (!from) return std::nullopt;
      const auto& [minimum, maximum, throttle] = *from;
      return core::ResourceSlotLimits{minimum, maximum, std::chrono::milliseconds(throttle)};
    };
    target = {
        {memory, cpu}, limits(workflow), limits(activity), limits(local_activity), limits(nexus)};
  }
  // A bridge.SlotSupplier, or None.
  void read(const char* name, std::shared_ptr<core::CustomSlotSupplier>& target) {
    const py::object value = take(name);
    if (value && !value.is_none()) target = cast<std::shared_ptr<SlotSupplier>>(name, value);
  }
  // A null object if there is no such name.
  py::object take(const char* name) {
    known_.insert(name);
    return values_.contains(name) ? py::object(values_[name]) : py::object();
  }
  void finish() const {
    for (auto item : values_) {
      const auto name = item.first.cast<std::string>();
      if (!known_.contains(name))
        throw py::type_error(absl::StrCat(what_, " has no option '", name, "'"));
    }
  }

 private:
  template <class T>
  T cast(const char* name, py::handle value) const {
    try {
      if constexpr (std::is_same_v<T, std::string>) {
        if (PyUnicode_Check(value.ptr())) return utf8(value);
      }
      return value.cast<T>();
    } catch (const py::cast_error&) {
      throw py::type_error(absl::StrCat(what_, " option '", name, "': cannot use ",
                                        py::repr(value).cast<std::string>()));
    }
  }

  py::dict values_;
  std::string what_;
  std::set<std::string> known_;
};

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_OPTIONS_H_
