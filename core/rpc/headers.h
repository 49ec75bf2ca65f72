// Headers, what every call carries; replaced as a whole, so that calls read it without a lock. Any
// thread.
#ifndef CHIMERA_CORE_RPC_HEADERS_H_
#define CHIMERA_CORE_RPC_HEADERS_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

#include "core/base/transport.h"

namespace chimera::core {

// InvalidArgument names the header and says what is wrong: gRPC would abort the process.
absl::Status check_metadata(const base::RpcMetadata& metadata);

class Headers {
 public:
  Headers(std::string client_name, std::string client_version, std::string api_key,
          base::RpcMetadata user);

  void set_api_key(std::string key);
  void set_user(base::RpcMetadata user);
  void set_client(std::string name, std::string version);

  // For one call; an error if a header that was set cannot be sent.
  absl::StatusOr<base::RpcMetadata> for_call(const std::string& namespace_,
                                             base::RpcMetadata extra) const;

 private:
  struct Snapshot {
    absl::Status status;
    base::RpcMetadata metadata;
  };

  void publish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;  // Writers only.
  std::string client_name_ ABSL_GUARDED_BY(mutex_), client_version_ ABSL_GUARDED_BY(mutex_);
  std::string api_key_ ABSL_GUARDED_BY(mutex_);
  base::RpcMetadata user_ ABSL_GUARDED_BY(mutex_);
  std::atomic<std::shared_ptr<const Snapshot>> current_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_RPC_HEADERS_H_
