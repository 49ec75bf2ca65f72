// Lists of what this server does not have: they are empty, so that pages that show them (the web
// UI, the CLI) work. What would create, describe or change one is refused by name.
#include "temporal/api/operatorservice/v1/request_response.pb.h"

#include "server/service/handlers.h"
#include "server/service/method_table.h"

namespace chimera::server {
namespace {

namespace op = ::temporal::api::operatorservice::v1;

template <class Request, class Response>
absl::Status nothing(Engine&, Request&, Response&) {
  return absl::OkStatus();
}

}  // namespace

void register_empty_operator_lists(MethodTable& table) {
  table.add("ListNexusEndpoints",
            nothing<op::ListNexusEndpointsRequest, op::ListNexusEndpointsResponse>);
}

}  // namespace chimera::server
