// RetryingCall, one call with its tries: owned by its caller's handle, by the try under way and by
// the timer between tries. Any thread.
#ifndef CHIMERA_CORE_RPC_RETRYING_CALL_H_
#define CHIMERA_CORE_RPC_RETRYING_CALL_H_

#include <atomic>
#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "core/base/timers.h"
#include "core/base/transport.h"
#include "core/rpc/headers.h"
#include "core/rpc/reachability.h"
#include "core/rpc/retry.h"
#include "core/rpc/rpc_metrics.h"

namespace chimera::core {

// What calls need of their connection; they share it, so that a call may outlive the connection.
struct CallEnvironment {
  std::shared_ptr<base::Transport> transport;
  Headers headers;
  base::Timers& timers;
  std::function<double()> chance;  // In [0, 1), any thread.
  RpcMetrics metrics;
  Reachability server;
  std::atomic<bool> closed{false};  // No new tries.
};

class RetryingCall : public base::RpcInFlight, public std::enable_shared_from_this<RetryingCall> {
 public:
  struct Request {
    std::string_view method;
    std::variant<const google::protobuf::MessageLite*, std::string> request;
    std::variant<google::protobuf::MessageLite*, std::string*> response;
    std::chrono::nanoseconds timeout;
    bool long_poll = false;
    CallOptions options;
    RetryPolicy policy;
    absl::AnyInvocable<void(absl::Status) &&> done;
    // More errors that are final: none if empty.
    std::function<bool(const absl::Status&)> is_final;
  };

  RetryingCall(std::shared_ptr<CallEnvironment> environment, Request request);

  void start();
  void cancel() override;

 private:
  void try_once();
  void on_reply(absl::Status status);
  void finish(absl::Status status);
  void finish_later(absl::Status status);

  const std::shared_ptr<CallEnvironment> environment_;
  Request request_;
  RetryState retry_;  // These two are touched by one try at a time.
  base::SteadyTime try_started_;
  absl::Mutex mutex_;
  std::shared_ptr<base::RpcInFlight> in_flight_ ABSL_GUARDED_BY(mutex_);
  base::TimerId timer_ ABSL_GUARDED_BY(mutex_) = 0;
  int try_ ABSL_GUARDED_BY(mutex_) = 0;
  int answered_ ABSL_GUARDED_BY(mutex_) = 0;  // The last try that was.
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_RPC_RETRYING_CALL_H_
