#include "server/engine/turn/deadlines.h"

#include <algorithm>

#include "server/engine/engine.h"
#include "server/engine/run/transition.h"
#include "server/engine/turn/chain.h"
#include "server/engine/turn/skipping.h"
#include "server/engine/turn/workflow_task.h"

namespace chimera::server {
namespace {

WallTime task_deadline(const WorkflowTask& task) {
  if (!task.pending()) return kNever;
  if (task.is_started()) return deadline_after(task.started, task.timeout);
  return deadline_after(task.scheduled, task.schedule_to_start);
}

void fire_run_timeout(Transition& t, std::int64_t) { time_out_run(t); }

void fire_backoff(Transition& t, std::int64_t) {
  Run& run = t.run();
  if (run.backoff_until == kUnset) return;
  run.backoff_until = kUnset;
  if (!run.task.pending()) t.want_task();
}

void fire_task(Transition& t, std::int64_t) {
  const WorkflowTask& task = t.run().task;
  if (task_deadline(task) > t.now()) return;
  time_out_task(t, task.is_started() ? enums::TIMEOUT_TYPE_START_TO_CLOSE
                                     : enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
}

std::vector<Due> collect(const Run& run, WallTime now) {
  std::vector<Due> due;
  auto add = [&](WallTime at, std::int64_t id, void (*fire)(Transition&, std::int64_t)) {
    if (at <= now) due.push_back({at, id, -1, fire});
  };
  add(run.run_expires, 0, fire_run_timeout);
  if (run.backoff_until != kUnset) add(run.backoff_until, 1, fire_backoff);
  if (run.skipped != nullptr) add(run.skipped->fast_forward_ends(), 2, fire_fast_forward);
  add(task_deadline(run.task), run.task.scheduled_id, fire_task);
  run.pending().collect_due(now, due);
  std::sort(due.begin(), due.end());
  return due;
}

}  // namespace

WallTime Run::next_deadline() const {
  WallTime next = std::min({run_expires, task_deadline(task), pending_.next_deadline()});
  if (backoff_until != kUnset) next = std::min(next, backoff_until);
  if (skipped != nullptr) next = std::min(next, skipped->fast_forward_ends());
  return next;
}

void process_deadlines(Engine& engine, const Run& run) {
  if (!run.running()) return;
  const RunPtr keep = share(run);
  Transition t(engine, run);
  for (const Due& due : collect(run, t.now())) {
    if (!run.running()) break;
    due.fire(t, due.event_id);
  }
  t.commit();
}

}  // namespace chimera::server
