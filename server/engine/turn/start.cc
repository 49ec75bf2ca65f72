#include "server/engine/turn/start.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/rules/cron.h"
#include "server/engine/rules/limits.h"
#include "server/engine/rules/retry.h"
#include "server/engine/run/transition.h"
#include "server/engine/turn/chain.h"
#include "server/engine/turn/workflow_task.h"
#include "server/visibility/attributes.h"

namespace chimera::server {
namespace {

std::string run_text(const Run& run) {
  return absl::StrCat("WorkflowId: ", run.workflow_id, ", RunId: ", run.run_id, ".");
}

bool ended_badly(enums::WorkflowExecutionStatus status) {
  return status == enums::WORKFLOW_EXECUTION_STATUS_FAILED ||
         status == enums::WORKFLOW_EXECUTION_STATUS_CANCELED ||
         status == enums::WORKFLOW_EXECUTION_STATUS_TERMINATED ||
         status == enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT;
}

absl::Status refuse(const Run& run, const std::string& text) {
  return already_started(text, run.start_request_id, run.run_id, run.first_run_id);
}

}  // namespace

absl::StatusOr<StartDecision> decide_start(Engine& engine, const Namespace& ns,
                                           const std::string& workflow_id,
                                           const std::string& request_id,
                                           enums::WorkflowIdReusePolicy reuse,
                                           enums::WorkflowIdConflictPolicy conflict) {
  const Run* current = engine.runs().current(ns, workflow_id);
  if (current == nullptr) return StartDecision{};
  if (current->start_request_id == request_id) return StartDecision{current, /*deduplicated=*/true};
  if (current->attached_requests.contains(request_id)) return StartDecision{current};
  if (reuse == enums::WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING) {
    reuse = enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE;
    conflict = enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING;
  }
  if (current->running()) {
    if (conflict == enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING) return StartDecision{current};
    if (conflict == enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING)
      return StartDecision{.terminate = current};
    return refuse(*current,
                  absl::StrCat("Workflow execution is already running. ", run_text(*current)));
  }
  if (reuse == enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE) {
    return refuse(*current,
                  absl::StrCat("Workflow execution already finished. ", run_text(*current),
                               " Workflow Id reuse policy: reject duplicate workflow Id."));
  }
  if (reuse == enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY &&
      !ended_badly(current->status)) {
    return refuse(
        *current,
        absl::StrCat("Workflow execution already finished successfully. ", run_text(*current),
                     " Workflow Id reuse policy: allow duplicate workflow Id if last run failed."));
  }
  return StartDecision{};
}

const Run& create_run(Engine& engine, StartSpec spec) {
  Run& run = engine.runs().add(*spec.ns, spec.workflow_id, spec.run_id);
  run.start_request_id = spec.request_id;
  Transition t(engine, run);
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
  // Its clock is where that of its parent, or of the run before it, stands.
  const WallTime now = add_saturated(
      engine.now(),
      to_nanos(spec.attributes.time_skipping_state_propagation().initial_skipped_duration()));
  set(event.mutable_event_time(), now);
  auto& a = *event.mutable_workflow_execution_started_event_attributes();
  a = std::move(spec.attributes);
  a.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  a.set_workflow_id(spec.workflow_id);
  a.set_original_execution_run_id(spec.run_id);
  if (a.first_execution_run_id().empty()) a.set_first_execution_run_id(spec.run_id);
  if (a.attempt() == 0) a.set_attempt(1);
  const Nanos backoff = to_nanos(a.first_workflow_task_backoff());
  const Nanos execution_timeout = to_nanos(a.workflow_execution_timeout());
  WallTime expires = spec.execution_expires;
  if (expires == kUnset) expires = deadline_after(add_saturated(now, backoff), execution_timeout);
  if (expires != kNever) set(a.mutable_workflow_execution_expiration_time(), expires);
  if (spec.user_metadata.has_summary() || spec.user_metadata.has_details()) {
    *event.mutable_user_metadata() = std::move(spec.user_metadata);
  }
  *event.mutable_links() = spec.links;
  t.write(std::move(event));
  if (spec.signal) {
    HistoryEvent signaled = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);
    *signaled.mutable_workflow_execution_signaled_event_attributes() = std::move(*spec.signal);
    signaled.mutable_links()->Swap(&spec.links);  // Its start's.
    t.write(std::move(signaled));
  }
  if (run.backoff_until == kUnset && spec.has_worker) t.want_task();
  t.commit();
  return run;
}

void attach_request(Engine& engine, const Run& run, Attached attached) {
  Transition t(engine, run);
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);
  auto& a = *event.mutable_workflow_execution_options_updated_event_attributes();
  a.set_attached_request_id(attached.request_id);
  a.mutable_attached_completion_callbacks()->Swap(&attached.callbacks);
  event.mutable_links()->Swap(&attached.links);
  event.set_worker_may_ignore(true);
  t.aside(std::move(event));
  t.commit();
}

void write_terminated(Transition& t, const std::string& reason, const common::Payloads* details,
                      const std::string& identity) {
  end_task_by_force(t);
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
  auto& a = *event.mutable_workflow_execution_terminated_event_attributes();
  a.set_reason(reason);
  if (details != nullptr && details->payloads_size() > 0) *a.mutable_details() = *details;
  a.set_identity(identity);
  t.write(std::move(event));
}

void terminate_run(Engine& engine, const Run& run, const std::string& reason,
                   const common::Payloads* details, const std::string& identity) {
  Transition t(engine, run);
  write_terminated(t, reason, details, identity);
  t.commit();
}

}  // namespace chimera::server
