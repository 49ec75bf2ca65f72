// StandaloneExecutions, the index of all executions of one kind that stand alone (activities, Nexus
// operations): by run id, and by their own id the current one; their timers, retention, what lists
// and the store have of them. Those that have ended become bytes when they have not been used for
// long. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_STANDALONE_EXECUTIONS_H_
#define CHIMERA_SERVER_ENGINE_STANDALONE_EXECUTIONS_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "temporal/api/sdk/v1/user_metadata.pb.h"

#include "server/engine/run/namespaces.h"
#include "server/store/store.h"
#include "server/timers/timer_heap.h"

namespace chimera::server {

class Engine;

// What each of them has.
struct StandaloneExecution {
  Namespace* ns = nullptr;
  std::string run_id;

  // --- As it was started; this does not change.
  common::SearchAttributes search_attributes;
  ::temporal::api::sdk::v1::UserMetadata user_metadata;
  std::string start_request_id;
  WallTime scheduled{};

  // --- What becomes of it.
  WallTime closed{};
  std::int64_t transitions = 0;
  bool superseded = false;  // A younger one has, or had, its id.
  std::vector<common::Link> links;
  std::string cancel_reason, cancel_identity, cancel_request_id;
  std::string terminate_request_id;

  // --- Not kept.
  std::unique_ptr<Timer> timer;  // For its next deadline.
  bool stored = false;           // The store has what does not change.
  bool shown = false;            // Lists have it as `shown_as`.
  bool erased = false;           // It is only held by those who have it still.
  WallTime indexed_end{};        // When it has ended, as retention knows it; kUnset: not yet.
  std::string shown_as;
  std::string namespace_id;  // As read.
  // Run and dropped at the next change; by a key of the waiter's own.
  mutable std::map<std::uint64_t, absl::AnyInvocable<void()>> waiting;
};

// What is given out stays until the turn's end; a shared pointer keeps it for longer. The execution
// itself has its name, its tables, its next deadline and its rows in the store.
template <class Execution>
class StandaloneExecutions {
 public:
  explicit StandaloneExecutions(Engine& engine);
  virtual ~StandaloneExecutions();

  // By run id, or the current one of the id if that is empty.
  absl::StatusOr<const Execution*> find(const Namespace& ns, const std::string& id,
                                        const std::string& run_id);
  const Execution* current(const Namespace& ns, const std::string& id);  // Null: none.
  const Execution* by_run_id(const std::string& run_id);

  // Becomes current when its first change begins it. What it is started with is the caller's to
  // fill before.
  const Execution& add(std::shared_ptr<Execution> execution);
  // Those who wait for it hear of it. If it was the current one its id has none until the next
  // start (genuine server 1.32).
  void erase(const Execution& execution);
  // After its end, which is now if it is open: those who wait for that hear of it first.
  void end_and_erase(const Execution& execution);
  // Of a namespace that goes, `most` at a time; false: there are none left.
  bool erase_some(const Namespace& ns, int most);

  void changed(const Execution& execution);
  void arm_timer(const Execution& execution);
  void apply_retention();  // After a change of it.
  template <class Visit>
  void each_open(Visit visit) const {
    for (const auto& [run_id, execution] : live_) {
      if (execution->open()) visit(*execution);
    }
  }

  std::size_t live() const { return live_.size(); }  // In memory as they are.

  // --- The store.
  void restore(const WriteBatch::KeyValue& value);
  absl::Status resume();  // When namespaces are there.
  void collect(WriteBatch& changes);
  void trim();  // At a turn's end.

 protected:
  Engine& engine_;

 private:
  virtual void do_due(const Execution& execution) = 0;
  virtual void go_on(const Execution& execution) = 0;      // After a restart.
  virtual void terminate(const Execution& execution) = 0;  // It is deleted while it is open.

  struct Rows {
    std::string start, state;
  };
  struct Cold {  // One that has ended.
    std::string chain;
    Rows rows;
  };
  static std::string chain_key(const std::string& namespace_id, const std::string& id);

  void place(std::shared_ptr<Execution> execution);
  const Execution* thaw(const std::string& run_id);
  bool freeze(const Execution& execution);  // False: somebody has it.
  void forget(const std::string& namespace_id, const std::string& chain, const std::string& run_id);
  void retire(WallTime at);
  void delete_expired();

  absl::flat_hash_map<std::string, std::shared_ptr<Execution>> live_;  // By run id.
  absl::flat_hash_map<std::string, Cold> cold_;                        // Likewise.
  absl::flat_hash_map<std::string, std::string> current_;              // Run ids, by chain_key().
  std::deque<std::string> ended_;  // Live ones that have; the last one used is last.
  // By namespace id: when they ended, and their run ids.
  absl::flat_hash_map<std::string, absl::btree_set<std::pair<WallTime, std::string>>> by_end_;
  absl::flat_hash_set<std::string> dirty_;
  std::map<std::string, Rows> read_;  // Until resume().
  Timer retention_;
  WallTime retires_ = kNever;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_STANDALONE_EXECUTIONS_H_
