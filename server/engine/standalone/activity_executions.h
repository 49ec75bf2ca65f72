// ActivityExecutions, the index of all activities that stand alone: by run id, and by activity id
// the current one; their timers, retention, what lists and the store have of them. Those that have
// ended become bytes when they have not been used for long. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_STANDALONE_ACTIVITY_EXECUTIONS_H_
#define CHIMERA_SERVER_ENGINE_STANDALONE_ACTIVITY_EXECUTIONS_H_

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "server/engine/standalone/activity_execution.h"
#include "server/store/store.h"

namespace chimera::server {

class Engine;

// What is given out stays until the turn's end; an ActivityExecutionPtr keeps it for longer.
class ActivityExecutions {
 public:
  explicit ActivityExecutions(Engine& engine);
  ~ActivityExecutions();

  // By run id, or the current one of the activity id if that is empty.
  absl::StatusOr<const ActivityExecution*> find(const Namespace& ns, const std::string& id,
                                                const std::string& run_id);
  const ActivityExecution* current(const Namespace& ns, const std::string& id);  // Null: none.
  const ActivityExecution* by_run_id(const std::string& run_id);

  // Becomes current when its first change begins it. `attributes` and what else it is started with
  // are the caller's to fill before.
  const ActivityExecution& add(std::shared_ptr<ActivityExecution> execution);
  // Those who wait for it hear of it. If it was the current one its id has none until the next
  // start (genuine server 1.32).
  void erase(const ActivityExecution& execution);
  // Of a namespace that goes, `most` at a time; false: there are none left.
  bool erase_some(const Namespace& ns, int most);

  void changed(const ActivityExecution& execution);
  void arm_timer(const ActivityExecution& execution);
  void apply_retention();  // After a change of it.
  template <class Visit>
  void each_open(Visit visit) const {
    for (const auto& [run_id, execution] : live_) {
      if (execution->open()) visit(*execution);
    }
  }

  std::size_t live() const { return live_.size(); }  // In memory as they are.

  // --- The store.
  static constexpr char kStartTable[] = "activity_start", kStateTable[] = "activity_state";
  void restore(const WriteBatch::KeyValue& value);
  absl::Status resume();  // When namespaces are there.
  void collect(WriteBatch& changes);
  void trim();  // At a turn's end.

 private:
  struct Rows {
    std::string start, state;
  };
  struct Cold {  // One that has ended.
    std::string chain;
    Rows rows;
  };
  static std::string chain_key(const std::string& namespace_id, const std::string& id);

  void place(std::shared_ptr<ActivityExecution> execution);
  const ActivityExecution* thaw(const std::string& run_id);
  bool freeze(const ActivityExecution& execution);  // False: somebody has it.
  void forget(const std::string& namespace_id, const std::string& chain, const std::string& run_id);
  void retire(WallTime at);
  void delete_expired();

  Engine& engine_;
  absl::flat_hash_map<std::string, std::shared_ptr<ActivityExecution>> live_;  // By run id.
  absl::flat_hash_map<std::string, Cold> cold_;                                // Likewise.
  absl::flat_hash_map<std::string, std::string> current_;  // Run ids, by chain_key().
  std::deque<std::string> ended_;  // Live ones that have; the last one used is last.
  // By namespace id: when they ended, and their run ids.
  absl::flat_hash_map<std::string, absl::btree_set<std::pair<WallTime, std::string>>> by_end_;
  absl::flat_hash_set<std::string> dirty_;
  std::map<std::string, Rows> read_;  // Until resume().
  Timer retention_;
  WallTime retires_ = kNever;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_STANDALONE_ACTIVITY_EXECUTIONS_H_
