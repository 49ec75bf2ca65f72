#include "core/rpc/connection.h"

#include <array>
#include <cstdint>
#include <random>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include <unistd.h>

#include "core/rpc/connect.h"
#include "core/rpc/connect_error.h"
#include "core/rpc/grpc_transport.h"
#include "core/rpc/retrying_call.h"

namespace chimera::core {
namespace {

using api::workflowservice::v1::GetSystemInfoRequest;
using api::workflowservice::v1::GetSystemInfoResponse;
using api::workflowservice::v1::GetWorkflowExecutionHistoryRequest;
using google::protobuf::MessageLite;

constexpr std::chrono::seconds kTimeout{30}, kLongPollTimeout{70};

// The server answers these when there is something, or after a minute.
bool is_long_poll(std::string_view method,
                  const std::variant<const MessageLite*, std::string>& request) {
  std::string_view name = method.substr(method.rfind('/') + 1);
  if (name == "PollWorkflowTaskQueue" || name == "PollActivityTaskQueue" ||
      name == "PollNexusTaskQueue" || name == "PollWorkflowExecutionUpdate" ||
      name == "UpdateWorkflowExecution" || name == "ExecuteMultiOperation") {
    return true;
  }
  if (name != "GetWorkflowExecutionHistory") return false;
  auto* message = std::get_if<const MessageLite*>(&request);
  if (!message) return true;  // Serialized: cannot tell, so the longer one.
  auto* typed = dynamic_cast<const GetWorkflowExecutionHistoryRequest*>(*message);
  return typed && typed->wait_new_event();
}

class ConnectionImpl : public Connection {
 public:
  ConnectionImpl(ConnectionOptions options, std::shared_ptr<CallEnvironment> environment,
                 GetSystemInfoResponse::Capabilities capabilities)
      : options_(std::move(options)),
        environment_(std::move(environment)),
        capabilities_(std::move(capabilities)) {
    environment_->server.start_logging();
  }

  // Calls still under way run to their end, but are not tried again.
  ~ConnectionImpl() override { environment_->closed.store(true); }

  std::shared_ptr<base::RpcInFlight> call(std::string_view method,
                                          std::variant<const MessageLite*, std::string> request,
                                          std::variant<MessageLite*, std::string*> response,
                                          CallOptions options,
                                          absl::AnyInvocable<void(absl::Status) &&> done) override {
    warn_of_large_values(options_.payload_warnings, method, request);
    const bool long_poll = is_long_poll(method, request);
    std::chrono::nanoseconds timeout = options.timeout ? std::chrono::nanoseconds(*options.timeout)
                                                       : (long_poll ? kLongPollTimeout : kTimeout);
    RetryPolicy policy = retry_policy(options.retry, options_.retry);
    policy.elapsed_from_failure = long_poll;
    auto result = std::make_shared<RetryingCall>(
        environment_, RetryingCall::Request{.method = method,
                                            .request = std::move(request),
                                            .response = response,
                                            .timeout = timeout,
                                            .long_poll = long_poll,
                                            .options = std::move(options),
                                            .policy = policy,
                                            .done = std::move(done)});
    result->start();
    return result;
  }

  const ConnectionOptions& options() const override { return options_; }
  const GetSystemInfoResponse::Capabilities& capabilities() const override { return capabilities_; }
  std::shared_ptr<EagerStarts> eager_starts() override { return eager_starts_; }
  void set_api_key(std::string key) override { environment_->headers.set_api_key(std::move(key)); }
  bool reachable() const override {
    return environment_->server.reachable(environment_->timers.now());
  }
  void set_metadata(base::RpcMetadata metadata) override {
    environment_->headers.set_user(std::move(metadata));
  }
  void set_client_name(std::string name, std::string version) override {
    environment_->headers.set_client(std::move(name), std::move(version));
  }

 private:
  const ConnectionOptions options_;
  const std::shared_ptr<CallEnvironment> environment_;
  const GetSystemInfoResponse::Capabilities capabilities_;
  const std::shared_ptr<EagerStarts> eager_starts_ = std::make_shared<EagerStarts>();
};

// The first call of a connection, and what follows from its outcome. Shared by itself: its calls
// hold it until it is done.
class Connecting : public std::enable_shared_from_this<Connecting> {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<std::shared_ptr<Connection>>) &&>;

  Connecting(ConnectionOptions options, ConnectEnvironment environment, Done done)
      : options_(std::move(options)), started_(environment.timers.now()), done_(std::move(done)) {
    std::shared_ptr<base::Transport> transport = options_.transport;
    if (!transport) {
      std::shared_ptr<GrpcTransport> grpc = GrpcTransport::create(options_);
      grpc_ = grpc.get();
      transport = std::move(grpc);
    }
    environment_ = std::shared_ptr<CallEnvironment>(
        new CallEnvironment{.transport = std::move(transport),
                            .headers{options_.client_name, options_.client_version,
                                     options_.api_key, options_.metadata},
                            .timers = environment.timers,
                            .chance = std::move(environment.chance),
                            .metrics = RpcMetrics(options_.metrics),
                            .server = Reachability(options_.target_host)});
  }

  void start() {
    RetryPolicy policy = retry_policy(RetryClass::kNormal, options_.retry);
    policy.max_tries = std::numeric_limits<int>::max();
    policy.max_interval =
        std::min<std::chrono::nanoseconds>(policy.max_interval, std::chrono::seconds(1));
    policy.max_elapsed = remaining();
    std::make_shared<RetryingCall>(
        environment_, RetryingCall::Request{.method = CHIMERA_WORKFLOW_SERVICE(GetSystemInfo),
                                            .request = &request_,
                                            .response = &reply_,
                                            .timeout = remaining(),
                                            .policy = policy,
                                            .done =
                                                [self = shared_from_this()](absl::Status status) {
                                                  self->on_reply(std::move(status));
                                                },
                                            .is_final = is_lasting_connect_failure})
        ->start();
  }

 private:
  std::chrono::nanoseconds remaining() const {
    auto left = options_.connect_timeout - (environment_->timers.now() - started_);
    return std::max<std::chrono::nanoseconds>(left, std::chrono::milliseconds(1));
  }

  void on_reply(absl::Status status) {
    if (absl::IsUnimplemented(status) && !is_lasting_connect_failure(status)) {
      if (grpc_ && options_.gzip &&
          absl::StrContains(absl::AsciiStrToLower(status.message()), "compress")) {
        options_.gzip = false;
        grpc_->set_gzip(false);
        return start();
      }
      status = absl::OkStatus();  // A server from before GetSystemInfo: no capabilities.
    }
    auto done = std::move(done_);
    if (!status.ok()) {
      auto elapsed = environment_->timers.now() - started_;
      return std::move(done)(describe_connect_failure(options_, status, elapsed));
    }
    std::move(done)(std::make_shared<ConnectionImpl>(std::move(options_), environment_,
                                                     std::move(*reply_.mutable_capabilities())));
  }

  ConnectionOptions options_;
  const base::SteadyTime started_;
  Done done_;
  GrpcTransport* grpc_ = nullptr;  // Null when the transport is not gRPC.
  std::shared_ptr<CallEnvironment> environment_;
  GetSystemInfoRequest request_;
  GetSystemInfoResponse reply_;
};

std::string default_identity() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host = {"unknown"};
  return absl::StrCat(getpid(), "@", host.data());
}

double random_chance() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

}  // namespace

void connect_async(ConnectionOptions options, ConnectEnvironment environment,
                   absl::AnyInvocable<void(absl::StatusOr<std::shared_ptr<Connection>>) &&> done) {
  if (absl::Status status = check_connection_options(options); !status.ok()) {
    return std::move(done)(std::move(status));
  }
  if (options.identity.empty()) options.identity = default_identity();
  if (options.client_version.empty()) options.client_version = CHIMERA_VERSION;
  std::make_shared<Connecting>(std::move(options), std::move(environment), std::move(done))
      ->start();
}

absl::StatusOr<std::shared_ptr<Connection>> Connection::connect(ConnectionOptions options) {
  absl::Notification ready;
  absl::StatusOr<std::shared_ptr<Connection>> result = absl::InternalError("not connected");
  connect_async(std::move(options), {base::system_timers(), random_chance},
                [&](absl::StatusOr<std::shared_ptr<Connection>> connection) {
                  result = std::move(connection);
                  ready.Notify();
                });
  ready.WaitForNotification();
  return result;
}

absl::Status Connection::call_blocking(std::string_view method, const MessageLite& request,
                                       MessageLite& response, CallOptions options) {
  absl::Notification ready;
  absl::Status result;
  call(method, &request, &response, std::move(options), [&](absl::Status status) {
    result = std::move(status);
    ready.Notify();
  });
  ready.WaitForNotification();
  return result;
}

}  // namespace chimera::core
