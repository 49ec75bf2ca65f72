#include "server/engine/run/namespaces.h"

namespace chimera::server {

Namespace* Namespaces::find(const std::string& name) {
  auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second.get();
}

const Namespace* Namespaces::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second.get();
}

Namespace* Namespaces::find_by_id(const std::string& id) {
  for (auto& [name, ns] : by_name_) {
    if (ns->id == id) return ns.get();
  }
  return nullptr;
}

Namespace& Namespaces::add(std::string name, std::string id, Nanos retention) {
  auto ns = std::make_unique<Namespace>();
  ns->id = id;
  auto& info = ns->info;
  info.set_name(name);
  info.set_id(std::move(id));
  info.set_state(enums::NAMESPACE_STATE_REGISTERED);
  info.set_supports_schedules(true);
  auto& can = *info.mutable_capabilities();
  can.set_eager_workflow_start(true);
  can.set_sync_update(true);
  can.set_async_update(true);
  can.set_worker_heartbeats(true);
  can.set_poller_autoscaling(true);
  can.set_reported_problems_search_attribute(true);
  can.set_worker_poll_complete_on_shutdown(true);
  info.mutable_limits()->set_blob_size_limit_error(2 << 20);
  info.mutable_limits()->set_memo_size_limit_error(2 << 20);
  set(ns->config.mutable_workflow_execution_retention_ttl(), retention);
  ns->config.mutable_bad_binaries();
  ns->config.set_history_archival_state(enums::ARCHIVAL_STATE_DISABLED);
  ns->config.set_visibility_archival_state(enums::ARCHIVAL_STATE_DISABLED);
  Namespace& added = *ns;
  by_name_[std::move(name)] = std::move(ns);
  return added;
}

void Namespaces::rename(Namespace& ns, std::string name) {
  if (name == ns.name()) return;
  auto node = by_name_.extract(ns.name());
  node.key() = name;
  ns.info.set_name(std::move(name));
  by_name_.insert(std::move(node));
}

void Namespaces::remove(Namespace& ns) {
  auto node = by_name_.extract(ns.name());
  removed_.push_back(std::move(node.mapped()));
}

}  // namespace chimera::server
