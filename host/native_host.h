// NativeHost, the host without Python: loads C++ worker libraries and runs what they define in one
// worker.
#ifndef CHIMERA_HOST_NATIVE_HOST_H_
#define CHIMERA_HOST_NATIVE_HOST_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/rpc/connection.h"

namespace chimera::host {

struct HostOptions {
  std::string task_queue, namespace_ = "default";
  std::string metrics_address;  // HOST:PORT for /metrics, /livez, /readyz; empty: none.
};

// Any thread.
class NativeHost {
 public:
  // Polling when it returns. Prints one line per loaded library and registered name.
  static absl::StatusOr<std::unique_ptr<NativeHost>> start(
      std::shared_ptr<core::Connection> connection, const HostOptions& options,
      const std::vector<std::string>& libraries);
  virtual ~NativeHost() = default;
  // Drains; the status tells a fatal error that had ended the worker before.
  virtual absl::Status stop() = 0;
};

}  // namespace chimera::host

#endif  // CHIMERA_HOST_NATIVE_HOST_H_
