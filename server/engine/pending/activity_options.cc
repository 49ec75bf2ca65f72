#include "server/engine/pending/activity_options.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/pending/activity.h"
#include "server/engine/rules/retry.h"
#include "server/engine/run/transition.h"

namespace chimera::server {
namespace {

using Options = ::temporal::api::activity::v1::ActivityOptions;
using Attributes = history::ActivityTaskScheduledEventAttributes;

Nanos cap(Nanos value, Nanos limit) {
  if (limit == Nanos{0}) return value;
  return value == Nanos{0} ? limit : std::min(value, limit);
}

struct Selection {
  RunPtr run;
  std::vector<std::int64_t> activities;  // Their ids.
};

// Texts and their order as server 1.29.
absl::StatusOr<Selection> select(Engine& engine, const auto& request, bool all) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if (request.execution().workflow_id().empty())
    return invalid("WorkflowId is not set on request.");
  if (!all && request.id().empty() && request.type().empty())
    return invalid("Either Activity.Id or Activity.Type should be set on request.");
  absl::StatusOr<const Run*> run = engine.runs().find_running(**ns, request.execution());
  if (!run.ok()) return run.status();
  Selection selection{share(**run), {}};
  for (auto& [id, activity] : (*run)->activities) {
    if (all || activity.id == request.id() ||
        (!request.type().empty() &&
         activity.attributes().activity_type().name() == request.type())) {
      selection.activities.push_back(id);
    }
  }
  if (selection.activities.empty()) {
    return not_found(
        "Can't find pending activity with such ID. Invalid activityID or activity already "
        "completed");
  }
  return selection;
}

// Takes a waiting attempt back from its queue.
void withdraw(Engine& engine, Activity& activity) {
  activity.dispatched = false;
  activity.stamp = engine.ids().next_stamp();
}

// A waiting attempt goes to its queue at `at`.
void dispatch_at(Transition& t, Activity& activity, WallTime at) {
  withdraw(t.engine(), activity);
  activity.scheduled = at;
  if (at <= t.engine().now()) dispatch_activity(t, activity);  // Else the run's timer does.
}

WallTime soon(Engine& engine, const google::protobuf::Duration& jitter) {
  const Nanos most = to_nanos(jitter);
  if (most <= Nanos{0}) return engine.now();
  const auto nanos = engine.ids().random() % static_cast<std::uint64_t>(most.count());
  return add_saturated(engine.now(), Nanos{static_cast<std::int64_t>(nanos)});
}

void forget_heartbeat(Activity& activity) {
  activity.heartbeat_details.reset();
  activity.last_heartbeat = kUnset;
}

void reset_one(Transition& t, Activity& activity, const wf::ResetActivityRequest& request) {
  activity.attempt = 1;
  if (request.restore_original_options()) {
    activity.changed.reset();
    activity.take_timeouts();
  }
  if (activity.is_started()) {  // It ends by itself, or at the hint of its next heartbeat.
    activity.was_reset = true;
    activity.forget_heartbeat = activity.forget_heartbeat || request.reset_heartbeat();
    return;
  }
  if (request.reset_heartbeat()) forget_heartbeat(activity);
  if (activity.paused && request.keep_paused()) return;
  activity.paused = false;
  activity.last_failure.reset();
  dispatch_at(t, activity, soon(t.engine(), request.jitter()));
}

// "retryPolicy.maximumAttempts" and "retry_policy.maximum_attempts" are one path.
std::string plain(std::string path) {
  absl::AsciiStrToLower(&path);
  return absl::StrReplaceAll(path, {{"_", ""}});
}

void merge_retry_policy(const std::string& path, const common::RetryPolicy& from,
                        common::RetryPolicy& to) {
  const bool all = path == "retrypolicy";
  if (all || path == "retrypolicy.initialinterval")
    *to.mutable_initial_interval() = from.initial_interval();
  if (all || path == "retrypolicy.backoffcoefficient")
    to.set_backoff_coefficient(from.backoff_coefficient());
  if (all || path == "retrypolicy.maximuminterval")
    *to.mutable_maximum_interval() = from.maximum_interval();
  if (all || path == "retrypolicy.maximumattempts")
    to.set_maximum_attempts(from.maximum_attempts());
}

// Paths that are no options are passed over, as by server 1.29.
void merge(const std::string& path, const Options& from, Attributes& to) {
  if (path == "taskqueue" || path == "taskqueue.name")
    to.mutable_task_queue()->set_name(from.task_queue().name());
  if (path == "scheduletoclosetimeout")
    *to.mutable_schedule_to_close_timeout() = from.schedule_to_close_timeout();
  if (path == "scheduletostarttimeout")
    *to.mutable_schedule_to_start_timeout() = from.schedule_to_start_timeout();
  if (path == "starttoclosetimeout")
    *to.mutable_start_to_close_timeout() = from.start_to_close_timeout();
  if (path == "heartbeattimeout") *to.mutable_heartbeat_timeout() = from.heartbeat_timeout();
  merge_retry_policy(path, from.retry_policy(), *to.mutable_retry_policy());
}

absl::StatusOr<Attributes> changed(const Run& run, const Activity& activity,
                                   const wf::UpdateActivityOptionsRequest& request) {
  Attributes attributes = activity.attributes();
  for (const std::string& path : request.update_mask().paths())
    merge(plain(path), request.activity_options(), attributes);
  if (attributes.task_queue().name().empty()) return invalid("taskQueue is not set");
  default_retry_policy(*attributes.mutable_retry_policy());
  if (std::string problem = check_retry_policy(attributes.retry_policy()); !problem.empty())
    return invalid(problem);
  if (to_nanos(attributes.start_to_close_timeout()) <= Nanos{0} &&
      to_nanos(attributes.schedule_to_close_timeout()) <= Nanos{0}) {
    return invalid("A valid StartToClose or ScheduleToCloseTimeout is not set on request.");
  }
  fill_activity_timeouts(run, attributes);
  return attributes;
}

// A waiting attempt moves to the queue, and to the time, of the new options.
void apply_options(Transition& t, Activity& activity) {
  activity.take_timeouts();
  if (activity.is_started() || activity.paused) return;
  WallTime at = t.engine().now();
  if (activity.scheduled > at) {
    at = std::max(
        at, add_saturated(activity.last_attempt_completed,
                          retry_interval(activity.attributes().retry_policy(), activity.attempt)));
  }
  dispatch_at(t, activity, at);
}

}  // namespace

void fill_activity_timeouts(const Run& run, Attributes& a) {
  const Nanos run_timeout = to_nanos(run.start().workflow_run_timeout());
  Nanos close = to_nanos(a.schedule_to_close_timeout());
  Nanos start = to_nanos(a.schedule_to_start_timeout());
  Nanos attempt = to_nanos(a.start_to_close_timeout());
  Nanos heartbeat = to_nanos(a.heartbeat_timeout());
  if (close > Nanos{0}) {
    close = cap(close, run_timeout);
    start = cap(start, close);
    attempt = cap(attempt, close);
  } else {
    close = run_timeout;
    start = start == Nanos{0} ? run_timeout : cap(start, run_timeout);
    attempt = cap(attempt, run_timeout);
  }
  if (heartbeat > Nanos{0}) heartbeat = cap(heartbeat, attempt);
  set(a.mutable_schedule_to_close_timeout(), close);
  set(a.mutable_schedule_to_start_timeout(), start);
  set(a.mutable_start_to_close_timeout(), attempt);
  set(a.mutable_heartbeat_timeout(), heartbeat);
}

void fill_options(const Activity& activity, Options& options) {
  const Attributes& a = activity.attributes();
  options.mutable_task_queue()->set_name(a.task_queue().name());
  options.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  *options.mutable_schedule_to_close_timeout() = a.schedule_to_close_timeout();
  *options.mutable_schedule_to_start_timeout() = a.schedule_to_start_timeout();
  *options.mutable_start_to_close_timeout() = a.start_to_close_timeout();
  *options.mutable_heartbeat_timeout() = a.heartbeat_timeout();
  *options.mutable_retry_policy() = a.retry_policy();
  if (a.has_priority()) *options.mutable_priority() = a.priority();
}

absl::Status pause_activities(Engine& engine, wf::PauseActivityRequest& request,
                              wf::PauseActivityResponse&) {
  absl::StatusOr<Selection> selection = select(engine, request, /*all=*/false);
  if (!selection.ok()) return selection.status();
  Transition t(engine, *selection->run);
  for (const std::int64_t id : selection->activities) {
    Activity* activity = t.run().find_activity(id);
    if (activity->paused) continue;
    activity->paused = true;
    activity->pause_time = engine.now();
    activity->pause_identity = request.identity();
    activity->pause_reason = request.reason();
    if (!activity->is_started()) withdraw(engine, *activity);
  }
  t.commit();
  return absl::OkStatus();
}

absl::Status unpause_activities(Engine& engine, wf::UnpauseActivityRequest& request,
                                wf::UnpauseActivityResponse&) {
  absl::StatusOr<Selection> selection = select(engine, request, request.unpause_all());
  if (!selection.ok()) return selection.status();
  Transition t(engine, *selection->run);
  for (const std::int64_t id : selection->activities) {
    Activity* activity = t.run().find_activity(id);
    if (!activity->paused) continue;
    activity->paused = false;
    if (request.reset_attempts()) activity->attempt = 1;
    if (request.reset_heartbeat()) forget_heartbeat(*activity);
    if (activity->is_started()) continue;
    activity->last_failure.reset();
    dispatch_at(t, *activity, soon(engine, request.jitter()));
  }
  t.commit();
  return absl::OkStatus();
}

absl::Status reset_activities(Engine& engine, wf::ResetActivityRequest& request,
                              wf::ResetActivityResponse&) {
  absl::StatusOr<Selection> selection = select(engine, request, request.match_all());
  if (!selection.ok()) return selection.status();
  Transition t(engine, *selection->run);
  for (const std::int64_t id : selection->activities)
    reset_one(t, *t.run().find_activity(id), request);
  t.commit();
  return absl::OkStatus();
}

absl::Status update_activities(Engine& engine, wf::UpdateActivityOptionsRequest& request,
                               wf::UpdateActivityOptionsResponse& response) {
  absl::StatusOr<Selection> selection = select(engine, request, request.match_all());
  if (!selection.ok()) return selection.status();
  std::vector<std::unique_ptr<Attributes>> all_changed;  // None is changed if one is refused.
  for (const std::int64_t id : selection->activities) {
    if (request.restore_original()) {
      all_changed.push_back(nullptr);
      continue;
    }
    absl::StatusOr<Attributes> attributes =
        changed(*selection->run, *selection->run->find_activity(id), request);
    if (!attributes.ok()) return attributes.status();
    all_changed.push_back(std::make_unique<Attributes>(*std::move(attributes)));
  }
  Transition t(engine, *selection->run);
  for (std::size_t i = 0; i < all_changed.size(); ++i) {
    Activity& activity = *t.run().find_activity(selection->activities[i]);
    activity.changed = std::move(all_changed[i]);
    apply_options(t, activity);
  }
  t.commit();
  fill_options(*selection->run->find_activity(selection->activities.front()),
               *response.mutable_activity_options());
  return absl::OkStatus();
}

}  // namespace chimera::server
