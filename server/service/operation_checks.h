// The checks of calls about Nexus operations that stand alone, with texts and order of the genuine
// server 1.32. Loop thread.
#ifndef CHIMERA_SERVER_SERVICE_OPERATION_CHECKS_H_
#define CHIMERA_SERVER_SERVICE_OPERATION_CHECKS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "server/base/tokens.h"
#include "server/engine/engine.h"
#include "server/engine/ids.h"
#include "server/engine/standalone/operation_executions.h"
#include "server/service/standalone_checks.h"

namespace chimera::server {

// The request's namespace, if there are such operations at all.
absl::StatusOr<Namespace*> operations_namespace(Engine& engine, const auto& request) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (ns.ok() && !engine.config().standalone_nexus)
    return absl::UnimplementedError("Standalone Nexus operation is disabled");
  return ns;
}

inline absl::Status check_operation_id(const std::string& id) {
  if (id.empty()) return invalid("operation_id is required");
  return check_limit("operation_id", id);
}

inline absl::Status check_run_id(const std::string& run_id) {
  if (run_id.empty() || is_uuid(run_id)) return absl::OkStatus();
  return invalid("run_id is not a valid UUID");
}

// One without an id of its own gets one.
template <class Request>
absl::Status check_request_id(Engine& engine, Request& request) {
  if (request.request_id().empty()) request.set_request_id(engine.ids().uuid());
  return check_limit("request_id", request.request_id());
}

// The operation that is meant, and who asks.
template <class Request>
absl::Status check_operation_request(Engine& engine, Request& request) {
  constexpr std::size_t kReasonMax = 1000;
  if constexpr (requires { request.mutable_request_id(); }) {
    if (absl::Status s = check_request_id(engine, request); !s.ok()) return s;
  }
  if constexpr (requires { request.wait_stage(); }) {
    if (!enums::NexusOperationWaitStage_IsValid(request.wait_stage()))
      return invalid(
          absl::StrCat("unsupported wait_stage: ", static_cast<int>(request.wait_stage())));
  }
  if (absl::Status s = check_operation_id(request.operation_id()); !s.ok()) return s;
  if constexpr (requires { request.long_poll_token(); }) {
    if (!request.long_poll_token().empty() && request.run_id().empty())
      return invalid("run_id is required when long_poll_token is provided");
  }
  if (absl::Status s = check_run_id(request.run_id()); !s.ok()) return s;
  if constexpr (requires { request.long_poll_token(); }) {
    if (!request.long_poll_token().empty() && !PageToken::decode(request.long_poll_token()))
      return invalid("invalid long poll token");
  }
  if constexpr (requires { request.identity(); }) {
    if (absl::Status s = check_limit("identity", request.identity()); !s.ok()) return s;
  }
  if constexpr (requires { request.reason(); })
    return check_limit("reason", request.reason(), kReasonMax);
  return absl::OkStatus();
}

// Checks the request and finds what it means.
template <class Request>
absl::StatusOr<const OperationExecution*> find_operation(Engine& engine, Request& request) {
  absl::StatusOr<Namespace*> ns = operations_namespace(engine, request);
  if (!ns.ok()) return ns.status();
  if (absl::Status s = check_operation_request(engine, request); !s.ok()) return s;
  return engine.operation_executions->find(**ns, request.operation_id(), request.run_id());
}

// Of a start; what is too long is cut, names of headers become lower case.
absl::Status check_operation_start(Engine& engine, const Namespace& ns,
                                   wf::StartNexusOperationExecutionRequest& request);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_OPERATION_CHECKS_H_
