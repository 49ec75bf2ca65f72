// Worker deployments and their versions: described, listed, made current and ramping, deleted. The
// order of the checks, and their words, are the genuine server's (1.32).
#include "server/engine/deployments/deployments.h"

#include "absl/strings/numbers.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"

namespace chimera::server {
namespace {

using VersionTaskQueue = wf::DescribeWorkerDeploymentVersionResponse::VersionTaskQueue;
constexpr int kPageMax = 1000;

absl::Status no_deployment(const std::string& name) {
  return not_found(absl::StrCat("no Worker Deployment found with name '", name,
                                "'; does your Worker Deployment have pollers?"));
}

// What the genuine server says of the workflow that keeps them.
absl::Status no_keeper(absl::string_view kind, absl::string_view id) {
  return not_found(
      absl::StrCat("workflow not found for ID: temporal-sys-worker-deployment", kind, ":", id));
}

// The older text, of names that may be missing.
std::string text_of(const std::string& deployment, const std::string& build_id) {
  return absl::StrCat(deployment, ".", build_id);
}

// A version by its message, which is read as its text is, or by the older text.
absl::StatusOr<DeploymentVersion> named_version(const auto& request) {
  const auto& named = request.deployment_version();
  const std::string text = request.has_deployment_version()
                               ? text_of(named.deployment_name(), named.build_id())
                               : request.version();
  absl::StatusOr<DeploymentVersion> version = parse_version(text);
  if (version.ok()) return version;
  return invalid(absl::StrCat("invalid version string \"", text,
                              "\", expected format is \"<deployment_name>.<build_id>\""));
}

// The version that is to be current, or to ramp.
absl::StatusOr<DeploymentVersion> wanted_version(const std::string& text,
                                                 const std::string& deployment_name) {
  absl::StatusOr<DeploymentVersion> version = parse_version(text);
  if (!version.ok())
    return invalid(absl::StrCat("invalid version string: ", version.status().message()));
  if (!version->unversioned() && version->deployment != deployment_name) {
    return invalid(absl::StrCat("invalid version string '", text,
                                "' does not match deployment name '", deployment_name, "'"));
  }
  return version;
}

// The deployment of the request; with allow_no_pollers one that is not there yet, too.
absl::StatusOr<Deployment*> target(Engine& engine, Namespace& ns, const auto& request,
                                   const DeploymentVersion* version) {
  const std::string& name = request.deployment_name();
  if (absl::Status s = check_version_name(kDeploymentNameField, name); !s.ok()) return s;
  if (request.allow_no_pollers()) {
    if (version != nullptr && !version->unversioned()) {
      if (absl::Status s = check_version_name(kBuildIdField, version->build_id); !s.ok()) return s;
    }
    return engine.deployments->find_or_add(ns, name);
  }
  Deployment* deployment = engine.deployments->find(ns, name);
  if (deployment == nullptr) return no_deployment(name);
  return deployment;
}

Deployment::Change change_of(const auto& request) {
  Deployment::Change change{request.identity(), request.conflict_token()};
  if constexpr (requires { request.ignore_missing_task_queues(); }) {
    change.ignore_missing_queues = request.ignore_missing_task_queues();
    change.allow_no_pollers = request.allow_no_pollers();
  }
  return change;
}

void answer(const Deployment& deployment, const Deployment::Previous& previous, auto& response) {
  response.set_conflict_token(deployment.token());
  response.set_previous_version(previous.version);
  const auto version = parse_version(previous.version);
  if (version.ok() && !version->unversioned())
    *response.mutable_previous_deployment_version() = message_of(*version);
}

absl::Status set_current(Engine& engine, wf::SetWorkerDeploymentCurrentVersionRequest& request,
                         wf::SetWorkerDeploymentCurrentVersionResponse& response) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  const std::string& name = request.deployment_name();
  if (name.empty()) return invalid("deployment name cannot be empty");
  std::string text = request.version();
  if (text.empty() && request.build_id().empty()) text = kUnversioned;
  if (text.empty()) text = text_of(name, request.build_id());
  absl::StatusOr<DeploymentVersion> version = wanted_version(text, name);
  if (!version.ok()) return version.status();
  absl::StatusOr<Deployment*> deployment = target(engine, **ns, request, &*version);
  if (!deployment.ok()) return deployment.status();
  Deployments& all = *engine.deployments;
  absl::StatusOr<Deployment::Previous> previous =
      (*deployment)
          ->set_current(
              *version, change_of(request), all.limits(),
              [&](const auto& one) { return all.has_pollers(**ns, one); },
              [&](const auto& queue, const auto& current) {
                return all.is_missed(**ns, queue, current);
              },
              engine.now());
  if (previous.ok() ? previous->changed : request.allow_no_pollers()) all.changed(**ns, name);
  if (!previous.ok()) return previous.status();
  answer(**deployment, *previous, response);
  return absl::OkStatus();
}

// The version that is to ramp, as its text; empty: none.
std::string ramping_text(const wf::SetWorkerDeploymentRampingVersionRequest& request) {
  const bool names_build = !request.build_id().empty();
  std::string text = request.version();
  if (text.empty() && names_build) text = text_of(request.deployment_name(), request.build_id());
  if (text.empty() && request.percentage() > 0) text = kUnversioned;
  const bool unset = text == kUnversioned && request.percentage() == 0 && !names_build;
  return unset ? std::string() : text;
}

absl::Status set_ramping(Engine& engine, wf::SetWorkerDeploymentRampingVersionRequest& request,
                         wf::SetWorkerDeploymentRampingVersionResponse& response) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  const std::string& name = request.deployment_name();
  if (!(request.percentage() >= 0 && request.percentage() <= 100))
    return invalid("Percentage must be between 0 and 100 (inclusive)");
  const std::string text = ramping_text(request);
  std::optional<DeploymentVersion> version;
  if (!text.empty()) {
    absl::StatusOr<DeploymentVersion> wanted = wanted_version(text, name);
    if (!wanted.ok()) return wanted.status();
    version = *std::move(wanted);
  }
  const DeploymentVersion* next = version ? &*version : nullptr;
  absl::StatusOr<Deployment*> deployment = target(engine, **ns, request, next);
  if (!deployment.ok()) return deployment.status();
  Deployments& all = *engine.deployments;
  absl::StatusOr<Deployment::Previous> previous =
      (*deployment)
          ->set_ramping(
              next, request.percentage(), change_of(request), all.limits(),
              [&](const auto& one) { return all.has_pollers(**ns, one); },
              [&](const auto& queue, const auto& current) {
                return all.is_missed(**ns, queue, current);
              },
              engine.now());
  if (previous.ok() ? previous->changed : request.allow_no_pollers()) all.changed(**ns, name);
  if (!previous.ok()) return previous.status();
  answer(**deployment, *previous, response);
  response.set_previous_percentage(previous->percentage);
  return absl::OkStatus();
}

absl::Status describe(Engine& engine, wf::DescribeWorkerDeploymentRequest& request,
                      wf::DescribeWorkerDeploymentResponse& response) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  const std::string& name = request.deployment_name();
  if (absl::Status s = check_version_name(kDeploymentNameField, name); !s.ok()) return s;
  const Deployment* deployment = engine.deployments->find(**ns, name);
  if (deployment == nullptr) return no_deployment(name);
  *response.mutable_worker_deployment_info() = deployment->described();
  response.set_conflict_token(deployment->token());
  return absl::OkStatus();
}

void fill(const QueueStats& from, taskqueue::TaskQueueStats& stats) {
  stats.set_approximate_backlog_count(from.backlog);
  set(stats.mutable_approximate_backlog_age(), from.age);
  stats.set_tasks_add_rate(from.added_per_second);
  stats.set_tasks_dispatch_rate(from.dispatched_per_second);
}

void fill_stats(Engine& engine, const QueueKey& key, VersionTaskQueue& out) {
  QueueStats all;
  if (const TaskQueue* queue = engine.matching().find(key)) {
    for (const auto& [priority, stats] : queue->stats(engine.loop().real_now())) {
      all.add(stats);
      fill(stats, (*out.mutable_stats_by_priority_key())[priority]);
    }
  }
  fill(all, *out.mutable_stats());
}

absl::Status describe_version(Engine& engine, wf::DescribeWorkerDeploymentVersionRequest& request,
                              wf::DescribeWorkerDeploymentVersionResponse& response) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if (request.version().empty() && !request.has_deployment_version())
    return invalid("deployment version cannot be empty");
  if (!request.version().empty()) request.clear_deployment_version();  // It comes first.
  absl::StatusOr<DeploymentVersion> version = named_version(request);
  if (!version.ok()) return version.status();
  if (absl::Status s = check_version(*version); !s.ok()) return s;
  const Deployment* deployment = engine.deployments->find(**ns, version->deployment);
  const auto* info = deployment == nullptr ? nullptr : deployment->find(version->build_id);
  if (info == nullptr) return not_found("Worker Deployment Version not found");
  *response.mutable_worker_deployment_version_info() = described(*info);
  for (const auto& queue : info->task_queue_infos()) {
    auto& out = *response.add_version_task_queues();
    out.set_name(queue.name());
    out.set_type(queue.type());
    if (request.report_task_queue_stats())
      fill_stats(engine, {(*ns)->id, queue.name(), queue.type(), version->text()}, out);
  }
  return absl::OkStatus();
}

void fill_listed(const Deployment& from,
                 wf::ListWorkerDeploymentsResponse::WorkerDeploymentSummary& out) {
  const deployment::WorkerDeploymentInfo info = from.described();
  out.set_name(info.name());
  *out.mutable_create_time() = info.create_time();
  *out.mutable_routing_config() = info.routing_config();
  if (const auto* latest = from.latest())
    *out.mutable_latest_version_summary() = summary_of(*latest);
  if (const auto* current =
          from.find(info.routing_config().current_deployment_version().build_id()))
    *out.mutable_current_version_summary() = summary_of(*current);
  if (const auto* ramping =
          from.find(info.routing_config().ramping_deployment_version().build_id()))
    *out.mutable_ramping_version_summary() = summary_of(*ramping);
}

// A page begins behind so many.
absl::Status list(Engine& engine, wf::ListWorkerDeploymentsRequest& request,
                  wf::ListWorkerDeploymentsResponse& response) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  std::size_t from = 0;
  if (!request.next_page_token().empty() && !absl::SimpleAtoi(request.next_page_token(), &from))
    return invalid("invalid next page token");
  const int page =
      request.page_size() <= 0 || request.page_size() > kPageMax ? kPageMax : request.page_size();
  const auto all = engine.deployments->of(**ns);
  for (; from < all.size() && response.worker_deployments_size() < page; ++from)
    fill_listed(*all[from], *response.add_worker_deployments());
  if (from < all.size()) response.set_next_page_token(std::to_string(from));
  return absl::OkStatus();
}

absl::Status set_manager(Engine& engine, wf::SetWorkerDeploymentManagerRequest& request,
                         wf::SetWorkerDeploymentManagerResponse& response) {
  if (request.identity().empty()) return invalid("Identity is required");
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  const std::string& name = request.deployment_name();
  if (absl::Status s = check_version_name(kDeploymentNameField, name); !s.ok()) return s;
  Deployment* deployment = engine.deployments->find(**ns, name);
  if (deployment == nullptr) return no_keeper("", name);
  absl::StatusOr<std::string> previous =
      deployment->set_manager(request.self() ? request.identity() : request.manager_identity(),
                              change_of(request), engine.now());
  if (!previous.ok()) return previous.status();
  engine.deployments->changed(**ns, name);
  response.set_conflict_token(deployment->token());
  response.set_previous_manager_identity(*std::move(previous));
  return absl::OkStatus();
}

absl::Status delete_deployment(Engine& engine, wf::DeleteWorkerDeploymentRequest& request,
                               wf::DeleteWorkerDeploymentResponse&) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  const std::string& name = request.deployment_name();
  if (absl::Status s = check_version_name(kDeploymentNameField, name); !s.ok()) return s;
  const Deployment* deployment = engine.deployments->find(**ns, name);
  if (deployment == nullptr) return absl::OkStatus();
  if (!deployment->versions().empty())
    return absl::FailedPreconditionError("deployment has versions, can't be deleted");
  engine.deployments->erase(**ns, name);
  return absl::OkStatus();
}

absl::Status delete_version(Engine& engine, wf::DeleteWorkerDeploymentVersionRequest& request,
                            wf::DeleteWorkerDeploymentVersionResponse&) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  absl::StatusOr<DeploymentVersion> version = named_version(request);
  if (!version.ok()) return version.status();
  const std::string& name = version->deployment;
  if (absl::Status s = check_version_name(kDeploymentNameField, name); !s.ok()) return s;
  Deployment* deployment = engine.deployments->find(**ns, name);
  if (deployment == nullptr) return no_keeper("", name);
  bool changed = false;
  absl::Status status = deployment->delete_version(
      version->build_id, request.identity().empty() ? engine.ids().uuid() : request.identity(),
      request.skip_drainage(),
      [&](const auto& one) { return engine.deployments->has_pollers(**ns, one); }, engine.now(),
      changed);
  if (status.ok() && changed) engine.deployments->changed(**ns, name);
  return status;
}

absl::Status update_metadata(Engine& engine,
                             wf::UpdateWorkerDeploymentVersionMetadataRequest& request,
                             wf::UpdateWorkerDeploymentVersionMetadataResponse& response) {
  if (request.remove_entries().empty() && request.upsert_entries().empty())
    return invalid("At least one of remove_entries or upsert_entries must be provided");
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  const DeploymentVersion version =
      request.has_deployment_version()
          ? version_of(request.deployment_version())
          : parse_version(request.version()).value_or(DeploymentVersion());
  Deployment* deployment = engine.deployments->find(**ns, version.deployment);
  if (deployment == nullptr || deployment->find(version.build_id) == nullptr) {
    return no_keeper("-version", absl::StrCat(version.deployment, ":", version.build_id));
  }
  deployment->set_metadata(version.build_id, request.identity(), request.upsert_entries(),
                           request.remove_entries(), engine.now());
  engine.deployments->changed(**ns, version.deployment);
  *response.mutable_metadata() = deployment->find(version.build_id)->metadata();
  return absl::OkStatus();
}

}  // namespace

void register_deployments(MethodTable& table) {
  table.add("DescribeWorkerDeployment", describe);
  table.add("DescribeWorkerDeploymentVersion", describe_version);
  table.add("ListWorkerDeployments", list);
  table.add("SetWorkerDeploymentCurrentVersion", set_current);
  table.add("SetWorkerDeploymentRampingVersion", set_ramping);
  table.add("SetWorkerDeploymentManager", set_manager);
  table.add("DeleteWorkerDeployment", delete_deployment);
  table.add("DeleteWorkerDeploymentVersion", delete_version);
  table.add("UpdateWorkerDeploymentVersionMetadata", update_metadata);
}

}  // namespace chimera::server
