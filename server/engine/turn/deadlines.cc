#include "server/engine/turn/deadlines.h"

#include <algorithm>
#include <tuple>

#include "server/engine/engine.h"
#include "server/engine/pending/activity.h"
#include "server/engine/run/transition.h"
#include "server/engine/turn/chain.h"
#include "server/engine/turn/workflow_task.h"

namespace chimera::server {
namespace {

// Everything of one instant fires in the order of event ids, then kinds, as in the genuine server.
enum class Kind { kRunTimeout, kBackoff, kTask, kActivity, kActivityRetry, kTimer };

struct Due {
  WallTime at;
  std::int64_t event_id;
  Kind kind;
  std::string timer_id;
  bool operator<(const Due& other) const {
    return std::tie(at, event_id, kind) < std::tie(other.at, other.event_id, other.kind);
  }
};

WallTime task_deadline(const WorkflowTask& task) {
  if (!task.pending()) return kNever;
  if (task.is_started()) return deadline_after(task.started, task.timeout);
  return deadline_after(task.scheduled, task.schedule_to_start);
}

WallTime retry_time(const Activity& activity) {
  return activity.is_started() || activity.dispatched || activity.paused ? kNever
                                                                         : activity.scheduled;
}

std::vector<Due> collect(const Run& run, WallTime now) {
  std::vector<Due> due;
  auto add = [&](WallTime at, std::int64_t id, Kind kind, const std::string& timer = {}) {
    if (at <= now) due.push_back({at, id, kind, timer});
  };
  add(run.run_expires, 0, Kind::kRunTimeout);
  if (run.backoff_until != kUnset) add(run.backoff_until, 1, Kind::kBackoff);
  add(task_deadline(run.task), run.task.scheduled_id, Kind::kTask);
  for (const auto& [id, activity] : run.activities) {
    add(activity_deadline(activity).at, id, Kind::kActivity);
    add(retry_time(activity), id, Kind::kActivityRetry);
  }
  for (const auto& [at, id] : run.timers_by_time) {
    if (at > now) break;
    add(at, run.timers.at(id).started_id, Kind::kTimer, id);
  }
  std::sort(due.begin(), due.end());
  return due;
}

void fire_timer(Transition& t, const std::string& id) {
  auto it = t.run().timers.find(id);
  if (it == t.run().timers.end()) return;
  HistoryEvent event = t.event(enums::EVENT_TYPE_TIMER_FIRED);
  auto& a = *event.mutable_timer_fired_event_attributes();
  a.set_timer_id(id);
  a.set_started_event_id(it->second.started_id);
  t.external(std::move(event));
}

void handle(Transition& t, const Due& due, WallTime now) {
  Run& run = t.run();
  switch (due.kind) {
    case Kind::kRunTimeout:
      return time_out_run(t);
    case Kind::kBackoff:
      if (run.backoff_until == kUnset) return;
      run.backoff_until = kUnset;
      if (!run.task.pending()) t.want_task();
      return;
    case Kind::kTask:
      if (task_deadline(run.task) > now) return;
      return time_out_task(t, run.task.is_started() ? enums::TIMEOUT_TYPE_START_TO_CLOSE
                                                    : enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
    case Kind::kActivity:
      if (Activity* activity = run.find_activity(due.event_id)) {
        const ActivityDeadline deadline = activity_deadline(*activity);
        if (deadline.at <= now) time_out_activity(t, *activity, deadline.type);
      }
      return;
    case Kind::kActivityRetry:
      if (Activity* activity = run.find_activity(due.event_id)) {
        if (retry_time(*activity) <= now) dispatch_activity(t, *activity);
      }
      return;
    case Kind::kTimer:
      return fire_timer(t, due.timer_id);
  }
}

}  // namespace

ActivityDeadline activity_deadline(const Activity& activity) {
  ActivityDeadline best;
  auto consider = [&best](WallTime at, enums::TimeoutType type) {
    if (at < best.at) best = {at, type};
  };
  consider(deadline_after(activity.first_scheduled, activity.schedule_to_close),
           enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
  if (activity.is_started()) {
    consider(deadline_after(activity.started, activity.start_to_close),
             enums::TIMEOUT_TYPE_START_TO_CLOSE);
    consider(
        deadline_after(std::max(activity.started, activity.last_heartbeat), activity.heartbeat),
        enums::TIMEOUT_TYPE_HEARTBEAT);
  } else if (!activity.paused) {
    consider(deadline_after(activity.scheduled, activity.schedule_to_start),
             enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
  }
  return best;
}

WallTime Run::next_deadline() const {
  WallTime next = std::min(run_expires, task_deadline(task));
  if (backoff_until != kUnset) next = std::min(next, backoff_until);
  for (const auto& [id, activity] : activities) {
    next = std::min({next, activity_deadline(activity).at, retry_time(activity)});
  }
  if (!timers_by_time.empty()) next = std::min(next, timers_by_time.begin()->first);
  return next;
}

void process_deadlines(Engine& engine, const Run& run) {
  const RunPtr keep = share(run);
  if (!run.running()) {
    engine.follow_up([keep] {});  // Its timer is what fires: let it go later.
    return engine.runs().erase(run);
  }
  Transition t(engine, run);
  for (const Due& due : collect(run, engine.now())) {
    if (!run.running()) break;
    handle(t, due, engine.now());
  }
  t.commit();
}

}  // namespace chimera::server
