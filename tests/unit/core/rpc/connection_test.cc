#include "core/rpc/connection.h"

#include <cmath>

#include "absl/strings/match.h"
#include <gtest/gtest.h>

#include "core/rpc/connect.h"
#include "tests/support/fake_timers.h"
#include "tests/support/fake_transport.h"

namespace chimera::core {
namespace {

namespace ws = api::workflowservice::v1;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::FakeTimers;
using testing::FakeTransport;

class ConnectionTest : public ::testing::Test {
 protected:
  // Calls that nobody took hold the transport by their callbacks.
  ~ConnectionTest() override { transport_->calls.clear(); }

  ConnectionOptions options() {
    ConnectionOptions options;
    options.target_host = "temporal.test:7233";
    options.transport = transport_;
    return options;
  }

  void connect(ConnectionOptions options) {
    connect_async(std::move(options), {timers_, [] { return 0.5; }},
                  [this](absl::StatusOr<std::shared_ptr<Connection>> result) {
                    result_ = std::move(result);
                  });
  }

  std::shared_ptr<Connection> connected() {
    connect(options());
    transport_->take()->answer(ws::GetSystemInfoResponse());
    return **result_;
  }

  // Starts a call whose end is written to `status`.
  std::shared_ptr<base::RpcInFlight> call(Connection& connection, CallOptions options = {}) {
    return connection.call(CHIMERA_WORKFLOW_SERVICE(DescribeNamespace), &request_, &reply_,
                           std::move(options),
                           [this](absl::Status status) { status_ = std::move(status); });
  }

  FakeTimers timers_;
  std::shared_ptr<FakeTransport> transport_ = std::make_shared<FakeTransport>();
  std::optional<absl::StatusOr<std::shared_ptr<Connection>>> result_;
  std::optional<absl::Status> status_;
  ws::DescribeNamespaceRequest request_;
  ws::DescribeNamespaceResponse reply_;
};

TEST_F(ConnectionTest, AsksTheServerWhatItCanDo) {
  connect(options());
  ws::GetSystemInfoResponse info;
  info.mutable_capabilities()->set_sdk_metadata(true);

  auto greeting = transport_->take();
  greeting->answer(info);

  EXPECT_EQ(greeting->method, CHIMERA_WORKFLOW_SERVICE(GetSystemInfo));
  ASSERT_TRUE(result_ && result_->ok());
  EXPECT_TRUE((**result_)->capabilities().sdk_metadata());
  EXPECT_NE((**result_)->options().identity.find('@'), std::string::npos);
}

TEST_F(ConnectionTest, AServerFromBeforeTheQuestionHasNoCapabilities) {
  connect(options());

  transport_->take()->finish(absl::UnimplementedError("unknown method GetSystemInfo"));

  ASSERT_TRUE(result_ && result_->ok());
}

TEST_F(ConnectionTest, AnUnreachableServerIsTriedUntilTheTimeIsOver) {
  connect(options());

  while (auto call = transport_->take()) {
    call->finish(absl::UnavailableError("Connection refused"));
    timers_.advance_to_next();
  }

  ASSERT_TRUE(result_);
  EXPECT_TRUE(absl::IsUnavailable(result_->status()));
  EXPECT_GT(transport_->started, 5);
  std::string text(result_->status().message());
  for (const char* part : {"temporal.test:7233", "Connection refused", "temporal server start-dev"})
    EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST_F(ConnectionTest, RefusedCredentialsEndAtOnceAndSaySo) {
  ConnectionOptions with_key = options();
  with_key.api_key = "secret";
  connect(with_key);

  transport_->take()->finish(absl::UnauthenticatedError("Request unauthorized."));

  ASSERT_TRUE(result_);
  std::string text(result_->status().message());
  EXPECT_NE(text.find("refused the API key"), std::string::npos) << text;
  EXPECT_EQ(text.find("secret"), std::string::npos) << text;
}

TEST_F(ConnectionTest, WhatDoesNotHealIsNotTriedAgain) {
  struct Case {
    absl::Status failure;
    const char* advice;
  };
  for (const Case& c :
       {Case{absl::UnavailableError("Ssl handshake failed: SSL_ERROR_SSL: WRONG_VERSION_NUMBER"),
             "TLS handshake"},
        Case{absl::UnavailableError("Trying to connect an http1.x server"), "not a Temporal"},
        Case{absl::UnavailableError("ipv4:127.0.0.1:1: Failed parsing HTTP/2"), "wants TLS"},
        Case{absl::UnimplementedError("unknown service temporal.api.X"), "not a Temporal"}}) {
    result_.reset();
    connect(options());

    transport_->take()->finish(c.failure);

    ASSERT_TRUE(result_) << c.failure;
    std::string text(result_->status().message());
    EXPECT_NE(text.find(c.advice), std::string::npos) << text;
  }
}

TEST_F(ConnectionTest, WrongOptionsAreNamedBeforeAnythingIsSent) {
  struct Case {
    std::function<void(ConnectionOptions&)> change;
    const char* named;
  };
  for (const Case& c :
       {Case{[](auto& o) { o.target_host = "http://x:1"; }, "scheme"},
        Case{[](auto& o) { o.target_host = "x"; }, "no port"},
        Case{[](auto& o) { o.target_host = "x:99999"; }, "between 1 and 65535"},
        Case{[](auto& o) { o.metadata = {{"A", "b"}}; }, "\"A\""},
        Case{[](auto& o) { o.tls = TlsOptions{.server_root_ca_cert = "x"}; },
             "server_root_ca_cert"},
        Case{[](auto& o) { o.tls = TlsOptions{.client_cert = "x"}; }, "client_private_key"},
        Case{[](auto& o) { o.keep_alive->timeout = milliseconds(0); }, "keep_alive.timeout"},
        Case{[](auto& o) { o.http_connect_proxy = {"x", "", ""}; }, "http_connect_proxy"},
        Case{[](auto& o) { o.retry.initial_interval = milliseconds(0); }, "initial_interval"},
        Case{[](auto& o) { o.retry.max_interval = milliseconds(-1); }, "max_interval"},
        Case{[](auto& o) { o.retry.multiplier = std::nan(""); }, "multiplier"},
        Case{[](auto& o) { o.retry.multiplier = 0.5; }, "multiplier"},
        Case{[](auto& o) { o.retry.randomization_factor = std::nan(""); }, "randomization_factor"},
        Case{[](auto& o) { o.retry.randomization_factor = 2; }, "randomization_factor"},
        Case{[](auto& o) { o.retry.max_elapsed_time = milliseconds(-1); }, "max_elapsed_time"},
        Case{[](auto& o) { o.retry.max_retries = -1; }, "max_retries"},
        Case{[](auto& o) {
               o.target_host = "unix:/a";
               o.http_connect_proxy = {"x:1", "", ""};
             },
             "no proxy reaches"}}) {
    ConnectionOptions wrong;
    c.change(wrong);
    result_.reset();

    connect(wrong);

    ASSERT_TRUE(result_) << c.named;
    EXPECT_TRUE(absl::IsInvalidArgument(result_->status()));
    EXPECT_NE(result_->status().message().find(c.named), std::string::npos) << result_->status();
  }
}

TEST_F(ConnectionTest, TriesAgainWithTheSameRequestAndTheNewestKey) {
  auto connection = connected();
  request_.set_namespace_("orders");
  call(*connection, {.namespace_ = "orders"});
  auto first = transport_->take();

  first->finish(absl::UnavailableError("gone"));
  connection->set_api_key("fresh");
  auto waited = timers_.advance_to_next();
  auto second = transport_->take();
  second->answer(ws::DescribeNamespaceResponse());

  EXPECT_EQ(waited, milliseconds(100));
  EXPECT_EQ(second->request, first->request);
  EXPECT_EQ(first->header("temporal-namespace"), "orders");
  EXPECT_EQ(second->header("authorization"), "Bearer fresh");
  EXPECT_EQ(status_, absl::OkStatus());
}

TEST_F(ConnectionTest, ADeadlineIsThatOfAllTries) {
  auto connection = connected();
  const base::SteadyTime began = timers_.now();
  call(*connection, {.deadline = began + milliseconds(250)});
  auto first = transport_->take();
  EXPECT_EQ(first->timeout, milliseconds(250));

  first->finish(absl::UnavailableError("gone"));
  EXPECT_EQ(timers_.advance_to_next(), milliseconds(100));
  auto second = transport_->take();
  EXPECT_EQ(second->timeout, milliseconds(150));
  second->finish(absl::UnavailableError("still"));  // The next try would be in 170 ms.

  EXPECT_EQ(status_, absl::UnavailableError("still"));
  EXPECT_EQ(timers_.pending(), 0u);
}

TEST_F(ConnectionTest, AfterItsDeadlineNothingIsSent) {
  auto connection = connected();
  call(*connection, {.deadline = timers_.now()});
  EXPECT_EQ(transport_->take(), nullptr);
  timers_.advance({});
  EXPECT_EQ(status_->code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ConnectionTest, TellsOfEachFailureAfterWhichItTriesAgain) {
  auto connection = connected();
  std::vector<absl::StatusCode> told;
  call(*connection,
       {.on_retry = [&told](const absl::Status& failure) { told.push_back(failure.code()); }});
  transport_->take()->finish(absl::ResourceExhaustedError("busy"));
  timers_.advance_to_next();
  transport_->take()->finish(absl::UnavailableError("gone"));
  timers_.advance_to_next();
  transport_->take()->finish(absl::InvalidArgumentError("wrong"));

  EXPECT_EQ(told,
            (std::vector{absl::StatusCode::kResourceExhausted, absl::StatusCode::kUnavailable}));
  EXPECT_EQ(status_->code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ConnectionTest, CancellingBetweenTriesEndsTheCallAtOnce) {
  auto connection = connected();
  auto handle = call(*connection);
  transport_->take()->finish(absl::UnavailableError("gone"));

  handle->cancel();
  EXPECT_FALSE(status_);  // Never inside cancel(): its caller may hold a lock.
  timers_.advance({});

  EXPECT_EQ(status_->code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(timers_.pending(), 0u);
}

TEST_F(ConnectionTest, ACallThatItsCallerCancelledIsNotTriedAgain) {
  auto connection = connected();
  auto handle = call(*connection);
  auto sent = transport_->take();

  handle->cancel();
  sent->finish(absl::CancelledError("cancelled"));

  EXPECT_TRUE(sent->cancelled);
  EXPECT_EQ(status_->code(), absl::StatusCode::kCancelled);
}

TEST_F(ConnectionTest, ACancellationThatComesFromTheTransportIsTriedAgain) {
  auto connection = connected();
  call(*connection);

  transport_->take()->finish(absl::CancelledError("GOAWAY"));
  timers_.advance_to_next();

  EXPECT_NE(transport_->take(), nullptr);
}

TEST_F(ConnectionTest, AnAnsweredCallLetsGoOfItsTransport) {
  auto connection = connected();
  auto handle = call(*connection);
  auto sent = transport_->take();
  ASSERT_FALSE(transport_->last_in_flight.expired());

  sent->answer(ws::DescribeNamespaceResponse());

  EXPECT_TRUE(transport_->last_in_flight.expired());
}

// Answers before it gives out the call.
class HastyTransport : public base::Transport {
 public:
  std::shared_ptr<base::RpcInFlight> start(base::RpcCall rpc) override {
    auto in_flight = std::make_shared<FakeTransport::InFlight>();
    last = in_flight;
    std::move(rpc.done)(absl::OkStatus());
    return in_flight;
  }
  std::weak_ptr<base::RpcInFlight> last;
};

TEST_F(ConnectionTest, SoDoesOneThatIsAnsweredBeforeItHasBegun) {
  auto hasty = std::make_shared<HastyTransport>();
  ConnectionOptions with = options();
  with.transport = hasty;
  connect(std::move(with));
  auto connection = **result_;

  auto handle = call(*connection);

  EXPECT_TRUE(status_->ok());
  EXPECT_TRUE(hasty->last.expired());
}

TEST_F(ConnectionTest, NothingIsTriedAgainOnceTheConnectionIsGone) {
  auto connection = connected();
  call(*connection);
  auto sent = transport_->take();

  connection.reset();
  result_.reset();
  sent->finish(absl::UnavailableError("gone"));

  EXPECT_EQ(status_->code(), absl::StatusCode::kUnavailable);
}

TEST_F(ConnectionTest, LongPollsGetMoreTime) {
  auto connection = connected();
  ws::PollWorkflowTaskQueueRequest poll;
  ws::PollWorkflowTaskQueueResponse poll_reply;
  ws::GetWorkflowExecutionHistoryRequest history, wait;
  wait.set_wait_new_event(true);
  ws::GetWorkflowExecutionHistoryResponse history_reply;
  auto ignore = [](absl::Status) {};

  call(*connection);
  connection->call(CHIMERA_WORKFLOW_SERVICE(PollWorkflowTaskQueue), &poll, &poll_reply, {}, ignore);
  connection->call(CHIMERA_WORKFLOW_SERVICE(GetWorkflowExecutionHistory), &history, &history_reply,
                   {}, ignore);
  connection->call(CHIMERA_WORKFLOW_SERVICE(GetWorkflowExecutionHistory), &wait, &history_reply, {},
                   ignore);
  call(*connection, {.timeout = seconds(5)});

  std::vector<std::int64_t> timeouts;
  while (auto sent = transport_->take()) {
    timeouts.push_back(std::chrono::duration_cast<seconds>(sent->timeout).count());
  }
  EXPECT_EQ(timeouts, (std::vector<std::int64_t>{30, 70, 30, 70, 5}));
}

TEST_F(ConnectionTest, AHeaderThatCannotBeSentFailsTheCallNotTheProcess) {
  auto connection = connected();

  connection->set_metadata({{"Bad", "x"}});
  call(*connection);
  EXPECT_FALSE(status_);  // Never inside call().
  timers_.advance({});

  EXPECT_TRUE(absl::IsInvalidArgument(*status_));
  EXPECT_EQ(transport_->take(), nullptr);
}

}  // namespace
}  // namespace chimera::core
