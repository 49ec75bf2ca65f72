// DeploymentVersion, a version of a worker deployment by its two names, and the texts and messages
// that stand for it in the API. Pure.
#ifndef CHIMERA_SERVER_ENGINE_DEPLOYMENTS_VERSION_H_
#define CHIMERA_SERVER_ENGINE_DEPLOYMENTS_VERSION_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "temporal/api/deployment/v1/message.pb.h"

#include "server/base/types.h"

namespace chimera::server {

namespace deployment = ::temporal::api::deployment::v1;

inline constexpr char kUnversioned[] = "__unversioned__";  // How older API fields say so.

struct DeploymentVersion {
  std::string deployment, build_id;  // Both empty: of workers without a version.

  bool unversioned() const { return deployment.empty(); }
  bool operator==(const DeploymentVersion&) const = default;
  std::string text() const;      // "deployment:build", which also names a queue; empty without.
  std::string old_text() const;  // "deployment.build", or "__unversioned__".
};

DeploymentVersion version_of(const deployment::WorkerDeploymentVersion& version);
DeploymentVersion version_of(const deployment::Deployment& version);  // The oldest form.
// Of a worker that says so; else unversioned.
DeploymentVersion version_of(const deployment::WorkerDeploymentOptions& options);
deployment::WorkerDeploymentVersion message_of(const DeploymentVersion& version);

// Of "deployment.build" or "deployment:build": whichever delimiter comes first. The error says what
// is missing, in the genuine server's words.
absl::StatusOr<DeploymentVersion> parse_version(absl::string_view text);

// Names are so long, and have no delimiter or leading "__". `field` is "WorkerDeploymentName" or
// "BuildID", as the error has it.
inline constexpr char kDeploymentNameField[] = "WorkerDeploymentName";
inline constexpr char kBuildIdField[] = "BuildID";
absl::Status check_version_name(absl::string_view field, absl::string_view name);
absl::Status check_version(const DeploymentVersion& version);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_DEPLOYMENTS_VERSION_H_
