#include "server/engine/turn/skipping.h"

#include <algorithm>
#include <utility>

#include "server/engine/engine.h"
#include "server/engine/run/transition.h"

namespace chimera::server {
namespace {

// Before its first workflow task the timeouts are no reason: they count from then.
WallTime waits_until(const Run& run, WallTime now) {
  if (!run.running() || run.paused() || run.task.pending()) return kUnset;
  return std::min(run.backoff_until != kUnset ? run.backoff_until : run.run_expires,
                  run.pending().waits_until(now));
}

void write(Transition& t, const SkippedTime::Skip& skip) {
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED);
  auto& a = *event.mutable_workflow_execution_time_skipping_transitioned_event_attributes();
  if (skip.to != kUnset) set(a.mutable_target_time(), skip.to);
  a.set_disabled_after_fast_forward(skip.ends_fast_forward);
  set(a.mutable_wall_clock_time(), t.engine().loop().real_now());
  event.set_worker_may_ignore(true);
  t.aside(std::move(event));
}

}  // namespace

void skip_time(Transition& t) {
  const Run& run = t.run();
  if (run.skipped == nullptr || !run.skipped->enabled()) return;
  const WallTime now = to_wall(
      t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED).event_time());
  if (const auto skip = run.skipped->skip(now, waits_until(run, now))) write(t, *skip);
}

void fire_fast_forward(Transition& t, std::int64_t) {
  const Run& run = t.run();
  if (run.skipped == nullptr || run.skipped->fast_forward_ends() > t.now()) return;
  write(t, {kUnset, true});
}

}  // namespace chimera::server
