// Versioning by sets of build ids and by rules, both deprecated: switched off, as by the genuine
// servers 1.29 and 1.32 unless their configuration says otherwise.
#include "temporal/api/errordetails/v1/message.pb.h"

#include "server/base/errors.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"

namespace chimera::server {
namespace {

absl::Status switched_off(absl::string_view what) {
  return error_with_detail(
      absl::StatusCode::kPermissionDenied,
      absl::StrCat("Worker versioning ", what, ", deprecated) is disabled on this namespace."),
      ::temporal::api::errordetails::v1::PermissionDeniedFailure());
}

template <class Request, class Response>
absl::Status sets(Engine&, Request&, Response&) {
  return switched_off("v0.1 (Version Set-based");
}

template <class Request, class Response>
absl::Status rules(Engine&, Request&, Response&) {
  return switched_off("v0.2 (Rules-based");
}

}  // namespace

void register_versioning_rules(MethodTable& table) {
  table.add("UpdateWorkerBuildIdCompatibility", sets<wf::UpdateWorkerBuildIdCompatibilityRequest,
                                                     wf::UpdateWorkerBuildIdCompatibilityResponse>);
  table.add(
      "GetWorkerBuildIdCompatibility",
      sets<wf::GetWorkerBuildIdCompatibilityRequest, wf::GetWorkerBuildIdCompatibilityResponse>);
  table.add("UpdateWorkerVersioningRules",
            rules<wf::UpdateWorkerVersioningRulesRequest, wf::UpdateWorkerVersioningRulesResponse>);
  table.add("GetWorkerVersioningRules",
            rules<wf::GetWorkerVersioningRulesRequest, wf::GetWorkerVersioningRulesResponse>);
  table.add("GetWorkerTaskReachability",
            rules<wf::GetWorkerTaskReachabilityRequest, wf::GetWorkerTaskReachabilityResponse>);
}

}  // namespace chimera::server
