// What the genuine server looks at before a call's own handler does, in its order and its words:
// the namespace, the execution that is meant, the form of a run id (servers 1.29, 1.32). Loop
// thread.
#ifndef CHIMERA_SERVER_SERVICE_REQUEST_CHECKS_H_
#define CHIMERA_SERVER_SERVICE_REQUEST_CHECKS_H_

#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"

namespace chimera::server {

// Handlers of namespaces and operators say it in their own words.
inline constexpr std::size_t kNamespaceMax = 1000;
absl::Status check_namespace(Engine& engine, const std::string& name, bool may_be_empty);
// "RunId is not valid UUID."; one that is empty is left out.
absl::Status check_run_id(const std::string& run_id);

template <class Request>
concept NamesNamespaceItself =
    std::is_same_v<Request, wf::DescribeNamespaceRequest> ||
    std::is_same_v<Request, wf::UpdateNamespaceRequest> ||
    std::is_same_v<Request, wf::RegisterNamespaceRequest> ||
    std::is_same_v<Request, ::temporal::api::operatorservice::v1::DeleteNamespaceRequest> ||
    std::is_same_v<Request, ::temporal::api::operatorservice::v1::AddSearchAttributesRequest> ||
    std::is_same_v<Request, ::temporal::api::operatorservice::v1::RemoveSearchAttributesRequest> ||
    std::is_same_v<Request, ::temporal::api::operatorservice::v1::ListSearchAttributesRequest>;

template <class Request>
absl::Status check_request(Engine& engine, const Request& request) {
  if constexpr (requires { request.namespace_(); }) {
    if (request.namespace_().size() > kNamespaceMax)
      return invalid("Namespace length exceeds limit.");
    if constexpr (!NamesNamespaceItself<Request>) {
      constexpr bool kByToken = requires { request.task_token(); };
      if (absl::Status s = check_namespace(engine, request.namespace_(), kByToken); !s.ok())
        return s;
    }
  }
  // Whose handler asks for its workflow id.
  constexpr bool kOptions = std::is_same_v<Request, wf::UpdateWorkflowExecutionOptionsRequest>;
  if constexpr (requires { request.has_workflow_execution(); } && !kOptions) {
    if (!request.has_workflow_execution()) return invalid("Execution is not set on request.");
  }
  // The calls about activities pick some of an execution.
  constexpr bool kPicks = requires { request.execution(), request.id(), request.type(); };
  if constexpr (requires { request.has_execution(); } && !kPicks) {
    if (!request.has_execution()) return invalid("Execution is not set on request.");
  }
  if constexpr (kPicks) {
    if (absl::Status s = check_run_id(request.execution().run_id()); !s.ok()) return s;
  }
  // The operators' calls about one activity, which have request ids, say it otherwise.
  constexpr bool kHasRequestId = requires { request.request_id(); };
  if constexpr (requires { request.activity_id(), request.run_id(), request.workflow_id(); } &&
                !kHasRequestId) {
    if (absl::Status s = check_run_id(request.run_id()); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_REQUEST_CHECKS_H_
