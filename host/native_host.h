// NativeHost, the host without Python: loads C++ worker libraries and runs what they define in one
// worker.
#ifndef CHIMERA_HOST_NATIVE_HOST_H_
#define CHIMERA_HOST_NATIVE_HOST_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/rpc/connection.h"
#include "core/worker/worker.h"

namespace chimera::host {

struct HostOptions {
  core::WorkerOptions worker;
  std::string metrics_address;  // HOST:PORT for /metrics, /livez, /readyz; empty: none.
};

// Any thread.
class NativeHost {
 public:
  // Polling when it returns. Prints one line per loaded library and registered name. `failed` is
  // called, at most once and from a thread of the worker, when polling cannot go on; stop() then
  // says why.
  static absl::StatusOr<std::unique_ptr<NativeHost>> start(
      std::shared_ptr<core::Connection> connection, const HostOptions& options,
      const std::vector<std::string>& libraries, std::function<void()> failed);
  virtual ~NativeHost() = default;
  // Drains; the status tells a fatal error that had ended the worker before.
  virtual absl::Status stop() = 0;
};

}  // namespace chimera::host

#endif  // CHIMERA_HOST_NATIVE_HOST_H_
