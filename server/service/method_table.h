// MethodTable, every RPC of the services that this server speaks, built from the API's descriptors:
// path, request and response prototypes, handler. A method without a handler answers UNIMPLEMENTED
// with its name. Built once, then const.
#ifndef CHIMERA_SERVER_SERVICE_METHOD_TABLE_H_
#define CHIMERA_SERVER_SERVICE_METHOD_TABLE_H_

#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "server/service/call.h"

namespace chimera::server {

class Engine;

struct Method {
  std::string path;  // "/package.Service/Name"
  const google::protobuf::Message* request = nullptr;
  const google::protobuf::Message* response = nullptr;
  std::function<void(Engine&, CallPtr)> handler;  // Loop thread. Empty: not implemented.
};

// Answers a call on the loop; defined by the engine.
void finish_call(Engine& engine, const CallPtr& call, absl::Status status);

class MethodTable {
 public:
  MethodTable();
  // Null for a path that no service has.
  const Method* find(absl::string_view path) const;

  // A handler that answers at once: absl::Status(Engine&, Request&, Response&).
  template <class Request, class Response>
  void add(absl::string_view name, absl::Status (*handler)(Engine&, Request&, Response&)) {
    install<Request, Response>(name, [handler](Engine& engine, CallPtr call) {
      TypedCall<Request, Response> typed(call);
      finish_call(engine, call, handler(engine, typed.request(), typed.response()));
    });
  }
  // A handler that may answer later; an error that it returns is the answer.
  template <class Request, class Response>
  void add(absl::string_view name, absl::Status (*handler)(Engine&, TypedCall<Request, Response>)) {
    install<Request, Response>(name, [handler](Engine& engine, CallPtr call) {
      absl::Status status = handler(engine, TypedCall<Request, Response>(call));
      if (!status.ok()) finish_call(engine, call, std::move(status));
    });
  }

 private:
  void add_service(const std::string& full_name);
  template <class Request, class Response>
  void install(absl::string_view name, std::function<void(Engine&, CallPtr)> handler) {
    install(name, Request::descriptor(), Response::descriptor(), std::move(handler));
  }
  void install(absl::string_view name, const google::protobuf::Descriptor* request,
               const google::protobuf::Descriptor* response,
               std::function<void(Engine&, CallPtr)> handler);

  absl::flat_hash_map<std::string, Method> methods_;
};

// The table with every handler of server/service.
const MethodTable& service_methods();

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_METHOD_TABLE_H_
