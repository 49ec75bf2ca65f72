// What the genuine server refuses as it comes, too, in its words: what is deprecated, and what its
// settings switch off.
#include "temporal/api/errordetails/v1/message.pb.h"

#include "server/base/errors.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"

namespace chimera::server {
namespace {

absl::Status denied(absl::string_view what) {
  return error_with_detail(absl::StatusCode::kPermissionDenied,
                           absl::StrCat(what, " is disabled on this namespace."),
                           ::temporal::api::errordetails::v1::PermissionDeniedFailure());
}
absl::Status no_version_sets() {
  return denied("Worker versioning v0.1 (Version Set-based, deprecated)");
}
absl::Status no_version_rules() {
  return denied("Worker versioning v0.2 (Rules-based, deprecated)");
}
absl::Status no_deployments() {
  return absl::UnimplementedError(
      "Deployments are deprecated and no longer supported, use Worker Deployments instead");
}
absl::Status not_supported(absl::string_view method) {
  return absl::UnimplementedError(absl::StrCat("method ", method, " not supported"));
}
absl::Status not_enabled(absl::string_view command) {
  return absl::UnimplementedError(absl::StrCat(command, " command is not enabled."));
}

}  // namespace

void register_refusals(MethodTable& table) {
#define CHIMERA_REFUSE(NAME, ERROR) \
  table.add(                        \
      #NAME,                        \
      +[](Engine&, wf::NAME##Request&, wf::NAME##Response&) -> absl::Status { return ERROR; })
  CHIMERA_REFUSE(GetWorkerBuildIdCompatibility, no_version_sets());
  CHIMERA_REFUSE(UpdateWorkerBuildIdCompatibility, no_version_sets());
  CHIMERA_REFUSE(GetWorkerVersioningRules, no_version_rules());
  CHIMERA_REFUSE(UpdateWorkerVersioningRules, no_version_rules());
  CHIMERA_REFUSE(GetWorkerTaskReachability, no_version_rules());
  CHIMERA_REFUSE(DescribeDeployment, no_deployments());
  CHIMERA_REFUSE(ListDeployments, no_deployments());
  CHIMERA_REFUSE(GetCurrentDeployment, no_deployments());
  CHIMERA_REFUSE(SetCurrentDeployment, no_deployments());
  CHIMERA_REFUSE(GetDeploymentReachability, no_deployments());
  CHIMERA_REFUSE(CreateWorkflowRule, not_supported("CreateWorkflowRule"));
  CHIMERA_REFUSE(DescribeWorkflowRule, not_supported("DescribeWorkflowRule"));
  CHIMERA_REFUSE(DeleteWorkflowRule, not_supported("DeleteWorkflowRule"));
  CHIMERA_REFUSE(ListWorkflowRules, not_supported("ListWorkflowRules"));
  CHIMERA_REFUSE(TriggerWorkflowRule, not_supported("TriggerWorkflowRule"));
  CHIMERA_REFUSE(FetchWorkerConfig, not_enabled("FetchWorkerConfig"));
  CHIMERA_REFUSE(UpdateWorkerConfig, not_enabled("UpdateWorkerConfig"));
#undef CHIMERA_REFUSE
}

}  // namespace chimera::server
