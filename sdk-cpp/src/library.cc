#include "sdk-cpp/src/library.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include <dlfcn.h>

#include "chimera/library.h"
#include "sdk-cpp/src/activity_pool.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/nexus_pool.h"
#include "sdk-cpp/src/workflow_language.h"

namespace chimera::sdk {
namespace {

std::string last_error() {
  const char* error = dlerror();
  return error == nullptr ? "unknown error" : error;
}

// A library is linked without libchimera, so that it works whatever that one is called (a wheel
// renames it). Its symbols are found because the libchimera that is loaded, which this code is part
// of, joins the global scope.
absl::Status promote_ourselves() {
  Dl_info self{};
  if (dladdr(reinterpret_cast<const void*>(&read_library_version), &self) == 0) {
    return absl::InternalError(
        absl::StrCat("cannot find libchimera in this process: ", last_error()));
  }
  // Null for a statically linked program: its symbols are global if it exports them (-rdynamic).
  dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
  dlerror();
  return absl::OkStatus();
}

absl::Status define(void* handle, const std::string& path, Registry& registry) {
  void* const symbol = dlsym(handle, "chimera_library_v1");
  if (symbol == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " exports no chimera_library_v1: ", last_error()));
  }
  try {
    reinterpret_cast<decltype(&chimera_library_v1)>(symbol)(&registry);
  } catch (...) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": its definitions failed: ", describe_current()));
  }
  return absl::OkStatus();
}

template <class Type>
std::string shown(const Type& type) {
  return type.dynamic ? "(dynamic)" : type.name;
}

class NativeTypesImpl final : public NativeTypes {
 public:
  NativeTypesImpl(const Codec& codec, const core::WorkerOptions& options,
                  std::size_t workflow_stack_bytes)
      : workflows_(codec),
        activities_(codec, core::activity_threads(options)),
        nexus_(codec, core::nexus_threads(options)) {
    workflows_.set_stack_bytes(workflow_stack_bytes);
  }

  absl::StatusOr<LoadedLibrary> load(const std::string& path) override {
    return load_library(path, registry_, &origins_);
  }

  absl::Status add(const Registry& registry) override {
    try {
      for (const auto& type : registry.workflows()) registry_.add_workflow_type(type);
      for (const auto& type : registry.activities()) registry_.add_activity_type(type);
      for (const auto& type : registry.nexus_services()) registry_.add_nexus_service_type(type);
    } catch (const std::exception& error) {
      return absl::AlreadyExistsError(error.what());
    }
    return absl::OkStatus();
  }

  void intercept(const WorkerInterceptors& interceptors) override {
    workflows_.intercept(interceptors);
    activities_.intercept(interceptors);
    nexus_.intercept(interceptors);
  }

  void use(detail::ClientPtr client) override { nexus_.set_client(std::move(client)); }

  absl::Status limit(const std::string& activity_type, double per_second) override {
    const auto wrong = [&](const std::string& why) {
      return absl::InvalidArgumentError(
          absl::StrCat("max_per_second_of_activity[\"", activity_type, "\"] ", why));
    };
    if (!(per_second > 0 && per_second <= 1e9))
      return wrong(absl::StrCat("must be above 0 and at most 1e9, but is ", per_second));
    for (const auto& type : registry_.activities()) {
      if (type.name != activity_type || type.dynamic) continue;
      activities_.limit(activity_type, per_second);
      return absl::OkStatus();
    }
    return wrong("is of no activity that was added to the worker");
  }

  void fail_on(FailureExceptions exceptions) override { failures_ = std::move(exceptions); }

  absl::Status register_with(core::Worker& worker) override {
    core::Metrics* const own = worker.connection().options().metrics.get();
    core::Metrics& metrics = own != nullptr ? *own : core::process_metrics();
    workflows_.set_metrics(metrics);
    activities_.set_metrics(metrics);
    nexus_.set_metrics(metrics);
    for (detail::WorkflowType type : registry_.workflows()) {
      type.failures.add(failures_);
      workflows_.add(type);
      if (type.failures.nondeterminism && !type.dynamic)
        worker.set_nondeterminism_fails_workflow(type.name);
      if (absl::Status status = type.dynamic ? worker.add_dynamic_workflow(workflows_)
                                             : worker.add_workflow(type.name, workflows_);
          !status.ok()) {
        return status;
      }
    }
    activities_.set_task_queue(worker.options().task_queue);
    for (const auto& type : registry_.activities()) {
      activities_.add(type);
      if (absl::Status status = type.dynamic ? worker.add_dynamic_activity(activities_)
                                             : worker.add_activity(type.name, activities_);
          !status.ok()) {
        return status;
      }
    }
    nexus_.set_worker(worker.options());
    for (const auto& type : registry_.nexus_services()) {
      nexus_.add(type);
      absl::Status status = worker.add_nexus_service(type.name, nexus_);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  Registry registry_;
  FailureExceptions failures_;                  // Of every workflow.
  std::map<std::string, std::string> origins_;  // "workflow Order" -> the library.
  CppWorkflowLanguage workflows_;
  CppActivityLanguage activities_;
  CppNexusLanguage nexus_;
};

}  // namespace

absl::StatusOr<LoadedLibrary> load_library(const std::string& path, Registry& registry,
                                           std::map<std::string, std::string>* origins) {
  auto version = read_library_version(path);
  if (!version.ok()) return version.status();
  if (*version != CHIMERA_LIBRARY_VERSION) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " was built for chimera ", *version, ", but this is chimera ",
                     CHIMERA_LIBRARY_VERSION, "; build it again with the headers of this version"));
  }
  if (absl::Status status = promote_ourselves(); !status.ok()) return status;
  // A path without a slash would be searched in the system's folders.
  const std::string file = path.find('/') == std::string::npos ? absl::StrCat("./", path) : path;
  void* const handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat("cannot load ", path, ": ", last_error()));
  }
  Registry defined;
  if (absl::Status status = define(handle, path, defined); !status.ok()) return status;
  LoadedLibrary loaded{.path = path, .version = *std::move(version)};
  std::string adding;
  try {
    for (const auto& type : defined.workflows()) {
      adding = absl::StrCat("workflow ", shown(type));
      registry.add_workflow_type(type);
      if (origins != nullptr) origins->emplace(adding, path);
      loaded.workflows.push_back(shown(type));
    }
    for (const auto& type : defined.activities()) {
      adding = absl::StrCat("activity ", shown(type));
      registry.add_activity_type(type);
      if (origins != nullptr) origins->emplace(adding, path);
      loaded.activities.push_back(shown(type));
    }
    for (const auto& type : defined.nexus_services()) {
      adding = absl::StrCat("Nexus service ", type.name);
      registry.add_nexus_service_type(type);
      if (origins != nullptr) origins->emplace(adding, path);
      loaded.nexus_services.push_back(type.name);
    }
  } catch (const std::exception& error) {
    const bool known = origins != nullptr && origins->count(adding) > 0;
    return absl::AlreadyExistsError(absl::StrCat(
        path, ": ", error.what(), known ? absl::StrCat(", first by ", origins->at(adding)) : "",
        "; give one of them another name, or load only one of the libraries"));
  }
  return loaded;
}

std::unique_ptr<NativeTypes> NativeTypes::create(Codec codec, const core::WorkerOptions& options,
                                                 std::size_t workflow_stack_bytes) {
  return std::make_unique<NativeTypesImpl>(codec, options, workflow_stack_bytes);
}

}  // namespace chimera::sdk
