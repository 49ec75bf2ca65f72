#include "sdk-cpp/src/version_wire.h"

#include <stdexcept>

#include "absl/strings/str_cat.h"

namespace chimera::sdk {
namespace {

namespace enums = api::enums::v1;
using ProtoVersion = api::deployment::v1::WorkerDeploymentVersion;
using ProtoOverride = api::workflow::v1::VersioningOverride;

ProtoVersion whole(const WorkerDeploymentVersion& version, const char* where) {
  if (version.deployment_name.empty() || version.build_id.empty()) {
    throw std::invalid_argument(
        absl::StrCat(where, " needs a deployment_name and a build_id; it has '",
                     version.deployment_name, "' and '", version.build_id, "'"));
  }
  return to_proto(version);
}

struct Write {
  ProtoOverride& out;

  // Servers before 1.28 read the first two fields, later ones the third.
  void operator()(const PinnedVersioningOverride& pinned) const {
    *out.mutable_pinned()->mutable_version() =
        whole(pinned.version, "PinnedVersioningOverride::version");
    out.mutable_pinned()->set_behavior(ProtoOverride::PINNED_OVERRIDE_BEHAVIOR_PINNED);
    out.set_behavior(enums::VERSIONING_BEHAVIOR_PINNED);
    out.set_pinned_version(
        absl::StrCat(pinned.version.deployment_name, ".", pinned.version.build_id));
  }
  void operator()(const AutoUpgradeVersioningOverride&) const {
    out.set_auto_upgrade(true);
    out.set_behavior(enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE);
  }
  void operator()(const OneTimeVersioningOverride& once) const {
    *out.mutable_one_time()->mutable_target_deployment_version() =
        whole(once.target_version, "OneTimeVersioningOverride::target_version");
  }
};

}  // namespace

ProtoVersion to_proto(const WorkerDeploymentVersion& version) {
  ProtoVersion out;
  out.set_deployment_name(version.deployment_name);
  out.set_build_id(version.build_id);
  return out;
}

WorkerDeploymentVersion to_public(const ProtoVersion& version) {
  return {.deployment_name = version.deployment_name(), .build_id = version.build_id()};
}

ProtoOverride to_proto(const VersioningOverride& override) {
  ProtoOverride out;
  std::visit(Write{out}, override);
  return out;
}

std::optional<VersioningOverride> to_public(const ProtoOverride& override) {
  switch (override.override_case()) {
    case ProtoOverride::kPinned:
      return PinnedVersioningOverride{to_public(override.pinned().version())};
    case ProtoOverride::kAutoUpgrade:
      return AutoUpgradeVersioningOverride{};
    case ProtoOverride::kOneTime:
      return OneTimeVersioningOverride{to_public(override.one_time().target_deployment_version())};
    case ProtoOverride::OVERRIDE_NOT_SET:
      return std::nullopt;
  }
  return std::nullopt;
}

WorkflowVersioningInfo to_public(const api::workflow::v1::WorkflowExecutionVersioningInfo& info) {
  WorkflowVersioningInfo out{.behavior = static_cast<VersioningBehavior>(info.behavior())};
  if (info.has_deployment_version()) out.deployment_version = to_public(info.deployment_version());
  if (info.has_versioning_override())
    out.versioning_override = to_public(info.versioning_override());
  return out;
}

}  // namespace chimera::sdk
