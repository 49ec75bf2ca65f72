// The errors of the service: an absl::Status whose payload is the google.rpc.Status that clients
// read from the trailer grpc-status-details-bin, with at most one detail.
#ifndef CHIMERA_SERVER_BASE_ERRORS_H_
#define CHIMERA_SERVER_BASE_ERRORS_H_

#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "temporal/api/enums/v1/failed_cause.pb.h"
#include "temporal/api/enums/v1/namespace.pb.h"

#include "server/base/types.h"

namespace chimera::server {

absl::Status error_with_detail(absl::StatusCode code, absl::string_view message,
                               const google::protobuf::Message& detail);
absl::Status invalid(absl::string_view message);
absl::Status not_found(
    absl::string_view message);  // With NotFoundFailure, as every workflow lookup has it.
absl::Status namespace_not_found(const std::string& name);
// "Namespace has invalid state: Deleted. Must be Registered or Deprecated."
absl::Status namespace_in_state(const std::string& name, enums::NamespaceState state,
                                std::initializer_list<enums::NamespaceState> allowed);
absl::Status not_ready(
    absl::string_view message);  // FailedPrecondition with WorkflowNotReadyFailure.
absl::Status exhausted(absl::string_view message, enums::ResourceExhaustedCause cause);
absl::Status closing();  // The run is about to close: clients try again.
absl::Status query_failed(absl::string_view message, const failure::Failure& failure);
absl::Status already_started(absl::string_view message, const std::string& request_id,
                             const std::string& run_id, const std::string& first_run_id);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_BASE_ERRORS_H_
