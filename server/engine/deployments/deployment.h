// Deployment, one worker deployment: its versions, which of them is current and which one ramps,
// which still drain. The rules and words are the genuine server's (1.32). Pure: it is told the
// time.
#ifndef CHIMERA_SERVER_ENGINE_DEPLOYMENTS_DEPLOYMENT_H_
#define CHIMERA_SERVER_ENGINE_DEPLOYMENTS_DEPLOYMENT_H_

#include <map>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "server/engine/deployments/version.h"

namespace chimera::server {

struct DeploymentLimits {
  std::int64_t versions = 100;                     // Of a deployment.
  std::int64_t queues = 100;                       // Of a version, by name.
  Nanos drain_grace = std::chrono::minutes{3};     // Until the first look at a version that drains.
  Nanos drain_interval = std::chrono::minutes{3};  // And until each that follows.
};

class Deployment {
 public:
  using VersionInfo = deployment::WorkerDeploymentVersionInfo;
  using Summary = deployment::WorkerDeploymentInfo::WorkerDeploymentVersionSummary;
  // What only those around it know.
  using HasPollers = absl::FunctionRef<bool(const VersionInfo&)>;
  // A queue of the current version that a new one does not have, and that has tasks.
  using IsMissed =
      absl::FunctionRef<bool(const VersionInfo::VersionTaskQueueInfo&, const DeploymentVersion&)>;

  // Who wants to change it, and which state they have seen.
  struct Change {
    std::string identity, token;
    bool ignore_missing_queues = false;
    bool allow_no_pollers = false;
  };
  struct Previous {
    std::string version;  // As older fields have it; empty: there was none.
    float percentage = 0;
    bool changed = true;
  };

  Deployment(std::string name, WallTime now);
  Deployment() = default;  // For decode().

  const std::string& name() const { return info_.name(); }
  const deployment::RoutingConfig& routing() const { return info_.routing_config(); }
  const std::map<std::string, VersionInfo>& versions() const { return versions_; }  // By build id.
  const VersionInfo* find(const std::string& build_id) const;
  WallTime changed() const { return changed_; }
  std::string token() const;

  // --- Workers and operators.
  // A worker of the version polls the queue.
  absl::Status add_queue(const std::string& build_id, const std::string& queue,
                         enums::TaskQueueType type, const DeploymentLimits& limits,
                         HasPollers has_pollers, WallTime now);
  // `version` unversioned: no version is current.
  absl::StatusOr<Previous> set_current(const DeploymentVersion& version, const Change& change,
                                       const DeploymentLimits& limits, HasPollers has_pollers,
                                       IsMissed missed, WallTime now);
  // `version` null: nothing ramps any more.
  absl::StatusOr<Previous> set_ramping(const DeploymentVersion* version, float percentage,
                                       const Change& change, const DeploymentLimits& limits,
                                       HasPollers has_pollers, IsMissed missed, WallTime now);
  // The manager before.
  absl::StatusOr<std::string> set_manager(const std::string& manager, const Change& change,
                                          WallTime now);
  // One that is not there: nothing to do. `changed`: something was.
  absl::Status delete_version(const std::string& build_id, const std::string& identity,
                              bool skip_drainage, HasPollers has_pollers, WallTime now,
                              bool& changed);
  void set_metadata(const std::string& build_id, const std::string& identity,
                    const google::protobuf::Map<std::string, common::Payload>& upsert,
                    const google::protobuf::RepeatedPtrField<std::string>& remove, WallTime now);
  // A run was bound to it that nobody expected there any more.
  bool reactivate(const std::string& build_id, WallTime now);

  // --- Drainage.
  // When the next version is to be looked at; kNever: none drains.
  WallTime next_look(const DeploymentLimits& limits) const;
  // Looks at those whose time has come: whether open runs are pinned to one. True: something
  // changed.
  bool look(const DeploymentLimits& limits,
            absl::FunctionRef<bool(const DeploymentVersion&)> has_runs, WallTime now);

  // --- What is shown.
  deployment::WorkerDeploymentInfo described() const;
  const VersionInfo* latest() const;  // Null: it has none.

  std::string encode() const;
  bool decode(absl::string_view bytes);  // False: it is damaged.

 private:
  DeploymentVersion version(const std::string& build_id) const { return {name(), build_id}; }
  absl::Status check_change(const Change& change) const;
  absl::Status check_manager(const std::string& identity) const;
  absl::Status add_version(const std::string& build_id, const DeploymentLimits& limits,
                           HasPollers has_pollers, WallTime now);
  absl::Status check_deletable(const std::string& build_id, bool skip_drainage,
                               HasPollers has_pollers) const;
  bool make_room(HasPollers has_pollers);
  bool misses_queues(const DeploymentVersion& version, IsMissed missed) const;
  // The new routing, and what versions become by it.
  void route(deployment::RoutingConfig config, WallTime now);
  void note_change(const std::string& identity, WallTime now);

  deployment::WorkerDeploymentInfo info_;  // Without summaries.
  std::map<std::string, VersionInfo> versions_;
  std::uint64_t changes_ = 0;
  WallTime changed_{};
};

bool has_queue(const Deployment::VersionInfo& version, absl::string_view queue,
               enums::TaskQueueType type);
// As lists, and as a description of its own show it.
Deployment::Summary summary_of(const Deployment::VersionInfo& version);
Deployment::VersionInfo described(const Deployment::VersionInfo& version);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_DEPLOYMENTS_DEPLOYMENT_H_
