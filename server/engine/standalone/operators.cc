#include "server/engine/standalone/operators.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "server/engine/engine.h"
#include "server/engine/rules/retry.h"
#include "server/engine/standalone/activity_change.h"

namespace chimera::server {
namespace {

template <class... Parts>
absl::Status refused(const Parts&... parts) {
  return absl::FailedPreconditionError(absl::StrCat(parts...));
}

// When what has failed goes out again by its back-off; kUnset: it is in none.
WallTime retry_time(const ActivityExecution& execution) {
  if (execution.retry_interval <= Nanos{0}) return kUnset;
  return add_saturated(execution.activity.last_attempt_completed, execution.retry_interval);
}

}  // namespace

absl::Status pause_activity(Engine& engine, const ActivityExecution& execution,
                            const std::string& identity, const std::string& reason,
                            const std::string& request_id) {
  if (execution.pause_request_id == request_id) return absl::OkStatus();
  const std::string state = execution.state();
  if (state != "Scheduled" && state != "Started")
    return refused("activity is in non-pausable state ", state);
  ActivityChange change(engine, execution);
  attempt::pause(change, change.activity(), identity, reason, request_id);
  change.execution().pause_request_id = request_id;
  change.commit();
  return absl::OkStatus();
}

absl::Status unpause_activity(Engine& engine, const ActivityExecution& execution, Nanos jitter,
                              const std::string& request_id) {
  if (execution.unpause_request_id == request_id) return absl::OkStatus();
  const std::string state = execution.state();
  if (!execution.open()) return refused("activity is in terminal state ", state);
  if (state != "Paused" && state != "PauseRequested")
    return refused("activity is in non-unpausable state ", state);
  ActivityChange change(engine, execution);
  Activity& activity = change.activity();
  activity.paused = false;
  if (!activity.is_started()) {
    const WallTime at = not_before_delay(execution, attempt::soon(change, jitter));
    attempt::dispatch_at(change, activity, std::max(at, retry_time(execution)));
  }
  change.execution().unpause_request_id = request_id;
  change.commit();
  return absl::OkStatus();
}

absl::Status reset_activity(Engine& engine, const ActivityExecution& execution,
                            const attempt::ActivityReset& how, const std::string& request_id) {
  if (execution.reset_request_id == request_id) return absl::OkStatus();
  if (!execution.open()) return refused("activity execution is not running");
  if (execution.cancel_requested())
    return refused("cannot reset an activity with a pending cancellation");
  if (execution.reset) return refused("cannot reset an activity with a pending reset");
  ActivityChange change(engine, execution);
  ActivityExecution& changed = change.execution();
  Activity& activity = change.activity();
  const bool stays_paused = activity.paused && how.keep_paused;
  activity.paused = stays_paused;
  changed.reset_request_id = request_id;
  if (activity.is_started()) {
    changed.reset = {stays_paused, how.restore_options, how.reset_heartbeat};
  } else {
    if (how.restore_options) restore_options(changed);
    if (how.reset_heartbeat) {
      activity.heartbeat_details.reset();
      changed.last_heartbeat = kUnset;
    }
    activity.attempt = 1;
    changed.retry_interval = {};
    if (stays_paused)
      attempt::withdraw(engine, activity);
    else
      attempt::dispatch_at(change, activity,
                           not_before_delay(execution, attempt::soon(change, how.jitter)));
  }
  change.commit();
  return absl::OkStatus();
}

absl::Status check_changeable(const ActivityExecution& execution, WallTime now, bool start_delay) {
  const std::string state = execution.state();
  if (!execution.open() || state == "CancelRequested" || state == "ResetRequested")
    return refused("Cannot update options for activity in state ", state);
  if (!start_delay || execution.first_dispatch() > now) return absl::OkStatus();
  if (execution.first_started == kUnset && state == "Paused") return absl::OkStatus();
  return refused(
      "cannot update start_delay: the first activity attempt has already been dispatched");
}

void change_activity(Engine& engine, const ActivityExecution& execution, OptionsChange how) {
  ActivityChange change(engine, execution);
  ActivityExecution& changed = change.execution();
  Activity& activity = change.activity();
  if (how.attributes == nullptr) {
    restore_options(changed);
    how.retry_policy = true;
  } else {
    activity.changed = std::move(how.attributes);
    activity.take_timeouts();
    if (how.start_delay) {
      changed.start_delay = *how.start_delay;
      activity.first_scheduled = execution.first_dispatch();
    }
  }
  changed.options_request_id = how.request_id;
  if (!activity.is_started()) {
    // What a worker has asked for stays.
    if (how.retry_policy && execution.retry_interval > Nanos{0} && !execution.by_worker) {
      changed.retry_interval =
          retry_interval(activity.attributes().retry_policy(), activity.attempt - 1);
    }
    const WallTime retry = retry_time(execution);
    if (!activity.paused) {
      attempt::dispatch_at(change, activity,
                           retry != kUnset ? retry : not_before_delay(execution, change.now()));
    }
  }
  change.commit();
}

}  // namespace chimera::server
