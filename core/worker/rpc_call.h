// One RPC with its messages: what a call's callback needs to keep alive. The reply lives on an
// arena.
#ifndef CHIMERA_CORE_WORKER_RPC_CALL_H_
#define CHIMERA_CORE_WORKER_RPC_CALL_H_

#include <memory>
#include <utility>

#include "google/protobuf/arena.h"

#include "core/rpc/connection.h"

namespace chimera::core {

// Shares the arena: a reply, or any message inside it, through one pointer.
template <class Reply>
using Shared = std::shared_ptr<Reply>;

template <class Request, class Reply>
struct RpcMessages {
  google::protobuf::Arena arena;
  Request request;
  Reply* reply = google::protobuf::Arena::CreateMessage<Reply>(&arena);
};

// Sends `request`, a unique or shared pointer; `done` gets the reply, which keeps its arena alive
// for as long as anyone holds it.
template <class Reply, class Request>
std::shared_ptr<base::RpcInFlight> send(
    Connection& connection, std::string_view method, Request request, CallOptions options,
    absl::AnyInvocable<void(absl::StatusOr<Shared<Reply>>) &&> done) {
  auto messages = std::make_shared<RpcMessages<Request, Reply>>();
  messages->request = std::move(request);
  const google::protobuf::MessageLite* sent = messages->request.get();
  Reply* reply = messages->reply;
  return connection.call(
      method, sent, reply, std::move(options),
      [messages = std::move(messages), done = std::move(done)](absl::Status status) mutable {
        messages->request.reset();  // A completion may hold megabytes.
        if (!status.ok()) return std::move(done)(std::move(status));
        Reply* message = messages->reply;
        std::move(done)(Shared<Reply>(std::move(messages), message));
      });
}

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_RPC_CALL_H_
