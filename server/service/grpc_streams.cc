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

// Tells one status, then stays open until the caller or the server goes. Deletes itself.
class HealthWatch : public grpc::ServerGenericBidiReactor {
 public:
  explicit HealthWatch(HealthWatches& watches) : watches_(watches) {
    watches_.add(this);
    StartRead(&bytes_);
  }

  void OnReadDone(bool ok) override {
    grpc::health::v1::HealthCheckRequest request;
    if (!ok || !parse(bytes_, request))
      return end(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no valid request"));
    using Response = grpc::health::v1::HealthCheckResponse;
    Response response;
    response.set_status(is_served(request.service()) ? Response::SERVING
                                                     : Response::SERVICE_UNKNOWN);
    bytes_ = serialize(response);
    std::lock_guard lock(mutex_);
    if (!ended_) StartWrite(&bytes_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) end(grpc::Status::CANCELLED);
  }
  void OnCancel() override { end(grpc::Status::CANCELLED); }
  void OnDone() override {
    watches_.remove(this);
    delete this;
  }

  void end(const grpc::Status& status) {
    std::lock_guard lock(mutex_);
    if (!ended_) Finish(status);
    ended_ = true;
  }

 private:
  HealthWatches& watches_;
  grpc::ByteBuffer bytes_;
  std::mutex mutex_;  // Nothing may be started after Finish().
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

grpc::ServerGenericBidiReactor* new_health_watch_reactor(HealthWatches& watches) {
  return new HealthWatch(watches);
}

namespace {

// Answers one request after another. Deletes itself.
class ReflectionReactor : public grpc::ServerGenericBidiReactor {
 public:
  ReflectionReactor() { StartRead(&bytes_); }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);  // The caller is done.
    grpc::Slice request;
    bytes_.DumpToSingleSlice(&request);
    const std::string answer = answer_reflection(
        std::string(reinterpret_cast<const char*>(request.begin()), request.size()));
    const grpc::Slice slice(answer);
    bytes_ = grpc::ByteBuffer(&slice, 1);
    StartWrite(&bytes_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    StartRead(&bytes_);
  }
  void OnDone() override { delete this; }

 private:
  grpc::ByteBuffer bytes_;
};

}  // namespace

bool is_reflection(const std::string& path) {
  return path == "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo" ||
         path == "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
}

grpc::ServerGenericBidiReactor* new_reflection_reactor() { return new ReflectionReactor; }

}  // namespace chimera::server
