#include "server/engine/runs.h"

#include <algorithm>

#include "absl/strings/match.h"

#include "core/telemetry/log.h"
#include "server/base/errors.h"
#include "server/engine/archival.h"
#include "server/engine/engine.h"
#include "server/engine/matched/query.h"
#include "server/engine/run/side_record.h"
#include "server/engine/run/visible.h"
#include "server/engine/time_skipping.h"
#include "server/engine/turn/deadlines.h"

namespace chimera::server {
namespace {

// Closed runs that stay in memory.
constexpr std::size_t kClosedMost = 256;
constexpr std::int64_t kClosedBytesMost = 8 << 20;  // Of their histories.
// Deletions by retention in one turn, and the rest between two of them.
constexpr int kDeletedAtOnce = 500;
constexpr milliseconds kBetweenDeletions{100};

}  // namespace

Runs::Runs(Engine& engine)
    : engine_(engine), retention_([this] {
        retires_ = kNever;
        delete_expired();
      }) {}

std::string Runs::chain_key(const std::string& namespace_id, const std::string& workflow_id) {
  return absl::StrCat(namespace_id, "/", workflow_id);
}

const Run* Runs::current(const Namespace& ns, const std::string& workflow_id) {
  const std::string key = chain_key(ns.id, workflow_id);
  if (!headless_.empty() && headless_.contains(key)) return nullptr;
  const auto it = chains_.find(key);
  if (it != chains_.end() && it->second.newest == it->second.runs.back()->order) {
    const Run& run = *it->second.runs.back();
    used(run);
    return &run;
  }
  const auto stored = engine_.store().newest(
      ns.id, workflow_id, [this](std::uint64_t number) { return is_deleted(number); });
  if (it != chains_.end()) {
    const Run& last = *it->second.runs.back();
    if (!stored || stored->number <= last.order) {
      it->second.newest = last.order;
      return &last;
    }
  }
  const Run* run = stored ? by_id(stored->run_id) : nullptr;
  if (run != nullptr) chains_.at(key).newest = run->order;
  return run;
}

const Run* Runs::by_id(const std::string& run_id) {
  const auto it = runs_.find(run_id);
  if (it == runs_.end()) return read_back(run_id);
  used(*it->second);
  return it->second.get();
}

absl::StatusOr<const Run*> Runs::find(const Namespace& ns, const std::string& workflow_id,
                                      const std::string& run_id) {
  if (workflow_id.empty()) return invalid("WorkflowId is not set on request.");
  if (run_id.empty()) {
    const Run* run = current(ns, workflow_id);
    if (run == nullptr) return not_found(absl::StrCat("workflow not found for ID: ", workflow_id));
    return run;
  }
  if (!is_uuid(run_id)) return invalid("Invalid RunId.");
  const Run* run = by_id(run_id);
  if (run == nullptr || run->ns != &ns || run->workflow_id != workflow_id) {
    return not_found(absl::StrCat("workflow execution not found for workflow ID \"", workflow_id,
                                  "\" and run ID \"", run_id, "\""));
  }
  return run;
}

absl::StatusOr<const Run*> Runs::find_running(const Namespace& ns,
                                              const common::WorkflowExecution& execution) {
  absl::StatusOr<const Run*> run = find(ns, execution.workflow_id(), execution.run_id());
  if (run.ok() && !(*run)->running()) return not_found("workflow execution already completed");
  return run;
}

Run& Runs::add(Namespace& ns, const std::string& workflow_id, const std::string& run_id) {
  Run& run = place(ns, workflow_id, run_id, ++added_);
  const std::string key = chain_key(ns.id, workflow_id);
  chains_[key].newest = run.order;
  if (!headless_.empty() && headless_.erase(key) > 0)
    engine_.put_value(kHeadlessTable, key, "", /*erase=*/true);
  return run;
}

Run& Runs::place(Namespace& ns, const std::string& workflow_id, const std::string& run_id,
                 std::uint64_t number) {
  auto run = std::make_shared<Run>();
  run->workflow_tasks.attach(engine_, *run);
  run->activity_tasks.attach(engine_, *run);
  run->ns = &ns;
  run->workflow_id = workflow_id;
  run->run_id = run_id;
  run->order = number;
  Run& placed = *run;
  runs_[run_id] = std::move(run);
  auto& runs = chains_[chain_key(ns.id, workflow_id)].runs;
  runs.insert(std::upper_bound(runs.begin(), runs.end(), &placed,
                               [](const Run* a, const Run* b) { return a->order < b->order; }),
              &placed);
  return placed;
}

absl::StatusOr<Run*> Runs::restore(StoredRun stored) {
  const auto& record = stored.record;
  Namespace* ns = engine_.namespaces().find_by_id(record.namespace_id);
  if (ns == nullptr) {
    return absl::DataLossError(
        absl::StrCat("the database is damaged: run ", record.run_id,
                     " belongs to no namespace. Restore a copy of the file, or start with another "
                     "file name."));
  }
  Run& run = place(*ns, record.workflow_id, record.run_id, record.number);
  absl::Status status = server::restore(std::move(stored), run);
  if (status.ok()) {
    looks_different(run, run.events.events_size());  // Than it is from now on.
    arm_timer(run);
    return &run;
  }
  drop(run);
  return status;
}

const Run* Runs::read_back(const std::string& run_id) {
  std::optional<StoredRun> stored = engine_.store().read(run_id);
  if (!stored || is_deleted(stored->record.number)) return nullptr;
  absl::StatusOr<Run*> run = restore(std::move(*stored));
  if (run.ok()) return *run;
  core::log(core::LogLevel::kError, "server", std::string(run.status().message()),
            {{"run_id", run_id}});
  return nullptr;
}

void Runs::used(const Run& run) {
  if (run.closed.listed) closed_.splice(closed_.end(), closed_, run.closed.place);
}

void Runs::arm_timer(const Run& run) {
  if (run.running()) {
    if (run.timer == nullptr)
      run.timer = std::make_unique<Timer>([this, &run] { process_deadlines(engine_, run); });
    engine_.timers().arm(*run.timer, run.server_time(run.next_deadline()));
    return;
  }
  if (run.timer != nullptr) engine_.timers().disarm(*run.timer);
  retire(run);
  if (run.closed.listed) return;
  run.closed = {true, closed_.insert(closed_.end(), &run), run.history_size};
  closed_bytes_ += run.history_size;
}

void Runs::drop(const Run& run) {
  if (run.closed.listed) {
    closed_bytes_ -= run.closed.bytes;
    closed_.erase(run.closed.place);
    run.closed.listed = false;
  }
  const auto chain = chains_.find(chain_key(run.ns->id, run.workflow_id));
  std::erase(chain->second.runs, &run);
  if (chain->second.runs.empty()) chains_.erase(chain);
  if (TimeSkipping* time = engine_.time_skipping.get()) time->drop(run);
  const RunPtr keep = share(run);
  runs_.erase(keep->run_id);
}

void Runs::erase(const Run& run) {
  auto& chain = chains_.at(chain_key(run.ns->id, run.workflow_id));
  if (chain.newest == run.order) chain.newest = 0;
  engine_.forget(run);
  note_deleted(run.order);
  auto waiters = std::exchange(run.waiting.history, {});
  drop(run);
  for (auto& [key, waiter] : waiters) engine_.follow_up(std::move(waiter));
}

void Runs::erase_for_good(const Run& run) {
  const RunPtr keep = share(run);
  const bool was_current = current(*run.ns, run.workflow_id) == &run;
  erase(run);
  if (!was_current || current(*keep->ns, keep->workflow_id) == nullptr) return;
  const std::string key = chain_key(keep->ns->id, keep->workflow_id);
  headless_.insert(key);
  engine_.put_value(kHeadlessTable, key, "1");
}

void Runs::note_deleted(std::uint64_t number) {
  deleted_.insert(number);
  deletions_.emplace_back(engine_.store().committed() + 1, number);  // The turn's commit.
}

// Nobody has it, waits for it or may still want to change it.
bool Runs::may_leave(const Run& run) const {
  if (run.stored.commit > engine_.store().written() || run.weak_from_this().use_count() > 1)
    return false;
  const Waiting& waiting = run.waiting;
  if (!waiting.queries.empty() || !waiting.updates.empty() || !waiting.history.empty())
    return false;
  const auto& queries = engine_.direct_queries();
  return std::none_of(queries.begin(), queries.end(),
                      [&run](const auto& query) { return query.second->run.lock().get() == &run; });
}

void Runs::trim() {
  const std::uint64_t written = engine_.store().written();
  for (; !deletions_.empty() && deletions_.front().first <= written; deletions_.pop_front())
    deleted_.erase(deletions_.front().second);
  // Those that may not leave yet are looked at again later.
  for (int looked = 0; looked < 16 && !closed_.empty() &&
                       (closed_.size() > kClosedMost || closed_bytes_ > kClosedBytesMost);
       ++looked) {
    const Run& run = *closed_.front();
    if (may_leave(run))
      drop(run);
    else
      used(run);
  }
}

void Runs::retire(const Run& run) {
  retire(deadline_after(run.server_time(run.close_time), run.ns->retention()));
}

void Runs::retire(WallTime at) {
  if (at >= retires_) return;
  retires_ = at;
  engine_.loop().chores().arm(retention_, at);
}

void Runs::apply_retention() {
  for (const auto& [name, ns] : engine_.namespaces().all()) {
    const auto first = engine_.store().first_closed(ns->id, 1);
    if (first.empty()) continue;
    retire(deadline_after(WallTime(Nanos(first[0].closed)), ns->retention()));
  }
}

void Runs::erase_stored(const Store::ClosedRun& run) {
  if (is_deleted(run.number)) return;
  if (const auto found = runs_.find(run.run_id); found != runs_.end()) {
    erase(*found->second);
  } else {
    engine_.forget(run.number, run.run_id);
    note_deleted(run.number);
  }
}

bool Runs::erase_closed(const std::string& namespace_id, int most) {
  bool any = false;
  for (const auto& run : engine_.store().first_closed(namespace_id, most)) {
    if (engine_.archival->holds(run.run_id)) continue;
    any = true;
    erase_stored(run);
  }
  return any;
}

void Runs::forget_chains(const std::string& namespace_id) {
  const std::string prefix = chain_key(namespace_id, "");
  absl::erase_if(headless_, [&](const std::string& key) {
    if (!absl::StartsWith(key, prefix)) return false;
    engine_.put_value(kHeadlessTable, key, "", /*erase=*/true);
    return true;
  });
}

void Runs::delete_expired() {
  WallTime next = kNever;
  for (const auto& [name, ns] : engine_.namespaces().all()) {
    int deleted = 0;
    for (const auto& run : engine_.store().first_closed(ns->id, kDeletedAtOnce)) {
      const WallTime at = deadline_after(WallTime(Nanos(run.closed)), ns->retention());
      if (at > engine_.now()) {
        next = std::min(next, at);
        break;
      }
      if (engine_.archival->holds(run.run_id)) continue;
      ++deleted;
      erase_stored(run);
    }
    // What is deleted leaves the store with this turn, and there may be more.
    if (deleted > 0) next = std::min(next, engine_.now() + kBetweenDeletions);
  }
  if (next != kNever) retire(next);
}

}  // namespace chimera::server
