#include "sdk-cpp/src/deployment_wire.h"

#include "sdk-cpp/src/version_wire.h"

namespace chimera::sdk {
namespace {

namespace deployments = api::deployment::v1;
namespace ws = api::workflowservice::v1;
using google::protobuf::Timestamp;
using Summary = deployments::WorkerDeploymentInfo::WorkerDeploymentVersionSummary;

std::optional<Time> to_time(bool there, const Timestamp& time) {
  return there ? std::optional<Time>(base::to_wall_time(time)) : std::nullopt;
}

std::optional<WorkerDeploymentVersion> to_version(
    bool there, const deployments::WorkerDeploymentVersion& version) {
  return there ? std::optional(to_public(version)) : std::nullopt;
}

WorkerDeploymentRoutingConfig read(const deployments::RoutingConfig& config) {
  return {
      .current_version =
          to_version(config.has_current_deployment_version(), config.current_deployment_version()),
      .ramping_version =
          to_version(config.has_ramping_deployment_version(), config.ramping_deployment_version()),
      .ramping_version_percentage = config.ramping_version_percentage(),
      .current_version_changed_at =
          to_time(config.has_current_version_changed_time(), config.current_version_changed_time()),
      .ramping_version_changed_at =
          to_time(config.has_ramping_version_changed_time(), config.ramping_version_changed_time()),
      .ramping_version_percentage_changed_at =
          to_time(config.has_ramping_version_percentage_changed_time(),
                  config.ramping_version_percentage_changed_time())};
}

// What a version's summary and its description have alike.
template <class Info>
WorkerDeploymentVersionSummary read_version(const Info& info, bool routing_changed,
                                            const Timestamp& routing_changed_at) {
  WorkerDeploymentVersionSummary out{
      .version = to_public(info.deployment_version()),
      .status = static_cast<WorkerDeploymentVersionStatus>(info.status()),
      .created_at = base::to_wall_time(info.create_time()),
      .routing_changed_at = to_time(routing_changed, routing_changed_at),
      .current_since = to_time(info.has_current_since_time(), info.current_since_time()),
      .ramping_since = to_time(info.has_ramping_since_time(), info.ramping_since_time()),
      .first_activated_at = to_time(info.has_first_activation_time(), info.first_activation_time()),
      .last_current_at = to_time(info.has_last_current_time(), info.last_current_time()),
      .last_deactivated_at =
          to_time(info.has_last_deactivation_time(), info.last_deactivation_time()),
      .drainage_info = std::nullopt};
  if (info.has_drainage_info()) {
    const auto& drainage = info.drainage_info();
    out.drainage_info = {
        .status = static_cast<WorkerDeploymentVersionDrainageStatus>(drainage.status()),
        .last_changed_at = base::to_wall_time(drainage.last_changed_time()),
        .last_checked_at = base::to_wall_time(drainage.last_checked_time())};
  }
  return out;
}

WorkerDeploymentVersionSummary read(const Summary& summary) {
  return read_version(summary, summary.has_routing_update_time(), summary.routing_update_time());
}
std::optional<WorkerDeploymentVersionSummary> read(bool there, const Summary& summary) {
  return there ? std::optional(read(summary)) : std::nullopt;
}

std::optional<TaskQueueStats> read(
    const ws::DescribeWorkerDeploymentVersionResponse::VersionTaskQueue& queue) {
  if (!queue.has_stats()) return std::nullopt;
  const auto& stats = queue.stats();
  return TaskQueueStats{
      .approximate_backlog_count = stats.approximate_backlog_count(),
      .approximate_backlog_age = base::to_nanoseconds(stats.approximate_backlog_age()),
      .tasks_add_rate = stats.tasks_add_rate(),
      .tasks_dispatch_rate = stats.tasks_dispatch_rate()};
}

}  // namespace

WorkerDeploymentDescription to_public(const ws::DescribeWorkerDeploymentResponse& reply) {
  const auto& info = reply.worker_deployment_info();
  WorkerDeploymentDescription out{
      .name = info.name(),
      .routing_config = read(info.routing_config()),
      .versions = {},
      .created_at = base::to_wall_time(info.create_time()),
      .last_modifier_identity = info.last_modifier_identity(),
      .manager_identity = info.manager_identity(),
      .routing_update_in_progress = info.routing_config_update_state() ==
                                    api::enums::v1::ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS,
      .conflict_token = reply.conflict_token()};
  for (const auto& each : info.version_summaries()) out.versions.push_back(read(each));
  return out;
}

WorkerDeploymentListEntry to_public(
    const ws::ListWorkerDeploymentsResponse::WorkerDeploymentSummary& entry) {
  return {
      .name = entry.name(),
      .created_at = base::to_wall_time(entry.create_time()),
      .routing_config = read(entry.routing_config()),
      .latest_version = read(entry.has_latest_version_summary(), entry.latest_version_summary()),
      .current_version = read(entry.has_current_version_summary(), entry.current_version_summary()),
      .ramping_version =
          read(entry.has_ramping_version_summary(), entry.ramping_version_summary())};
}

WorkerDeploymentVersionDescription to_public(
    const ws::DescribeWorkerDeploymentVersionResponse& reply, const Codec& codec) {
  const auto& info = reply.worker_deployment_version_info();
  WorkerDeploymentVersionDescription out{
      .info = read_version(info, info.has_routing_changed_time(), info.routing_changed_time()),
      .ramp_percentage = info.ramp_percentage(),
      .task_queues = {},
      .metadata = to_public(info.metadata(), codec)};
  for (const auto& each : reply.version_task_queues()) {
    out.task_queues.push_back({.name = each.name(),
                               .type = static_cast<TaskQueueType>(each.type()),
                               .stats = read(each)});
  }
  return out;
}

Memo to_public(const deployments::VersionMetadata& metadata, const Codec& codec) {
  Memo out;
  for (const auto& [name, payload] : metadata.entries()) {
    ProtoPayload scratch;
    out.emplace(name, to_public(decoded(payload, codec, scratch)));
  }
  return out;
}

}  // namespace chimera::sdk
