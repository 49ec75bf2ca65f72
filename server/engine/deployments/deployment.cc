#include "server/engine/deployments/deployment.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "server/base/errors.h"
#include "server/engine/run/archive.h"

namespace chimera::server {
namespace {

using Status = enums::WorkerDeploymentVersionStatus;
constexpr std::uint64_t kLayout = 1;  // Of the bytes.

absl::Status refused(absl::string_view why) { return absl::FailedPreconditionError(why); }

bool drains(const Deployment::VersionInfo& version) {
  return version.drainage_info().status() == enums::VERSION_DRAINAGE_STATUS_DRAINING;
}

void begin_drainage(Deployment::VersionInfo& version, WallTime now) {
  version.set_status(enums::WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING);
  if (version.has_drainage_info()) return;
  auto& drainage = *version.mutable_drainage_info();
  drainage.set_status(enums::VERSION_DRAINAGE_STATUS_DRAINING);
  set(drainage.mutable_last_changed_time(), now);
  set(drainage.mutable_last_checked_time(), now);
}

// It takes new workflows.
void activate(Deployment::VersionInfo& version, WallTime now) {
  if (!version.has_first_activation_time()) set(version.mutable_first_activation_time(), now);
  version.clear_drainage_info();
  version.clear_last_deactivation_time();
}

void become_current(Deployment::VersionInfo& version, const deployment::RoutingConfig& config,
                    WallTime now) {
  version.set_status(enums::WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT);
  version.clear_ramping_since_time();
  version.clear_ramp_percentage();
  *version.mutable_current_since_time() = config.current_version_changed_time();
  *version.mutable_last_current_time() = config.current_version_changed_time();
  *version.mutable_routing_changed_time() = config.current_version_changed_time();
  activate(version, now);
}

void become_ramping(Deployment::VersionInfo& version, const deployment::RoutingConfig& config,
                    WallTime now) {
  version.set_status(enums::WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING);
  version.clear_current_since_time();
  *version.mutable_ramping_since_time() = config.ramping_version_changed_time();
  version.set_ramp_percentage(config.ramping_version_percentage());
  *version.mutable_routing_changed_time() = config.ramping_version_percentage_changed_time();
  activate(version, now);
}

void retire(Deployment::VersionInfo& version, WallTime now) {
  version.clear_current_since_time();
  version.clear_ramping_since_time();
  version.clear_ramp_percentage();
  set(version.mutable_routing_changed_time(), now);
  set(version.mutable_last_deactivation_time(), now);
  begin_drainage(version, now);
}

WallTime next_look_at(const Deployment::VersionInfo& version, const DeploymentLimits& limits) {
  if (!drains(version)) return kNever;
  const WallTime checked = to_wall(version.drainage_info().last_checked_time());
  const bool first = checked == to_wall(version.drainage_info().last_changed_time());
  return add_saturated(checked, first ? limits.drain_grace : limits.drain_interval);
}

bool is(const deployment::WorkerDeploymentVersion& message, const DeploymentVersion& version) {
  return version_of(message) == version;
}

}  // namespace

Deployment::Deployment(std::string name, WallTime now) {
  info_.set_name(std::move(name));
  set(info_.mutable_create_time(), now);
  info_.mutable_routing_config()->set_current_version(kUnversioned);
  changed_ = now;
}

const Deployment::VersionInfo* Deployment::find(const std::string& build_id) const {
  const auto found = versions_.find(build_id);
  return found == versions_.end() ? nullptr : &found->second;
}

bool has_queue(const Deployment::VersionInfo& version, absl::string_view queue,
               enums::TaskQueueType type) {
  return std::any_of(version.task_queue_infos().begin(), version.task_queue_infos().end(),
                     [&](const auto& info) { return info.name() == queue && info.type() == type; });
}

// One of an earlier deployment of the name does not fit.
std::string Deployment::token() const {
  return absl::StrCat(to_wall(info_.create_time()).time_since_epoch().count(), "-", changes_);
}

void Deployment::note_change(const std::string& identity, WallTime now) {
  info_.set_last_modifier_identity(identity);
  ++changes_;
  changed_ = now;
}

absl::Status Deployment::check_change(const Change& change) const {
  if (!change.token.empty() && change.token != token()) return refused("conflict token mismatch");
  return absl::OkStatus();
}

absl::Status Deployment::check_manager(const std::string& identity) const {
  const std::string& manager = info_.manager_identity();
  if (manager.empty() || manager == identity) return absl::OkStatus();
  return refused(absl::StrCat(
      "ManagerIdentity '", manager, "' is set and does not match user identity '", identity,
      "'; to proceed, set your own identity as the ManagerIdentity, remove the ManagerIdentity, or "
      "wait for the other client to do so"));
}

absl::Status Deployment::add_version(const std::string& build_id, const DeploymentLimits& limits,
                                     HasPollers has_pollers, WallTime now) {
  if (static_cast<std::int64_t>(versions_.size()) >= limits.versions && !make_room(has_pollers)) {
    return exhausted(absl::StrCat("cannot add version ", version(build_id).old_text(),
                                  " since maximum number of versions (", limits.versions,
                                  ") have been registered in the deployment"),
                     enums::RESOURCE_EXHAUSTED_CAUSE_WORKER_DEPLOYMENT_LIMITS);
  }
  VersionInfo& added = versions_[build_id];
  *added.mutable_deployment_version() = message_of(version(build_id));
  added.set_version(version(build_id).old_text());
  added.set_status(enums::WORKER_DEPLOYMENT_VERSION_STATUS_INACTIVE);
  set(added.mutable_create_time(), now);
  return absl::OkStatus();
}

// The oldest that may go.
bool Deployment::make_room(HasPollers has_pollers) {
  const VersionInfo* oldest = nullptr;
  for (const auto& [build_id, version] : versions_) {
    if (!check_deletable(build_id, /*skip_drainage=*/false, has_pollers).ok()) continue;
    if (oldest == nullptr || to_wall(version.create_time()) < to_wall(oldest->create_time()))
      oldest = &version;
  }
  if (oldest == nullptr) return false;
  versions_.erase(oldest->deployment_version().build_id());
  return true;
}

absl::Status Deployment::add_queue(const std::string& build_id, const std::string& queue,
                                   enums::TaskQueueType type, const DeploymentLimits& limits,
                                   HasPollers has_pollers, WallTime now) {
  if (!versions_.contains(build_id)) {
    if (absl::Status s = add_version(build_id, limits, has_pollers, now); !s.ok()) return s;
  }
  VersionInfo& to = versions_[build_id];
  if (has_queue(to, queue, type)) return absl::OkStatus();
  std::vector<std::string> names;
  for (const auto& info : to.task_queue_infos()) names.push_back(info.name());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (static_cast<std::int64_t>(names.size()) >= limits.queues) {
    return exhausted(
        absl::StrCat("cannot add task queue ", queue, " since maximum number of task queues (",
                     limits.queues, ") have been registered in deployment"),
        enums::RESOURCE_EXHAUSTED_CAUSE_WORKER_DEPLOYMENT_LIMITS);
  }
  auto& info = *to.add_task_queue_infos();
  info.set_name(queue);
  info.set_type(type);
  changed_ = now;
  return absl::OkStatus();
}

bool Deployment::misses_queues(const DeploymentVersion& next, IsMissed missed) const {
  const DeploymentVersion current = version_of(routing().current_deployment_version());
  const VersionInfo* before = find(current.build_id);
  const VersionInfo* after = find(next.build_id);
  if (before == nullptr || after == nullptr) return false;
  return std::any_of(
      before->task_queue_infos().begin(), before->task_queue_infos().end(), [&](const auto& queue) {
        return !has_queue(*after, queue.name(), queue.type()) && missed(queue, current);
      });
}

absl::StatusOr<Deployment::Previous> Deployment::set_current(const DeploymentVersion& next,
                                                             const Change& change,
                                                             const DeploymentLimits& limits,
                                                             HasPollers has_pollers,
                                                             IsMissed missed, WallTime now) {
  const DeploymentVersion before = version_of(routing().current_deployment_version());
  if (before == next && info_.last_modifier_identity() == change.identity)
    return Previous{next.old_text(), 0, /*changed=*/false};
  if (absl::Status s = check_change(change); !s.ok()) return s;
  const bool known = next.unversioned() || versions_.contains(next.build_id);
  if (!known && !change.allow_no_pollers) {
    return not_found(absl::StrCat("build ID '", next.build_id, "' not found in Worker Deployment '",
                                  name(), "'"));
  }
  if (absl::Status s = check_manager(change.identity); !s.ok()) return s;
  if (!known) {
    if (absl::Status s = add_version(next.build_id, limits, has_pollers, now); !s.ok()) return s;
  }
  if (!change.ignore_missing_queues && !before.unversioned() && !next.unversioned() &&
      misses_queues(next, missed)) {
    return refused(absl::StrCat("proposed current version '", next.text(),
                                "' is missing active task queues from the current version; these "
                                "would become unversioned if it is set as the current version"));
  }
  if (before != next) {
    deployment::RoutingConfig config = routing();
    if (next.unversioned())
      config.clear_current_deployment_version();
    else
      *config.mutable_current_deployment_version() = message_of(next);
    config.set_current_version(next.old_text());
    set(config.mutable_current_version_changed_time(), now);
    if (config.ramping_version() == next.old_text()) {  // It ramps no more.
      config.clear_ramping_deployment_version();
      config.clear_ramping_version();
      config.clear_ramping_version_percentage();
      set(config.mutable_ramping_version_changed_time(), now);
      set(config.mutable_ramping_version_percentage_changed_time(), now);
    }
    route(std::move(config), now);
  }
  note_change(change.identity, now);
  return Previous{before.old_text()};
}

absl::StatusOr<Deployment::Previous> Deployment::set_ramping(const DeploymentVersion* next,
                                                             float percentage, const Change& change,
                                                             const DeploymentLimits& limits,
                                                             HasPollers has_pollers,
                                                             IsMissed missed, WallTime now) {
  const std::string text = next == nullptr ? std::string() : next->old_text();
  const Previous before{routing().ramping_version(), routing().ramping_version_percentage()};
  if (text == before.version && percentage == before.percentage &&
      info_.last_modifier_identity() == change.identity)
    return Previous{text, percentage, /*changed=*/false};
  if (absl::Status s = check_change(change); !s.ok()) return s;
  if (text == routing().current_version() && !(text == kUnversioned && percentage == 0))
    return refused(absl::StrCat("requested ramping version ", text, " is already current"));
  const bool known = next == nullptr || next->unversioned() || versions_.contains(next->build_id);
  if (!known && !change.allow_no_pollers) {
    return not_found(absl::StrCat("build ID '", next->build_id,
                                  "' not found in Worker Deployment '", name(), "'"));
  }
  if (absl::Status s = check_manager(change.identity); !s.ok()) return s;
  if (!known) {
    if (absl::Status s = add_version(next->build_id, limits, has_pollers, now); !s.ok()) return s;
  }
  const bool other = text != before.version;
  if (other && next != nullptr && !next->unversioned() && !change.ignore_missing_queues &&
      routing().has_current_deployment_version() && misses_queues(*next, missed)) {
    return refused(absl::StrCat("proposed ramping version '", next->text(),
                                "' is missing active task queues from the current version; these "
                                "would become unversioned if it is set as the ramping version"));
  }
  if (other || percentage != before.percentage) {
    deployment::RoutingConfig config = routing();
    if (next == nullptr || next->unversioned())
      config.clear_ramping_deployment_version();
    else
      *config.mutable_ramping_deployment_version() = message_of(*next);
    config.set_ramping_version(text);
    config.set_ramping_version_percentage(percentage);
    if (other) set(config.mutable_ramping_version_changed_time(), now);
    set(config.mutable_ramping_version_percentage_changed_time(), now);
    route(std::move(config), now);
  }
  note_change(change.identity, now);
  return before;
}

void Deployment::route(deployment::RoutingConfig config, WallTime now) {
  config.set_revision_number(config.revision_number() + 1);
  *info_.mutable_routing_config() = std::move(config);
  for (auto& [build_id, info] : versions_) {
    const bool was_active = info.has_current_since_time() || info.has_ramping_since_time();
    if (is(routing().current_deployment_version(), version(build_id))) {
      become_current(info, routing(), now);
    } else if (is(routing().ramping_deployment_version(), version(build_id))) {
      become_ramping(info, routing(), now);
    } else if (was_active) {
      retire(info, now);
    }
  }
}

absl::StatusOr<std::string> Deployment::set_manager(const std::string& manager,
                                                    const Change& change, WallTime now) {
  std::string before = info_.manager_identity();
  if (before == manager && info_.last_modifier_identity() == change.identity) return before;
  if (absl::Status s = check_change(change); !s.ok()) return s;
  info_.set_manager_identity(manager);
  note_change(change.identity, now);
  return before;
}

absl::Status Deployment::check_deletable(const std::string& build_id, bool skip_drainage,
                                         HasPollers has_pollers) const {
  const DeploymentVersion which = version(build_id);
  const auto no = [&which](const char* why) {
    return refused(absl::StrCat("version '", which.text(), "' cannot be deleted since it ", why));
  };
  if (is(routing().current_deployment_version(), which) ||
      is(routing().ramping_deployment_version(), which))
    return no("is current or ramping");
  if (!skip_drainage && drains(versions_.at(build_id))) return no("is draining");
  return has_pollers(versions_.at(build_id)) ? no("has active pollers") : absl::OkStatus();
}

absl::Status Deployment::delete_version(const std::string& build_id, const std::string& identity,
                                        bool skip_drainage, HasPollers has_pollers, WallTime now,
                                        bool& changed) {
  changed = versions_.contains(build_id);
  if (!changed) return absl::OkStatus();
  absl::Status deletable = check_deletable(build_id, skip_drainage, has_pollers);
  const bool active = is(routing().current_deployment_version(), version(build_id)) ||
                      is(routing().ramping_deployment_version(), version(build_id));
  if (active) return deletable;
  if (absl::Status s = check_manager(identity); !s.ok()) return s;
  if (!deletable.ok()) return deletable;
  versions_.erase(build_id);
  info_.set_last_modifier_identity(identity);
  changed_ = now;
  return absl::OkStatus();
}

void Deployment::set_metadata(const std::string& build_id, const std::string& identity,
                              const google::protobuf::Map<std::string, common::Payload>& upsert,
                              const google::protobuf::RepeatedPtrField<std::string>& remove,
                              WallTime now) {
  VersionInfo& version = versions_.at(build_id);
  for (const auto& [key, value] : upsert)
    (*version.mutable_metadata()->mutable_entries())[key] = value;
  for (const std::string& key : remove) {
    if (version.has_metadata()) version.mutable_metadata()->mutable_entries()->erase(key);
  }
  version.set_last_modifier_identity(identity);
  changed_ = now;
}

bool Deployment::reactivate(const std::string& build_id, WallTime now) {
  const auto found = versions_.find(build_id);
  if (found == versions_.end()) return false;
  VersionInfo& version = found->second;
  if (version.status() != enums::WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED &&
      version.status() != enums::WORKER_DEPLOYMENT_VERSION_STATUS_INACTIVE)
    return false;
  version.clear_drainage_info();
  begin_drainage(version, now);
  changed_ = now;
  return true;
}

WallTime Deployment::next_look(const DeploymentLimits& limits) const {
  WallTime next = kNever;
  for (const auto& [build_id, version] : versions_)
    next = std::min(next, next_look_at(version, limits));
  return next;
}

bool Deployment::look(const DeploymentLimits& limits,
                      absl::FunctionRef<bool(const DeploymentVersion&)> has_runs, WallTime now) {
  bool looked = false;
  for (auto& [build_id, info] : versions_) {
    if (next_look_at(info, limits) > now) continue;
    looked = true;
    auto& drainage = *info.mutable_drainage_info();
    set(drainage.mutable_last_checked_time(), now);
    if (has_runs(version(build_id))) continue;
    drainage.set_status(enums::VERSION_DRAINAGE_STATUS_DRAINED);
    set(drainage.mutable_last_changed_time(), now);
    info.set_status(enums::WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED);
  }
  if (looked) changed_ = now;
  return looked;
}

Deployment::Summary summary_of(const Deployment::VersionInfo& version) {
  Deployment::Summary summary;
  summary.set_version(version.version());
  summary.set_status(version.status());
  *summary.mutable_deployment_version() = version.deployment_version();
  *summary.mutable_create_time() = version.create_time();
  if (version.has_drainage_info()) *summary.mutable_drainage_info() = version.drainage_info();
#define CHIMERA_COPY(from, to) \
  if (version.has_##from()) *summary.mutable_##to() = version.from();
  CHIMERA_COPY(current_since_time, current_since_time)
  CHIMERA_COPY(ramping_since_time, ramping_since_time)
  CHIMERA_COPY(routing_changed_time, routing_update_time)
  CHIMERA_COPY(first_activation_time, first_activation_time)
  CHIMERA_COPY(last_current_time, last_current_time)
  CHIMERA_COPY(last_deactivation_time, last_deactivation_time)
#undef CHIMERA_COPY
  return summary;
}

deployment::WorkerDeploymentInfo Deployment::described() const {
  deployment::WorkerDeploymentInfo info = info_;
  info.set_routing_config_update_state(enums::ROUTING_CONFIG_UPDATE_STATE_COMPLETED);
  std::vector<const VersionInfo*> latest_first;
  for (const auto& [build_id, version] : versions_) latest_first.push_back(&version);
  std::stable_sort(latest_first.begin(), latest_first.end(), [](const auto* a, const auto* b) {
    return to_wall(a->create_time()) > to_wall(b->create_time());
  });
  for (const VersionInfo* version : latest_first) {
    Summary& summary = *info.add_version_summaries() = summary_of(*version);
    summary.set_drainage_status(version->drainage_info().status());
  }
  return info;
}

// As the genuine server has it: when it was active its deployment's summaries tell.
Deployment::VersionInfo described(const Deployment::VersionInfo& version) {
  Deployment::VersionInfo info = version;
  info.clear_first_activation_time();
  info.clear_last_current_time();
  info.clear_last_deactivation_time();
  return info;
}

const Deployment::VersionInfo* Deployment::latest() const {
  const VersionInfo* latest = nullptr;
  for (const auto& [build_id, version] : versions_) {
    if (latest == nullptr || to_wall(version.create_time()) >= to_wall(latest->create_time()))
      latest = &version;
  }
  return latest;
}

std::string Deployment::encode() const {
  Writer ar;
  ar.number(kLayout);
  ar.message(info_);
  ar.number(changes_);
  ar.time(changed_);
  ar.number(versions_.size());
  for (const auto& [build_id, version] : versions_) ar.message(version);
  return std::move(ar.out);
}

bool Deployment::decode(absl::string_view bytes) {
  Reader ar(bytes);
  ar.number(ar.version);
  if (!ar.ok || ar.version != kLayout) return false;
  ar.message(info_);
  ar.number(changes_);
  ar.time(changed_);
  std::size_t count = 0;
  ar.number(count);
  for (; count > 0 && ar.ok; --count) {
    VersionInfo version;
    ar.message(version);
    std::string build_id = version.deployment_version().build_id();
    versions_[std::move(build_id)] = std::move(version);
  }
  return ar.ok;
}

}  // namespace chimera::server
