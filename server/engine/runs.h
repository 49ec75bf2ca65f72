// Runs, the index of all runs of a server: by run id, and by workflow id the current one. Those
// that are open are in memory. Of what has closed the store has everything; the last ones used stay
// in memory, the others are read back when they are asked for. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_RUNS_H_
#define CHIMERA_SERVER_ENGINE_RUNS_H_

#include <deque>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"

#include "server/engine/run/namespaces.h"
#include "server/engine/run/run.h"
#include "server/store/store.h"

namespace chimera::server {

class Engine;

// Runs are given out const: they change in a Transition. What is given out stays until the turn's
// end; a RunPtr keeps it for longer.
class Runs {
 public:
  explicit Runs(Engine& engine);

  // By run id, or the current run of the workflow id if that is empty.
  absl::StatusOr<const Run*> find(const Namespace& ns, const std::string& workflow_id,
                                  const std::string& run_id);
  absl::StatusOr<const Run*> find_running(const Namespace& ns,
                                          const common::WorkflowExecution& execution);
  const Run* current(const Namespace& ns, const std::string& workflow_id);
  const Run* by_id(const std::string& run_id);
  const absl::flat_hash_map<std::string, RunPtr>& in_memory() const { return runs_; }

  // Becomes current.
  Run& add(Namespace& ns, const std::string& workflow_id, const std::string& run_id);
  // One that the store has.
  absl::StatusOr<Run*> restore(StoredRun stored);
  void last_number(std::uint64_t number) { added_ = number; }  // Of the store's runs; at the start.
  void erase(const Run& run);
  // By a caller's wish. If it is the current one its workflow id has none until the next start,
  // though there are older runs (genuine servers 1.29, 1.32).
  void erase_for_good(const Run& run);
  // Of a namespace's closed ones that no archive waits for, at most so many. False: none.
  bool erase_closed(const std::string& namespace_id, int most);
  void forget_chains(const std::string& namespace_id);  // Of a namespace that goes.
  // What the store kept of that.
  static constexpr char kHeadlessTable[] = "headless";  // By chain_key().
  void restore_headless(std::string key) { headless_.insert(std::move(key)); }
  void arm_timer(const Run& run);  // For its next deadline or, once closed, its deletion.
  void apply_retention();          // After a change of it, and at the start.
  void retire(const Run& run);     // A closed one, which nothing else holds any more.
  // At a turn's end: closed runs beyond what memory is for leave it.
  void trim();

 private:
  // What memory has of a workflow id's runs, in the order of their creation.
  struct Chain {
    std::vector<const Run*> runs;
    std::uint64_t newest = 0;  // The number of the current one; 0: the store has to be asked.
  };
  static std::string chain_key(const std::string& namespace_id, const std::string& workflow_id);

  Run& place(Namespace& ns, const std::string& workflow_id, const std::string& run_id,
             std::uint64_t number);
  const Run* read_back(const std::string& run_id);
  bool is_deleted(std::uint64_t number) const { return deleted_.contains(number); }
  void note_deleted(std::uint64_t number);
  void used(const Run& run);
  // Out of memory; what the store has stays.
  void drop(const Run& run);
  bool may_leave(const Run& run) const;
  void retire(WallTime at);  // Arms the timer of retention.
  void delete_expired();
  void erase_stored(const Store::ClosedRun& run);

  Engine& engine_;
  absl::flat_hash_map<std::string, RunPtr> runs_;   // In memory, by run id.
  absl::flat_hash_map<std::string, Chain> chains_;  // By namespace id and workflow id.
  absl::flat_hash_set<std::string> headless_;       // Chains without a current run.
  std::uint64_t added_ = 0;

  std::list<const Run*> closed_;  // In memory; the last one used is last.
  std::int64_t closed_bytes_ = 0;
  // Runs whose deletion the store may not have written yet, and after which of its commits it has.
  absl::flat_hash_set<std::uint64_t> deleted_;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> deletions_;

  Timer retention_;
  WallTime retires_ = kNever;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RUNS_H_
