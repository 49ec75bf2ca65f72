// complete_task(): from the check of the commands to the next task.
#include "server/base/errors.h"
#include "server/engine/deployments/binding.h"
#include "server/engine/engine.h"
#include "server/engine/matched/query.h"
#include "server/engine/turn/commands.h"
#include "server/engine/turn/start.h"
#include "server/engine/turn/update_registry.h"
#include "server/engine/turn/workflow_task.h"

namespace chimera::server {
namespace {

using Kind = WorkflowTask::Kind;
constexpr std::int64_t kSpeculativeEventsMax = 10;

bool is_moving(const Run& run) {
  return run.versioning != nullptr && run.versioning->in_transition();
}

// A worker of a version that the run is leaving is not to have it again.
void take_stickiness(Run& run, const wf::RespondWorkflowTaskCompletedRequest& request) {
  if (request.has_sticky_attributes() && is_moving(run)) return;
  const auto& sticky = request.sticky_attributes();
  run.sticky_queue = sticky.worker_task_queue().name();
  run.sticky_timeout = to_nanos(sticky.schedule_to_start_timeout());
}

void fill_version(const wf::RespondWorkflowTaskCompletedRequest& request,
                  history::WorkflowTaskCompletedEventAttributes& a) {
  a.set_worker_deployment_name(request.deployment_options().deployment_name());
  const DeploymentVersion version = version_of(request.deployment_options());
  if (version.unversioned()) return;
  *a.mutable_deployment_version() = message_of(version);
  a.set_versioning_behavior(request.versioning_behavior());
}

std::int64_t write_completed(Transition& t, wf::RespondWorkflowTaskCompletedRequest& request) {
  const WorkflowTask& task = t.run().task;
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED);
  auto& a = *event.mutable_workflow_task_completed_event_attributes();
  a.set_scheduled_event_id(task.scheduled_id);
  a.set_started_event_id(task.started_id);
  a.set_identity(request.identity());
  a.set_binary_checksum(request.binary_checksum());
  if (request.has_worker_version_stamp())
    *a.mutable_worker_version() = request.worker_version_stamp();
  fill_version(request, a);
  if (request.has_sdk_metadata())
    *a.mutable_sdk_metadata() = std::move(*request.mutable_sdk_metadata());
  if (request.has_metering_metadata()) *a.mutable_metering_metadata() = request.metering_metadata();
  return t.write(std::move(event)).event_id();
}

// Activities that wait go where the run is now.
std::int64_t complete_at_version(Transition& t, wf::RespondWorkflowTaskCompletedRequest& request) {
  const bool was_moving = is_moving(t.run());
  const RunBinding before = binding_of(t.run());
  const std::int64_t completed_id = write_completed(t, request);
  const RunBinding after = binding_of(t.run());
  if ((was_moving && !is_moving(t.run())) || before.version != after.version ||
      before.behavior != after.behavior)
    Activities::dispatch_again(t);
  return completed_id;
}

// A task that carried nothing but updates, all of which were rejected, leaves no trace.
bool leaves_no_trace(const Run& run, const wf::RespondWorkflowTaskCompletedRequest& request) {
  if (run.task.kind != Kind::kSpeculative || request.commands_size() > 0) return false;
  if (request.force_create_new_workflow_task() || !only_rejections(request.messages()))
    return false;
  // A worker that does not say so cannot see events twice: those behind the last completion.
  const bool twice = request.capabilities().discard_speculative_workflow_task_with_events();
  const std::int64_t since = run.events.events_size() - run.last_completed_started_id - 1;
  return since <= (twice ? kSpeculativeEventsMax : 0);
}

// The error that the worker gets.
absl::Status refuse(Transition& t, const TaskFailure& problem, const std::string& identity) {
  const std::string cause = task_failed_cause_name(problem.cause);
  const std::string message =
      problem.message.empty() ? cause : absl::StrCat(cause, ": ", problem.message);
  Run& run = t.run();
  const bool unhandled = problem.cause == enums::WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND;
  // A retry that fails again is left to time out, so that a broken worker does not spin.
  if (run.task.attempt > 1 && !unhandled && !problem.terminate) return invalid(message);
  failure::Failure failure;
  failure.set_message(problem.message.empty() ? cause : message);
  failure.mutable_server_failure_info();
  fail_task(t, problem.cause, std::move(failure), identity);
  run.close_was_refused = unhandled;
  if (problem.terminate) write_terminated(t, message, nullptr, "history-service");
  return invalid(message);
}

// At most three; the others go to their queues.
void start_eager_activities(const CommandTurn& turn,
                            wf::RespondWorkflowTaskCompletedResponse& response) {
  RunActivities owner(turn.t);
  for (std::int64_t id : turn.eager) {
    Activity* activity = turn.t.open<Activities>().find(id);
    if (activity == nullptr) continue;
    if (response.activity_tasks_size() >= 3 || turn.t.run().paused()) {
      attempt::dispatch(owner, *activity);
    } else {
      attempt::start(owner, *activity, turn.identity, *response.add_activity_tasks());
    }
  }
}

// The next task of a run that goes on: a heartbeat's at once, else whatever the transition asks
// for.
void next_task(Transition& t, const wf::RespondWorkflowTaskCompletedRequest& request,
               WallTime original_scheduled, wf::RespondWorkflowTaskCompletedResponse& response) {
  Run& run = t.run();
  if (run.paused()) return;
  const bool heartbeat = request.force_create_new_workflow_task();
  if (heartbeat || t.wants_task() || is_moving(run)) {
    const bool carry = heartbeat && request.commands_size() == 0 && request.messages_size() == 0;
    schedule_task(t, /*speculative=*/false, carry ? original_scheduled : kUnset);
  } else if (has_unsent_updates(run) && run.backoff_until == kUnset) {
    schedule_task(t, /*speculative=*/true);
  }
  if (run.task.pending() && request.return_new_workflow_task() && !is_moving(run)) {
    start_task(t,
               {request.identity(), "request-from-RespondWorkflowTaskCompleted",
                request.worker_version_stamp().build_id(), !run.sticky_queue.empty(),
                /*polled=*/false, version_of(request.deployment_options())},
               *response.mutable_workflow_task());
  }
}

absl::Status complete(Transition& t, wf::RespondWorkflowTaskCompletedRequest& request,
                      wf::RespondWorkflowTaskCompletedResponse& response) {
  Engine& engine = t.engine();
  Run& run = t.run();
  const WallTime original_scheduled = run.task.original_scheduled;
  if (request.force_create_new_workflow_task() &&
      t.now() - original_scheduled > engine.config().heartbeats_max) {
    time_out_task(t, enums::TIMEOUT_TYPE_START_TO_CLOSE);
    return not_found("workflow task heartbeat timeout");
  }
  run.close_was_refused = false;
  std::int64_t completed_id = 0;
  if (leaves_no_trace(run, request)) {
    run.task = WorkflowTask{};
    response.set_reset_history_event_id(run.last_completed_started_id);
  } else {
    materialize_task(
        t, request.identity(),
        request.has_worker_version_stamp() ? &request.worker_version_stamp() : nullptr);
    completed_id = complete_at_version(t, request);
  }
  take_stickiness(run, request);
  CommandTurn commands{t, request.identity(), completed_id, {}};
  apply_commands(commands, request);
  reject_unanswered_updates(t);
  finish_attached_queries(engine, run, *request.mutable_query_results());
  if (!run.running()) return absl::OkStatus();
  t.flush_buffered();
  start_eager_activities(commands, response);
  next_task(t, request, original_scheduled, response);
  dispatch_waiting_queries(engine, run);
  return absl::OkStatus();
}

}  // namespace

absl::Status complete_task(Engine& engine, const Run& run,
                           wf::RespondWorkflowTaskCompletedRequest& request,
                           wf::RespondWorkflowTaskCompletedResponse& response) {
  const RunPtr keep = share(run);
  absl::StatusOr<Verdict> verdict = check_commands(engine, run, request);
  if (!verdict.ok()) return verdict.status();
  Transition t(engine, run);
  absl::Status status =
      *verdict ? refuse(t, **verdict, request.identity()) : complete(t, request, response);
  t.commit();
  return status;
}

}  // namespace chimera::server
