#include "core/rpc/connection.h"

#include <atomic>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include <unistd.h>

#include "core/base/timers.h"
#include "core/rpc/grpc_transport.h"
#include "core/rpc/headers.h"
#include "core/rpc/retry.h"
#include "core/rpc/tls.h"

namespace chimera::core {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kCallTimeout{30'000};
constexpr milliseconds kLongPollTimeout{70'000};
// Fatal codes of task polls are tolerated for so long after the connection was made
// (sdk-core 1.35).
constexpr std::chrono::seconds kTolerateFatal{60};

using Request = std::variant<const google::protobuf::MessageLite*, std::string>;
using Response = std::variant<google::protobuf::MessageLite*, std::string*>;

bool is_long_poll(std::string_view method) {
  return absl::StrContains(absl::string_view(method.data(), method.size()), "/Poll");
}

double chance() {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(random);
}

std::string default_identity() {
  char host[256] = "unknown";
  gethostname(host, sizeof host - 1);
  return absl::StrCat(getpid(), "@", host);
}

// One call with its retries. Owned by whoever runs it next: the transport's callback or a timer.
class RetryingCall : public base::RpcInFlight, public std::enable_shared_from_this<RetryingCall> {
 public:
  RetryingCall(std::shared_ptr<base::Transport> transport, std::string_view method, Request request,
               Response response, nanoseconds timeout, base::RpcMetadata metadata, RetryState retry,
               base::SteadyTime tolerate_fatal_until,
               absl::AnyInvocable<void(absl::Status) &&> done)
      : transport_(std::move(transport)),
        method_(method),
        request_(std::move(request)),
        response_(response),
        timeout_(timeout),
        metadata_(std::move(metadata)),
        retry_(std::move(retry)),
        tolerate_fatal_until_(tolerate_fatal_until),
        done_(std::move(done)) {}

  void attempt() {
    base::RpcCall call;
    call.method = method_;
    call.request = request_;
    call.response = response_;
    call.timeout = timeout_;
    call.metadata = metadata_;
    call.done = [self = shared_from_this()](absl::Status status) {
      self->attempted(std::move(status));
    };
    std::shared_ptr<base::RpcInFlight> in_flight = transport_->start(std::move(call));
    absl::MutexLock lock(&mutex_);
    in_flight_ = std::move(in_flight);
    if (cancelled_) in_flight_->cancel();
  }

  void cancel() override {
    base::TimerId timer = 0;
    {
      absl::MutexLock lock(&mutex_);
      cancelled_ = true;
      if (in_flight_) in_flight_->cancel();
      timer = std::exchange(timer_, 0);
    }
    // Waiting for its next try: nobody else will finish it.
    if (timer != 0 && base::system_timers().cancel(timer))
      finish(absl::CancelledError("cancelled"));
  }

 private:
  void attempted(absl::Status status) {
    std::optional<nanoseconds> delay;
    if (!status.ok()) {
      base::SteadyTime now = base::system_clock().steady();
      absl::MutexLock lock(&mutex_);
      in_flight_.reset();
      if (!cancelled_) delay = retry_.next_delay(status, now, chance(), tolerate_fatal_until_);
      if (delay) {
        timer_ = base::system_timers().after(*delay, [self = shared_from_this()] {
          {
            absl::MutexLock timer_lock(&self->mutex_);
            self->timer_ = 0;
          }
          self->attempt();
        });
      }
    }
    if (!delay) finish(std::move(status));
  }

  void finish(absl::Status status) {
    auto done = std::move(done_);
    std::move(done)(std::move(status));
  }

  const std::shared_ptr<base::Transport> transport_;
  const std::string_view method_;
  const Request request_;
  const Response response_;
  const nanoseconds timeout_;
  const base::RpcMetadata metadata_;
  RetryState retry_;
  const base::SteadyTime tolerate_fatal_until_;
  absl::AnyInvocable<void(absl::Status) &&> done_;
  absl::Mutex mutex_;
  std::shared_ptr<base::RpcInFlight> in_flight_;
  base::TimerId timer_ = 0;
  bool cancelled_ = false;
};

class ConnectionImpl : public Connection {
 public:
  ConnectionImpl(ConnectionOptions options, std::shared_ptr<base::Transport> transport)
      : options_(std::move(options)),
        transport_(std::move(transport)),
        headers_(options_.client_name, options_.client_version, options_.api_key,
                 options_.metadata),
        connected_(base::system_clock().steady()) {}

  std::shared_ptr<base::RpcInFlight> call(std::string_view method, Request request,
                                          Response response, CallOptions options,
                                          absl::AnyInvocable<void(absl::Status) &&> done) override {
    auto metadata = headers_.for_call(options.namespace_, std::move(options.metadata));
    if (!metadata.ok()) {
      // `done` never runs inside call().
      base::system_timers().after(nanoseconds(0),
                                  [done = std::move(done), status = metadata.status()]() mutable {
                                    std::move(done)(std::move(status));
                                  });
      return std::make_shared<Nothing>();
    }
    // A message that may be sent again must outlive the first try; the caller keeps it until
    // `done`.
    nanoseconds timeout =
        options.timeout.value_or(is_long_poll(method) ? kLongPollTimeout : kCallTimeout);
    RetryState retry(retry_policy(options.retry, options_.retry), base::system_clock().steady());
    auto call = std::make_shared<RetryingCall>(transport_, method, std::move(request), response,
                                               timeout, *std::move(metadata), std::move(retry),
                                               connected_ + kTolerateFatal, std::move(done));
    call->attempt();
    return call;
  }

  const ConnectionOptions& options() const override { return options_; }
  const api::workflowservice::v1::GetSystemInfoResponse::Capabilities& capabilities()
      const override {
    return capabilities_;
  }
  void set_api_key(std::string key) override { headers_.set_api_key(std::move(key)); }
  void set_metadata(base::RpcMetadata metadata) override { headers_.set_user(std::move(metadata)); }
  void set_client_name(std::string name, std::string version) override {
    headers_.set_client(std::move(name), std::move(version));
  }

  // The first call: finds out whether a server is there and what it can do.
  absl::Status greet() {
    api::workflowservice::v1::GetSystemInfoRequest request;
    api::workflowservice::v1::GetSystemInfoResponse reply;
    base::SteadyTime deadline = base::system_clock().steady() + options_.connect_timeout;
    absl::Status status;
    do {
      auto left =
          std::chrono::duration_cast<milliseconds>(deadline - base::system_clock().steady());
      status = call_blocking(CHIMERA_WORKFLOW_SERVICE(GetSystemInfo), request, reply,
                             {.retry = RetryClass::kNone,
                              .timeout = std::max(left, milliseconds(1)),
                              .metadata = {},
                              .namespace_ = ""});
      if (status.ok()) capabilities_ = reply.capabilities();
      // An old server without this method has no capabilities.
      if (status.ok() || status.code() == absl::StatusCode::kUnimplemented) return absl::OkStatus();
    } while (status.code() == absl::StatusCode::kUnavailable && pause_until(deadline));
    return explain(status);
  }

 private:
  class Nothing : public base::RpcInFlight {
    void cancel() override {}
  };

  // Waits a little before the next try; false when the deadline has passed.
  static bool pause_until(base::SteadyTime deadline) {
    if (base::system_clock().steady() >= deadline) return false;
    absl::Notification never;
    never.WaitForNotificationWithTimeout(absl::Milliseconds(100));
    return true;
  }

  absl::Status explain(const absl::Status& status) const {
    std::string where = absl::StrCat(options_.target_host, uses_tls(options_) ? " with TLS" : "");
    std::string advice;
    switch (status.code()) {
      case absl::StatusCode::kUnavailable:
      case absl::StatusCode::kDeadlineExceeded:
        advice = uses_tls(options_)
                     ? "is a Temporal server listening there, and does it speak TLS with a "
                       "certificate that this machine trusts?"
                     : "is a Temporal server listening there? (If it wants TLS, turn TLS on.)";
        break;
      case absl::StatusCode::kUnauthenticated:
      case absl::StatusCode::kPermissionDenied:
        advice = "the server refused the credentials; check the API key or the client certificate";
        break;
      default:
        advice = "the answer is not what a Temporal server gives; check the address";
    }
    return absl::Status(status.code(), absl::StrCat("cannot connect to ", where, ": ",
                                                    status.message(), "; ", advice));
  }

  const ConnectionOptions options_;
  const std::shared_ptr<base::Transport> transport_;
  Headers headers_;
  const base::SteadyTime connected_;
  api::workflowservice::v1::GetSystemInfoResponse::Capabilities capabilities_;
};

absl::Status check(const ConnectionOptions& options) {
  absl::string_view target = options.target_host;
  if (target.empty()) return absl::InvalidArgumentError("target_host is empty; give HOST:PORT");
  if (absl::StrContains(target, "://"))
    return absl::InvalidArgumentError(
        absl::StrCat("target_host \"", target, "\" has a scheme; give HOST:PORT alone"));
  absl::Status metadata = check_metadata(options.metadata);
  if (!metadata.ok()) return metadata;
  return options.tls ? check_tls(*options.tls) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<Connection>> Connection::connect(ConnectionOptions options) {
  absl::Status valid = check(options);
  if (!valid.ok()) return valid;
  if (options.identity.empty()) options.identity = default_identity();
  if (options.client_version.empty()) options.client_version = CHIMERA_VERSION;
  std::shared_ptr<base::Transport> transport = options.transport;
  if (!transport) transport = GrpcTransport::create(options);
  auto connection = std::make_shared<ConnectionImpl>(std::move(options), std::move(transport));
  absl::Status greeted = connection->greet();
  if (!greeted.ok()) return greeted;
  return std::shared_ptr<Connection>(std::move(connection));
}

absl::Status Connection::call_blocking(std::string_view method,
                                       const google::protobuf::MessageLite& request,
                                       google::protobuf::MessageLite& response,
                                       CallOptions options) {
  absl::Notification arrived;
  absl::Status result;
  call(method, &request, &response, std::move(options), [&](absl::Status status) {
    result = std::move(status);
    arrived.Notify();
  });
  arrived.WaitForNotification();
  return result;
}

}  // namespace chimera::core
