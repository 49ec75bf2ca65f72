#include "server/engine/deployments/version.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "server/base/errors.h"

namespace chimera::server {
namespace {

// A name is half of what the genuine server has for the id of its workflow of a version.
constexpr std::size_t kNameMax = (1000 - 39) / 2;

}  // namespace

std::string DeploymentVersion::text() const {
  return unversioned() ? std::string() : absl::StrCat(deployment, ":", build_id);
}

std::string DeploymentVersion::old_text() const {
  return unversioned() ? std::string(kUnversioned) : absl::StrCat(deployment, ".", build_id);
}

DeploymentVersion version_of(const deployment::WorkerDeploymentVersion& version) {
  return {version.deployment_name(), version.build_id()};
}

DeploymentVersion version_of(const deployment::Deployment& version) {
  return {version.series_name(), version.build_id()};
}

DeploymentVersion version_of(const deployment::WorkerDeploymentOptions& options) {
  if (options.worker_versioning_mode() != enums::WORKER_VERSIONING_MODE_VERSIONED) return {};
  return {options.deployment_name(), options.build_id()};
}

deployment::WorkerDeploymentVersion message_of(const DeploymentVersion& version) {
  deployment::WorkerDeploymentVersion message;
  message.set_deployment_name(version.deployment);
  message.set_build_id(version.build_id);
  return message;
}

absl::StatusOr<DeploymentVersion> parse_version(absl::string_view text) {
  if (text == kUnversioned) return DeploymentVersion();
  const std::size_t at = text.find_first_of(".:");
  if (at == absl::string_view::npos) {
    return invalid(
        absl::StrCat("expected delimiter ':' or '.' not found in version string ", text));
  }
  DeploymentVersion version{std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
  if (version.deployment.empty())
    return invalid(absl::StrCat("deployment name is empty in version string ", text));
  if (version.build_id.empty())
    return invalid(absl::StrCat("build id is empty in version string ", text));
  return version;
}

absl::Status check_version_name(absl::string_view field, absl::string_view name) {
  if (name.empty()) return invalid(absl::StrCat(field, " cannot be empty"));
  if (name.size() > kNameMax)
    return invalid(absl::StrCat("size of ", field, " larger than the maximum allowed"));
  if (field == kDeploymentNameField) {
    for (const char* delimiter : {".", ":"}) {
      if (absl::StrContains(name, delimiter))
        return invalid(absl::StrCat("worker deployment name cannot contain '", delimiter, "'"));
    }
  }
  if (absl::StartsWith(name, "__")) return invalid(absl::StrCat(field, " cannot start with '__'"));
  return absl::OkStatus();
}

absl::Status check_version(const DeploymentVersion& version) {
  if (absl::Status s = check_version_name(kDeploymentNameField, version.deployment); !s.ok())
    return s;
  return check_version_name(kBuildIdField, version.build_id);
}

}  // namespace chimera::server
