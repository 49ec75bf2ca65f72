// The namespace RPCs.
#include "server/engine/run/namespaces.h"

#include "temporal/api/errordetails/v1/message.pb.h"

#include "server/base/errors.h"
#include "server/engine/archival.h"
#include "server/engine/engine.h"
#include "server/engine/standalone/activity_executions.h"
#include "server/engine/standalone/operation_executions.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"

namespace chimera::server {
namespace {

constexpr char kCluster[] = "active";

void describe(const Engine& engine, const Namespace& ns, auto& response) {
  *response.mutable_namespace_info() = ns.info;
  auto& can = *response.mutable_namespace_info()->mutable_capabilities();
  can.set_workflow_pause(engine.config().workflow_pause);
  can.set_standalone_activities(true);
  can.set_standalone_activity_start_delay(true);
  can.set_standalone_activity_operator_commands(engine.config().standalone_operators);
  can.set_standalone_nexus_operation(engine.config().standalone_nexus);
  *response.mutable_config() = ns.config;
  response.mutable_replication_config()->set_active_cluster_name(kCluster);
  response.mutable_replication_config()->add_clusters()->set_cluster_name(kCluster);
  response.mutable_replication_config()->set_state(ns.replication);
}

absl::Status check_clusters(const std::string& active, const auto& clusters) {
  if (!active.empty() && active != kCluster)
    return invalid(absl::StrCat("Invalid cluster name: ", active));
  for (const auto& cluster : clusters) {
    if (cluster.cluster_name() != kCluster)
      return invalid(absl::StrCat("Invalid cluster name: ", cluster.cluster_name()));
  }
  return absl::OkStatus();
}

absl::Status describe_namespace(Engine& engine, wf::DescribeNamespaceRequest& request,
                                wf::DescribeNamespaceResponse& response) {
  if (request.namespace_().empty() && request.id().empty())
    return invalid("Namespace not set on request.");
  const Namespace* ns = request.id().empty() ? engine.namespaces().find(request.namespace_())
                                             : engine.namespaces().find_by_id(request.id());
  if (ns == nullptr)
    return namespace_not_found(request.id().empty() ? request.namespace_() : request.id());
  describe(engine, *ns, response);
  return absl::OkStatus();
}

absl::Status list_namespaces(Engine& engine, wf::ListNamespacesRequest& request,
                             wf::ListNamespacesResponse& response) {
  const int size = request.page_size() > 0 ? request.page_size() : 100;
  for (const auto& [name, ns] : engine.namespaces().all()) {
    const bool deleted = ns->info.state() == enums::NAMESPACE_STATE_DELETED;
    if (deleted && !request.namespace_filter().include_deleted()) continue;
    if (!request.next_page_token().empty() && name <= request.next_page_token()) continue;
    if (response.namespaces_size() == size) {
      response.set_next_page_token(response.namespaces(size - 1).namespace_info().name());
      break;
    }
    describe(engine, *ns, *response.add_namespaces());
  }
  return absl::OkStatus();
}

// What a request makes of a namespace's archives.
struct Archives {
  archival::Setting history, visibility;
  std::vector<std::string> new_uris;
};

// Without an archive nothing changes, whatever the request says (genuine servers 1.29, 1.32).
absl::StatusOr<Archives> changed(const Archival& archival, const Archives& now,
                                 const Archives& wish) {
  if (!archival.on()) return now;
  auto history = archival::changed(now.history, wish.history, archival.history_uri());
  if (!history.ok()) return history.status();
  auto visibility = archival::changed(now.visibility, wish.visibility, archival.visibility_uri());
  if (!visibility.ok()) return visibility.status();
  Archives next{*std::move(history), *std::move(visibility), {}};
  if (next.history.uri != now.history.uri) next.new_uris.push_back(next.history.uri);
  if (next.visibility.uri != now.visibility.uri) next.new_uris.push_back(next.visibility.uri);
  return next;
}

absl::Status check_folders(const std::vector<std::string>& uris) {
  for (const std::string& uri : uris) {
    if (absl::Status status = archival::check_folder(uri); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Checks the request and does it; folders of archives are looked at in between, elsewhere.
template <class Request, class Response>
absl::Status check_and_apply(Engine& engine, TypedCall<Request, Response> call,
                             absl::StatusOr<Archives> (*check)(Engine&, const Request&),
                             void (*apply)(Engine&, const Request&, const Archives&, Response&)) {
  const absl::StatusOr<Archives> archives = check(engine, call.request());
  if (!archives.ok()) return archives.status();
  if (archives->new_uris.empty()) {
    apply(engine, call.request(), *archives, call.response());
    engine.finish(call.raw(), absl::OkStatus());
    return absl::OkStatus();
  }
  engine.archival->archivist().post(
      [&engine, call, check, apply, uris = archives->new_uris](archival::HistoryReader&) {
        engine.post([&engine, call, check, apply, status = check_folders(uris)] {
          if (call.raw()->finished) return;  // Its caller went away.
          if (!status.ok()) return engine.finish(call.raw(), status);
          const absl::StatusOr<Archives> now = check(engine, call.request());
          if (now.ok()) apply(engine, call.request(), *now, call.response());
          engine.finish(call.raw(), now.status());
        });
      });
  return absl::OkStatus();
}

absl::StatusOr<Archives> check_registration(Engine& engine,
                                            const wf::RegisterNamespaceRequest& request) {
  if (request.namespace_().empty()) return invalid("Namespace not set on request.");
  if (request.is_global_namespace())
    return invalid("Cannot register global namespace when not enabled");
  if (absl::Status s = check_clusters(request.active_cluster_name(), request.clusters()); !s.ok())
    return s;
  const Nanos retention = to_nanos(request.workflow_execution_retention_period());
  if (retention < std::chrono::hours{1})
    return invalid("A valid retention period is not set on request.");
  if (engine.namespaces().find(request.namespace_()) != nullptr) {
    return error_with_detail(
        absl::StatusCode::kAlreadyExists,
        absl::StrCat("Namespace \"", request.namespace_(), "\" already exists"),
        ::temporal::api::errordetails::v1::NamespaceAlreadyExistsFailure());
  }
  // Where there is an archive, it is used unless it is refused.
  const auto wish = [](enums::ArchivalState state, const std::string& uri) {
    return archival::Setting{
        state == enums::ARCHIVAL_STATE_UNSPECIFIED ? enums::ARCHIVAL_STATE_ENABLED : state, uri};
  };
  return changed(*engine.archival, {},
                 {wish(request.history_archival_state(), request.history_archival_uri()),
                  wish(request.visibility_archival_state(), request.visibility_archival_uri()),
                  {}});
}

void apply_registration(Engine& engine, const wf::RegisterNamespaceRequest& request,
                        const Archives& archives, wf::RegisterNamespaceResponse&) {
  Namespace& ns = engine.namespaces().add(request.namespace_(), engine.ids().uuid(),
                                          to_nanos(request.workflow_execution_retention_period()));
  set_archival(ns, archives.history, archives.visibility);
  ns.replication = enums::REPLICATION_STATE_NORMAL;
  ns.info.set_description(request.description());
  ns.info.set_owner_email(request.owner_email());
  *ns.info.mutable_data() = request.data();
  engine.save(ns);
}

absl::Status register_namespace(
    Engine& engine, TypedCall<wf::RegisterNamespaceRequest, wf::RegisterNamespaceResponse> call) {
  return check_and_apply(engine, call, check_registration, apply_registration);
}

// A namespace only ages: Registered, Deprecated, Deleted.
absl::Status check_update(const Namespace& ns, const wf::UpdateNamespaceRequest& request) {
  const auto state = request.update_info().state();
  if (state != enums::NAMESPACE_STATE_UNSPECIFIED &&
      (state < ns.info.state() || state > enums::NAMESPACE_STATE_DELETED)) {
    return invalid("Invalid namespace state update.");
  }
  if (request.promote_namespace()) {
    return invalid(
        absl::StrCat("global namespace is not enabled on this cluster, cannot update "
                     "global namespace or promote local namespace: ",
                     ns.name()));
  }
  if (!request.delete_bad_binary().empty()) {
    return invalid(
        absl::StrCat("Bad binary checksum ", request.delete_bad_binary(), " doesn't exists."));
  }
  const auto& config = request.config();
  if (config.has_workflow_execution_retention_ttl() &&
      to_nanos(config.workflow_execution_retention_ttl()) < std::chrono::hours{1}) {
    return invalid("A valid retention period is not set on request.");
  }
  const auto& replication = request.replication_config();
  if (replication.state() == enums::REPLICATION_STATE_HANDOVER)
    return invalid("Handover can only be set for global namespace");
  return check_clusters(replication.active_cluster_name(), replication.clusters());
}

absl::StatusOr<Archives> check_update(Engine& engine, const wf::UpdateNamespaceRequest& request) {
  if (request.namespace_().empty()) return invalid("Namespace not set on request.");
  absl::StatusOr<Namespace*> found = engine.resolve_namespace(request.namespace_());
  if (!found.ok()) return found.status();
  const Namespace& ns = **found;
  if (absl::Status status = check_update(ns, request); !status.ok()) return status;
  const auto& config = request.config();
  return changed(*engine.archival, {history_archival(ns), visibility_archival(ns), {}},
                 {{config.history_archival_state(), config.history_archival_uri()},
                  {config.visibility_archival_state(), config.visibility_archival_uri()},
                  {}});
}

void apply_update(Engine& engine, const wf::UpdateNamespaceRequest& request,
                  const Archives& archives, wf::UpdateNamespaceResponse& response) {
  Namespace& ns = *engine.namespaces().find(request.namespace_());
  set_archival(ns, archives.history, archives.visibility);
  const auto& info = request.update_info();
  if (!info.description().empty()) ns.info.set_description(info.description());
  if (!info.owner_email().empty()) ns.info.set_owner_email(info.owner_email());
  for (const auto& [key, value] : info.data()) (*ns.info.mutable_data())[key] = value;
  if (info.state() != enums::NAMESPACE_STATE_UNSPECIFIED) ns.info.set_state(info.state());
  if (request.replication_config().state() != enums::REPLICATION_STATE_UNSPECIFIED)
    ns.replication = request.replication_config().state();
  if (request.config().has_workflow_execution_retention_ttl()) {
    *ns.config.mutable_workflow_execution_retention_ttl() =
        request.config().workflow_execution_retention_ttl();
    engine.runs().apply_retention();
    engine.activity_executions->apply_retention();
    engine.operation_executions->apply_retention();
  }
  engine.save(ns);
  describe(engine, ns, response);
}

absl::Status update_namespace(
    Engine& engine, TypedCall<wf::UpdateNamespaceRequest, wf::UpdateNamespaceResponse> call) {
  return check_and_apply(engine, call, check_update, apply_update);
}

absl::Status deprecate_namespace(Engine& engine, wf::DeprecateNamespaceRequest& request,
                                 wf::DeprecateNamespaceResponse&) {
  absl::StatusOr<Namespace*> found = engine.resolve_namespace(request.namespace_());
  if (!found.ok()) return found.status();
  (*found)->info.set_state(enums::NAMESPACE_STATE_DEPRECATED);
  engine.save(**found);
  return absl::OkStatus();
}

}  // namespace

void register_namespaces(MethodTable& table) {
  table.add("DescribeNamespace", describe_namespace);
  table.add("ListNamespaces", list_namespaces);
  table.add("RegisterNamespace", register_namespace);
  table.add("UpdateNamespace", update_namespace);
  table.add("DeprecateNamespace", deprecate_namespace);
}

}  // namespace chimera::server
