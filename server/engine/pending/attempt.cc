#include "server/engine/pending/attempt.h"

#include <algorithm>

#include "server/engine/engine.h"
#include "server/engine/rules/failures.h"
#include "server/engine/rules/retry.h"

namespace chimera::server {
namespace {

using Attributes = Activity::Attributes;

WallTime expiry(const Activity& activity) {
  return deadline_after(activity.first_scheduled, activity.schedule_to_close);
}

// Late reports of the old attempt find nothing.
void back_off(ActivityOwner& owner, Activity& activity, Nanos delay, failure::Failure failure) {
  Engine& engine = owner.engine();
  ++activity.attempt;
  activity.scheduled = activity.paused ? owner.now() : add_saturated(owner.now(), delay);
  activity.last_attempt_completed = owner.now();
  activity.started = kUnset;
  activity.dispatched = false;
  activity.stamp = engine.ids().next_stamp();
  owner.retries(activity, failure, delay);
  cut_retried_failure(failure);
  activity.last_failure = std::make_unique<failure::Failure>(std::move(failure));
  activity.was_reset = false;
  if (activity.forget_heartbeat) activity.heartbeat_details.reset();
  activity.forget_heartbeat = false;
  if (delay <= Nanos{0} && !activity.paused) attempt::dispatch(owner, activity);
}

RetryDecision decide(ActivityOwner& owner, const Activity& activity,
                     const failure::Failure& failure) {
  RetryDecision decision = decide_retry(activity.attributes().retry_policy(), activity.attempt,
                                        owner.now(), expiry(activity), failure);
  if (decision.retry() && activity.cancel_requested_id != 0)
    return {enums::RETRY_STATE_CANCEL_REQUESTED};
  return decision;
}

const char* timeout_name(enums::TimeoutType type) {
  switch (type) {
    case enums::TIMEOUT_TYPE_START_TO_CLOSE:
      return "StartToClose";
    case enums::TIMEOUT_TYPE_SCHEDULE_TO_START:
      return "ScheduleToStart";
    case enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE:
      return "ScheduleToClose";
    default:
      return "Heartbeat";
  }
}

Nanos cap(Nanos value, Nanos limit) {
  if (limit == Nanos{0}) return value;
  return value == Nanos{0} ? limit : std::min(value, limit);
}

void forget_heartbeat(Activity& activity) {
  activity.heartbeat_details.reset();
  activity.last_heartbeat = kUnset;
}

enums::PendingActivityState state_of(const Activity& activity) {
  if (activity.cancel_requested_id != 0) return enums::PENDING_ACTIVITY_STATE_CANCEL_REQUESTED;
  if (activity.paused) {
    return activity.is_started() ? enums::PENDING_ACTIVITY_STATE_PAUSE_REQUESTED
                                 : enums::PENDING_ACTIVITY_STATE_PAUSED;
  }
  return activity.is_started() ? enums::PENDING_ACTIVITY_STATE_STARTED
                               : enums::PENDING_ACTIVITY_STATE_SCHEDULED;
}

template <class Archive, class OneActivity>
void visit(Archive& ar, OneActivity& activity) {
  ar.number(activity.attempt);
  ar.time(activity.scheduled);
  ar.time(activity.started);
  ar.time(activity.last_heartbeat);
  ar.time(activity.last_attempt_completed);
  ar.number(activity.stamp);
  ar.text(activity.identity);
  ar.text(activity.request_id);
  ar.optional(activity.heartbeat_details);
  ar.optional(activity.last_failure);
  if (ar.version < 2) return;
  ar.number(activity.paused);
  ar.time(activity.pause_time);
  ar.text(activity.pause_identity);
  ar.text(activity.pause_reason);
  ar.number(activity.was_reset);
  ar.number(activity.forget_heartbeat);
  ar.optional(activity.changed);
  if (ar.version < 4) return;
  ar.text(activity.pause_request_id);
  if (ar.version < 5) return;
  ar.text(activity.last_version.deployment);
  ar.text(activity.last_version.build_id);
}

}  // namespace

void Activity::take_timeouts() {
  const auto& a = attributes();
  schedule_to_close = to_nanos(a.schedule_to_close_timeout());
  schedule_to_start = to_nanos(a.schedule_to_start_timeout());
  start_to_close = to_nanos(a.start_to_close_timeout());
  heartbeat = to_nanos(a.heartbeat_timeout());
}

void Activity::write(Writer& ar) const { visit(ar, *this); }
void Activity::read(Reader& ar) { visit(ar, *this); }

namespace attempt {

void dispatch(ActivityOwner& owner, Activity& activity) {
  Engine& engine = owner.engine();
  activity.dispatched = true;
  activity.stamp = engine.ids().next_stamp();
  if (owner.paused()) return;  // The end of the pause sends it.
  MatchTask task;
  task.owner = owner.tasks();
  task.stamp = activity.stamp;
  task.id = activity.scheduled_id;
  task.added = engine.loop().real_now();
  task.prioritize(owner.priority());
  task.prioritize(activity.attributes().priority());
  engine.matching().add({owner.namespace_id(), activity.attributes().task_queue().name(),
                         enums::TASK_QUEUE_TYPE_ACTIVITY, owner.version_for(activity)},
                        std::move(task));
}

void dispatch_again(ActivityOwner& owner, Activity& activity) {
  if (activity.is_started() || activity.paused || !activity.dispatched) return;
  dispatch(owner, activity);
}

void start(ActivityOwner& owner, Activity& activity, const std::string& identity,
           wf::PollActivityTaskQueueResponse& response) {
  Engine& engine = owner.engine();
  activity.dispatched = true;
  if (activity.stamp == 0) activity.stamp = engine.ids().next_stamp();
  activity.started = std::max(owner.now(), activity.scheduled);
  activity.last_heartbeat = kUnset;
  activity.identity = identity;
  activity.request_id = engine.ids().uuid();
  const auto& a = activity.attributes();
  *response.mutable_activity_type() = a.activity_type();
  response.set_activity_id(activity.id);
  if (a.has_header()) *response.mutable_header() = a.header();
  if (a.has_input()) *response.mutable_input() = a.input();
  if (activity.heartbeat_details != nullptr)
    *response.mutable_heartbeat_details() = *activity.heartbeat_details;
  set(response.mutable_scheduled_time(), activity.first_scheduled);
  set(response.mutable_current_attempt_scheduled_time(), activity.scheduled);
  set(response.mutable_started_time(), activity.started);
  response.set_attempt(activity.attempt);
  *response.mutable_schedule_to_close_timeout() = a.schedule_to_close_timeout();
  *response.mutable_start_to_close_timeout() = a.start_to_close_timeout();
  *response.mutable_heartbeat_timeout() = a.heartbeat_timeout();
  *response.mutable_retry_policy() = a.retry_policy();
  if (owner.priority().ByteSizeLong() > 0) *response.mutable_priority() = owner.priority();
  if (a.has_priority()) response.mutable_priority()->MergeFrom(a.priority());
  owner.introduce(activity, response);
}

HeartbeatReply heartbeat(ActivityOwner& owner, Activity& activity, common::Payloads& details,
                         bool has_details) {
  activity.last_heartbeat = owner.now();
  activity.heartbeat_details =
      has_details ? std::make_unique<common::Payloads>(std::move(details)) : nullptr;
  return {activity.cancel_requested_id != 0, activity.paused, activity.was_reset};
}

void fail(ActivityOwner& owner, Activity& activity, failure::Failure& failure,
          const std::string& identity, const common::Payloads* last_heartbeat_details) {
  if (last_heartbeat_details != nullptr)
    activity.heartbeat_details = std::make_unique<common::Payloads>(*last_heartbeat_details);
  const RetryDecision decision = decide(owner, activity, failure);
  if (decision.retry()) {
    back_off(owner, activity, decision.delay, std::move(failure));
  } else {
    owner.failed(activity, failure, decision.state, identity);
  }
}

void time_out(ActivityOwner& owner, Activity& activity, enums::TimeoutType type) {
  failure::Failure failure = timeout_failure(type);
  RetryDecision decision = decide(owner, activity, failure);
  if (decision.retry()) return back_off(owner, activity, decision.delay, std::move(failure));
  // A retry that would come after the last allowed instant: the whole activity has timed out.
  if (decision.state == enums::RETRY_STATE_TIMEOUT) {
    failure = timeout_failure(enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
  }
  // Of the end alone: a next attempt is given them by themselves.
  if (activity.heartbeat_details != nullptr) {
    *failure.mutable_timeout_failure_info()->mutable_last_heartbeat_details() =
        *activity.heartbeat_details;
  }
  if (activity.last_failure != nullptr) *failure.mutable_cause() = *activity.last_failure;
  if (type == enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE ||
      type == enums::TIMEOUT_TYPE_SCHEDULE_TO_START) {
    decision.state = enums::RETRY_STATE_NON_RETRYABLE_FAILURE;
  }
  owner.timed_out(activity, type, failure, decision.state);
}

ActivityDeadline next_timeout(const Activity& activity) {
  ActivityDeadline best;
  auto consider = [&best](WallTime at, enums::TimeoutType type) {
    if (at < best.at) best = {at, type};
  };
  // Of those that end together the first is told, as by the genuine server; there an activity
  // always starts later than it is scheduled.
  if (!activity.is_started() && !activity.paused) {
    consider(deadline_after(activity.scheduled, activity.schedule_to_start),
             enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
  }
  consider(expiry(activity), enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
  if (activity.is_started()) {
    consider(deadline_after(activity.started, activity.start_to_close),
             enums::TIMEOUT_TYPE_START_TO_CLOSE);
    consider(
        deadline_after(std::max(activity.started, activity.last_heartbeat), activity.heartbeat),
        enums::TIMEOUT_TYPE_HEARTBEAT);
  }
  return best;
}

WallTime next_attempt(const Activity& activity) {
  return activity.is_started() || activity.dispatched || activity.paused ? kNever
                                                                         : activity.scheduled;
}

bool backs_off(const Activity& activity, WallTime now) {
  return activity.attempt > 1 && activity.cancel_requested_id == 0 &&
         next_attempt(activity) > now && next_attempt(activity) != kNever;
}

failure::Failure timeout_failure(enums::TimeoutType type) {
  failure::Failure failure;
  failure.set_message(absl::StrCat("activity ", timeout_name(type), " timeout"));
  failure.set_source("Server");
  failure.mutable_timeout_failure_info()->set_timeout_type(type);
  return failure;
}

void withdraw(Engine& engine, Activity& activity) {
  activity.dispatched = false;
  activity.stamp = engine.ids().next_stamp();
}

void dispatch_at(ActivityOwner& owner, Activity& activity, WallTime at) {
  withdraw(owner.engine(), activity);
  activity.scheduled = at;
  if (at <= owner.now()) dispatch(owner, activity);  // Else its next_attempt() tells.
}

WallTime soon(ActivityOwner& owner, Nanos jitter) {
  if (jitter <= Nanos{0}) return owner.now();
  const auto nanos = owner.engine().ids().random() % static_cast<std::uint64_t>(jitter.count());
  return add_saturated(owner.now(), Nanos{static_cast<std::int64_t>(nanos)});
}

void pause(ActivityOwner& owner, Activity& activity, const std::string& identity,
           const std::string& reason, const std::string& request_id) {
  if (activity.paused) return;
  activity.paused = true;
  activity.pause_time = owner.now();
  activity.pause_identity = identity;
  activity.pause_reason = reason;
  activity.pause_request_id = request_id;
  if (!activity.is_started()) withdraw(owner.engine(), activity);
}

void unpause(ActivityOwner& owner, Activity& activity, const Unpause& how) {
  if (!activity.paused) return;
  activity.paused = false;
  if (how.reset_attempts) activity.attempt = 1;
  if (how.reset_heartbeat) forget_heartbeat(activity);
  if (activity.is_started()) return;
  activity.last_failure.reset();
  dispatch_at(owner, activity, soon(owner, how.jitter));
}

void reset(ActivityOwner& owner, Activity& activity, const ActivityReset& how) {
  activity.attempt = 1;
  if (how.restore_options) {
    activity.changed.reset();
    activity.take_timeouts();
  }
  if (activity.is_started()) {  // It ends by itself, or at the hint of its next heartbeat.
    activity.was_reset = true;
    if (!how.keep_paused) activity.paused = false;
    activity.forget_heartbeat = activity.forget_heartbeat || how.reset_heartbeat;
    return;
  }
  if (how.reset_heartbeat) forget_heartbeat(activity);
  if (activity.paused && how.keep_paused) return;
  activity.paused = false;
  activity.last_failure.reset();
  dispatch_at(owner, activity, soon(owner, how.jitter));
}

// A waiting attempt moves to the queue, and to the time, of the new options.
void change_options(ActivityOwner& owner, Activity& activity, std::unique_ptr<Attributes> changed) {
  activity.changed = std::move(changed);
  activity.take_timeouts();
  if (activity.is_started()) return;
  activity.last_failure.reset();
  if (activity.paused) return;
  WallTime at = owner.now();
  if (activity.scheduled > at) {
    at = std::max(
        at, add_saturated(activity.last_attempt_completed,
                          retry_interval(activity.attributes().retry_policy(), activity.attempt)));
  }
  dispatch_at(owner, activity, at);
}

void fill_activity_timeouts(Nanos owners, Attributes& a) {
  Nanos close = to_nanos(a.schedule_to_close_timeout());
  Nanos start = to_nanos(a.schedule_to_start_timeout());
  Nanos attempt = to_nanos(a.start_to_close_timeout());
  Nanos heartbeat = to_nanos(a.heartbeat_timeout());
  if (close > Nanos{0}) {
    close = cap(close, owners);
    start = cap(start, close);
    attempt = cap(attempt, close);
  } else {
    close = owners;
    start = start == Nanos{0} ? owners : cap(start, owners);
    attempt = cap(attempt, owners);
  }
  if (heartbeat > Nanos{0}) heartbeat = cap(heartbeat, attempt);
  set(a.mutable_schedule_to_close_timeout(), close);
  set(a.mutable_schedule_to_start_timeout(), start);
  set(a.mutable_start_to_close_timeout(), attempt);
  set(a.mutable_heartbeat_timeout(), heartbeat);
}

void fill_options(const Activity& activity,
                  ::temporal::api::activity::v1::ActivityOptions& options) {
  const Attributes& a = activity.attributes();
  options.mutable_task_queue()->set_name(a.task_queue().name());
  options.mutable_task_queue()->set_normal_name(a.task_queue().name());
  *options.mutable_schedule_to_close_timeout() = a.schedule_to_close_timeout();
  *options.mutable_schedule_to_start_timeout() = a.schedule_to_start_timeout();
  *options.mutable_start_to_close_timeout() = a.start_to_close_timeout();
  *options.mutable_heartbeat_timeout() = a.heartbeat_timeout();
  *options.mutable_retry_policy() = a.retry_policy();
  if (a.has_priority()) *options.mutable_priority() = a.priority();
}

void describe(const Activity& activity, WallTime now,
              ::temporal::api::workflow::v1::PendingActivityInfo& info) {
  info.set_activity_id(activity.id);
  *info.mutable_activity_type() = activity.attributes().activity_type();
  info.set_state(state_of(activity));
  if (activity.paused) {
    info.set_paused(true);
    set(info.mutable_pause_info()->mutable_pause_time(), activity.pause_time);
    info.mutable_pause_info()->mutable_manual()->set_identity(activity.pause_identity);
    info.mutable_pause_info()->mutable_manual()->set_reason(activity.pause_reason);
  }
  fill_options(activity, *info.mutable_activity_options());
  if (activity.heartbeat_details != nullptr)
    *info.mutable_heartbeat_details() = *activity.heartbeat_details;
  if (activity.last_heartbeat != kUnset)
    set(info.mutable_last_heartbeat_time(), activity.last_heartbeat);
  if (activity.is_started()) set(info.mutable_last_started_time(), activity.started);
  info.set_attempt(activity.attempt);
  info.set_maximum_attempts(activity.attributes().retry_policy().maximum_attempts());
  set(info.mutable_scheduled_time(), activity.scheduled);
  // As it was scheduled: changed options leave it.
  const WallTime expires = deadline_after(
      activity.first_scheduled, to_nanos(activity.scheduled_as->schedule_to_close_timeout()));
  if (expires != kNever) set(info.mutable_expiration_time(), expires);
  if (activity.last_failure != nullptr) *info.mutable_last_failure() = *activity.last_failure;
  info.set_last_worker_identity(activity.identity);
  if (!activity.last_version.unversioned()) {
    info.set_last_worker_deployment_version(activity.last_version.old_text());
    *info.mutable_last_deployment_version() = message_of(activity.last_version);
  }
  if (activity.last_attempt_completed != kUnset)
    set(info.mutable_last_attempt_complete_time(), activity.last_attempt_completed);
  if (!activity.is_started() && activity.scheduled > now && !activity.paused) {
    set(info.mutable_next_attempt_schedule_time(), activity.scheduled);
    set(info.mutable_current_retry_interval(),
        activity.scheduled - activity.last_attempt_completed);
  } else if (info.state() == enums::PENDING_ACTIVITY_STATE_SCHEDULED) {
    set(info.mutable_current_retry_interval(),
        retry_interval(activity.attributes().retry_policy(), activity.attempt));
  }
  if (activity.attributes().has_priority())
    *info.mutable_priority() = activity.attributes().priority();
}

}  // namespace attempt
}  // namespace chimera::server
