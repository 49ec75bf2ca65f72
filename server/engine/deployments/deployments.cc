#include "server/engine/deployments/deployments.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "server/base/errors.h"
#include "server/engine/deployments/run_versioning.h"
#include "server/engine/engine.h"

namespace chimera::server {
namespace {

constexpr Nanos kPollerMemory = std::chrono::minutes{5};

}  // namespace

std::string Deployments::key_of(const std::string& namespace_id, const std::string& name) {
  return absl::StrCat(namespace_id, "/", name);
}

const Deployments::Entry* Deployments::entry_of(const std::string& namespace_id,
                                                const std::string& name) const {
  const auto found = all_.find(key_of(namespace_id, name));
  return found == all_.end() ? nullptr : found->second.get();
}

Deployment* Deployments::find(const Namespace& ns, const std::string& name) {
  const auto found = all_.find(key_of(ns.id, name));
  return found == all_.end() ? nullptr : &found->second->deployment;
}

Deployments::Entry& Deployments::add(const std::string& namespace_id, Deployment deployment) {
  const std::string key = key_of(namespace_id, deployment.name());
  auto& entry = all_[key];
  entry.reset(
      new Entry{namespace_id, std::move(deployment), {}, Timer([this, key] { look(key); })});
  return *entry;
}

absl::StatusOr<Deployment*> Deployments::find_or_add(Namespace& ns, const std::string& name) {
  if (Deployment* known = find(ns, name)) return known;
  const auto in_namespace = static_cast<std::int64_t>(of(ns).size());
  const std::int64_t limit = engine_.config().deployments_max;
  if (in_namespace >= limit) {
    return exhausted(absl::StrCat("reached maximum deployments in namespace (", limit, ")"),
                     enums::RESOURCE_EXHAUSTED_CAUSE_WORKER_DEPLOYMENT_LIMITS);
  }
  return &add(ns.id, Deployment(name, engine_.now())).deployment;
}

std::vector<const Deployment*> Deployments::of(const Namespace& ns) const {
  std::vector<const Deployment*> deployments;
  for (const auto& [key, entry] : all_) {
    if (entry->namespace_id == ns.id) deployments.push_back(&entry->deployment);
  }
  std::stable_sort(deployments.begin(), deployments.end(),
                   [](const auto* a, const auto* b) { return a->changed() > b->changed(); });
  return deployments;
}

Deployments::Queues Deployments::forget_queues(Entry& entry) {
  for (const auto& [name, type] : entry.queues) {
    auto& entries = by_queue_[{entry.namespace_id, name, type}];
    std::erase(entries, &entry);
    if (entries.empty()) by_queue_.erase({entry.namespace_id, name, type});
  }
  return std::exchange(entry.queues, {});
}

// Which queues it has, before and after: the tasks of both may go elsewhere now.
void Deployments::index(Entry& entry) {
  auto before = forget_queues(entry);
  for (const auto& [build_id, version] : entry.deployment.versions()) {
    for (const auto& info : version.task_queue_infos())
      entry.queues.insert({info.name(), info.type()});
  }
  for (const auto& [name, type] : entry.queues)
    by_queue_[{entry.namespace_id, name, type}].push_back(&entry);
  before.insert(entry.queues.begin(), entry.queues.end());
  for (const auto& [name, type] : before)
    engine_.matching().reroute({entry.namespace_id, name, type});
}

void Deployments::save(const Entry& entry) {
  engine_.put_value(kTable, key_of(entry.namespace_id, entry.deployment.name()),
                    entry.deployment.encode());
}

// A chore: time does not skip to it.
void Deployments::arm(Entry& entry) {
  engine_.loop().chores().arm(entry.timer, entry.deployment.next_look(limits()));
}

void Deployments::changed(const Namespace& ns, const std::string& name) {
  Entry& entry = *all_.at(key_of(ns.id, name));
  save(entry);
  arm(entry);
  index(entry);
}

void Deployments::erase(const Namespace& ns, const std::string& name) {
  const auto found = all_.find(key_of(ns.id, name));
  if (found == all_.end()) return;
  engine_.put_value(kTable, found->first, "", /*erase=*/true);
  forget_queues(*found->second);  // It may go with its namespace and all of its versions.
  all_.erase(found);
}

absl::Status Deployments::polled(Namespace& ns, const DeploymentVersion& version,
                                 const std::string& queue, enums::TaskQueueType type) {
  if (has_queue(version, {ns.id, queue, type})) return absl::OkStatus();
  absl::StatusOr<Deployment*> deployment = find_or_add(ns, version.deployment);
  if (!deployment.ok()) return deployment.status();
  const absl::Status status =
      (*deployment)
          ->add_queue(
              version.build_id, queue, type, limits(),
              [&](const auto& one) { return has_pollers(ns, one); }, engine_.now());
  changed(ns, version.deployment);
  return status;
}

void Deployments::reactivate(const Namespace& ns, const DeploymentVersion& version) {
  Deployment* deployment = find(ns, version.deployment);
  if (deployment != nullptr && deployment->reactivate(version.build_id, engine_.now()))
    changed(ns, version.deployment);
}

QueueRouting Deployments::routing(const QueueKey& queue) const {
  QueueRouting routing;
  const auto found = by_queue_.find(queue);
  if (found == by_queue_.end()) return routing;
  for (const Entry* entry : found->second) {
    const auto& config = entry->deployment.routing();
    const auto has = [&](const deployment::WorkerDeploymentVersion& version) {
      const auto* info = entry->deployment.find(version.build_id());
      return info != nullptr && server::has_queue(*info, queue.name, queue.type);
    };
    routing.hear(config, has(config.current_deployment_version()),
                 has(config.ramping_deployment_version()));
  }
  return routing;
}

bool Deployments::has_queue(const DeploymentVersion& version, const QueueKey& queue) const {
  const Entry* entry = entry_of(queue.namespace_id, version.deployment);
  const auto* info = entry == nullptr ? nullptr : entry->deployment.find(version.build_id);
  return info != nullptr && server::has_queue(*info, queue.name, queue.type);
}

bool Deployments::is_drained(const std::string& namespace_id,
                             const DeploymentVersion& version) const {
  const Entry* entry = entry_of(namespace_id, version.deployment);
  const auto* info = entry == nullptr ? nullptr : entry->deployment.find(version.build_id);
  return info != nullptr && info->status() == enums::WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED;
}

DeploymentLimits Deployments::limits() const {
  const DynamicConfig& config = engine_.config();
  return {config.deployment_versions_max, config.version_queues_max, config.drainage_grace,
          config.drainage_interval};
}

bool Deployments::has_pollers(const Namespace& ns, const Deployment::VersionInfo& version) const {
  const std::string text = version_of(version.deployment_version()).text();
  const WallTime now = engine_.loop().real_now();
  for (const auto& info : version.task_queue_infos()) {
    const TaskQueue* queue = engine_.matching().find({ns.id, info.name(), info.type(), text});
    if (queue == nullptr) continue;
    if (!queue->pollers.empty()) return true;
    for (const auto& [identity, seen] : queue->seen) {
      if (now - seen.last <= kPollerMemory) return true;
    }
  }
  return false;
}

bool Deployments::is_missed(const Namespace& ns,
                            const Deployment::VersionInfo::VersionTaskQueueInfo& queue,
                            const DeploymentVersion& current) const {
  QueueKey key{ns.id, queue.name(), queue.type()};
  if (routing(key).current.version != current) return false;
  key.version = current.text();
  const QueueStats stats = engine_.matching().stats(key);
  return stats.backlog > 0 || stats.added_per_second > 0;
}

void Deployments::look(const std::string& key) {
  const auto found = all_.find(key);
  if (found == all_.end()) return;
  Entry& entry = *found->second;
  const auto has_runs = [&](const DeploymentVersion& version) {
    return has_pinned_runs(entry.namespace_id, version);
  };
  if (entry.deployment.look(limits(), has_runs, engine_.now())) save(entry);
  arm(entry);
}

bool Deployments::has_pinned_runs(const std::string& namespace_id,
                                  const DeploymentVersion& version) const {
  for (const auto& [run_id, run] : engine_.runs().in_memory()) {  // All that are open.
    if (!run->running() || run->versioning == nullptr || run->ns->id != namespace_id) continue;
    if (run->versioning->shown_behavior() == enums::VERSIONING_BEHAVIOR_PINNED &&
        run->versioning->shown_version() == version)
      return true;
  }
  return false;
}

absl::Status Deployments::restore(const std::string& key, const std::string& value) {
  Deployment deployment;
  const std::string namespace_id = key.substr(0, key.find('/'));
  if (!deployment.decode(value) || engine_.namespaces().find_by_id(namespace_id) == nullptr) {
    return absl::DataLossError(
        absl::StrCat("the database is damaged: worker deployment ", key,
                     ". Restore a copy of the file, or start with another file name."));
  }
  Entry& entry = add(namespace_id, std::move(deployment));
  index(entry);
  arm(entry);
  return absl::OkStatus();
}

}  // namespace chimera::server
