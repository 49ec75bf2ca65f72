// Worker deployments: which of its versions new workflows go to. A version comes to be with the
// first poll of a worker that has it (WorkerOptions::deployment); what is here shows, routes and
// deletes. Names and meanings are the official SDKs'; docs/versions.md has a roll-out.
//
//   auto billing = client.get_worker_deployment_handle("billing");
//   billing.set_ramping_version("2.0", 5);    // A twentieth of the new workflows.
//   billing.set_current_version("2.0");       // All of them.
#ifndef CHIMERA_DEPLOYMENT_H_
#define CHIMERA_DEPLOYMENT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chimera/client_options.h"
#include "chimera/errors.h"
#include "chimera/options.h"

namespace chimera {

enum class WorkerDeploymentVersionStatus {
  kUnspecified = 0,  // Of a version that a server before 1.29 shows.
  kInactive = 1,     // It has never been current or ramping.
  kCurrent = 2,
  kRamping = 3,
  kDraining = 4,  // New workflows go elsewhere; pinned ones still run on it.
  kDrained = 5,   // Nothing open is pinned to it: its workers may go.
  kCreated = 6,   // By a call; no worker of it has polled.
};

enum class WorkerDeploymentVersionDrainageStatus { kUnspecified = 0, kDraining = 1, kDrained = 2 };

// How far a version is that is neither current nor ramping any more. Servers look every few
// minutes.
struct WorkerDeploymentVersionDrainageInfo {
  WorkerDeploymentVersionDrainageStatus status = {};
  Time last_changed_at, last_checked_at;
};

struct WorkerDeploymentRoutingConfig {
  std::optional<WorkerDeploymentVersion> current_version;  // None: workers without versions.
  // None: no ramp, or, with a percentage, one to workers without versions.
  std::optional<WorkerDeploymentVersion> ramping_version;
  float ramping_version_percentage = 0;  // 0 to 100, of workflow ids.
  std::optional<Time> current_version_changed_at, ramping_version_changed_at;
  std::optional<Time> ramping_version_percentage_changed_at;
};

// Times are unset for what is not so, or has never been.
struct WorkerDeploymentVersionSummary {
  WorkerDeploymentVersion version;
  WorkerDeploymentVersionStatus status = {};
  Time created_at;
  std::optional<Time> routing_changed_at, current_since, ramping_since;
  std::optional<Time> first_activated_at, last_current_at, last_deactivated_at;
  std::optional<WorkerDeploymentVersionDrainageInfo> drainage_info;
};

struct WorkerDeploymentDescription {
  std::string name;
  WorkerDeploymentRoutingConfig routing_config;
  std::vector<WorkerDeploymentVersionSummary> versions;
  Time created_at;
  std::string last_modifier_identity;  // Of the client that last changed the routing.
  std::string manager_identity;        // The one client that may change it. Empty: any.
  // Task queues do not all follow the routing yet; tasks may go where they went before.
  bool routing_update_in_progress = false;
  std::string conflict_token;  // Names the state that this shows, to the server.
};

struct WorkerDeploymentListEntry {
  std::string name;
  Time created_at;
  WorkerDeploymentRoutingConfig routing_config;
  std::optional<WorkerDeploymentVersionSummary> latest_version, current_version, ramping_version;
};

enum class TaskQueueType { kUnspecified = 0, kWorkflow = 1, kActivity = 2, kNexus = 3 };

struct TaskQueueStats {
  std::int64_t approximate_backlog_count = 0;         // Tasks that wait for a worker.
  Duration approximate_backlog_age{};                 // Of the oldest of them.
  float tasks_add_rate = 0, tasks_dispatch_rate = 0;  // A second, of late.
};

// A task queue that a version's workers have polled.
struct WorkerDeploymentTaskQueue {
  std::string name;
  TaskQueueType type = {};
  std::optional<TaskQueueStats> stats;  // Where they were asked for.
};

struct WorkerDeploymentVersionDescription {
  WorkerDeploymentVersionSummary info;
  float ramp_percentage = 0;  // If it ramps.
  std::vector<WorkerDeploymentTaskQueue> task_queues;
  Memo metadata;  // Read with from_payload().
};

// Of a change of a deployment's routing or manager.
struct WorkerDeploymentChangeOptions {
  // Of describe(), or of the last change: the change is refused (FAILED_PRECONDITION) if there was
  // another one since. Empty: it is made whatever there is.
  std::string conflict_token = {};
  std::string identity = {};  // Who changes it; the client's if empty.
};

struct WorkerDeploymentRoutingOptions {
  std::string conflict_token = {}, identity = {};  // As above.
  // Also if the version does not serve task queues on which the current one has had tasks.
  bool ignore_missing_task_queues = false;
  // Also if no worker of the version has polled yet.
  bool allow_no_pollers = false;
};

struct WorkerDeploymentRoutingChange {
  std::string conflict_token;                               // For the next change.
  std::optional<WorkerDeploymentVersion> previous_version;  // None: workers without versions.
  float previous_percentage = 0;                            // Of set_ramping_version().
};

struct WorkerDeploymentManagerChange {
  std::string conflict_token, previous_manager_identity;
};

struct DescribeWorkerDeploymentVersionOptions {
  bool report_task_queue_stats = false;
};

struct DeleteWorkerDeploymentVersionOptions {
  bool skip_drainage = false;  // Also while workflows are pinned to it, which then wait for ever.
  std::string identity = {};   // As above.
};

// A deployment that exists, or may. Calls block, and throw RpcError with the server's words and
// code; any thread, cheap to copy, not from workflow code. An empty build id is
// std::invalid_argument.
class WorkerDeploymentHandle {
 public:
  WorkerDeploymentHandle(detail::ClientPtr client, std::string name)
      : client_(std::move(client)), name_(std::move(name)) {}
  const std::string& name() const { return name_; }
  // The same handle, whose calls have these options.
  WorkerDeploymentHandle with_rpc(const RpcOptions& options) const {
    return {detail::with_rpc(client_, options), name_};
  }

  WorkerDeploymentDescription describe() const;
  // New workflows, and auto-upgrade ones with their next task, go to this build, or with
  // std::nullopt to workers without versions. If the build ramped, that ends.
  WorkerDeploymentRoutingChange set_current_version(
      const std::optional<std::string>& build_id,
      const WorkerDeploymentRoutingOptions& options = {}) const;
  // So many of a hundred workflow ids go to this build in place of the current one; with
  // std::nullopt to workers without versions. (std::nullopt, 0) ends the ramp.
  WorkerDeploymentRoutingChange set_ramping_version(
      const std::optional<std::string>& build_id, float percentage,
      const WorkerDeploymentRoutingOptions& options = {}) const;
  // From now on only clients of this identity change the deployment. Empty: any.
  WorkerDeploymentManagerChange set_manager_identity(
      const std::string& manager_identity, const WorkerDeploymentChangeOptions& options = {}) const;

  WorkerDeploymentVersionDescription describe_version(
      const std::string& build_id,
      const DescribeWorkerDeploymentVersionOptions& options = {}) const;
  // Notes of one's own about a version: those to write, and the names of those to remove. All that
  // there are then. Values by make_payload(); a payload codec of the client encodes them.
  Memo update_version_metadata(const std::string& build_id, const Memo& upsert,
                               const std::vector<std::string>& remove = {}) const;
  // Only of a version that is drained, or never was in use, and not polled for some minutes.
  void delete_version(const std::string& build_id,
                      const DeleteWorkerDeploymentVersionOptions& options = {}) const;
  // Only of a deployment without versions.
  void delete_() const;

 private:
  detail::ClientPtr client_;
  std::string name_;
};

}  // namespace chimera

#endif  // CHIMERA_DEPLOYMENT_H_
