#include "server/engine/runs.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/turn/deadlines.h"

namespace chimera::server {

std::string Runs::chain_key(const std::string& namespace_id, const std::string& workflow_id) {
  return absl::StrCat(namespace_id, "/", workflow_id);
}

const Run* Runs::current(const Namespace& ns, const std::string& workflow_id) const {
  auto it = chains_.find(chain_key(ns.id, workflow_id));
  return it == chains_.end() ? nullptr : it->second.current;
}

const Run* Runs::by_id(const std::string& run_id) const {
  auto it = runs_.find(run_id);
  return it == runs_.end() ? nullptr : it->second.get();
}

absl::StatusOr<const Run*> Runs::find(const Namespace& ns, const std::string& workflow_id,
                                      const std::string& run_id) const {
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
                                              const common::WorkflowExecution& execution) const {
  absl::StatusOr<const Run*> run = find(ns, execution.workflow_id(), execution.run_id());
  if (run.ok() && !(*run)->running()) return not_found("workflow execution already completed");
  return run;
}

Run& Runs::add(Namespace& ns, const std::string& workflow_id, const std::string& run_id) {
  auto run = std::make_shared<Run>();
  run->workflow_tasks.attach(engine_, *run);
  run->activity_tasks.attach(engine_, *run);
  run->ns = &ns;
  run->workflow_id = workflow_id;
  run->run_id = run_id;
  run->order = ++added_;
  Run& added = *run;
  runs_[run_id] = std::move(run);
  ++chains_[chain_key(ns.id, workflow_id)].runs;
  make_current(added);
  return added;
}

void Runs::make_current(const Run& run) {
  chains_[chain_key(run.ns->id, run.workflow_id)].current = &run;
}

void Runs::arm_timer(const Run& run) {
  if (run.timer == nullptr) {
    run.timer = std::make_unique<Timer>([this, &run] { process_deadlines(engine_, run); });
  }
  engine_.timers().arm(*run.timer, run.running()
                                       ? run.next_deadline()
                                       : deadline_after(run.close_time, run.ns->retention()));
}

void Runs::apply_retention(const Namespace& ns) {
  for (auto& [id, run] : runs_) {
    if (run->ns == &ns && !run->running()) arm_timer(*run);
  }
}

void Runs::erase(const Run& run) {
  auto chain = chains_.find(chain_key(run.ns->id, run.workflow_id));
  if (--chain->second.runs == 0) {
    chains_.erase(chain);
  } else if (chain->second.current == &run) {
    const Run* newest = nullptr;
    for (auto& [id, other] : runs_) {
      if (other.get() == &run || other->ns != run.ns || other->workflow_id != run.workflow_id)
        continue;
      if (newest == nullptr || other->order > newest->order) newest = other.get();
    }
    if (newest != nullptr) make_current(*newest);
  }
  engine_.forget(run);
  auto waiters = std::exchange(run.waiting.history, {});
  const RunPtr keep = share(run);
  runs_.erase(keep->run_id);
  for (auto& [key, waiter] : waiters) engine_.follow_up(std::move(waiter));
}

}  // namespace chimera::server
