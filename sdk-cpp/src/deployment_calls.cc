// Calls about worker deployments: requests built, answers taken apart. As in the official SDKs, no
// interceptor sees them.
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "chimera/client.h"
#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/deployment_wire.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/paging.h"
#include "sdk-cpp/src/version_wire.h"

namespace chimera {
namespace {

namespace ws = api::workflowservice::v1;
using detail::ClientState;

std::string doing(std::string_view what, const std::string& name) {
  return absl::StrCat("cannot ", std::string(what), " worker deployment '", name, "'");
}
std::string of_build(const std::optional<std::string>& build_id) {
  return build_id ? absl::StrCat("build '", *build_id, "'") : "workers without versions";
}

template <class Request>
Request about(const ClientState& client, const std::string& name) {
  Request request;
  request.set_namespace_(client.namespace_);
  request.set_deployment_name(name);
  return request;
}
template <class Request>
Request about_version(const ClientState& client, const std::string& name,
                      const std::string& build_id, std::string_view call) {
  if (build_id.empty())
    throw std::invalid_argument(
        absl::StrCat(std::string(call), "() of worker deployment '", name, "' needs a build id"));
  Request request;
  request.set_namespace_(client.namespace_);
  *request.mutable_deployment_version() =
      sdk::to_proto(WorkerDeploymentVersion{.deployment_name = name, .build_id = build_id});
  return request;
}

template <class Request>
void set_identity(Request& request, const ClientState& client, const std::string& identity) {
  request.set_identity(identity.empty() ? client.connection->options().identity : identity);
}

// Of a change of where workflows go.
template <class Request>
Request routing(const ClientState& client, const std::string& name,
                const std::optional<std::string>& build_id,
                const WorkerDeploymentRoutingOptions& options, std::string_view call) {
  if (build_id && build_id->empty()) {
    throw std::invalid_argument(
        absl::StrCat(std::string(call), "() of worker deployment '", name,
                     "' was given an empty build id; std::nullopt means workers without versions"));
  }
  auto request = about<Request>(client, name);
  if (build_id) request.set_build_id(*build_id);
  request.set_conflict_token(options.conflict_token);
  set_identity(request, client, options.identity);
  request.set_ignore_missing_task_queues(options.ignore_missing_task_queues);
  request.set_allow_no_pollers(options.allow_no_pollers);
  return request;
}

template <class Response>
WorkerDeploymentRoutingChange changed(const Response& response) {
  WorkerDeploymentRoutingChange out{.conflict_token = response.conflict_token(),
                                    .previous_version = std::nullopt};
  if (response.has_previous_deployment_version())
    out.previous_version = sdk::to_public(response.previous_deployment_version());
  if constexpr (requires { response.previous_percentage(); })
    out.previous_percentage = response.previous_percentage();
  return out;
}

}  // namespace

PagedRange<WorkerDeploymentListEntry> Client::list_worker_deployments(
    const ListOptions& options) const {
  ws::ListWorkerDeploymentsRequest request;
  request.set_namespace_(state_->namespace_);
  return sdk::paged<WorkerDeploymentListEntry, ws::ListWorkerDeploymentsResponse>(
      *state_, "cannot list worker deployments", CHIMERA_WORKFLOW_SERVICE(ListWorkerDeployments),
      std::move(request), options, [](const auto& page) { return page.worker_deployments(); },
      [](const ClientState&, const auto& entry) { return sdk::to_public(entry); });
}

WorkerDeploymentDescription WorkerDeploymentHandle::describe() const {
  ws::DescribeWorkerDeploymentResponse response;
  client_->must(doing("describe", name_), CHIMERA_WORKFLOW_SERVICE(DescribeWorkerDeployment),
                about<ws::DescribeWorkerDeploymentRequest>(*client_, name_), response);
  return sdk::to_public(response);
}

WorkerDeploymentRoutingChange WorkerDeploymentHandle::set_current_version(
    const std::optional<std::string>& build_id,
    const WorkerDeploymentRoutingOptions& options) const {
  const auto request = routing<ws::SetWorkerDeploymentCurrentVersionRequest>(
      *client_, name_, build_id, options, "set_current_version");
  ws::SetWorkerDeploymentCurrentVersionResponse response;
  client_->must(doing(absl::StrCat("make ", of_build(build_id), " current in"), name_),
                CHIMERA_WORKFLOW_SERVICE(SetWorkerDeploymentCurrentVersion), request, response);
  return changed(response);
}

WorkerDeploymentRoutingChange WorkerDeploymentHandle::set_ramping_version(
    const std::optional<std::string>& build_id, float percentage,
    const WorkerDeploymentRoutingOptions& options) const {
  auto request = routing<ws::SetWorkerDeploymentRampingVersionRequest>(
      *client_, name_, build_id, options, "set_ramping_version");
  request.set_percentage(percentage);
  ws::SetWorkerDeploymentRampingVersionResponse response;
  client_->must(
      doing(absl::StrCat("ramp ", of_build(build_id), " to ", percentage, " % in"), name_),
      CHIMERA_WORKFLOW_SERVICE(SetWorkerDeploymentRampingVersion), request, response);
  return changed(response);
}

WorkerDeploymentManagerChange WorkerDeploymentHandle::set_manager_identity(
    const std::string& manager_identity, const WorkerDeploymentChangeOptions& options) const {
  auto request = about<ws::SetWorkerDeploymentManagerRequest>(*client_, name_);
  request.set_manager_identity(manager_identity);
  request.set_conflict_token(options.conflict_token);
  set_identity(request, *client_, options.identity);
  ws::SetWorkerDeploymentManagerResponse response;
  client_->must(doing("set the manager of", name_),
                CHIMERA_WORKFLOW_SERVICE(SetWorkerDeploymentManager), request, response);
  return {.conflict_token = response.conflict_token(),
          .previous_manager_identity = response.previous_manager_identity()};
}

WorkerDeploymentVersionDescription WorkerDeploymentHandle::describe_version(
    const std::string& build_id, const DescribeWorkerDeploymentVersionOptions& options) const {
  auto request = about_version<ws::DescribeWorkerDeploymentVersionRequest>(
      *client_, name_, build_id, "describe_version");
  request.set_report_task_queue_stats(options.report_task_queue_stats);
  ws::DescribeWorkerDeploymentVersionResponse response;
  client_->must(doing(absl::StrCat("describe build '", build_id, "' of"), name_),
                CHIMERA_WORKFLOW_SERVICE(DescribeWorkerDeploymentVersion), request, response);
  return sdk::to_public(response, client_->codec);
}

Memo WorkerDeploymentHandle::update_version_metadata(const std::string& build_id,
                                                     const Memo& upsert,
                                                     const std::vector<std::string>& remove) const {
  auto request = about_version<ws::UpdateWorkerDeploymentVersionMetadataRequest>(
      *client_, name_, build_id, "update_version_metadata");
  set_identity(request, *client_, "");
  for (const auto& [key, value] : upsert) {
    sdk::ProtoPayload& payload = (*request.mutable_upsert_entries())[key];
    payload = sdk::to_proto(value);
    sdk::encode_in_place(payload, client_->codec);
  }
  request.mutable_remove_entries()->Assign(remove.begin(), remove.end());
  ws::UpdateWorkerDeploymentVersionMetadataResponse response;
  client_->must(doing(absl::StrCat("update metadata of build '", build_id, "' of"), name_),
                CHIMERA_WORKFLOW_SERVICE(UpdateWorkerDeploymentVersionMetadata), request, response);
  return sdk::to_public(response.metadata(), client_->codec);
}

void WorkerDeploymentHandle::delete_version(
    const std::string& build_id, const DeleteWorkerDeploymentVersionOptions& options) const {
  auto request = about_version<ws::DeleteWorkerDeploymentVersionRequest>(*client_, name_, build_id,
                                                                         "delete_version");
  request.set_skip_drainage(options.skip_drainage);
  set_identity(request, *client_, options.identity);
  ws::DeleteWorkerDeploymentVersionResponse response;
  client_->must(doing(absl::StrCat("delete build '", build_id, "' of"), name_),
                CHIMERA_WORKFLOW_SERVICE(DeleteWorkerDeploymentVersion), request, response);
}

void WorkerDeploymentHandle::delete_() const {
  auto request = about<ws::DeleteWorkerDeploymentRequest>(*client_, name_);
  set_identity(request, *client_, "");
  ws::DeleteWorkerDeploymentResponse response;
  client_->must(doing("delete", name_), CHIMERA_WORKFLOW_SERVICE(DeleteWorkerDeployment), request,
                response);
}

}  // namespace chimera
