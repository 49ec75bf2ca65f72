#include "chimera/testing/environment.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "temporal/api/testservice/v1/request_response.pb.h"

#include "chimera/activity.h"
#include "core/base/proto_time.h"
#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/testing/mock_runs.h"
#include "sdk-cpp/src/testing/own_clock.h"
#include "sdk-cpp/src/workflow_runtime.h"
#include "server/server.h"

namespace chimera {
namespace {

namespace test = api::testservice::v1;

// The lock of a test server's time, which those who wait for results lift together.
class TimeLock {
 public:
  void use(std::shared_ptr<core::Connection> connection) { connection_ = std::move(connection); }

  // Throws, and nothing has changed, when the server does not answer.
  void lift(int more) { change(lifted_, more); }
  // How many keep time real; results that are awaited already are held, too.
  void hold(int more) { change(holds_, more); }

  // In one call the lock is back before time goes on. Where somebody waits for a result it is
  // lifted anyway, and where time is held real it stays.
  void sleep(const test::SleepRequest& request) {
    {
      const std::lock_guard guard(mutex_);
      if (lifted_ == 0 && holds_ == 0) {
        ask<test::SleepResponse>("UnlockTimeSkippingWithSleep", request);
        return;
      }
    }
    ask<test::SleepResponse>("Sleep", request);
  }

  template <class Response, class Request>
  Response ask(const char* method, const Request& request) const {
    Response response;
    const std::string path = absl::StrCat("/temporal.api.testservice.v1.TestService/", method);
    const absl::Status status = connection_->call_blocking(
        path, request, response, {.retry = core::RetryClass::kNone, .timeout = {}});
    if (status.ok()) return response;
    throw sdk::rpc_error(status,
                         absl::StrCat("the test server's ", method, ": ", status.message()));
  }

 private:
  void change(int& count, int more) {
    const std::lock_guard guard(mutex_);
    count += more;
    const bool wanted = lifted_ > 0 && holds_ == 0;
    if (connection_ == nullptr || wanted == unlocked_) return;
    try {
      if (wanted) {
        ask<test::UnlockTimeSkippingResponse>("UnlockTimeSkipping",
                                              test::UnlockTimeSkippingRequest());
      } else {
        ask<test::LockTimeSkippingResponse>("LockTimeSkipping", test::LockTimeSkippingRequest());
      }
    } catch (...) {
      count -= more;
      throw;
    }
    unlocked_ = wanted;
  }

  std::shared_ptr<core::Connection> connection_;  // Null: this server does not skip time.
  std::mutex mutex_;
  int lifted_ = 0, holds_ = 0;
  bool unlocked_ = false;
};

class Lifted {
 public:
  explicit Lifted(TimeLock& lock) : lock_(lock) { lock_.lift(1); }
  ~Lifted() {
    try {
      lock_.lift(-1);
    } catch (const RpcError&) {  // The server is gone, and its time with it.
    }
  }

 private:
  TimeLock& lock_;
};

class SkippingLink : public sdk::ClientOutbound {
 public:
  SkippingLink(sdk::ClientOutbound* next, std::shared_ptr<TimeLock> lock)
      : ClientOutbound(next), lock_(std::move(lock)) {}
  detail::Answer result(const sdk::ResultInput& input) override {
    const Lifted lifted(*lock_);
    return ClientOutbound::result(input);
  }
  detail::Answer update_result(const sdk::UpdateResultInput& input) override {
    const Lifted lifted(*lock_);
    return ClientOutbound::update_result(input);
  }

 private:
  const std::shared_ptr<TimeLock> lock_;
};

class Skipping : public sdk::ClientInterceptor {
 public:
  explicit Skipping(std::shared_ptr<TimeLock> lock) : lock_(std::move(lock)) {}
  std::unique_ptr<sdk::ClientOutbound> link(sdk::ClientOutbound* next) override {
    return std::make_unique<SkippingLink>(next, lock_);
  }

 private:
  const std::shared_ptr<TimeLock> lock_;
};

// Notes for which workflows mocks wait.
class AwaitedLink : public sdk::ClientOutbound {
 public:
  using ClientOutbound::ClientOutbound;
  detail::Answer result(const sdk::ResultInput& input) override {
    const sdk::AwaitedByMock awaited(input.target);
    return ClientOutbound::result(input);
  }
  detail::StartedUpdate start_update(const detail::Target& target,
                                     sdk::UpdateInput& input) override {
    const sdk::AwaitedByMock awaited(target);
    return ClientOutbound::start_update(target, input);
  }
  detail::Answer update_result(const sdk::UpdateResultInput& input) override {
    const sdk::AwaitedByMock awaited(input.target);
    return ClientOutbound::update_result(input);
  }
};

class Awaiting : public sdk::ClientInterceptor {
 public:
  std::unique_ptr<sdk::ClientOutbound> link(sdk::ClientOutbound* next) override {
    return std::make_unique<AwaitedLink>(next);
  }
};

void refuse_elsewhere(const ClientOptions& options) {
  const ClientOptions defaults;
  const char* field = options.target_host != defaults.target_host ? "target_host"
                      : options.tls                               ? "tls"
                      : options.http_connect_proxy                ? "http_connect_proxy"
                      : !options.api_key.empty()                  ? "api_key"
                                                                  : nullptr;
  if (field == nullptr) return;
  throw std::invalid_argument(
      absl::StrCat("chimera::TestEnvironment: client.", field,
                   " is for a server elsewhere; this one is in the process. Leave it unset"));
}

}  // namespace

struct TestEnvironment::State {
  std::unique_ptr<server::Server> server;
  std::shared_ptr<TimeLock> lock = std::make_shared<TimeLock>();
  detail::ClientPtr calls;  // Of the client.
  std::optional<Client> client;
  bool skips = false;
};

TestEnvironment::TestEnvironment(const TestEnvironmentOptions& options)
    : state_(std::make_unique<State>()) {
  sdk::refuse_in_workflow("chimera::TestEnvironment");
  refuse_elsewhere(options.client);
  server::ServerOptions of_server;
  of_server.port = options.listens ? 0 : -1;
  of_server.search_attributes = options.search_attributes;
  if (options.client.namespace_ != "default") of_server.namespaces = {options.client.namespace_};
  if (options.time_skipping) of_server.time_skipping_locks = 1;
  of_server.dynamic_config = {{"frontend.WorkflowTimeSkippingEnabled", "true"}};
  absl::StatusOr<std::unique_ptr<server::Server>> server =
      server::Server::start(std::move(of_server));
  if (!server.ok())
    throw std::invalid_argument(
        absl::StrCat("chimera::TestEnvironment: ", server.status().message()));
  state_->server = *std::move(server);
  state_->skips = options.time_skipping;
  const detail::ClientPtr client =
      sdk::open_client(options.client, state_->server->local_transport());
  sdk::ClientInterceptors interceptors{std::make_shared<Awaiting>()};
  if (options.time_skipping) {
    state_->lock->use(client->connection);
    interceptors.push_back(std::make_shared<Skipping>(state_->lock));
  }
  client->intercept(interceptors);
  state_->calls = client;
  state_->client.emplace(client);
}

TestEnvironment::~TestEnvironment() = default;

Client& TestEnvironment::client() { return *state_->client; }

std::string TestEnvironment::address() const {
  const int port = state_->server->port();
  return port < 0 ? "" : absl::StrCat("127.0.0.1:", port);
}

Time TestEnvironment::now() const {
  if (!state_->skips) return std::chrono::system_clock::now();
  return base::to_wall_time(
      state_->lock->ask<test::GetCurrentTimeResponse>("GetCurrentTime", google::protobuf::Empty())
          .time());
}

void TestEnvironment::sleep(Duration time) {
  sdk::refuse_in_workflow("chimera::TestEnvironment::sleep");
  if (time < Duration::zero()) {
    throw std::invalid_argument(absl::StrCat("chimera::TestEnvironment::sleep: the time is ",
                                             absl::FormatDuration(absl::FromChrono(time)),
                                             "; it must not be negative"));
  }
  if (!state_->skips) {
    absl::SleepFor(absl::FromChrono(time));
    return;
  }
  test::SleepRequest request;
  base::set_duration(time, *request.mutable_duration());
  state_->lock->sleep(request);
}

void TestEnvironment::rest_activity(Duration time) {
  constexpr std::chrono::milliseconds kLook{20};  // For the worker's end.
  if (!state_->skips) {
    (void)activity::wait_for_cancelled(time);
    return;
  }
  const auto over = std::make_shared<absl::Notification>();
  state_->server->rest_activity(activity::info().task_token, time, [over] { over->Notify(); });
  while (!over->WaitForNotificationWithTimeout(absl::FromChrono(kLook))) {
    if (activity::is_cancelled()) return;
  }
}

Time TestEnvironment::clock_of(const std::string& id, const std::string& run_id) const {
  return sdk::clock_of(*state_->calls, id, run_id).value_or(now());
}

bool TestEnvironment::forward_clock(const std::string& id, const std::string& run_id, Duration time,
                                    const TimeSkippingConfig& config) {
  sdk::refuse_in_workflow("chimera::TestEnvironment::fast_forward");
  return sdk::forward_clock(*state_->calls, id, run_id, time, config);
}

TestEnvironment::RealTime::RealTime(TestEnvironment& env) : env_(env) { env.state_->lock->hold(1); }
TestEnvironment::RealTime::~RealTime() {
  try {
    env_.state_->lock->hold(-1);
  } catch (const RpcError&) {  // As in Lifted.
  }
}

}  // namespace chimera
