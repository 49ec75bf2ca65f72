#include "server/service/grpc_streams.h"

#include <algorithm>

#include "grpc/health/v1/health.pb.h"
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/proto_buffer_writer.h>

#include "server/base/parse.h"
#include "server/service/method_table.h"
#include "server/service/reflection.h"

namespace chimera::server {

namespace {
constexpr int kBlockBytes = 1 << 20;
}

bool parse(grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message) {
  grpc::ProtoBufferReader reader(&bytes);
  if (!reader.status().ok()) return false;
  if (message.ParseFromZeroCopyStream(&reader)) return true;
  grpc::ProtoBufferReader again(&bytes);  // It may be deep, not broken.
  return parse_deep(again, message);
}

grpc::ByteBuffer serialize(const google::protobuf::MessageLite& message) {
  const int size = static_cast<int>(message.ByteSizeLong());
  if (size == 0) {
    const grpc::Slice empty;
    return grpc::ByteBuffer(&empty, 1);
  }
  grpc::ByteBuffer bytes;
  grpc::ProtoBufferWriter writer(&bytes, std::min(size, kBlockBytes), size);
  message.SerializeToZeroCopyStream(&writer);
  return bytes;
}

// Tells one status, then stays open until the caller or the server goes.
class HealthWatch : public Conversation {
 public:
  explicit HealthWatch(HealthWatches& watches) : watches_(watches) { watches_.add(this); }
  ~HealthWatch() override { watches_.remove(this); }

  void begin(WireCall& call) override {
    call_ = &call;
    call.read();
  }
  void has_read(bool ok) override {
    grpc::health::v1::HealthCheckRequest request;
    if (!ok || !parse(call_->bytes(), request))
      return end(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no valid request"));
    using Response = grpc::health::v1::HealthCheckResponse;
    Response response;
    response.set_status(is_served(request.service()) ? Response::SERVING
                                                     : Response::SERVICE_UNKNOWN);
    std::lock_guard lock(mutex_);
    if (!ended_) call_->write(serialize(response));
  }
  void has_written(bool ok) override {
    if (!ok) end(grpc::Status::CANCELLED);
  }
  void is_cancelled() override { end(grpc::Status::CANCELLED); }

  void end(const grpc::Status& status) {
    std::lock_guard lock(mutex_);
    if (!ended_) call_->finish(status);
    ended_ = true;
  }

 private:
  HealthWatches& watches_;
  WireCall* call_ = nullptr;
  std::mutex mutex_;  // Nothing may be begun after finish().
  bool ended_ = false;
};

void HealthWatches::add(HealthWatch* watch) {
  std::lock_guard lock(mutex_);
  open_.insert(watch);
}

void HealthWatches::remove(HealthWatch* watch) {
  std::lock_guard lock(mutex_);
  open_.erase(watch);
}

void HealthWatches::end_all() {
  std::lock_guard lock(mutex_);
  for (HealthWatch* watch : open_)
    watch->end(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server is shutting down"));
}

std::unique_ptr<Conversation> make_health_watch(HealthWatches& watches) {
  return std::make_unique<HealthWatch>(watches);
}

namespace {

// Answers one request after another.
class Reflection : public Conversation {
 public:
  void begin(WireCall& call) override {
    call_ = &call;
    call.read();
  }
  void has_read(bool ok) override {
    if (!ok) return call_->finish(grpc::Status::OK);  // The caller is done.
    grpc::Slice request;
    call_->bytes().DumpToSingleSlice(&request);
    const std::string answer = answer_reflection(
        std::string(reinterpret_cast<const char*>(request.begin()), request.size()));
    const grpc::Slice slice(answer);
    call_->write(grpc::ByteBuffer(&slice, 1));
  }
  void has_written(bool ok) override {
    if (!ok) return call_->finish(grpc::Status::CANCELLED);
    call_->read();
  }

 private:
  WireCall* call_ = nullptr;
};

}  // namespace

bool is_reflection(const std::string& path) {
  return path == "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo" ||
         path == "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
}

std::unique_ptr<Conversation> make_reflection() { return std::make_unique<Reflection>(); }

}  // namespace chimera::server
