#include "server/engine/pending/external_signal.h"

#include "server/engine/pending/external.h"
#include "server/engine/pending/pending.h"
#include "server/engine/rules/limits.h"
#include "server/engine/turn/incoming.h"

namespace chimera::server {
namespace {

constexpr auto kTargetGone =
    enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;

enums::SignalExternalWorkflowExecutionFailedCause failed_cause(const Namespace* ns, bool full) {
  if (ns == nullptr)
    return enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND;
  if (full)
    return enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED;
  return kTargetGone;
}

// Posts the action again when something has happened to `target`.
void post_after_change(Engine& engine, const Run& target, const Run& run, std::int64_t id,
                       void (*action)(Engine&, const Run&, std::int64_t)) {
  target.waiting.history[engine.ids().next_stamp()] = [&engine, weak = RunWeak(share(run)), id,
                                                       action] {
    if (const RunPtr live = weak.lock()) action(engine, *live, id);
  };
}

void send(Engine& engine, const Run& run, const Run& target,
          const history::SignalExternalWorkflowExecutionInitiatedEventAttributes& from) {
  history::WorkflowExecutionSignaledEventAttributes a;
  a.set_signal_name(from.signal_name());
  if (from.has_input()) *a.mutable_input() = from.input();
  if (from.has_header()) *a.mutable_header() = from.header();
  a.set_identity("history-service");
  a.mutable_external_workflow_execution()->set_workflow_id(run.workflow_id);
  a.mutable_external_workflow_execution()->set_run_id(run.run_id);
  signal_run(engine, target, std::move(a));
}

}  // namespace

bool ExternalSignals::takes(enums::CommandType type) {
  return type == enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION;
}

Verdict ExternalSignals::check(CommandCheck& check, const command::Command& command) {
  constexpr auto kCause =
      Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
  const auto& a = command.signal_external_workflow_execution_command_attributes();
  constexpr char kCommand[] = "SignalExternalWorkflowExecutionCommand";
  const std::string& id = a.execution().workflow_id();
  const std::string& run_id = a.execution().run_id();
  const std::string where = absl::StrCat(
      "Namespace=", target_namespace_name(check.run, a.namespace_()), " RunId=", run_id);
  const std::string signal = absl::StrCat(" SignalName=", a.signal_name());
  Verdict sizes = either(
      too_long(kCause, kCommand, {{"WorkflowId", id, "", "", absl::StrCat(" ", where, signal)}}),
      too_big(kCause, a.input().ByteSizeLong(),
              "SignalExternalWorkflowExecutionCommandAttributes.Input"));
  if (sizes) return sizes;
  if (!a.has_execution())
    return bad(kCause, absl::StrCat("Execution is not set on ", kCommand, "."));
  if (id.empty())
    return bad(kCause, absl::StrCat("WorkflowId is not set on ", kCommand, ". ", where, signal));
  if (!run_id.empty() && !is_uuid(run_id)) {
    return bad(kCause, absl::StrCat("Invalid RunId set on ", kCommand, ". WorkflowId=", id, " ",
                                    where, signal));
  }
  if (a.signal_name().empty()) {
    return bad(kCause, absl::StrCat("SignalName is not set on ", kCommand, ". WorkflowId=", id, " ",
                                    where));
  }
  const std::size_t pending = check.run.open<ExternalSignals>().open_.size();
  return at_limit(Cause::WORKFLOW_TASK_FAILED_CAUSE_PENDING_SIGNALS_LIMIT_EXCEEDED,
                  "signals to external workflows", pending + check.batch<ExternalSignals>().sent++,
                  check.engine.config().external_signals_max);
}

void ExternalSignals::apply(CommandTurn& turn, command::Command& command) {
  auto& from = *command.mutable_signal_external_workflow_execution_command_attributes();
  HistoryEvent event =
      turn.event(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, command);
  auto& a = *event.mutable_signal_external_workflow_execution_initiated_event_attributes();
  a.set_workflow_task_completed_event_id(turn.completed_id);
  set_target_namespace(turn.t, from.namespace_(), a);
  *a.mutable_workflow_execution() = from.execution();
  a.set_signal_name(from.signal_name());
  if (from.has_input()) *a.mutable_input() = std::move(*from.mutable_input());
  if (from.has_header()) *a.mutable_header() = std::move(*from.mutable_header());
  a.set_control(from.control());
  a.set_child_workflow_only(from.child_workflow_only());
  post(turn.t.engine(), turn.t.run(), turn.t.write(std::move(event)).event_id(), deliver);
}

bool ExternalSignals::fold(const HistoryEvent& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
      open_[event.event_id()] = &event;
      return true;
    case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
      open_.erase(
          event.external_workflow_execution_signaled_event_attributes().initiated_event_id());
      return true;
    case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
      open_.erase(
          event.signal_external_workflow_execution_failed_event_attributes().initiated_event_id());
      return true;
    default:
      return false;
  }
}

// A run that closes sends its last signals all the same, but hears nothing of them.
void ExternalSignals::deliver(Engine& engine, const Run& run, std::int64_t initiated_id) {
  const auto& from = run.events.events(static_cast<int>(initiated_id) - 1)
                         .signal_external_workflow_execution_initiated_event_attributes();
  const Namespace* ns = target_namespace(engine, run, from.namespace_());
  const Run* target =
      external_target(engine, run, ns, from.workflow_execution(), from.child_workflow_only());
  const bool full = target != nullptr && takes_no_more_signals(engine, *target);
  if (full) target = nullptr;
  // The genuine server's queue tries again: here when the target's task has ended.
  if (target != nullptr && target->is_closing())
    return post_after_change(engine, *target, run, initiated_id, deliver);
  if (target != nullptr) send(engine, run, *target, from);
  if (!run.running()) return;
  Transition t(engine, run);
  auto fill = [&](auto& a) {
    a.set_initiated_event_id(initiated_id);
    a.set_namespace_(target_namespace_name(run, from.namespace_()));
    a.set_namespace_id(from.namespace_id());
    *a.mutable_workflow_execution() = from.workflow_execution();
    a.set_control(from.control());
  };
  HistoryEvent event =
      t.event(target != nullptr ? enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED
                                : enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED);
  if (target != nullptr) {
    fill(*event.mutable_external_workflow_execution_signaled_event_attributes());
  } else {
    auto& a = *event.mutable_signal_external_workflow_execution_failed_event_attributes();
    fill(a);
    a.set_cause(failed_cause(ns, full));
  }
  t.external(std::move(event));
  t.commit();
}

void ExternalSignals::resume(Transition& t) {
  for (const auto& [id, event] : t.run().open<ExternalSignals>().open_)
    post(t.engine(), t.run(), id, deliver);
}

}  // namespace chimera::server
