// Deployments, all worker deployments of a server: known from the polls of their workers, kept over
// restarts, asked where the tasks of a queue go. What one of them does is Deployment's to say. Loop
// thread.
#ifndef CHIMERA_SERVER_ENGINE_DEPLOYMENTS_DEPLOYMENTS_H_
#define CHIMERA_SERVER_ENGINE_DEPLOYMENTS_DEPLOYMENTS_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

#include "server/engine/deployments/deployment.h"
#include "server/engine/deployments/routing.h"
#include "server/engine/run/namespaces.h"
#include "server/matching/task.h"
#include "server/timers/timer_heap.h"

namespace chimera::server {

class Engine;

class Deployments {
 public:
  explicit Deployments(Engine& engine) : engine_(engine) {}

  bool empty() const { return all_.empty(); }
  Deployment* find(const Namespace& ns, const std::string& name);
  // The error: there are too many.
  absl::StatusOr<Deployment*> find_or_add(Namespace& ns, const std::string& name);
  std::vector<const Deployment*> of(const Namespace& ns) const;  // The last one changed first.
  // One that an operator has changed: stored, its drainage looked after, waiting tasks sent where
  // they go now.
  void changed(const Namespace& ns, const std::string& name);
  void erase(const Namespace& ns, const std::string& name);
  // A worker of a version polls: both are known from then on. The error: limits.
  absl::Status polled(Namespace& ns, const DeploymentVersion& version, const std::string& queue,
                      enums::TaskQueueType type);
  // A run is bound to it from outside.
  void reactivate(const Namespace& ns, const DeploymentVersion& version);

  // --- What tasks ask. Keys without a version.
  QueueRouting routing(const QueueKey& queue) const;
  bool has_queue(const DeploymentVersion& version, const QueueKey& queue) const;
  bool is_drained(const std::string& namespace_id, const DeploymentVersion& version) const;

  // --- What deployments ask.
  DeploymentLimits limits() const;
  bool has_pollers(const Namespace& ns, const Deployment::VersionInfo& version) const;
  // Whether a queue that the next version lacks would be missed: it is still the current version's,
  // and has tasks.
  bool is_missed(const Namespace& ns, const Deployment::VersionInfo::VersionTaskQueueInfo& queue,
                 const DeploymentVersion& current) const;

  // --- The store.
  static constexpr char kTable[] = "deployment";
  absl::Status restore(const std::string& key, const std::string& value);

 private:
  using Queues = std::set<std::pair<std::string, enums::TaskQueueType>>;
  struct Entry {
    std::string namespace_id;
    Deployment deployment;
    Queues queues;  // Of all its versions.
    Timer timer;
  };
  static std::string key_of(const std::string& namespace_id, const std::string& name);
  const Entry* entry_of(const std::string& namespace_id, const std::string& name) const;
  Entry& add(const std::string& namespace_id, Deployment deployment);
  void index(Entry& entry);
  Queues forget_queues(Entry& entry);  // Those that it had.
  void save(const Entry& entry);
  void arm(Entry& entry);
  void look(const std::string& key);
  bool has_pinned_runs(const std::string& namespace_id, const DeploymentVersion& version) const;

  Engine& engine_;
  std::map<std::string, std::unique_ptr<Entry>> all_;  // By namespace id and name.
  // The deployments that have a queue in a version.
  absl::flat_hash_map<QueueKey, std::vector<Entry*>> by_queue_;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_DEPLOYMENTS_DEPLOYMENTS_H_
