// Engine, all state of one server: namespaces, runs, matching. Its operations are in the other
// files of this room. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_ENGINE_H_
#define CHIMERA_SERVER_ENGINE_ENGINE_H_

#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "server/engine/dynamic_config.h"
#include "server/engine/namespaces.h"
#include "server/engine/run.h"
#include "server/engine/workers.h"
#include "server/loop/loop.h"
#include "server/loop/outbox.h"
#include "server/matching/matching.h"
#include "server/store/store.h"

namespace chimera::server {

class Engine {
 public:
  Engine(Loop& loop, std::unique_ptr<Store> store);
  ~Engine();

  Loop& loop() { return loop_; }
  TimerHeap& timers() { return loop_.timers(); }
  WallTime now() const { return loop_.now(); }
  Namespaces& namespaces() { return namespaces_; }
  Matching& matching() { return matching_; }
  Workers& workers() { return workers_; }
  const DynamicConfig& config() const { return config_; }
  void configure(const DynamicConfig& config) { config_ = config; }  // Before the loop starts.

  std::uint64_t random() { return random_(); }
  std::string new_uuid();    // Version 4.
  std::string new_run_id();  // Version 7: sorts by time.
  std::int64_t next_task_id() { return ++task_id_; }
  std::uint64_t next_stamp() { return ++stamp_; }

  void see_task_id(std::int64_t id) { task_id_ = std::max(task_id_, id); }  // Recovery.
  void see_stamp(std::uint64_t stamp) { stamp_ = std::max(stamp_, stamp); }
  Store& store() { return *store_; }
  // Before the loop goes away: nothing may fire any more.
  void detach_timers();

  // --- Runs.
  // The namespace, or the error that an RPC answers.
  absl::StatusOr<Namespace*> resolve_namespace(const std::string& name);
  // By run id, or the current run of the workflow id if that is empty.
  absl::StatusOr<Run*> find_run(const Namespace& ns, const std::string& workflow_id,
                                const std::string& run_id);
  absl::StatusOr<Run*> find_running(const Namespace& ns,
                                    const common::WorkflowExecution& execution);
  Run* current_run(const Namespace& ns, const std::string& workflow_id);
  Run* run_by_id(const std::string& run_id);
  RunPtr share(const Run& run);
  Run& add_run(Namespace& ns, const std::string& workflow_id,
               const std::string& run_id);  // Becomes current.
  void delete_run(Run& run);
  void make_current(Run& run);
  const absl::flat_hash_map<std::string, RunPtr>& runs() const { return runs_; }
  void arm_run_timer(Run& run);  // For its next deadline or, once closed, its deletion.
  void apply_retention(const Namespace& ns);  // After a change of it.

  // --- The turn.
  Outbox& outbox() { return outbox_; }
  void follow_up(absl::AnyInvocable<void()> task) { outbox_.follow_up(std::move(task)); }
  void finish(const CallPtr& call, absl::Status status) { outbox_.finish(call, std::move(status)); }
  void mark_dirty(Run& run);
  void save(const Namespace& ns);
  void put_value(std::string table, std::string key, std::string value);  // Durable small things.
  void after_task();
  void after_turn();

  absl::flat_hash_map<std::string, std::shared_ptr<struct Query>>& direct_queries() {
    return direct_queries_;
  }

  std::string cluster_id;

 private:
  void fill_random(unsigned char* bytes, std::size_t size);

  Loop& loop_;
  std::unique_ptr<Store> store_;
  Outbox outbox_;
  Namespaces namespaces_;
  absl::flat_hash_map<std::string, RunPtr> runs_;  // By run id.
  struct Chain {
    Run* current = nullptr;
    int runs = 0;
  };
  absl::flat_hash_map<std::string, Chain> chains_;  // By namespace id and workflow id.
  Matching matching_;
  Workers workers_;
  DynamicConfig config_;
  absl::flat_hash_map<std::string, std::shared_ptr<struct Query>> direct_queries_;
  std::vector<RunPtr> dirty_;
  std::vector<std::string> deleted_;
  std::vector<WriteBatch::KeyValue> values_;
  std::mt19937_64 random_;
  std::int64_t task_id_ = 1 << 20;
  std::uint64_t runs_added_ = 0;
  std::uint64_t stamp_ = 0;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_ENGINE_H_
