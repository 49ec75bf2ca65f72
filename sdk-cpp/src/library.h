// Native libraries: what the file says of itself before anything of it runs, and loading it.
#ifndef CHIMERA_SDK_CPP_SRC_LIBRARY_H_
#define CHIMERA_SDK_CPP_SRC_LIBRARY_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "chimera/client.h"
#include "chimera/definition.h"
#include "core/worker/worker.h"
#include "sdk-cpp/src/interceptors.h"
#include "sdk-cpp/src/payload_access.h"
#include "sdk-cpp/src/stack_pool.h"

namespace chimera::sdk {

// The version in the ELF note that CHIMERA_LIBRARY writes. kNotFound: no such file;
// kInvalidArgument: not a shared library of this machine, or not one of ours.
absl::StatusOr<std::string> read_library_version(const std::string& path);

struct LoadedLibrary {
  std::string path, version;
  std::vector<std::string> workflows, activities, nexus_services;  // What it added.
};

// Loads the library, never to unload it, and adds what it defines. Its calls reach the libchimera
// of this process. Errors name the file, both versions where they differ, and what to do.
// `origins` (may be null) tells which library each name is of, and learns it.
absl::StatusOr<LoadedLibrary> load_library(const std::string& path, Registry& registry,
                                           std::map<std::string, std::string>* origins = nullptr);

// A worker's C++ side for those who hold a core::Worker of their own: the Python bridge and the
// program. Loads the libraries' types into it. Must outlive the worker's wait().
class NativeTypes {
 public:
  virtual ~NativeTypes() = default;
  // `codec` may be null; `options`: the worker's.
  static std::unique_ptr<NativeTypes> create(Codec codec, const core::WorkerOptions& options,
                                             std::size_t workflow_stack_bytes = kStackBytes);
  virtual absl::StatusOr<LoadedLibrary> load(const std::string& path) = 0;
  virtual absl::Status add(const Registry& registry) = 0;
  // Outermost first; before register_with().
  virtual void intercept(const WorkerInterceptors& interceptors) = 0;
  // What Nexus handlers call the server with: before the worker starts, and when it is replaced.
  virtual void use(detail::ClientPtr client) = 0;
  // Beside what the definitions list; before register_with().
  virtual void fail_on(FailureExceptions exceptions) = 0;
  // After register_with(): so many activities of that type begin in a second. kInvalidArgument for
  // one that was not added, and for what is no rate.
  virtual absl::Status limit(const std::string& activity_type, double per_second) = 0;
  // Once, before worker.start(). kAlreadyExists when another language has the name.
  virtual absl::Status register_with(core::Worker& worker) = 0;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_LIBRARY_H_
