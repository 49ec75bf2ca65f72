#include "server/service/grpc_frontend.h"

#include <atomic>

#include "absl/strings/cord.h"
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/proto_buffer_writer.h>

#include "core/base/transport.h"

namespace chimera::server {
namespace {

constexpr int kBlockBytes = 1 << 20;
constexpr int kRequestBytesMax = 4 << 20;  // As the genuine server (grpc-go's default).

grpc::Status to_grpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  std::string details;
  if (const auto payload = status.GetPayload(base::kStatusDetails)) details = std::string(*payload);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      details);
}

// One call on the wire: read once, answered once. Deletes itself when gRPC is done with it.
class Reactor : public grpc::ServerGenericBidiReactor {
 public:
  Reactor(grpc::GenericCallbackServerContext* context, Dispatcher& dispatcher)
      : dispatcher_(dispatcher), context_(context), call_(std::make_shared<Call>()) {
    call_->method = service_methods().find(context->method());
    if (call_->method == nullptr) {
      Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "unknown method " + context->method()));
      return;
    }
    StartRead(&bytes_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return finish(grpc::Status(grpc::StatusCode::CANCELLED, "no request"));
    call_->request.reset(call_->method->request->New());
    call_->owned_response.reset(call_->method->response->New());
    call_->response = call_->owned_response.get();
    {
      grpc::ProtoBufferReader reader(&bytes_);
      if (!reader.status().ok() || !call_->request->ParseFromZeroCopyStream(&reader)) {
        return finish(
            grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "the request is not a valid message"));
      }
    }
    bytes_.Clear();
    const auto deadline = context_->deadline();
    if (deadline != std::chrono::system_clock::time_point::max()) {
      call_->timeout = std::max<Nanos>(deadline - std::chrono::system_clock::now(), Nanos{1});
    }
    call_->deliver = [this](absl::Status status) { deliver(std::move(status)); };
    dispatcher_.submit(call_);
  }

  void OnCancel() override { dispatcher_.cancel(call_); }
  void OnDone() override { delete this; }

 private:
  void finish(const grpc::Status& status) {
    if (!finished_.exchange(true)) Finish(status);
  }

  void deliver(absl::Status status) {
    if (!status.ok()) return finish(to_grpc(status));
    const int size = static_cast<int>(call_->response->ByteSizeLong());
    if (size > 0) {
      grpc::ProtoBufferWriter writer(&bytes_, std::min(size, kBlockBytes), size);
      call_->response->SerializeToZeroCopyStream(&writer);
    } else {
      const grpc::Slice empty;
      bytes_ = grpc::ByteBuffer(&empty, 1);
    }
    if (!finished_.exchange(true))
      StartWriteAndFinish(&bytes_, grpc::WriteOptions(), grpc::Status::OK);
  }

  Dispatcher& dispatcher_;
  grpc::GenericCallbackServerContext* const context_;
  const CallPtr call_;
  grpc::ByteBuffer bytes_;
  std::atomic<bool> finished_{false};
};

class Service : public grpc::CallbackGenericService {
 public:
  explicit Service(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return new Reactor(context, dispatcher_);
  }

 private:
  Dispatcher& dispatcher_;
};

class Frontend : public GrpcFrontend {
 public:
  explicit Frontend(Dispatcher& dispatcher) : service_(dispatcher) {}
  ~Frontend() override { shut_down(); }

  absl::Status listen(const std::string& ip, int port) {
    const std::string address = absl::StrCat(
        ip.find(':') == std::string::npos ? ip : absl::StrCat("[", ip, "]"), ":", port);
    grpc::ServerBuilder builder;
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.SetMaxReceiveMessageSize(kRequestBytesMax + (1 << 20));
    builder.SetMaxSendMessageSize(-1);
    builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port_ == 0) {
      return absl::FailedPreconditionError(absl::StrCat(
          "cannot listen on ", address,
          ": the port is in use, or the address is not of this machine. Choose another "
          "port (0 takes any free one), or stop the program that has it."));
    }
    return absl::OkStatus();
  }

  int port() const override { return port_; }
  void shut_down() override {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
    server_->Wait();
    server_ = nullptr;
  }

 private:
  Service service_;
  std::unique_ptr<grpc::Server> server_;
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
