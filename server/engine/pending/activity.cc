#include "server/engine/pending/activity.h"

#include <algorithm>

#include "server/base/errors.h"
#include "server/base/tokens.h"
#include "server/engine/deployments/binding.h"
#include "server/engine/engine.h"
#include "server/engine/pending/pending.h"
#include "server/engine/rules/limits.h"
#include "server/engine/rules/retry.h"
#include "server/engine/run/transition.h"

namespace chimera::server {
namespace {

absl::Status gone() {
  return not_found(
      "invalid activityID or activity already timed out or invoking workflow is completed");
}

// An activity's Started event is written only now, with its outcome: every activity can be retried.
void write_started(Transition& t, const Activity& activity,
                   const common::WorkerVersionStamp* worker = nullptr) {
  HistoryEvent event = t.event(enums::EVENT_TYPE_ACTIVITY_TASK_STARTED);
  set(event.mutable_event_time(), activity.started);
  auto& a = *event.mutable_activity_task_started_event_attributes();
  a.set_scheduled_event_id(activity.scheduled_id);
  a.set_identity(activity.identity);
  a.set_request_id(activity.request_id);
  a.set_attempt(activity.attempt);
  if (activity.last_failure != nullptr) *a.mutable_last_failure() = *activity.last_failure;
  if (worker != nullptr) *a.mutable_worker_version() = *worker;
  t.external(std::move(event));
}

// The id of the Started event just written; 0 if it was buffered (the flush links it then).
std::int64_t started_id(Transition& t) {
  const HistoryEvent& last = t.run().last_event();
  return last.event_type() == enums::EVENT_TYPE_ACTIVITY_TASK_STARTED && t.run().buffered.empty()
             ? last.event_id()
             : 0;
}

Verdict check_sizes(Cause cause, const command::ScheduleActivityTaskCommandAttributes& a) {
  const std::string type = absl::StrCat("ActivityType=", a.activity_type().name(), " ");
  const std::string id = absl::StrCat("ActivityId=", a.activity_id(), " ");
  return either(
      too_long(cause, "ScheduleActivityTaskCommand",
               {{"ActivityId", a.activity_id(), "", type},
                {"ActivityType", a.activity_type().name(), id, ""}}),
      too_big(cause, a.input().ByteSizeLong(), "ScheduleActivityTaskCommandAttributes.Input"));
}

// Its outcome waits in the buffer: the worker cannot know, so the cancel is no error.
bool ended_buffered(const Run& run, std::int64_t scheduled_id) {
  return std::any_of(run.buffered.begin(), run.buffered.end(), [&](const HistoryEvent& event) {
    return event.activity_task_started_event_attributes().scheduled_event_id() == scheduled_id ||
           event.activity_task_timed_out_event_attributes().scheduled_event_id() == scheduled_id;
  });
}

// Asks the worker, or ends the activity at once if no worker has it.
void request_cancel(CommandTurn& turn, const Activity& activity) {
  Transition& t = turn.t;
  const std::int64_t scheduled_id = activity.scheduled_id;
  HistoryEvent requested = t.event(enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED);
  auto& r = *requested.mutable_activity_task_cancel_requested_event_attributes();
  r.set_scheduled_event_id(scheduled_id);
  r.set_workflow_task_completed_event_id(turn.completed_id);
  const std::int64_t requested_id = t.write(std::move(requested)).event_id();
  if (activity.is_started()) return;
  HistoryEvent canceled = t.event(enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED);
  auto& a = *canceled.mutable_activity_task_canceled_event_attributes();
  common::Payload& details = *a.mutable_details()->add_payloads();
  (*details.mutable_metadata())["encoding"] = "json/plain";
  details.set_data("\"ACTIVITY_ID_NOT_STARTED\"");
  a.set_latest_cancel_requested_event_id(requested_id);
  a.set_scheduled_event_id(scheduled_id);
  a.set_identity(turn.identity);
  t.after_commands(std::move(canceled));
}

}  // namespace

// --- Commands.

bool Activities::takes(enums::CommandType type) {
  return type == enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK ||
         type == enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK;
}

Verdict Activities::check(CommandCheck& check, const command::Command& command) {
  if (command.has_schedule_activity_task_command_attributes())
    return check_schedule(check, command.schedule_activity_task_command_attributes());
  return check_cancel(
      check, command.request_cancel_activity_task_command_attributes().scheduled_event_id());
}

Verdict Activities::check_schedule(CommandCheck& check,
                                   const command::ScheduleActivityTaskCommandAttributes& a) {
  constexpr auto kCause = Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES;
  if (Verdict verdict = check_sizes(kCause, a); verdict) return verdict;
  if (a.activity_id().empty()) {
    return bad(kCause,
               absl::StrCat("ActivityId is not set on ScheduleActivityTaskCommand. ActivityType=",
                            a.activity_type().name()));
  }
  if (a.activity_type().name().empty()) {
    return bad(kCause,
               absl::StrCat("ActivityType is not set on ScheduleActivityTaskCommand. ActivityID=",
                            a.activity_id()));
  }
  const std::string which =
      absl::StrCat("ActivityId=", a.activity_id(), " ActivityType=", a.activity_type().name());
  for (const auto& [name, duration] :
       {std::pair("ScheduleToCloseTimeout", &a.schedule_to_close_timeout()),
        std::pair("ScheduleToStartTimeout", &a.schedule_to_start_timeout()),
        std::pair("StartToCloseTimeout", &a.start_to_close_timeout()),
        std::pair("HeartbeatTimeout", &a.heartbeat_timeout())}) {
    if (const std::string problem = duration_problem(*duration); !problem.empty()) {
      return bad(kCause, absl::StrCat("Invalid ", name,
                                      " for ScheduleActivityTaskCommand: ", problem, ". ", which));
    }
  }
  if (std::string problem = priority_problem(a.priority()); !problem.empty())
    return bad(kCause, std::move(problem));
  if (std::string problem = queue_name_problem(a.task_queue(), a.has_task_queue());
      !problem.empty()) {
    return bad(kCause, std::move(problem));
  }
  if (to_nanos(a.start_to_close_timeout()) == Nanos{0} &&
      to_nanos(a.schedule_to_close_timeout()) == Nanos{0}) {
    return bad(kCause, absl::StrCat("A valid StartToClose or ScheduleToCloseTimeout is not set on "
                                    "ScheduleActivityTaskCommand. ",
                                    which));
  }
  if (a.use_workflow_build_id() && a.task_queue().name() != check.run.task_queue) {
    return bad(kCause, "Activity with UseCompatibleVersion cannot run on different task queue.");
  }
  if (std::string problem = check_retry_policy(a.retry_policy()); !problem.empty())
    return bad(kCause, problem);
  const Activities& open = check.run.open<Activities>();
  auto& scheduled = check.batch<Activities>().scheduled;
  check.batch<Activities>().events.insert(check.event_id);
  if (open.ids_.contains(a.activity_id()) || !scheduled.insert(a.activity_id()).second) {
    return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID,
               absl::StrCat("activityID ", a.activity_id(), " already exists"));
  }
  return at_limit(Cause::WORKFLOW_TASK_FAILED_CAUSE_PENDING_ACTIVITIES_LIMIT_EXCEEDED, "activities",
                  open.open_.size() + scheduled.size() - 1, check.engine.config().activities_max);
}

Verdict Activities::check_cancel(CommandCheck& check, std::int64_t scheduled_id) {
  if (scheduled_id <= 0) {
    return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES,
               "ScheduledEventId is not set on RequestCancelActivityTaskCommand.");
  }
  Batch& batch = check.batch<Activities>();
  const Activity* activity = check.run.open<Activities>().find(scheduled_id);
  const bool known = activity != nullptr || batch.events.contains(scheduled_id) ||
                     ended_buffered(check.run, scheduled_id);
  const bool asked = activity != nullptr && activity->cancel_requested_id != 0;
  if (known && !asked && batch.cancelled.insert(scheduled_id).second) return std::nullopt;
  return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES,
             absl::StrCat("invalid history builder state for action: "
                          "add-activitytask-cancel-requested-event, ScheduledEventID: ",
                          scheduled_id));
}

void Activities::apply(CommandTurn& turn, command::Command& command) {
  command.has_schedule_activity_task_command_attributes() ? schedule(turn, command)
                                                          : cancel(turn, command);
}

void Activities::schedule(CommandTurn& turn, command::Command& command) {
  Transition& t = turn.t;
  const Run& run = t.run();
  auto& from = *command.mutable_schedule_activity_task_command_attributes();
  HistoryEvent event = turn.event(enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, command);
  auto& a = *event.mutable_activity_task_scheduled_event_attributes();
  a.set_activity_id(from.activity_id());
  *a.mutable_activity_type() = from.activity_type();
  a.mutable_task_queue()->set_name(from.task_queue().name());
  a.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  if (from.has_header()) *a.mutable_header() = std::move(*from.mutable_header());
  if (from.has_input()) *a.mutable_input() = std::move(*from.mutable_input());
  *a.mutable_schedule_to_close_timeout() = from.schedule_to_close_timeout();
  *a.mutable_schedule_to_start_timeout() = from.schedule_to_start_timeout();
  *a.mutable_start_to_close_timeout() = from.start_to_close_timeout();
  *a.mutable_heartbeat_timeout() = from.heartbeat_timeout();
  attempt::fill_activity_timeouts(to_nanos(run.start().workflow_run_timeout()), a);
  a.set_workflow_task_completed_event_id(turn.completed_id);
  *a.mutable_retry_policy() = from.retry_policy();
  default_retry_policy(*a.mutable_retry_policy());
  a.set_use_workflow_build_id(from.use_workflow_build_id());
  if (from.has_priority()) *a.mutable_priority() = from.priority();
  const std::int64_t id = t.write(std::move(event)).event_id();
  if (from.request_eager_execution()) {
    turn.eager.push_back(id);
  } else {
    RunActivities owner(t);
    attempt::dispatch(owner, *t.open<Activities>().find(id));
  }
}

void Activities::cancel(CommandTurn& turn, command::Command& command) {
  const std::int64_t id =
      command.request_cancel_activity_task_command_attributes().scheduled_event_id();
  if (const Activity* activity = turn.t.open<Activities>().find(id))
    return request_cancel(turn, *activity);
  HistoryEvent event = turn.event(enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED, command);
  auto& a = *event.mutable_activity_task_cancel_requested_event_attributes();
  a.set_scheduled_event_id(id);
  a.set_workflow_task_completed_event_id(turn.completed_id);
  turn.t.write(std::move(event));
}

// --- Events.

#define CHIMERA_ACTIVITY_ENDS(DO)                      \
  DO(ACTIVITY_TASK_COMPLETED, activity_task_completed) \
  DO(ACTIVITY_TASK_FAILED, activity_task_failed)       \
  DO(ACTIVITY_TASK_TIMED_OUT, activity_task_timed_out) \
  DO(ACTIVITY_TASK_CANCELED, activity_task_canceled)

bool Activities::fold(const HistoryEvent& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: {
      const auto& a = event.activity_task_scheduled_event_attributes();
      Activity& activity = open_[event.event_id()];
      activity.scheduled_as = &a;
      activity.scheduled_id = event.event_id();
      activity.id = a.activity_id();
      activity.take_timeouts();
      activity.first_scheduled = activity.scheduled = to_wall(event.event_time());
      ids_[activity.id] = event.event_id();
      return true;
    }
    case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED:
      return true;  // Written together with the outcome.
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED: {
      const auto& a = event.activity_task_cancel_requested_event_attributes();
      if (Activity* activity = find(a.scheduled_event_id()))
        activity->cancel_requested_id = event.event_id();
      return true;
    }
#define CHIMERA_END(TYPE, field)                                \
  case enums::EVENT_TYPE_##TYPE:                                \
    end(event.field##_event_attributes().scheduled_event_id()); \
    return true;
      CHIMERA_ACTIVITY_ENDS(CHIMERA_END)
#undef CHIMERA_END
    default:
      return false;
  }
}

void Activities::end(std::int64_t scheduled_id) {
  auto it = open_.find(scheduled_id);
  if (it == open_.end()) return;
  ids_.erase(it->second.id);
  open_.erase(it);
}

void Activities::close() {
  open_.clear();
  ids_.clear();
}

bool Activities::is_result(enums::EventType type) {
  switch (type) {
#define CHIMERA_RESULT(TYPE, field) case enums::EVENT_TYPE_##TYPE:
    CHIMERA_ACTIVITY_ENDS(CHIMERA_RESULT)
#undef CHIMERA_RESULT
    return true;
    default:
      return false;
  }
}

void Activities::link(HistoryEvent& event, const FlushedStarts& starts) {
  auto link = [&starts](auto& a) {
    auto it = starts.find(a.scheduled_event_id());
    if (a.started_event_id() == 0 && it != starts.end()) a.set_started_event_id(it->second);
  };
  switch (event.event_type()) {
#define CHIMERA_LINK(TYPE, field) \
  case enums::EVENT_TYPE_##TYPE:  \
    return link(*event.mutable_##field##_event_attributes());
    CHIMERA_ACTIVITY_ENDS(CHIMERA_LINK)
#undef CHIMERA_LINK
    default:
      return;
  }
}
#undef CHIMERA_ACTIVITY_ENDS

void Activities::flushed(const HistoryEvent& event, FlushedStarts& starts) {
  if (event.event_type() != enums::EVENT_TYPE_ACTIVITY_TASK_STARTED) return;
  starts[event.activity_task_started_event_attributes().scheduled_event_id()] = event.event_id();
}

// --- Time.

WallTime Activities::next_deadline() const {
  WallTime next = kNever;
  for (const auto& [id, activity] : open_)
    next = std::min({next, attempt::next_timeout(activity).at, attempt::next_attempt(activity)});
  return next;
}

void Activities::collect_due(WallTime now, std::vector<Due>& due) const {
  for (const auto& [id, activity] : open_) {
    if (const WallTime at = attempt::next_timeout(activity).at; at <= now)
      due.push_back({at, id, 0, &fire_timeout});
    if (const WallTime at = attempt::next_attempt(activity); at <= now)
      due.push_back({at, id, 1, &fire_attempt});
  }
}

WallTime Activities::waits_until(WallTime now) const {
  WallTime next = kNever;
  for (const auto& [id, activity] : open_) {
    if (!attempt::backs_off(activity, now)) return kUnset;
    next = std::min(next, activity.scheduled);
  }
  return next;
}

void Activities::fire_timeout(Transition& t, std::int64_t scheduled_id) {
  Activity* activity = t.open<Activities>().find(scheduled_id);
  if (activity == nullptr) return;
  const attempt::ActivityDeadline deadline = attempt::next_timeout(*activity);
  RunActivities owner(t);
  if (deadline.at <= t.now()) attempt::time_out(owner, *activity, deadline.type);
}

void Activities::fire_attempt(Transition& t, std::int64_t scheduled_id) {
  Activity* activity = t.open<Activities>().find(scheduled_id);
  RunActivities owner(t);
  if (activity != nullptr && attempt::next_attempt(*activity) <= t.now())
    attempt::dispatch(owner, *activity);
}

// --- Kept, shown, taken over.

void Activities::read_row(std::int64_t id, Reader& ar) {
  Activity unknown;
  Activity* activity = find(id);
  (activity != nullptr ? *activity : unknown).read(ar);
  if (activity != nullptr) activity->take_timeouts();
}

void Activities::describe(WallTime now, wf::DescribeWorkflowExecutionResponse& response) const {
  for (const auto& [id, activity] : open_)
    attempt::describe(activity, now, *response.add_pending_activities());
}

void Activities::resume(Transition& t) {
  RunActivities owner(t);
  for (auto& [id, activity] : t.open<Activities>().open_) {
    if (activity.is_started())
      activity.dispatched = true;
    else if (!activity.paused && activity.scheduled <= t.now())
      attempt::dispatch(owner, activity);
  }
}

void Activities::begin_again(Transition& t) {
  RunActivities owner(t);
  for (auto& [id, activity] : t.open<Activities>().open_) {
    activity.first_scheduled = activity.scheduled = t.now();
    attempt::dispatch(owner, activity);
  }
}

void Activities::dispatch_again(Transition& t) {
  RunActivities owner(t);
  for (auto& [id, activity] : t.open<Activities>().open_) attempt::dispatch_again(owner, activity);
}

Activity* Activities::find(std::int64_t scheduled_id) {
  auto it = open_.find(scheduled_id);
  return it == open_.end() ? nullptr : &it->second;
}

const Activity* Activities::find(std::int64_t scheduled_id) const {
  auto it = open_.find(scheduled_id);
  return it == open_.end() ? nullptr : &it->second;
}

const Activity* Activities::find(const std::string& id) const {
  auto it = ids_.find(id);
  return it == ids_.end() ? nullptr : find(it->second);
}

std::set<std::string> paused_types(const Activities& activities) {
  std::set<std::string> types;
  for (const auto& [id, activity] : activities.all()) {
    if (activity.paused) types.insert(activity.attributes().activity_type().name());
  }
  return types;
}

// --- A run as their owner.

Engine& RunActivities::engine() { return t_.engine(); }
WallTime RunActivities::now() { return t_.now(); }
std::weak_ptr<TaskOwner> RunActivities::tasks() {
  return part_of(t_.run(), t_.run().activity_tasks);
}
const std::string& RunActivities::namespace_id() const { return t_.run().ns->id; }
const common::Priority& RunActivities::priority() const { return t_.run().priority(); }
bool RunActivities::paused() const { return t_.run().paused(); }

std::string RunActivities::version_for(const Activity& activity) {
  return activity_route(t_.engine(), t_.run(), activity.attributes().task_queue().name())
      .version.text();
}

void RunActivities::introduce(const Activity& activity,
                              wf::PollActivityTaskQueueResponse& response) const {
  const Run& run = t_.run();
  response.set_task_token(TaskToken{run.ns->id, run.workflow_id, run.run_id, activity.scheduled_id,
                                    0, activity.attempt, activity.stamp, ""}
                              .encode());
  response.set_workflow_namespace(run.ns->name());
  response.mutable_workflow_type()->set_name(run.workflow_type);
  response.mutable_workflow_execution()->set_workflow_id(run.workflow_id);
  response.mutable_workflow_execution()->set_run_id(run.run_id);
}

void RunActivities::completed(Activity& activity, common::Payloads& result,
                              const std::string& identity) {
  const std::int64_t scheduled_id = activity.scheduled_id;
  write_started(t_, activity, worker_);
  HistoryEvent event = t_.event(enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
  auto& a = *event.mutable_activity_task_completed_event_attributes();
  if (result.payloads_size() > 0) *a.mutable_result() = std::move(result);
  a.set_scheduled_event_id(scheduled_id);
  a.set_started_event_id(started_id(t_));
  a.set_identity(identity);
  t_.external(std::move(event));
}

void RunActivities::failed(Activity& activity, failure::Failure& failure, enums::RetryState state,
                           const std::string& identity) {
  const std::int64_t scheduled_id = activity.scheduled_id;
  write_started(t_, activity, worker_);
  HistoryEvent event = t_.event(enums::EVENT_TYPE_ACTIVITY_TASK_FAILED);
  auto& a = *event.mutable_activity_task_failed_event_attributes();
  *a.mutable_failure() = std::move(failure);
  a.set_scheduled_event_id(scheduled_id);
  a.set_started_event_id(started_id(t_));
  a.set_identity(identity);
  a.set_retry_state(state);
  t_.external(std::move(event));
}

void RunActivities::canceled(Activity& activity, common::Payloads& details,
                             const std::string& identity) {
  const std::int64_t scheduled_id = activity.scheduled_id;
  const std::int64_t requested = activity.cancel_requested_id;
  write_started(t_, activity);
  HistoryEvent event = t_.event(enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED);
  auto& a = *event.mutable_activity_task_canceled_event_attributes();
  if (details.payloads_size() > 0) *a.mutable_details() = std::move(details);
  a.set_latest_cancel_requested_event_id(requested);
  a.set_scheduled_event_id(scheduled_id);
  a.set_started_event_id(started_id(t_));
  a.set_identity(identity);
  t_.external(std::move(event));
}

void RunActivities::timed_out(Activity& activity, enums::TimeoutType, failure::Failure& failure,
                              enums::RetryState state) {
  const std::int64_t scheduled_id = activity.scheduled_id;
  const bool was_started = activity.is_started();
  if (was_started) write_started(t_, activity);
  HistoryEvent event = t_.event(enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT);
  auto& a = *event.mutable_activity_task_timed_out_event_attributes();
  *a.mutable_failure() = std::move(failure);
  a.set_scheduled_event_id(scheduled_id);
  if (was_started) a.set_started_event_id(started_id(t_));
  a.set_retry_state(state);
  t_.external(std::move(event));
}

bool ActivityTasks::is_stale(const MatchTask& task) const {
  const Activity* activity = run_->running() ? run_->open<Activities>().find(task.id) : nullptr;
  return activity == nullptr || activity->is_started() || activity->stamp != task.stamp;
}

std::string ActivityTasks::version_for(const MatchTask&, const QueueKey& queue) const {
  return activity_route(*engine_, *run_, queue.name).version.text();
}

bool ActivityTasks::deliver(const MatchTask& task, const QueueKey& queue, Poller& poller) {
  if (is_stale(task)) return false;
  // While the run moves to another version none is begun: they are sent again when it is there.
  if (run_->versioning != nullptr && run_->versioning->in_transition()) return false;
  const DeploymentVersion version = version_of(poller);
  Transition t(*engine_, *run_);
  if (moves_run(t, version, queue.name)) {
    t.commit();
    return false;
  }
  RunActivities owner(t);
  Activity& activity = *t.open<Activities>().find(task.id);
  activity.last_version = version;
  attempt::start(owner, activity, poller.identity,
                 poller.response<wf::PollActivityTaskQueueResponse>());
  t.count();
  t.commit_unseen();
  return true;
}

// --- Reports of workers.

absl::StatusOr<ActivityRef> find_activity_by_token(Engine& engine, const std::string& bytes) {
  if (bytes.empty()) return invalid("Task token not set on request.");
  const std::optional<TaskToken> token = TaskToken::decode(bytes);
  if (!token) return invalid("Error deserializing task token.");
  const Run* run = engine.runs().by_id(token->run_id);
  if (run == nullptr || !run->running()) return not_found("workflow execution already completed");
  const Activity* activity = run->open<Activities>().find(token->scheduled_id);
  if (activity == nullptr || !activity->is_started() || activity->stamp != token->stamp ||
      activity->attempt != token->attempt) {
    return gone();
  }
  return ActivityRef{run, token->scheduled_id};
}

absl::StatusOr<ActivityRef> find_activity_by_id(Engine& engine, const std::string& ns_name,
                                                const std::string& workflow_id,
                                                const std::string& run_id,
                                                const std::string& activity_id, bool begun) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(ns_name);
  if (!ns.ok()) return ns.status();
  if (workflow_id.empty()) return invalid("WorkflowId is not set on request.");
  if (activity_id.empty()) return invalid("ActivityId is not set on request.");
  absl::StatusOr<const Run*> run = engine.runs().find(**ns, workflow_id, run_id);
  if (!run.ok()) return run.status();
  if (!(*run)->running()) return not_found("workflow execution already completed");
  const Activity* activity = (*run)->open<Activities>().find(activity_id);
  if (activity == nullptr) {
    return not_found(absl::StrCat("cannot find pending activity with ActivityID ", activity_id,
                                  ", check workflow execution history for more details"));
  }
  if (begun && !activity->is_started()) return gone();
  return ActivityRef{*run, activity->scheduled_id};
}

void complete_activity(Engine& engine, ActivityRef ref, common::Payloads& result,
                       const std::string& identity, const common::WorkerVersionStamp* worker) {
  Transition t(engine, *ref.run);
  Activity& activity = *t.open<Activities>().find(ref.scheduled_id);
  if (!activity.is_started()) {  // By its id: whoever completes it has begun it, too.
    activity.started = t.now();
    activity.identity = identity;
    activity.request_id.clear();
  }
  RunActivities(t, worker).completed(activity, result, identity);
  t.commit();
}

void fail_activity(Engine& engine, ActivityRef ref, failure::Failure& failure,
                   const std::string& identity, const common::Payloads* last_heartbeat_details,
                   const common::WorkerVersionStamp* worker) {
  Transition t(engine, *ref.run);
  RunActivities owner(t, worker);
  attempt::fail(owner, *t.open<Activities>().find(ref.scheduled_id), failure, identity,
                last_heartbeat_details);
  t.commit();
}

absl::Status cancel_activity(Engine& engine, ActivityRef ref, common::Payloads& details,
                             const std::string& identity) {
  if (ref.run->open<Activities>().find(ref.scheduled_id)->cancel_requested_id == 0) {
    return invalid(
        "unable to mark activity as canceled without activity being request canceled first");
  }
  Transition t(engine, *ref.run);
  RunActivities(t).canceled(*t.open<Activities>().find(ref.scheduled_id), details, identity);
  t.commit();
  return absl::OkStatus();
}

HeartbeatReply heartbeat_activity(Engine& engine, ActivityRef ref, common::Payloads& details,
                                  bool has_details) {
  Transition t(engine, *ref.run);
  RunActivities owner(t);
  const HeartbeatReply reply =
      attempt::heartbeat(owner, *t.open<Activities>().find(ref.scheduled_id), details, has_details);
  t.count();
  t.commit_unseen();
  return reply;
}

}  // namespace chimera::server
