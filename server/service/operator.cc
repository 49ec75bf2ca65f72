// OperatorService: search attributes, deletion of namespaces, clusters.
#include <algorithm>

#include "temporal/api/operatorservice/v1/request_response.pb.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/nexus/endpoints.h"
#include "server/engine/removals.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/visibility/attributes.h"

namespace chimera::server {
namespace {

namespace op = ::temporal::api::operatorservice::v1;

absl::StatusOr<Namespace*> target(Engine& engine, const std::string& name) {
  if (name.empty()) return invalid("Namespace is not set on request.");
  return engine.resolve_namespace(name);
}

// How many there may be of a type, as the genuine dev server's store has them.
std::size_t most(enums::IndexedValueType type) {
  return type == enums::INDEXED_VALUE_TYPE_KEYWORD ? 10 : 3;
}

absl::Status add(Engine& engine, op::AddSearchAttributesRequest& request,
                 op::AddSearchAttributesResponse&) {
  if (request.search_attributes().empty())
    return invalid("SearchAttributes are not set on request.");
  absl::StatusOr<Namespace*> ns = target(engine, request.namespace_());
  if (!ns.ok()) return ns.status();
  for (const auto& [name, type] : request.search_attributes()) {
    if (name.empty()) return invalid("A search attribute has no name. Give it one.");
    if (name.starts_with("Temporal") || system_attributes().contains(name) ||
        predefined_attributes().contains(name)) {
      return invalid(absl::StrCat("Search attribute ", name, " is reserved by system."));
    }
    if (!enums::IndexedValueType_IsValid(type) || type == enums::INDEXED_VALUE_TYPE_UNSPECIFIED) {
      return invalid(absl::StrCat("Unable to verify search attribute type of ", name, "."));
    }
    // The same once more is no error (genuine servers 1.29, 1.32, which pass over another type).
    const auto known = (*ns)->search_attributes.find(name);
    if (known != (*ns)->search_attributes.end() && known->second != type) {
      return absl::AlreadyExistsError(absl::StrCat("Search attribute ", name,
                                                   " already exists with another type. Remove it ",
                                                   "first, or choose another name."));
    }
  }
  AttributeTypes all = (*ns)->search_attributes;
  for (const auto& [name, type] : request.search_attributes()) {
    if (!all.emplace(name, type).second) continue;
    const auto count = static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [type = type](const auto& each) { return each.second == type; }));
    if (count > most(type)) {
      return invalid(absl::StrCat("Unable to create search attributes: cannot have more than ",
                                  most(type), " search attribute of type ", type_name(type), "."));
    }
  }
  (*ns)->search_attributes = std::move(all);
  engine.save(**ns);
  return absl::OkStatus();
}

absl::Status remove(Engine& engine, op::RemoveSearchAttributesRequest& request,
                    op::RemoveSearchAttributesResponse&) {
  if (request.search_attributes().empty())
    return invalid("SearchAttributes are not set on request.");
  absl::StatusOr<Namespace*> ns = target(engine, request.namespace_());
  if (!ns.ok()) return ns.status();
  for (const std::string& name : request.search_attributes()) {
    if (system_attributes().contains(name) || predefined_attributes().contains(name)) {
      return invalid(absl::StrCat("Unable to remove non-custom search attributes: ", name, "."));
    }
    (*ns)->search_attributes.erase(name);
  }
  engine.save(**ns);
  return absl::OkStatus();
}

absl::Status list(Engine& engine, op::ListSearchAttributesRequest& request,
                  op::ListSearchAttributesResponse& response) {
  absl::StatusOr<Namespace*> ns = target(engine, request.namespace_());
  if (!ns.ok()) return ns.status();
  for (const auto& [name, type] : (*ns)->search_attributes) {
    (*response.mutable_custom_attributes())[name] = type;
  }
  for (const auto* types : {&system_attributes(), &predefined_attributes()}) {
    for (const auto& [name, type] : *types) (*response.mutable_system_attributes())[name] = type;
  }
  return absl::OkStatus();
}

absl::Status delete_namespace(Engine& engine, op::DeleteNamespaceRequest& request,
                              op::DeleteNamespaceResponse& response) {
  const bool by_id = !request.namespace_id().empty();
  if (!by_id && request.namespace_().empty()) return invalid("Namespace not set on request.");
  if (by_id && !request.namespace_().empty())
    return invalid("Only one of namespace name or Id should be set on request.");
  Namespace* ns = by_id ? engine.namespaces().find_by_id(request.namespace_id())
                        : engine.namespaces().find(request.namespace_());
  if (ns == nullptr)
    return namespace_not_found(by_id ? request.namespace_id() : request.namespace_());
  if (ns->name() == kSystemNamespace)
    return absl::FailedPreconditionError("unable to delete system namespace");
  if (const NexusEndpoint* endpoint = engine.nexus_endpoints->find_by_target(ns->id)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot delete a namespace that is a target of a Nexus endpoint ", endpoint->name()));
  }
  engine.removals->begin(*ns, to_nanos(request.namespace_delete_delay()));
  response.set_deleted_namespace(ns->name());
  return absl::OkStatus();
}

absl::Status list_clusters(Engine& engine, op::ListClustersRequest&,
                           op::ListClustersResponse& response) {
  auto& cluster = *response.add_clusters();
  cluster.set_cluster_name("active");
  cluster.set_cluster_id(engine.cluster_id);
  cluster.set_address(engine.address);
  cluster.set_initial_failover_version(1);
  cluster.set_history_shard_count(1);
  cluster.set_is_connection_enabled(true);
  return absl::OkStatus();
}

// There is none to remove.
absl::Status remove_remote_cluster(Engine&, op::RemoveRemoteClusterRequest&,
                                   op::RemoveRemoteClusterResponse&) {
  return not_found("The cluster to be deleted cannot be found in clusters cache.");
}

}  // namespace

void register_operator(MethodTable& table) {
  table.set_service("temporal.api.operatorservice.v1.OperatorService");
  table.add("AddSearchAttributes", add);
  table.add("RemoveSearchAttributes", remove);
  table.add("ListSearchAttributes", list);
  table.add("DeleteNamespace", delete_namespace);
  table.add("ListClusters", list_clusters);
  table.add("RemoveRemoteCluster", remove_remote_cluster);
}

}  // namespace chimera::server
