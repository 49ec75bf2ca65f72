#include "server/engine/removals.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "server/engine/archival.h"
#include "server/engine/deployments/deployments.h"
#include "server/engine/engine.h"
#include "server/engine/schedules.h"
#include "server/engine/standalone/activity_executions.h"
#include "server/engine/standalone/operation_executions.h"
#include "server/engine/turn/start.h"

namespace chimera::server {
namespace {

// Of one turn, and the rest between two of them, in which the store writes.
constexpr int kAtOnce = 200;
constexpr milliseconds kRest{20};
constexpr milliseconds kUntilArchived{200};
constexpr std::size_t kSuffixOfId = 5;

// As the genuine server calls it (1.32).
std::string deleted_name(const Namespaces& namespaces, const Namespace& ns) {
  for (std::size_t length = kSuffixOfId; length < ns.id.size(); ++length) {
    const std::string suffix = absl::StrCat("-deleted-", ns.id.substr(0, length));
    if (absl::EndsWith(ns.name(), suffix)) return ns.name();
    std::string name = absl::StrCat(ns.name(), suffix);
    if (namespaces.find(name) == nullptr) return name;
  }
  return absl::StrCat(ns.name(), "-deleted-", ns.id);
}

}  // namespace

void Removals::add(const std::string& id, WallTime keep_until) {
  Removal& removal = all_[id];
  removal.keep_until = keep_until;
  removal.timer = std::make_unique<Timer>([this, id] { advance(id); });
}

void Removals::begin(Namespace& ns, Nanos delay) {
  ns.info.set_state(enums::NAMESPACE_STATE_DELETED);
  engine_.namespaces().rename(ns, deleted_name(engine_.namespaces(), ns));
  engine_.save(ns);
  if (all_.contains(ns.id)) return;
  const WallTime keep_until = add_saturated(engine_.now(), delay);
  add(ns.id, keep_until);
  engine_.put_value(kTable, ns.id, absl::StrCat(keep_until.time_since_epoch().count()));
  engine_.follow_up([this, id = ns.id] { advance(id); });
}

bool Removals::end_open_runs(const Namespace& ns) {
  std::vector<RunPtr> runs;
  for (const auto& [run_id, run] : engine_.runs().in_memory()) {
    if (run->ns != &ns || engine_.archival->holds(run_id)) continue;
    runs.push_back(run);
    if (static_cast<int>(runs.size()) == kAtOnce) break;
  }
  for (const RunPtr& run : runs) {
    // Those who wait for it hear of it.
    if (run->running())
      terminate_run(engine_, *run, "Delete workflow execution", nullptr, "history-service");
    engine_.follow_up([this, run] {
      if (!engine_.archival->holds(run->run_id) && engine_.runs().by_id(run->run_id) == run.get())
        engine_.runs().erase(*run);
    });
  }
  return !runs.empty();
}

void Removals::advance(std::string id) {
  const auto found = all_.find(id);
  Namespace* ns = engine_.namespaces().find_by_id(id);
  if (found == all_.end()) return;
  TimerHeap& timers = engine_.loop().chores();
  if (ns != nullptr) {
    // What starts runs goes first.
    if (engine_.schedules->erase_some(*ns, kAtOnce) || end_open_runs(*ns) ||
        engine_.runs().erase_closed(id, kAtOnce) ||
        engine_.activity_executions->erase_some(*ns, kAtOnce) ||
        engine_.operation_executions->erase_some(*ns, kAtOnce))
      return timers.arm(*found->second.timer, engine_.now() + kRest);
    if (engine_.archival->holds_any_of(*ns))
      return timers.arm(*found->second.timer, engine_.now() + kUntilArchived);
    if (found->second.keep_until > engine_.now())
      return timers.arm(*found->second.timer, found->second.keep_until);
    engine_.put_value(kNamespaceTable, id, "", /*erase=*/true);
    engine_.runs().forget_chains(id);
    for (const Deployment* each : engine_.deployments->of(*ns))
      engine_.deployments->erase(*ns, std::string(each->name()));
    engine_.namespaces().remove(*ns);
  }
  all_.erase(found);
  engine_.put_value(kTable, std::move(id), "", /*erase=*/true);
}

absl::Status Removals::restore(const std::string& key, const std::string& value) {
  std::int64_t nanos = 0;
  if (!absl::SimpleAtoi(value, &nanos)) {
    return absl::DataLossError(
        absl::StrCat("the database is damaged: the deletion of namespace ", key,
                     ". Restore a copy of the file, or start with another file name."));
  }
  add(key, WallTime(Nanos(nanos)));
  return absl::OkStatus();
}

void Removals::resume() {
  for (auto& [id, removal] : all_) engine_.loop().chores().arm(*removal.timer, engine_.now());
}

}  // namespace chimera::server
