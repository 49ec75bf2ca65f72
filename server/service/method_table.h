// MethodTable, every RPC that this server answers: path, request and response prototypes, handler.
// What the API has beyond it is refused by name. Built once, then const; any thread.
#ifndef CHIMERA_SERVER_SERVICE_METHOD_TABLE_H_
#define CHIMERA_SERVER_SERVICE_METHOD_TABLE_H_

#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "server/base/call.h"
#include "server/engine/engine.h"
#include "server/service/request_checks.h"

namespace chimera::server {

struct Method {
  std::string path;  // "/package.Service/Name"
  const google::protobuf::Message* request = nullptr;
  const google::protobuf::Message* response = nullptr;
  std::function<void(Engine&, CallPtr)> handler;  // Loop thread.
};

class MethodTable {
 public:
  // Null for a path that is not answered; refusal() then says why.
  const Method* find(absl::string_view path) const;
  std::string refusal(absl::string_view path) const;
  std::vector<std::string> service_names() const;

  // The service of the methods that are added from here on.
  void set_service(std::string full_name);
  // A handler that answers at once: absl::Status(Engine&, Request&, Response&).
  template <class Request, class Response>
  void add(absl::string_view name, absl::Status (*handler)(Engine&, Request&, Response&)) {
    install<Request, Response>(name, [handler](Engine& engine, CallPtr call) {
      TypedCall<Request, Response> typed(call);
      absl::Status status = check_request(engine, typed.request());
      if (status.ok()) status = handler(engine, typed.request(), typed.response());
      engine.finish(call, std::move(status));
    });
  }
  // A handler that may answer later; an error that it returns is the answer.
  template <class Request, class Response>
  void add(absl::string_view name, absl::Status (*handler)(Engine&, TypedCall<Request, Response>)) {
    install<Request, Response>(name, [handler](Engine& engine, CallPtr call) {
      TypedCall<Request, Response> typed(call);
      absl::Status status = check_request(engine, typed.request());
      if (status.ok()) status = handler(engine, typed);
      if (!status.ok()) engine.finish(call, std::move(status));
    });
  }

 private:
  template <class Request, class Response>
  void install(absl::string_view name, std::function<void(Engine&, CallPtr)> handler) {
    install(name, Request::default_instance(), Response::default_instance(), std::move(handler));
  }
  void install(absl::string_view name, const google::protobuf::Message& request,
               const google::protobuf::Message& response,
               std::function<void(Engine&, CallPtr)> handler);

  std::string service_;
  std::vector<std::string> services_;
  absl::flat_hash_map<std::string, Method> methods_;
};

// The table with every handler of server/service.
const MethodTable& service_methods();
// If this server has a service of that name; empty means the server as a whole.
bool is_served(const std::string& service);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_METHOD_TABLE_H_
