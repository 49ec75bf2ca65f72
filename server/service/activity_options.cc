// What an operator does to pending activities: pause, unpause, reset, change their options. Each
// call picks its activities by id, by type or all of them.
#include "server/service/activity_options.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/rules/limits.h"
#include "server/engine/rules/retry.h"
#include "server/engine/run/transition.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/service/queue_names.h"

namespace chimera::server {
namespace {

using Options = ::temporal::api::activity::v1::ActivityOptions;
using Attributes = Activity::Attributes;

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
  // An empty id or type is set, too, and is that of no activity.
  if (!all && request.activity_case() == 0)
    return invalid("Either Activity.Id or Activity.Type should be set on request.");
  absl::StatusOr<const Run*> run = engine.runs().find_running(**ns, request.execution());
  if (!run.ok()) return run.status();
  Selection selection{share(**run), {}};
  for (auto& [id, activity] : (*run)->open<Activities>().all()) {
    if (all || (!request.id().empty() && activity.id == request.id()) ||
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

void merge_priority(const std::string& path, const Options& from, Attributes& to) {
  if (path == "priority") {
    to.clear_priority();
    if (from.has_priority()) *to.mutable_priority() = from.priority();
  }
  if (path == "priority.prioritykey")
    to.mutable_priority()->set_priority_key(from.priority().priority_key());
  if (path == "priority.fairnesskey")
    to.mutable_priority()->set_fairness_key(from.priority().fairness_key());
  if (path == "priority.fairnessweight")
    to.mutable_priority()->set_fairness_weight(from.priority().fairness_weight());
}

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
  merge_priority(path, from, to);
}

absl::StatusOr<Attributes> changed(const Run& run, const Activity& activity,
                                   const wf::UpdateActivityOptionsRequest& request) {
  if (std::string problem = priority_problem(request.activity_options().priority());
      !problem.empty())
    return invalid(problem);
  Attributes attributes = activity.attributes();
  merge_options(request.update_mask(), request.activity_options(), attributes);
  if (attributes.task_queue().name().empty()) return invalid("taskQueue is not set");
  if (absl::Status s = check_queue_name(attributes.task_queue().name()); !s.ok()) return s;
  const std::string which = absl::StrCat("ActivityId=", attributes.activity_id(),
                                         " ActivityType=", attributes.activity_type().name());
  for (const auto& [name, duration] :
       {std::pair("ScheduleToCloseTimeout", &attributes.schedule_to_close_timeout()),
        std::pair("ScheduleToStartTimeout", &attributes.schedule_to_start_timeout()),
        std::pair("StartToCloseTimeout", &attributes.start_to_close_timeout()),
        std::pair("HeartbeatTimeout", &attributes.heartbeat_timeout())}) {
    if (const std::string problem = duration_problem(*duration); !problem.empty()) {
      return invalid(absl::StrCat("Invalid ", name, " for ScheduleActivityTaskCommand: ", problem,
                                  ". ", which));
    }
  }
  default_retry_policy(*attributes.mutable_retry_policy());
  if (std::string problem = check_retry_policy(attributes.retry_policy()); !problem.empty())
    return invalid(problem);
  if (to_nanos(attributes.start_to_close_timeout()) <= Nanos{0} &&
      to_nanos(attributes.schedule_to_close_timeout()) <= Nanos{0}) {
    return invalid(
        absl::StrCat("A valid StartToClose or ScheduleToCloseTimeout is not set on "
                     "ScheduleActivityTaskCommand. ",
                     which));
  }
  attempt::fill_activity_timeouts(to_nanos(run.start().workflow_run_timeout()), attributes);
  return attributes;
}

// One transition for all that were picked.
template <class Change>
void change_each(Engine& engine, const Selection& selection, Change change) {
  Transition t(engine, *selection.run);
  RunActivities owner(t);
  for (const std::int64_t id : selection.activities) change(owner, *t.open<Activities>().find(id));
  t.commit();
}

}  // namespace

std::string plain_path(std::string path) {
  absl::AsciiStrToLower(&path);
  return absl::StrReplaceAll(path, {{"_", ""}});
}

void merge_options(const google::protobuf::FieldMask& mask, const Options& from, Attributes& to) {
  for (const std::string& path : mask.paths()) merge(plain_path(path), from, to);
}

absl::Status pause(Engine& engine, wf::PauseActivityRequest& request, wf::PauseActivityResponse&) {
  absl::StatusOr<Selection> selection = select(engine, request, /*all=*/false);
  if (!selection.ok()) return selection.status();
  for (const std::int64_t id : selection->activities) {
    const Activity& activity = *selection->run->open<Activities>().find(id);
    if (activity.paused && activity.pause_request_id != request.request_id())
      return absl::FailedPreconditionError("activity is already paused");
  }
  change_each(engine, *selection, [&](ActivityOwner& owner, Activity& activity) {
    attempt::pause(owner, activity, request.identity(), request.reason(), request.request_id());
  });
  return absl::OkStatus();
}

absl::Status unpause(Engine& engine, wf::UnpauseActivityRequest& request,
                     wf::UnpauseActivityResponse&) {
  absl::StatusOr<Selection> selection = select(engine, request, request.unpause_all());
  if (!selection.ok()) return selection.status();
  const attempt::Unpause how{request.reset_attempts(), request.reset_heartbeat(),
                             to_nanos(request.jitter())};
  change_each(engine, *selection, [&](ActivityOwner& owner, Activity& activity) {
    attempt::unpause(owner, activity, how);
  });
  return absl::OkStatus();
}

absl::Status reset(Engine& engine, wf::ResetActivityRequest& request, wf::ResetActivityResponse&) {
  if (const std::string problem = duration_problem(request.jitter()); !problem.empty())
    return invalid(absl::StrCat("Jitter: ", problem));
  absl::StatusOr<Selection> selection = select(engine, request, request.match_all());
  if (!selection.ok()) return selection.status();
  const attempt::ActivityReset how{request.restore_original_options(), request.reset_heartbeat(),
                                   request.keep_paused(), to_nanos(request.jitter())};
  change_each(engine, *selection, [&](ActivityOwner& owner, Activity& activity) {
    attempt::reset(owner, activity, how);
  });
  return absl::OkStatus();
}

absl::Status update_options(Engine& engine, wf::UpdateActivityOptionsRequest& request,
                            wf::UpdateActivityOptionsResponse& response) {
  if (request.restore_original()) {
    if (request.has_update_mask())
      return invalid("Both UpdateMask and RestoreOriginal are provided");
  } else {
    if (!request.has_activity_options()) return invalid("ActivityOptions are not provided");
    if (!request.has_update_mask()) return invalid("UpdateMask is not provided");
  }
  absl::StatusOr<Selection> selection = select(engine, request, request.match_all());
  if (!selection.ok()) return selection.status();
  const Activities& open = selection->run->open<Activities>();
  // None is changed if one is refused. Null: as it was scheduled.
  std::map<std::int64_t, std::unique_ptr<Attributes>> all;
  for (const std::int64_t id : selection->activities) {
    if (request.restore_original()) continue;
    absl::StatusOr<Attributes> attributes = changed(*selection->run, *open.find(id), request);
    if (!attributes.ok()) return attributes.status();
    all[id] = std::make_unique<Attributes>(*std::move(attributes));
  }
  change_each(engine, *selection, [&](ActivityOwner& owner, Activity& activity) {
    attempt::change_options(owner, activity, std::move(all[activity.scheduled_id]));
  });
  attempt::fill_options(*open.find(selection->activities.front()),
                        *response.mutable_activity_options());
  return absl::OkStatus();
}

void register_activity_options(MethodTable& table) {
  table.add("PauseActivity", pause);
  table.add("UnpauseActivity", unpause);
  table.add("ResetActivity", reset);
  table.add("UpdateActivityOptions", update_options);
}

}  // namespace chimera::server
