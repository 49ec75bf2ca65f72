#include "server/engine/deployments/run_versioning.h"

#include <algorithm>

#include "server/engine/run/archive.h"

namespace chimera::server {
namespace {

constexpr std::uint64_t kLayout = 1;  // Of the bytes.

DeploymentVersion completed_by(const history::WorkflowTaskCompletedEventAttributes& a) {
  if (a.has_deployment_version()) return version_of(a.deployment_version());
  if (!a.worker_deployment_version().empty())
    return parse_version(a.worker_deployment_version()).value_or(DeploymentVersion());
  return version_of(a.deployment());
}

enums::VersioningBehavior behavior_of(const VersioningOverride& override) {
  switch (override.override_case()) {
    case VersioningOverride::kAutoUpgrade:
      return enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE;
    case VersioningOverride::kPinned:
    case VersioningOverride::kOneTime:
      return enums::VERSIONING_BEHAVIOR_PINNED;
    default:
      return override.behavior();
  }
}

template <class Message>
void write(Writer& ar, const std::optional<Message>& message) {
  ar.number(message.has_value());
  if (message) ar.message(*message);
}

template <class Message>
void read(Reader& ar, std::optional<Message>& message) {
  bool present = false;
  ar.number(present);
  message.reset();
  if (present && ar.ok) ar.message(message.emplace());
}

}  // namespace

VersioningOverride modern(const VersioningOverride& override) {
  VersioningOverride out;
  if (override.override_case() != VersioningOverride::OVERRIDE_NOT_SET) {
    out = override;
    out.clear_behavior();
    out.clear_deployment();
    out.clear_pinned_version();
    return out;
  }
  if (override.behavior() == enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE) out.set_auto_upgrade(true);
  if (override.behavior() != enums::VERSIONING_BEHAVIOR_PINNED) return out;
  const DeploymentVersion version =
      override.has_deployment()
          ? version_of(override.deployment())
          : parse_version(override.pinned_version()).value_or(DeploymentVersion());
  out.mutable_pinned()->set_behavior(VersioningOverride::PINNED_OVERRIDE_BEHAVIOR_PINNED);
  *out.mutable_pinned()->mutable_version() = message_of(version);
  return out;
}

DeploymentVersion target_of(const VersioningOverride& override) {
  if (override.has_pinned()) return version_of(override.pinned().version());
  if (override.has_one_time()) return version_of(override.one_time().target_deployment_version());
  return {};
}

void RunVersioning::started(const history::WorkflowExecutionStartedEventAttributes& a) {
  if (a.has_versioning_override()) {
    if (!info) info.emplace();
    *info->mutable_versioning_override() = modern(a.versioning_override());
  }
  if (a.has_inherited_pinned_version()) {
    if (!info) info.emplace();
    *info->mutable_deployment_version() = a.inherited_pinned_version();
    info->set_behavior(enums::VERSIONING_BEHAVIOR_PINNED);
    if (!a.continued_execution_run_id().empty() && a.has_declined_target_version_upgrade())
      declined = a.declined_target_version_upgrade();
  }
  if (!a.has_inherited_auto_upgrade_info()) return;
  const auto& from = a.inherited_auto_upgrade_info();
  if (!info) info.emplace();
  info->set_revision_number(from.source_deployment_revision_number());
  *info->mutable_deployment_version() = from.source_deployment_version();
  info->set_behavior(enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE);
  info->set_continue_as_new_initial_versioning_behavior(
      from.continue_as_new_initial_versioning_behavior());
}

void RunVersioning::completed(const history::WorkflowTaskCompletedEventAttributes& a) {
  const DeploymentVersion by = completed_by(a);
  // A task that was started before the transition may end after its begin: then that goes on.
  if (in_transition() && version_of(info->version_transition().deployment_version()) == by)
    info->clear_version_transition();
  if (a.versioning_behavior() != enums::VERSIONING_BEHAVIOR_UNSPECIFIED) {
    if (!info) info.emplace();
    info->set_behavior(a.versioning_behavior());
    info->set_version(by.old_text());
    *info->mutable_deployment_version() = message_of(by);
  } else if (info) {
    info->clear_behavior();
    info->clear_version();
    info->clear_deployment_version();
  }
  if (info && info->versioning_override().has_one_time() &&
      target_of(info->versioning_override()) == by)
    info->clear_versioning_override();
  const std::string text = by.text();
  if (!text.empty() && std::find(used.begin(), used.end(), text) == used.end())
    used.push_back(text);
}

void RunVersioning::override_by(const VersioningOverride* override) {
  if (override != nullptr) {
    if (!info) info.emplace();
    *info->mutable_versioning_override() = modern(*override);
  } else if (info) {
    info->clear_versioning_override();
  }
}

void RunVersioning::begin_transition(const VersionTarget& to) {
  if (!info) info.emplace();
  auto& transition = *info->mutable_version_transition();
  transition.Clear();
  if (!to.version.unversioned()) *transition.mutable_deployment_version() = message_of(to.version);
  info->set_revision_number(to.revision);
}

void RunVersioning::note_target(const VersionTarget& target,
                                std::optional<std::int64_t> known_revision) {
  if (behavior() == enums::VERSIONING_BEHAVIOR_UNSPECIFIED) return;
  const std::int64_t revision = known_revision.value_or(-1);
  const std::int64_t seen = std::max(notified ? notified->revision_number() : 0,
                                     declined ? declined->revision_number() : 0);
  if (override() != nullptr) {
    notified.reset();
    declined.reset();
    return;
  }
  if (behavior() == enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE) return;
  if (version() == target.version && revision >= seen) {
    notified.reset();
    declined.reset();
    return;
  }
  if (declined && revision <= declined->revision_number()) return;
  if (revision < seen) return;
  notified.emplace();
  if (!target.version.unversioned())
    *notified->mutable_deployment_version() = message_of(target.version);
  notified->set_revision_number(revision);
  declined.reset();
}

enums::VersioningBehavior RunVersioning::behavior() const {
  if (!info) return enums::VERSIONING_BEHAVIOR_UNSPECIFIED;
  if (info->has_version_transition()) return enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE;
  return shown_behavior();
}

DeploymentVersion RunVersioning::version() const {
  if (!info) return {};
  if (info->has_version_transition())
    return version_of(info->version_transition().deployment_version());
  if (const DeploymentVersion target = target_of(info->versioning_override());
      !target.unversioned())
    return target;
  if (behavior() == enums::VERSIONING_BEHAVIOR_UNSPECIFIED) return {};
  return version_of(info->deployment_version());
}

bool RunVersioning::target_changed() const {
  return notified.has_value() && behavior() == enums::VERSIONING_BEHAVIOR_PINNED;
}

enums::VersioningBehavior RunVersioning::shown_behavior() const {
  if (!info) return enums::VERSIONING_BEHAVIOR_UNSPECIFIED;
  return info->has_versioning_override() ? behavior_of(info->versioning_override())
                                         : info->behavior();
}

DeploymentVersion RunVersioning::shown_version() const {
  if (!info) return {};
  const DeploymentVersion target = target_of(info->versioning_override());
  return target.unversioned() ? version_of(info->deployment_version()) : target;
}

RunVersioning::Info RunVersioning::described() const {
  Info shown = *info;
  if (shown.version().empty() && shown.has_deployment_version())
    shown.set_version(version_of(shown.deployment_version()).old_text());
  if (shown.has_version_transition()) {
    auto& transition = *shown.mutable_version_transition();
    transition.set_version(version_of(transition.deployment_version()).old_text());
  }
  if (shown.has_versioning_override()) {
    auto& override = *shown.mutable_versioning_override();
    if (override.auto_upgrade()) override.set_behavior(enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE);
    if (override.has_pinned()) {
      override.set_behavior(enums::VERSIONING_BEHAVIOR_PINNED);
      override.set_pinned_version(target_of(override).old_text());
    }
  }
  return shown;
}

std::string RunVersioning::encode() const {
  Writer ar;
  ar.number(kLayout);
  write(ar, info);
  write(ar, notified);
  write(ar, declined);
  return std::move(ar.out);
}

bool RunVersioning::decode(absl::string_view bytes) {
  Reader ar(bytes);
  ar.number(ar.version);
  if (!ar.ok || ar.version != kLayout) return false;
  read(ar, info);
  read(ar, notified);
  read(ar, declined);
  return ar.ok;
}

}  // namespace chimera::server
