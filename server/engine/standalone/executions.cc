#include "server/engine/standalone/executions.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "core/telemetry/log.h"
#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/standalone/activity_view.h"
#include "server/engine/standalone/operation_view.h"
#include "server/engine/time_skipping.h"
#include "server/visibility/visibility.h"

namespace chimera::server {
namespace {

// Ended ones that stay as they are.
constexpr std::size_t kEndedMost = 256;
// Deletions by retention in one turn, and the rest between two of them.
constexpr std::size_t kDeletedAtOnce = 500;
constexpr milliseconds kBetweenDeletions{100};

}  // namespace

template <class Execution>
StandaloneExecutions<Execution>::StandaloneExecutions(Engine& engine)
    : engine_(engine), retention_([this] {
        retires_ = kNever;
        delete_expired();
      }) {}

template <class Execution>
StandaloneExecutions<Execution>::~StandaloneExecutions() = default;

template <class Execution>
std::string StandaloneExecutions<Execution>::chain_key(const std::string& namespace_id,
                                                       const std::string& id) {
  return absl::StrCat(namespace_id, "/", id);
}

template <class Execution>
const Execution* StandaloneExecutions<Execution>::by_run_id(const std::string& run_id) {
  const auto found = live_.find(run_id);
  return found != live_.end() ? found->second.get() : thaw(run_id);
}

template <class Execution>
const Execution* StandaloneExecutions<Execution>::current(const Namespace& ns,
                                                          const std::string& id) {
  const auto found = current_.find(chain_key(ns.id, id));
  return found == current_.end() ? nullptr : by_run_id(found->second);
}

template <class Execution>
absl::StatusOr<const Execution*> StandaloneExecutions<Execution>::find(const Namespace& ns,
                                                                       const std::string& id,
                                                                       const std::string& run_id) {
  const Execution* found = run_id.empty() ? current(ns, id) : by_run_id(run_id);
  if (found == nullptr || found->ns != &ns || found->id() != id)
    return not_found(absl::StrCat(Execution::kName, " not found for ID: ", id));
  return found;
}

template <class Execution>
void StandaloneExecutions<Execution>::place(std::shared_ptr<Execution> execution) {
  Execution& placed = *execution;
  placed.attach(engine_);
  live_[placed.run_id] = std::move(execution);
  if (placed.open()) return;
  placed.indexed_end = placed.closed;
  ended_.push_back(placed.run_id);
}

template <class Execution>
const Execution& StandaloneExecutions<Execution>::add(std::shared_ptr<Execution> execution) {
  const Execution& added = *execution;
  std::string& current = current_[chain_key(added.ns->id, added.id())];
  if (const Execution* before = current.empty() ? nullptr : by_run_id(current)) {
    const_cast<Execution*>(before)->superseded = true;
    dirty_.insert(before->run_id);
  }
  current = added.run_id;
  place(std::move(execution));
  return added;
}

// --- What has ended.

template <class Execution>
bool StandaloneExecutions<Execution>::freeze(const Execution& execution) {
  const auto found = live_.find(execution.run_id);
  if (found->second.use_count() > 1 || !execution.waiting.empty()) return false;
  cold_[execution.run_id] = {chain_key(execution.ns->id, execution.id()),
                             {execution.start_row(), execution.state_row()}};
  live_.erase(found);
  return true;
}

template <class Execution>
const Execution* StandaloneExecutions<Execution>::thaw(const std::string& run_id) {
  const auto found = cold_.find(run_id);
  if (found == cold_.end()) return nullptr;
  auto execution = std::make_shared<Execution>();
  const bool read = execution->read(found->second.rows.start, found->second.rows.state);
  Namespace* ns = engine_.namespaces().find_by_id(execution->namespace_id);
  if (!read || ns == nullptr) {
    core::log(core::LogLevel::kError, "server",
              absl::StrCat("an ", Execution::kName, " that has ended cannot be read"),
              {{"run_id", run_id}});
    return nullptr;
  }
  execution->ns = ns;
  cold_.erase(found);
  const Execution& thawed = *execution;
  place(std::move(execution));
  return &thawed;
}

template <class Execution>
void StandaloneExecutions<Execution>::trim() {
  // Those that may not go yet are looked at again later.
  for (int looked = 0; looked < 16 && ended_.size() > kEndedMost; ++looked) {
    std::string run_id = std::move(ended_.front());
    ended_.pop_front();
    const auto found = live_.find(run_id);
    if (found != live_.end() && !freeze(*found->second)) ended_.push_back(std::move(run_id));
  }
}

template <class Execution>
void StandaloneExecutions<Execution>::forget(const std::string& namespace_id,
                                             const std::string& chain, const std::string& run_id) {
  const auto current = current_.find(chain);
  if (current != current_.end() && current->second == run_id) current_.erase(current);
  dirty_.erase(run_id);
  engine_.forget(/*number=*/0, run_id);
  for (const char* table : {Execution::kStartTable, Execution::kStateTable})
    engine_.put_value(table, run_id, "", /*erase=*/true);
  if (const auto all = by_end_.find(namespace_id); all != by_end_.end() && all->second.empty())
    by_end_.erase(all);
}

template <class Execution>
void StandaloneExecutions<Execution>::erase(const Execution& execution) {
  const auto keep = execution.shared_from_this();
  if (const auto all = by_end_.find(keep->ns->id); all != by_end_.end())
    all->second.erase({keep->closed, keep->run_id});
  forget(keep->ns->id, chain_key(keep->ns->id, keep->id()), keep->run_id);
  if (TimeSkipping* time = engine_.time_skipping.get()) time->drop(*keep);
  live_.erase(keep->run_id);
  std::erase(ended_, keep->run_id);
  const_cast<Execution&>(*keep).erased = true;
  for (auto& [key, waiter] : std::exchange(keep->waiting, {})) engine_.follow_up(std::move(waiter));
}

template <class Execution>
void StandaloneExecutions<Execution>::end_and_erase(const Execution& execution) {
  const auto keep = execution.shared_from_this();
  if (keep->open()) terminate(*keep);
  engine_.follow_up([this, keep] {
    if (by_run_id(keep->run_id) == keep.get()) erase(*keep);
  });
}

template <class Execution>
bool StandaloneExecutions<Execution>::erase_some(const Namespace& ns, int most) {
  std::vector<std::string> some;
  for (const auto& [run_id, execution] : live_) {
    if (execution->ns == &ns && static_cast<int>(some.size()) < most) some.push_back(run_id);
  }
  if (const auto all = by_end_.find(ns.id); all != by_end_.end() && some.empty()) {
    for (const auto& [closed, run_id] : all->second) {
      if (static_cast<int>(some.size()) == most) break;
      some.push_back(run_id);
    }
  }
  for (const std::string& run_id : some) {
    const Execution* execution = by_run_id(run_id);
    if (execution == nullptr) continue;
    if (execution->open()) terminate(*execution);
    erase(*execution);
  }
  return !some.empty();
}

// --- Time.

template <class Execution>
void StandaloneExecutions<Execution>::arm_timer(const Execution& execution) {
  auto& timer = const_cast<Execution&>(execution).timer;
  if (timer == nullptr) timer = std::make_unique<Timer>([this, &execution] { do_due(execution); });
  engine_.timers().arm(*timer, execution.next_deadline());
  if (TimeSkipping* time = engine_.time_skipping.get()) time->note(execution);
}

template <class Execution>
void StandaloneExecutions<Execution>::changed(const Execution& execution) {
  arm_timer(execution);
  dirty_.insert(execution.run_id);
  if (!execution.open() && execution.indexed_end != execution.closed) {
    auto& ends = by_end_[execution.ns->id];
    WallTime& indexed = const_cast<Execution&>(execution).indexed_end;
    if (indexed == kUnset)
      ended_.push_back(execution.run_id);
    else
      ends.erase({indexed, execution.run_id});
    indexed = execution.closed;
    ends.insert({indexed, execution.run_id});
    retire(deadline_after(indexed, execution.ns->retention()));
  }
  for (auto& [key, waiter] : std::exchange(execution.waiting, {}))
    engine_.follow_up(std::move(waiter));
}

template <class Execution>
void StandaloneExecutions<Execution>::retire(WallTime at) {
  if (at >= retires_) return;
  retires_ = at;
  engine_.loop().chores().arm(retention_, at);
}

template <class Execution>
void StandaloneExecutions<Execution>::apply_retention() {
  for (const auto& [name, ns] : engine_.namespaces().all()) {
    const auto all = by_end_.find(ns->id);
    if (all != by_end_.end() && !all->second.empty())
      retire(deadline_after(all->second.begin()->first, ns->retention()));
  }
}

template <class Execution>
void StandaloneExecutions<Execution>::delete_expired() {
  WallTime next = kNever;
  for (const auto& [name, ns] : engine_.namespaces().all()) {
    const auto all = by_end_.find(ns->id);
    if (all == by_end_.end()) continue;
    std::vector<std::string> expired;
    for (const auto& [closed, run_id] : all->second) {
      const WallTime at = deadline_after(closed, ns->retention());
      const bool enough = expired.size() == kDeletedAtOnce;
      if (at > engine_.now() || enough) {
        next =
            std::min(next, std::max(at, engine_.now() + (enough ? kBetweenDeletions : Nanos{0})));
        break;
      }
      expired.push_back(run_id);
    }
    for (const std::string& run_id : expired) {
      if (const auto live = live_.find(run_id); live != live_.end()) {
        erase(*live->second);
        continue;
      }
      const auto cold = cold_.extract(run_id);
      auto& set = by_end_.at(ns->id);
      set.erase(set.begin());
      if (!cold.empty()) forget(ns->id, cold.mapped().chain, run_id);
    }
  }
  if (next != kNever) retire(next);
}

// --- The store.

template <class Execution>
void StandaloneExecutions<Execution>::restore(const WriteBatch::KeyValue& value) {
  if (value.table == Execution::kStartTable) read_[value.key].start = value.value;
  if (value.table == Execution::kStateTable) read_[value.key].state = value.value;
}

template <class Execution>
absl::Status StandaloneExecutions<Execution>::resume() {
  std::vector<const Execution*> open;
  for (auto& [run_id, rows] : std::exchange(read_, {})) {
    auto execution = std::make_shared<Execution>();
    const bool read = execution->read(rows.start, rows.state);
    execution->ns = engine_.namespaces().find_by_id(execution->namespace_id);
    if (!read || execution->ns == nullptr) {
      return absl::DataLossError(
          absl::StrCat("the database is damaged: ", Execution::kName, " ", run_id,
                       ". Restore a copy of the file, or start with another file name."));
    }
    const Execution& restored = *execution;
    std::string chain = chain_key(restored.ns->id, restored.id());
    if (!restored.superseded) current_[chain] = run_id;
    engine_.ids().see_stamp(restored.last_stamp());
    if (restored.open()) {
      execution->shown = true;
      execution->shown_as = shown_key(restored);
      place(std::move(execution));
      open.push_back(&restored);
    } else {
      by_end_[restored.ns->id].insert({restored.closed, run_id});
      cold_[run_id] = {std::move(chain), std::move(rows)};
    }
  }
  for (const Execution* each : open) go_on(*each);
  apply_retention();
  return absl::OkStatus();
}

template <class Execution>
void StandaloneExecutions<Execution>::collect(WriteBatch& changes) {
  for (const std::string& run_id : dirty_) {
    Execution& execution = *live_.at(run_id);
    if (engine_.store().durable()) {
      if (!std::exchange(execution.stored, true))
        changes.values.push_back({Execution::kStartTable, run_id, execution.start_row(), false});
      changes.values.push_back({Execution::kStateTable, run_id, execution.state_row(), false});
    }
    std::string shown = shown_key(execution);
    if (std::exchange(execution.shown, true) && execution.shown_as == shown) continue;
    execution.shown_as = std::move(shown);
    if (engine_.store().keeps_index())
      changes.shown.push_back(entry_of(execution));
    else
      engine_.visibility().put(entry_of(execution));
  }
  dirty_.clear();
}

template class StandaloneExecutions<ActivityExecution>;
template class StandaloneExecutions<OperationExecution>;

}  // namespace chimera::server
