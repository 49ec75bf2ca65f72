#include "host/native_host.h"

#include <cstdio>
#include <utility>

#include "core/telemetry/health.h"
#include "core/telemetry/metrics.h"
#include "core/telemetry/metrics_server.h"
#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/library.h"

namespace chimera::host {
namespace {

class NativeHostImpl : public NativeHost {
 public:
  NativeHostImpl(std::unique_ptr<sdk::NativeTypes> types, std::unique_ptr<core::Worker> worker,
                 std::unique_ptr<core::MetricsServer> metrics)
      : types_(std::move(types)), worker_(std::move(worker)), metrics_(std::move(metrics)) {}

  absl::Status stop() override {
    worker_->initiate_shutdown();
    return worker_->wait();
  }

 private:
  const std::unique_ptr<sdk::NativeTypes> types_;  // Outlives the worker, which borrows it.
  const std::unique_ptr<core::Worker> worker_;
  const std::unique_ptr<core::MetricsServer> metrics_;  // Null when none are served.
};

void tell(const sdk::LoadedLibrary& library) {
  std::printf("chimera worker: %s, built for chimera %s\n", library.path.c_str(),
              library.version.c_str());
  for (const std::string& name : library.workflows)
    std::printf("  C++     workflow %s\n", name.c_str());
  for (const std::string& name : library.activities)
    std::printf("  C++     activity %s\n", name.c_str());
  for (const std::string& name : library.nexus_services)
    std::printf("  C++     Nexus service %s\n", name.c_str());
}

absl::StatusOr<std::unique_ptr<core::MetricsServer>> serve_metrics(const std::string& address) {
  if (address.empty()) return nullptr;
  auto server =
      core::MetricsServer::start(address, core::process_metrics(), core::process_health());
  if (server.ok()) std::printf("chimera worker: metrics on port %d\n", (*server)->port());
  return server;
}

}  // namespace

absl::StatusOr<std::unique_ptr<NativeHost>> NativeHost::start(
    std::shared_ptr<core::Connection> connection, const HostOptions& options,
    const std::vector<std::string>& libraries, std::function<void()> failed) {
  auto types = sdk::NativeTypes::create(nullptr, options.worker);
  types->use(sdk::client_of(connection, options.worker.namespace_, nullptr));
  for (const std::string& path : libraries) {
    absl::StatusOr<sdk::LoadedLibrary> loaded = types->load(path);
    if (!loaded.ok()) return loaded.status();
    tell(*loaded);
  }
  auto metrics = serve_metrics(options.metrics_address);
  if (!metrics.ok()) return metrics.status();
  auto worker = core::Worker::create(std::move(connection), options.worker);
  if (!worker.ok()) return worker.status();
  absl::Status registered = types->register_with(**worker);
  if (!registered.ok()) return registered;
  (*worker)->on_fatal([failed = std::move(failed)](const absl::Status&) { failed(); });
  absl::Status started = (*worker)->start();
  if (!started.ok()) return started;
  return std::make_unique<NativeHostImpl>(std::move(types), *std::move(worker),
                                          *std::move(metrics));
}

}  // namespace chimera::host
