#include "server/service/grpc_frontend.h"

#include <cerrno>
#include <cstring>

#include <grpcpp/grpcpp.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/mutexes.h"
#include "core/base/transport.h"
#include "server/service/grpc_streams.h"
#include "server/service/wire.h"

namespace chimera::server {
namespace {

constexpr std::size_t kRequestBytesMax = 4 << 20;  // As the genuine server (grpc-go's default).
// What gRPC itself takes: more, so that the refusal names both sizes.
constexpr int kReceiveBytesMax = 64 << 20;

grpc::Status to_grpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  std::string details;
  if (const auto payload = status.GetPayload(base::kStatusDetails)) details = std::string(*payload);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      details);
}

grpc::Status too_large(std::size_t size) {
  return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                      absl::StrCat("grpc: received message larger than max (", size, " vs. ",
                                   kRequestBytesMax, ")"));
}

class Refusal : public Conversation {
 public:
  explicit Refusal(std::string why) : why_(std::move(why)) {}
  void begin(WireCall& call) override {
    call.finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, why_));
  }
  void has_read(bool) override {}

 private:
  const std::string why_;
};

// A call that is read once and answered once.
class Unary : public Conversation {
 public:
  Unary(const Method& method, Dispatcher& dispatcher)
      : dispatcher_(dispatcher), call_(std::make_shared<Call>()) {
    call_->method = &method;
  }

  void begin(WireCall& wire) override {
    wire_ = &wire;
    wire.read();
  }

  void has_read(bool ok) override {
    if (!ok) return wire_->finish(grpc::Status(grpc::StatusCode::CANCELLED, "no request"));
    grpc::ByteBuffer& bytes = wire_->bytes();
    if (bytes.Length() > kRequestBytesMax) return wire_->finish(too_large(bytes.Length()));
    call_->request.reset(call_->method->request->New());
    call_->owned_response.reset(call_->method->response->New());
    call_->response = call_->owned_response.get();
    if (!parse(bytes, *call_->request)) {
      return wire_->finish(
          grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "the request is not a valid message"));
    }
    bytes.Clear();
    read_context();
    call_->deliver = [this](absl::Status status) { deliver(std::move(status)); };
    submitted_ = true;
    dispatcher_.submit(call_);
    if (cancelled_) dispatcher_.cancel(call_);
  }

  void is_cancelled() override {
    cancelled_ = true;
    if (submitted_) dispatcher_.cancel(call_);
  }

 private:
  void read_context() {
    const grpc::GenericServerContext& context = wire_->context();
    const auto deadline = context.deadline();
    if (deadline != std::chrono::system_clock::time_point::max()) {
      call_->timeout = std::max<Nanos>(deadline - std::chrono::system_clock::now(), Nanos{1});
    }
    for (const auto& [key, value] : context.client_metadata()) {
      if (key == kSupportedFeatures)
        call_->follows_runs |= follows_runs({value.data(), value.size()});
      if (key == kClientName)
        call_->reads_unwritten = reads_unwritten({value.data(), value.size()});
    }
  }

  void deliver(absl::Status status) {
    if (!status.ok()) return wire_->finish(to_grpc(status));
    wire_->write_and_finish(serialize(*call_->response));
  }

  Dispatcher& dispatcher_;
  WireCall* wire_ = nullptr;
  const CallPtr call_;
  bool submitted_ = false, cancelled_ = false;
};

// What keeps a socket from listening there, in words; empty if nothing does. gRPC would print
// several lines of its own first and then not tell.
std::string listening_problem(const std::string& ip, int port) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(ip.c_str(), absl::StrCat(port).c_str(), &hints, &found);
      code != 0) {
    return absl::StrCat("there is no such address (", gai_strerror(code),
                        "). Use an address of this machine, such as 127.0.0.1 or 0.0.0.0.");
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> address(found, &freeaddrinfo);
  const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const int code = bind(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
  close(fd);
  switch (code) {
    case 0:
      return "";
    case EADDRINUSE:
      return "the port is in use. Choose another port (0 takes any free one), or stop the program "
             "that has it.";
    case EADDRNOTAVAIL:
      return "the address is not of this machine. Use one that is, such as 127.0.0.1 or 0.0.0.0.";
    default:
      return absl::StrCat(std::strerror(code), ". Choose another port (0 takes any free one).");
  }
}

class Frontend : public GrpcFrontend {
 public:
  explicit Frontend(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}
  ~Frontend() override { shut_down(); }

  absl::Status listen(const std::string& ip, int port) {
    const std::string address = absl::StrCat(
        ip.find(':') == std::string::npos ? ip : absl::StrCat("[", ip, "]"), ":", port);
    if (port > 65535) {
      return absl::InvalidArgumentError(
          absl::StrCat("cannot listen on ", address, ": a port is at most 65535."));
    }
    if (const std::string problem = listening_problem(ip, port); !problem.empty())
      return absl::FailedPreconditionError(
          absl::StrCat("cannot listen on ", address, ": ", problem));
    base::skip_deadlock_detection();
    grpc::ServerBuilder builder;
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.SetMaxReceiveMessageSize(kReceiveBytesMax);
    builder.SetMaxSendMessageSize(-1);
    builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port_);
    wire_ =
        std::make_unique<Wire>(builder, [this](const std::string& path) { return answer(path); });
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port_ == 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot listen on ", address,
                       ": another program was faster. Choose another "
                       "port (0 takes any free one)."));
    }
    wire_->accept();
    return absl::OkStatus();
  }

  int port() const override { return port_; }
  LoopSleeper& sleeper() override { return *wire_; }
  void shut_down() override {
    if (server_ == nullptr || shut_down_) return;
    watches_.end_all();
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
    server_->Wait();
    shut_down_ = true;
  }

 private:
  std::unique_ptr<Conversation> answer(const std::string& path) {
    if (is_reflection(path)) return make_reflection();
    if (path == kHealthWatchPath) return make_health_watch(watches_);
    const Method* method = service_methods().find(path);
    if (method == nullptr) return std::make_unique<Refusal>(service_methods().refusal(path));
    return std::make_unique<Unary>(*method, dispatcher_);
  }

  Dispatcher& dispatcher_;
  HealthWatches watches_;
  std::unique_ptr<Wire> wire_;
  std::unique_ptr<grpc::Server> server_;  // Ends before its wire.
  bool shut_down_ = false;
  int port_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcFrontend>> GrpcFrontend::listen(const std::string& ip, int port,
                                                                   Dispatcher& dispatcher) {
  auto frontend = std::make_unique<Frontend>(dispatcher);
  if (absl::Status status = frontend->listen(ip, port); !status.ok()) return status;
  return frontend;
}

}  // namespace chimera::server
