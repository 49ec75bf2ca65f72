// ReplaceableConnection, a connection that hands its calls to another one, which may change while
// it is in use: a worker's way to its server. Calls under way stay with the one they began on. Any
// thread.
#ifndef CHIMERA_CORE_RPC_REPLACEABLE_CONNECTION_H_
#define CHIMERA_CORE_RPC_REPLACEABLE_CONNECTION_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "core/rpc/connection.h"

namespace chimera::core {

class ReplaceableConnection : public Connection {
 public:
  explicit ReplaceableConnection(std::shared_ptr<Connection> first)
      : first_(std::move(first)), current_(first_) {}

  void replace(std::shared_ptr<Connection> next) {
    absl::MutexLock lock(&mutex_);
    current_.swap(next);
  }

  std::shared_ptr<base::RpcInFlight> call(
      std::string_view method,
      std::variant<const google::protobuf::MessageLite*, std::string> request,
      std::variant<google::protobuf::MessageLite*, std::string*> response, CallOptions options,
      absl::AnyInvocable<void(absl::Status) &&> done) override {
    return current()->call(method, std::move(request), response, std::move(options),
                           std::move(done));
  }
  bool reachable() const override { return current()->reachable(); }
  bool stores_values() const override { return current()->stores_values(); }
  std::shared_ptr<EagerStarts> eager_starts() override { return current()->eager_starts(); }
  void set_api_key(std::string key) override { current()->set_api_key(std::move(key)); }
  void set_metadata(base::RpcMetadata metadata) override {
    current()->set_metadata(std::move(metadata));
  }
  void set_client_name(std::string name, std::string version) override {
    current()->set_client_name(std::move(name), std::move(version));
  }

  // The first one's for good: the worker was made with them.
  const ConnectionOptions& options() const override { return first_->options(); }
  const api::workflowservice::v1::GetSystemInfoResponse::Capabilities& capabilities()
      const override {
    return first_->capabilities();
  }

 private:
  std::shared_ptr<Connection> current() const {
    absl::ReaderMutexLock lock(&mutex_);
    return current_;
  }

  const std::shared_ptr<Connection> first_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<Connection> current_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_RPC_REPLACEABLE_CONNECTION_H_
