// The RPCs that are streams, which the official tools use: Health/Watch and server reflection. And
// the way of messages to and from gRPC's buffers.
#ifndef CHIMERA_SERVER_SERVICE_GRPC_STREAMS_H_
#define CHIMERA_SERVER_SERVICE_GRPC_STREAMS_H_

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "google/protobuf/message_lite.h"
#include <grpcpp/support/byte_buffer.h>

#include "server/service/wire.h"

namespace chimera::server {

bool parse(grpc::ByteBuffer& bytes, google::protobuf::MessageLite& message);
grpc::ByteBuffer serialize(const google::protobuf::MessageLite& message);

inline constexpr char kHealthWatchPath[] = "/grpc.health.v1.Health/Watch";

class HealthWatch;

// The open watches of one server. Any thread.
class HealthWatches {
 public:
  void add(HealthWatch* watch);
  void remove(HealthWatch* watch);
  void end_all();  // Each is told that the server goes.

 private:
  std::mutex mutex_;
  std::set<HealthWatch*> open_;
};

std::unique_ptr<Conversation> make_health_watch(HealthWatches& watches);

bool is_reflection(const std::string& path);
std::unique_ptr<Conversation> make_reflection();

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_GRPC_STREAMS_H_
