#include "server/engine/pending/external_cancel.h"

#include "server/engine/pending/external.h"
#include "server/engine/pending/pending.h"
#include "server/engine/rules/limits.h"
#include "server/engine/turn/incoming.h"

namespace chimera::server {
namespace {

constexpr auto kTargetGone =
    enums::CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
constexpr auto kNamespaceGone =
    enums::CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND;

void send(Engine& engine, const Run& run, const Run& target, std::int64_t initiated_id,
          const std::string& reason) {
  if (target.cancel_requested) return;
  history::WorkflowExecutionCancelRequestedEventAttributes a;
  a.set_cause(reason);
  a.set_external_initiated_event_id(initiated_id);
  a.mutable_external_workflow_execution()->set_workflow_id(run.workflow_id);
  a.mutable_external_workflow_execution()->set_run_id(run.run_id);
  a.set_identity("history-service");
  cancel_run(engine, target, std::move(a));
}

}  // namespace

bool ExternalCancels::takes(enums::CommandType type) {
  return type == enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION;
}

Verdict ExternalCancels::check(CommandCheck& check, const command::Command& command) {
  constexpr auto kCause =
      Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
  const auto& a = command.request_cancel_external_workflow_execution_command_attributes();
  constexpr char kCommand[] = "RequestCancelExternalWorkflowExecutionCommand";
  const std::string ns =
      absl::StrCat("Namespace=", target_namespace_name(check.run, a.namespace_()));
  const std::string run = absl::StrCat("RunId=", a.run_id());
  if (a.workflow_id().empty())
    return bad(kCause, absl::StrCat("WorkflowId is not set on ", kCommand, ". ", ns, " ", run));
  Verdict length = too_long(
      kCause, kCommand, {{"WorkflowId", a.workflow_id(), "", "", absl::StrCat(" ", run, " ", ns)}});
  if (length) return length;
  if (!a.run_id().empty() && !is_uuid(a.run_id())) {
    return bad(kCause, absl::StrCat("Invalid RunId set on ", kCommand,
                                    ". WorkflowId=", a.workflow_id(), " ", run, " ", ns));
  }
  if (check.batch<Children>().started.contains(a.workflow_id())) {
    return bad(kCause,
               "Start and RequestCancel for child workflow is not allowed in same workflow task.");
  }
  const std::size_t pending = check.run.open<ExternalCancels>().open_.size();
  return at_limit(Cause::WORKFLOW_TASK_FAILED_CAUSE_PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED,
                  "requests to cancel external workflows",
                  pending + check.batch<ExternalCancels>().sent++,
                  check.engine.config().external_cancels_max);
}

void ExternalCancels::apply(CommandTurn& turn, command::Command& command) {
  const auto& from = command.request_cancel_external_workflow_execution_command_attributes();
  HistoryEvent event =
      turn.event(enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, command);
  auto& a = *event.mutable_request_cancel_external_workflow_execution_initiated_event_attributes();
  a.set_workflow_task_completed_event_id(turn.completed_id);
  set_target_namespace(turn.t, from.namespace_(), a);
  a.mutable_workflow_execution()->set_workflow_id(from.workflow_id());
  a.mutable_workflow_execution()->set_run_id(from.run_id());
  a.set_control(from.control());
  a.set_child_workflow_only(from.child_workflow_only());
  a.set_reason(from.reason());
  post(turn.t.engine(), turn.t.run(), turn.t.write(std::move(event)).event_id(), deliver);
}

bool ExternalCancels::fold(const HistoryEvent& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
      open_[event.event_id()] = &event;
      return true;
    case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
      open_.erase(event.external_workflow_execution_cancel_requested_event_attributes()
                      .initiated_event_id());
      return true;
    case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
      open_.erase(event.request_cancel_external_workflow_execution_failed_event_attributes()
                      .initiated_event_id());
      return true;
    default:
      return false;
  }
}

// A run that closes sends its last cancels all the same, but hears nothing of them.
void ExternalCancels::deliver(Engine& engine, const Run& run, std::int64_t initiated_id) {
  const auto& from = run.events.events(static_cast<int>(initiated_id) - 1)
                         .request_cancel_external_workflow_execution_initiated_event_attributes();
  const Namespace* ns = target_namespace(engine, run, from.namespace_());
  const Run* target =
      external_target(engine, run, ns, from.workflow_execution(), from.child_workflow_only());
  if (target != nullptr) send(engine, run, *target, initiated_id, from.reason());
  if (!run.running()) return;
  Transition t(engine, run);
  auto fill = [&](auto& a) {
    a.set_initiated_event_id(initiated_id);
    a.set_namespace_(target_namespace_name(run, from.namespace_()));
    a.set_namespace_id(from.namespace_id());
    *a.mutable_workflow_execution() = from.workflow_execution();
  };
  HistoryEvent event = t.event(
      target != nullptr ? enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED
                        : enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED);
  if (target != nullptr) {
    fill(*event.mutable_external_workflow_execution_cancel_requested_event_attributes());
  } else {
    auto& a = *event.mutable_request_cancel_external_workflow_execution_failed_event_attributes();
    fill(a);
    a.set_cause(ns == nullptr ? kNamespaceGone : kTargetGone);
  }
  t.external(std::move(event));
  t.commit();
}

void ExternalCancels::resume(Transition& t) {
  for (const auto& [id, event] : t.run().open<ExternalCancels>().open_)
    post(t.engine(), t.run(), id, deliver);
}

}  // namespace chimera::server
