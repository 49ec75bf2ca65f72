// How a client reaches its server, seen from the server's side: what calls carry, how long they
// take, through a proxy, and with certificates that change.
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chimera/client.h"

namespace chimera {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using Headers = std::map<std::string, std::string>;

// Answers every call with an empty message, or as it is told; keeps what calls carried.
class Wire : public grpc::CallbackGenericService {
 public:
  explicit Wire(const std::shared_ptr<grpc::ServerCredentials>& credentials =
                    grpc::InsecureServerCredentials(),
                int port = 0) {
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(this);
    builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), credentials, &port_);
    server_ = builder.BuildAndStart();
  }
  ~Wire() override { server_->Shutdown(std::chrono::system_clock::now()); }

  int port() const { return port_; }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }
  // How calls of this method end from now on; nothing: they do not.
  void answer(const std::string& method, std::optional<grpc::Status> with) {
    const std::lock_guard lock(mutex_);
    answers_[method] = std::move(with);
  }
  // What the calls of the method carried so far.
  std::vector<Headers> calls(const std::string& method) {
    const std::lock_guard lock(mutex_);
    return calls_[method];
  }

 private:
  class Reactor : public grpc::ServerGenericBidiReactor {
   public:
    explicit Reactor(std::optional<grpc::Status> end) : end_(std::move(end)) {
      StartRead(&request_);
    }
    void OnReadDone(bool) override {
      if (!end_) return;
      if (!end_->ok()) return Finish(*end_);
      grpc::Slice nothing;
      reply_ = grpc::ByteBuffer(&nothing, 1);
      StartWriteAndFinish(&reply_, grpc::WriteOptions(), *end_);
    }
    void OnCancel() override {
      if (!end_) Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }

   private:
    std::optional<grpc::Status> end_;
    grpc::ByteBuffer request_, reply_;
  };

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    const std::string method = context->method().substr(context->method().rfind('/') + 1);
    Headers headers;
    for (const auto& [name, value] : context->client_metadata())
      headers.emplace(std::string(name.data(), name.size()),
                      std::string(value.data(), value.size()));
    const std::lock_guard lock(mutex_);
    calls_[method].push_back(std::move(headers));
    const auto found = answers_.find(method);
    return new Reactor(found == answers_.end() ? grpc::Status::OK : found->second);
  }

  std::mutex mutex_;
  std::map<std::string, std::optional<grpc::Status>> answers_;
  std::map<std::string, std::vector<Headers>> calls_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

StatusCode code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const RpcError& error) {
    return error.code();
  }
  return StatusCode::kOk;
}
std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "done";
}

constexpr char kDescribe[] = "DescribeWorkflowExecution";

TEST(ConnectionTest, MetadataOfOneCallGoesWithThatCall) {
  Wire wire;
  const Client client = Client::connect(
      {.target_host = wire.address(), .rpc_metadata = {{"tenant", "all"}, {"zone", "1"}}});
  const auto handle = client.with_rpc({.metadata = {{"tenant", "one"}, {"raw-bin", "\x01\xff"}}})
                          .get_workflow_handle<int>("w");

  handle.describe();  // Handles have no options of the client that gave them.
  handle.with_rpc({.metadata = {{"tenant", "one"}, {"raw-bin", "\x01\xff"}}}).describe();

  auto calls = wire.calls(kDescribe);
  ASSERT_THAT(calls, SizeIs(2));
  EXPECT_EQ(calls[0]["tenant"], "all");
  EXPECT_FALSE(calls[0].contains("raw-bin"));
  EXPECT_EQ(calls[1]["tenant"], "one");
  EXPECT_EQ(calls[1]["zone"], "1");
  EXPECT_EQ(calls[1]["raw-bin"], "\x01\xff");
}

TEST(ConnectionTest, KeysAndMetadataChangeForCopiesAndHandles) {
  Wire wire;
  const Client client = Client::connect({.target_host = wire.address(),
                                         .api_key = "first",
                                         .tls_disabled = true,
                                         .rpc_metadata = {{"zone", "1"}}});
  const auto handle = client.get_workflow_handle<int>("w");
  const auto with = client.with_rpc({.timeout = 10s}).get_workflow_handle<int>("w");

  handle.describe();
  client.update_api_key("second");
  client.update_rpc_metadata({{"zone", "2"}});
  handle.describe();
  with.describe();
  client.update_api_key("");
  handle.describe();

  auto calls = wire.calls(kDescribe);
  ASSERT_THAT(calls, SizeIs(4));
  EXPECT_EQ(calls[0]["authorization"], "Bearer first");
  EXPECT_EQ(calls[0]["zone"], "1");
  EXPECT_EQ(calls[1]["authorization"], "Bearer second");
  EXPECT_EQ(calls[1]["zone"], "2");
  EXPECT_EQ(calls[2]["authorization"], "Bearer second");
  EXPECT_FALSE(calls[3].contains("authorization"));
}

TEST(ConnectionTest, WhatCannotBeSentIsRefusedAndChangesNothing) {
  Wire wire;
  const Client client =
      Client::connect({.target_host = wire.address(), .api_key = "k", .tls_disabled = true});

  EXPECT_THAT(refusal([&] { client.update_api_key("a\nb"); }), HasSubstr("update_api_key()"));
  EXPECT_THAT(refusal([&] { client.update_rpc_metadata({{"Zone", "1"}}); }), HasSubstr("\"Zone\""));
  EXPECT_THAT(refusal([&] { (void)client.with_rpc({.metadata = {{"grpc-x", "1"}}}); }),
              HasSubstr("RpcOptions::metadata"));
  EXPECT_THAT(refusal([&] { (void)client.with_rpc({.timeout = -1ms}); }),
              HasSubstr("RpcOptions::timeout"));
  client.get_workflow_handle<int>("w").describe();
  EXPECT_EQ(wire.calls(kDescribe).at(0).at("authorization"), "Bearer k");
}

TEST(ConnectionTest, ACallsTimeEndsItAndItsWaiting) {
  Wire wire;
  const Client client = Client::connect({.target_host = wire.address()});
  const auto handle = client.get_workflow_handle<int>("w").with_rpc({.timeout = 100ms});
  wire.answer(kDescribe, std::nullopt);

  EXPECT_EQ(code_of([&] { handle.describe(); }), StatusCode::kDeadlineExceeded);
  // The server has no news each time, and at last gives no answer.
  EXPECT_EQ(code_of([&] { handle.result(); }), StatusCode::kDeadlineExceeded);
  wire.answer("GetWorkflowExecutionHistory", std::nullopt);
  EXPECT_EQ(code_of([&] { handle.result(); }), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(code_of([&] { handle.fetch_history_events({.wait_new_event = true}).all(); }),
            StatusCode::kDeadlineExceeded);
}

TEST(ConnectionTest, ACallsTimeIsThatOfAllItsTries) {
  Wire wire;
  const Client client = Client::connect({.target_host = wire.address()});
  const auto handle = client.get_workflow_handle<int>("w");
  wire.answer(kDescribe, grpc::Status(grpc::StatusCode::UNAVAILABLE, "away"));
  const auto began = std::chrono::steady_clock::now();

  EXPECT_EQ(code_of([&] { handle.with_rpc({.timeout = 500ms}).describe(); }),
            StatusCode::kUnavailable);

  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  const std::size_t tries = wire.calls(kDescribe).size();
  EXPECT_GT(tries, 1u);
  EXPECT_EQ(code_of([&] { handle.with_rpc({.retry = false}).describe(); }),
            StatusCode::kUnavailable);
  EXPECT_EQ(wire.calls(kDescribe).size(), tries + 1);
  EXPECT_EQ(
      code_of([&] {
        handle.with_rpc({.timeout = std::chrono::milliseconds::max(), .retry = false}).describe();
      }),
      StatusCode::kUnavailable);  // Not because its time was over.
}

TEST(ConnectionTest, RetriesAreAsTheClientWasTold) {
  Wire wire;
  const Client client = Client::connect(
      {.target_host = wire.address(), .retry = {.initial_interval = 1ms, .max_retries = 3}});
  wire.answer(kDescribe, grpc::Status(grpc::StatusCode::UNAVAILABLE, "away"));

  EXPECT_EQ(code_of([&] { client.get_workflow_handle<int>("w").describe(); }),
            StatusCode::kUnavailable);

  EXPECT_EQ(wire.calls(kDescribe).size(), 3u);
}

TEST(ConnectionTest, RawDetailsOfAFailureArrive) {
  Wire wire;
  const Client client = Client::connect({.target_host = wire.address()});
  wire.answer(kDescribe, grpc::Status(grpc::StatusCode::NOT_FOUND, "none", "\x08\x05"));
  try {
    client.get_workflow_handle<int>("w").describe();
    ADD_FAILURE() << "described";
  } catch (const RpcError& error) {
    EXPECT_EQ(name_of(error.code()), "NOT_FOUND");
    EXPECT_EQ(error.raw_grpc_status(), "\x08\x05");
  }
}

// --- A proxy ---

// Forwards connections as CONNECT asks for them, on threads of its own; keeps what was asked.
class Proxy {
 public:
  Proxy() {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 16), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~Proxy() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int each : sockets_) shutdown(each, SHUT_RDWR);
    }
    for (std::thread& each : forwarders_) each.join();
    for (const int each : sockets_) close(each);
    close(listener_);
  }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }
  std::vector<std::string> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  void accept_all() {
    for (;;) {
      const int client = accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      const std::lock_guard lock(mutex_);
      sockets_.insert(client);
      forwarders_.emplace_back([this, client] { forward(client); });
    }
  }

  void forward(int client) {
    std::string head;
    char byte = 0;
    while (!head.ends_with("\r\n\r\n") && recv(client, &byte, 1, 0) == 1) head += byte;
    const std::size_t colon = head.find(':');
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(head.substr(colon + 1))));
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    {
      const std::lock_guard lock(mutex_);
      asked_.push_back(head);
      sockets_.insert(server);
    }
    if (connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return;
    const std::string ok = "HTTP/1.1 200 Connection established\r\n\r\n";
    send(client, ok.data(), ok.size(), MSG_NOSIGNAL);
    std::array<pollfd, 2> ends{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    std::array<char, 4096> buffer;
    while (poll(ends.data(), 2, -1) > 0) {
      for (int i = 0; i < 2; ++i) {
        if (ends[i].revents == 0) continue;
        const ssize_t size = recv(ends[i].fd, buffer.data(), buffer.size(), 0);
        if (size <= 0) {
          shutdown(client, SHUT_RDWR);
          shutdown(server, SHUT_RDWR);
          return;
        }
        send(ends[1 - i].fd, buffer.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL);
      }
    }
  }

  int listener_ = -1, port_ = 0;
  std::thread acceptor_;
  std::mutex mutex_;
  std::vector<std::thread> forwarders_;  // Added to by the acceptor alone.
  std::set<int> sockets_;
  std::vector<std::string> asked_;
};

TEST(ConnectionTest, GoesThroughAProxyWithAPasswordOfAnyCharacters) {
  for (const char* each : {"no_proxy", "no_grpc_proxy"}) unsetenv(each);
  Wire wire;
  Proxy proxy;
  {
    const Client client = Client::connect(
        {.target_host = wire.address(),
         .http_connect_proxy = HttpConnectProxyConfig{
             .target_host = proxy.address(), .user = "ann@home", .password = "p:@/%41"}});
    client.get_workflow_handle<int>("w").describe();
  }

  EXPECT_THAT(wire.calls(kDescribe), SizeIs(1));
  ASSERT_FALSE(proxy.asked().empty());
  EXPECT_THAT(proxy.asked()[0], HasSubstr(absl::StrCat("CONNECT ", wire.address(), " HTTP/1")));
  EXPECT_THAT(proxy.asked()[0], HasSubstr(absl::StrCat("Proxy-Authorization: Basic ",
                                                       absl::Base64Escape("ann@home:p:@/%41"))));
}

TEST(ConnectionTest, AProxyThatIsNotThereIsNamed) {
  Wire wire;
  try {
    Client::connect({.target_host = wire.address(),
                     .connect_timeout = 300ms,
                     .http_connect_proxy = HttpConnectProxyConfig{.target_host = "127.0.0.1:1"}});
    ADD_FAILURE() << "connected";
  } catch (const RpcError& error) {
    EXPECT_THAT(error.what(), HasSubstr("by the proxy 127.0.0.1:1"));
  }
}

// --- Certificates that change ---

std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}
const std::filesystem::path kData = std::filesystem::path(CHIMERA_TEST_DATA) / "data/tls";

// Only who has this very certificate is let in.
std::shared_ptr<grpc::ServerCredentials> only(const std::string& name) {
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = content(kData / (name + ".pem"));
  options.pem_key_cert_pairs.push_back(
      {content(kData / (name + ".key")), content(kData / (name + ".pem"))});
  return grpc::SslServerCredentials(options);
}

TEST(ConnectionTest, CertificatesAreReadAgainWhenTheirFilesChange) {
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / absl::StrCat("chimera-tls-", getpid());
  std::filesystem::create_directories(folder);
  const auto place = [&](const std::string& name) {
    for (const char* end : {".pem", ".key"}) {
      const auto to = folder / (std::string("now") + end), fresh = folder / (name + end);
      std::filesystem::copy_file(kData / (name + end), fresh,
                                 std::filesystem::copy_options::overwrite_existing);
      std::filesystem::rename(fresh, to);
    }
  };
  place("server");
  auto wire = std::make_unique<Wire>(only("server"));
  const int port = wire->port();
  const Client client = Client::connect(
      {.target_host = wire->address(),
       .tls = TlsConfig{.domain = "pinned.test",
                        .server_root_ca_cert_file = folder / "now.pem",
                        .client_cert_file = folder / "now.pem",
                        .client_private_key_file = folder / "now.key",
                        .reload_interval = 1s},
       .retry = {.max_interval = 200ms, .max_elapsed_time = 60s, .max_retries = 1000}});
  const auto handle = client.get_workflow_handle<int>("w");
  handle.describe();

  wire.reset();
  place("other");
  wire = std::make_unique<Wire>(only("other"), port);
  handle.describe();  // Tries until the files have been read again.

  EXPECT_THAT(wire->calls(kDescribe), SizeIs(1));
  std::filesystem::remove_all(folder);
}

TEST(ConnectionTest, WrongOptionsAreNamed) {
  const auto said = [](ClientOptions options) -> std::string {
    try {
      Client::connect(options);
      return "connected";
    } catch (const RpcError& error) {
      EXPECT_EQ(error.code(), StatusCode::kInvalidArgument);
      return error.what();
    }
  };
  const std::string pem = content(kData / "server.pem"), file = kData / "server.pem";
  const auto tls = [](TlsConfig with) { return ClientOptions{.tls = std::move(with)}; };

  EXPECT_THAT(said(tls({.server_root_ca_cert_file = "/none"})),
              HasSubstr("server_root_ca_cert_file \"/none\" cannot be read"));
  EXPECT_THAT(said(tls({.server_root_ca_cert_file = kData.string()})), HasSubstr("cannot be read"));
  EXPECT_THAT(said(tls({.server_root_ca_cert = pem, .client_cert_file = file})),
              HasSubstr("some as files"));
  EXPECT_THAT(said(tls({.client_cert_file = file})), HasSubstr("without client_private_key"));
  EXPECT_THAT(said(tls({.server_root_ca_cert_file = file, .reload_interval = 0s})),
              HasSubstr("reload_interval"));
  EXPECT_THAT(said({.tls = TlsConfig{}, .tls_disabled = true}), HasSubstr("tls_disabled"));
  EXPECT_THAT(said({.keep_alive = KeepAliveConfig{.interval = 0ms}}),
              HasSubstr("keep_alive.interval is 0 ms"));
  const auto proxy = [](HttpConnectProxyConfig with) {
    return ClientOptions{.http_connect_proxy = std::move(with)};
  };
  EXPECT_THAT(said(proxy({.target_host = "http://x:1"})),
              HasSubstr("http_connect_proxy.target_host \"http://x:1\" has a scheme"));
  EXPECT_THAT(said(proxy({.target_host = "x:1", .user = "a:b"})), HasSubstr("colon"));
  EXPECT_THAT(said(proxy({.target_host = "x:1", .password = "b"})), HasSubstr("without a user"));
}

}  // namespace
}  // namespace chimera
