// Engine, all state of one server: namespaces, runs, matching, and what a turn changed of them. The
// folders of this room hold what is done with it. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_ENGINE_H_
#define CHIMERA_SERVER_ENGINE_ENGINE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

#include "server/engine/ids.h"
#include "server/engine/matched/workers.h"
#include "server/engine/rules/dynamic_config.h"
#include "server/engine/run/namespaces.h"
#include "server/engine/run/run.h"
#include "server/engine/runs.h"
#include "server/loop/loop.h"
#include "server/loop/outbox.h"
#include "server/matching/matching.h"
#include "server/store/store.h"

namespace chimera::server {

namespace visibility {
class Visibility;
}
class ActivityExecutions;  // standalone/activity_executions.h
class Archival;            // archival.h
class Batches;
class Removals;
class Deployments;
class NexusBreakers;  // nexus/
class NexusEndpoints;
class NexusRequests;
class OperationExecutions;  // standalone/operation_executions.h
class Schedules;
class TimeSkipping;  // time_skipping.h

class Engine {
 public:
  Engine(Loop& loop, std::unique_ptr<Store> store);
  ~Engine();
  void configure(const DynamicConfig& config) { config_ = config; }  // Before the loop starts.
  // Before the loop goes away: nothing may fire any more.
  void detach_timers();

  TimerHeap& timers() { return loop_.timers(); }
  WallTime now() const { return loop_.now(); }
  Loop& loop() { return loop_; }
  const DynamicConfig& config() const { return config_; }
  Ids& ids() { return ids_; }
  Namespaces& namespaces() { return namespaces_; }
  const Namespaces& namespaces() const { return namespaces_; }
  Runs& runs() { return runs_; }
  Matching& matching() { return matching_; }
  Workers& workers() { return workers_; }
  Store& store() { return *store_; }
  Outbox& outbox() { return outbox_; }
  visibility::Visibility& visibility() { return *visibility_; }
  // Queries that a worker gets as tasks of their own, by id.
  absl::flat_hash_map<std::string, std::shared_ptr<struct Query>>& direct_queries() {
    return direct_queries_;
  }
  // The namespace, or the error that an RPC answers.
  absl::StatusOr<Namespace*> resolve_namespace(const std::string& name);

  // Any thread: as Loop::post().
  bool post(Loop::Task task) { return loop_.post(std::move(task)); }

  // --- The turn.
  void follow_up(absl::AnyInvocable<void()> task) { outbox_.follow_up(std::move(task)); }
  void finish(const CallPtr& call, absl::Status status) { outbox_.finish(call, std::move(status)); }
  void mark_dirty(const Run& run);  // To be stored.
  void show(const Run& run);        // To be shown anew by lists.
  void forget(const Run& run);      // To be deleted from the store and from lists.
  void forget(std::uint64_t number, const std::string& run_id);  // One that only the store has.
  void save(const Namespace& ns);
  // Durable small things.
  void put_value(std::string table, std::string key, std::string value, bool erase = false);
  void after_task();
  void after_turn();

  std::string cluster_id;
  const std::unique_ptr<Schedules> schedules;
  const std::unique_ptr<Batches> batches;
  const std::unique_ptr<Removals> removals;
  const std::unique_ptr<Deployments> deployments;
  const std::unique_ptr<Archival> archival;
  const std::unique_ptr<ActivityExecutions> activity_executions;
  const std::unique_ptr<OperationExecutions> operation_executions;
  const std::unique_ptr<NexusEndpoints> nexus_endpoints;
  const std::unique_ptr<NexusBreakers> nexus_breakers;
  const std::shared_ptr<NexusRequests> nexus_requests;  // Matching holds it weakly.
  std::unique_ptr<TimeSkipping> time_skipping;          // Null: this server's time is the clock's.
  std::string address;  // HOST:PORT, where clients find the server; empty without a port.

 private:
  Loop& loop_;
  std::unique_ptr<Store> store_;
  Outbox outbox_;
  Ids ids_;
  DynamicConfig config_;
  Namespaces namespaces_;
  Runs runs_;
  Matching matching_;
  Workers workers_;
  absl::flat_hash_map<std::string, std::shared_ptr<struct Query>> direct_queries_;
  std::vector<RunPtr> dirty_;
  std::vector<RunPtr> shown_;
  std::vector<WriteBatch::DeletedRun> deleted_;
  std::vector<WriteBatch::KeyValue> values_;
  std::unique_ptr<visibility::Visibility> visibility_;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_ENGINE_H_
