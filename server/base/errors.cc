#include "server/base/errors.h"

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "google/rpc/status.pb.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include "core/base/transport.h"

namespace chimera::server {
namespace details = ::temporal::api::errordetails::v1;

absl::Status error_with_detail(absl::StatusCode code, absl::string_view message,
                               const google::protobuf::Message& detail) {
  google::rpc::Status rpc;
  rpc.set_code(static_cast<int>(code));
  rpc.set_message(std::string(message));
  rpc.add_details()->PackFrom(detail);
  absl::Status status(code, message);
  status.SetPayload(base::kStatusDetails, absl::Cord(rpc.SerializeAsString()));
  return status;
}

absl::Status invalid(absl::string_view message) { return absl::InvalidArgumentError(message); }

absl::Status not_found(absl::string_view message) {
  return error_with_detail(absl::StatusCode::kNotFound, message, details::NotFoundFailure());
}

absl::Status namespace_not_found(const std::string& name) {
  details::NamespaceNotFoundFailure detail;
  detail.set_namespace_(name);
  return error_with_detail(absl::StatusCode::kNotFound,
                           absl::StrCat("Namespace ", name, " is not found."), detail);
}

absl::Status namespace_in_state(const std::string& name, enums::NamespaceState state,
                                std::initializer_list<enums::NamespaceState> allowed) {
  const auto word = [](enums::NamespaceState one) {
    return one == enums::NAMESPACE_STATE_REGISTERED   ? "Registered"
           : one == enums::NAMESPACE_STATE_DEPRECATED ? "Deprecated"
                                                      : "Deleted";
  };
  details::NamespaceInvalidStateFailure detail;
  detail.set_namespace_(name);
  detail.set_state(state);
  std::string words;
  for (enums::NamespaceState one : allowed) {
    detail.add_allowed_states(one);
    absl::StrAppend(&words, words.empty() ? "" : " or ", word(one));
  }
  return error_with_detail(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat("Namespace has invalid state: ", word(state), ". Must be ", words, "."), detail);
}

absl::Status not_ready(absl::string_view message) {
  return error_with_detail(absl::StatusCode::kFailedPrecondition, message,
                           details::WorkflowNotReadyFailure());
}

absl::Status exhausted(absl::string_view message, enums::ResourceExhaustedCause cause) {
  details::ResourceExhaustedFailure detail;
  detail.set_cause(cause);
  detail.set_scope(enums::RESOURCE_EXHAUSTED_SCOPE_NAMESPACE);
  return error_with_detail(absl::StatusCode::kResourceExhausted, message, detail);
}

absl::Status closing() {
  return exhausted("workflow operation can not be applied because workflow is closing",
                   enums::RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW);
}

absl::Status query_failed(absl::string_view message, const failure::Failure& failure) {
  details::QueryFailedFailure detail;
  *detail.mutable_failure() = failure;
  return error_with_detail(absl::StatusCode::kInvalidArgument, message, detail);
}

absl::Status already_started(absl::string_view message, const std::string& request_id,
                             const std::string& run_id, const std::string& first_run_id) {
  details::WorkflowExecutionAlreadyStartedFailure detail;
  detail.set_start_request_id(request_id);
  detail.set_run_id(run_id);
  detail.set_first_execution_run_id(first_run_id);
  return error_with_detail(absl::StatusCode::kAlreadyExists, message, detail);
}

}  // namespace chimera::server
