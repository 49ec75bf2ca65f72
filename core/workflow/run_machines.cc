// Events to machines, and what the machines make of them: jobs.
#include "absl/strings/str_cat.h"

#include "core/machines/patch.h"
#include "core/workflow/nondeterminism.h"
#include "core/workflow/run_state.h"

namespace chimera::core {

namespace enums = api::enums::v1;

namespace {

// The id of the event that began what this event goes on with: events of a machine carry it
// (sdk-core 1.35).
std::int64_t origin_event_id(const HistoryEvent& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED:
      return event.activity_task_started_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
      return event.activity_task_completed_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
      return event.activity_task_failed_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
      return event.activity_task_timed_out_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
      return event.activity_task_canceled_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_TIMER_FIRED:
      return event.timer_fired_event_attributes().started_event_id();
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
      return event.start_child_workflow_execution_failed_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
      return event.child_workflow_execution_started_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
      return event.child_workflow_execution_completed_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
      return event.child_workflow_execution_failed_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
      return event.child_workflow_execution_timed_out_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
      return event.child_workflow_execution_canceled_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
      return event.child_workflow_execution_terminated_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
      return event.signal_external_workflow_execution_failed_event_attributes()
          .initiated_event_id();
    case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
      return event.external_workflow_execution_signaled_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
      return event.request_cancel_external_workflow_execution_failed_event_attributes()
          .initiated_event_id();
    case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
      return event.external_workflow_execution_cancel_requested_event_attributes()
          .initiated_event_id();
    default:
      return 0;
  }
}

using AE = ActivityMachine::Event;
AE activity_event(EventType type) {
  switch (type) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
      return AE::kScheduled;
    case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED:
      return AE::kStarted;
    case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
      return AE::kCompleted;
    case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
      return AE::kFailed;
    case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
      return AE::kTimedOut;
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
      return AE::kCanceled;
    default:
      return AE::kCancelRequested;
  }
}

using CE = ChildWorkflowMachine::Event;
CE child_event(EventType type) {
  switch (type) {
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
      return CE::kStartFailed;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
      return CE::kStarted;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
      return CE::kCompleted;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
      return CE::kFailed;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
      return CE::kTimedOut;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
      return CE::kCanceled;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
      return CE::kTerminated;
    default:
      return CE::kInitiated;
  }
}

const api::common::v1::Payload* only_payload(const api::common::v1::Payloads& payloads) {
  return payloads.payloads().empty() ? nullptr : &payloads.payloads(0);
}

}  // namespace

absl::Status WorkflowRun::State::nondeterminism(const HistoryEvent* event,
                                                const OutgoingCommand* command,
                                                const std::string& what) const {
  return absl::FailedPreconditionError(
      nondeterminism_message(options_.context, event, command ? describe(*command) : std::string(),
                             what, outgoing_.matched()));
}

std::string WorkflowRun::State::describe(const OutgoingCommand& command) const {
  switch (command.kind) {
    case MachineKind::kTimer:
      return absl::StrCat(
          command.confirmed_by == enums::EVENT_TYPE_TIMER_CANCELED ? "CancelTimer " : "StartTimer ",
          command.seq);
    case MachineKind::kActivity: {
      const auto found = activities_.find(command.seq);
      const std::string what =
          found == activities_.end()
              ? absl::StrCat(command.seq)
              : absl::StrCat(found->second.type, " (id ", found->second.id, ")");
      return absl::StrCat(command.confirmed_by == enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
                              ? "ScheduleActivity "
                              : "RequestCancelActivity ",
                          what);
    }
    case MachineKind::kChildWorkflow: {
      const auto found = children_.find(command.seq);
      if (found == children_.end()) return "StartChildWorkflowExecution";
      return absl::StrCat("StartChildWorkflowExecution ", found->second.type, " (id ",
                          found->second.workflow_id, ")");
    }
    case MachineKind::kSignalExternal:
      return absl::StrCat("SignalExternalWorkflowExecution ", command.seq);
    case MachineKind::kCancelExternal:
      return "RequestCancelExternalWorkflowExecution";
    case MachineKind::kUpdate:
      return absl::StrCat(
          command.confirmed_by == enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
              ? "acceptance of update "
              : "completion of update ",
          command.id);
    case MachineKind::kPatch:
      return absl::StrCat("patch \"", command.id, "\"");
    case MachineKind::kSearchAttributes:
      return "UpsertWorkflowSearchAttributes";
    case MachineKind::kMemo:
      return "ModifyWorkflowProperties";
    case MachineKind::kEnd:
      return absl::StrCat("the workflow's end (", event_name(command.confirmed_by), ")");
  }
  return "";
}

// A command event meets the head of the outgoing commands; its type is right.
absl::Status WorkflowRun::State::confirm(const OutgoingCommand& command,
                                         const HistoryEvent& event) {
  switch (command.kind) {
    case MachineKind::kActivity:
      return confirm_activity(command, event);
    case MachineKind::kChildWorkflow:
      return confirm_child(command, event);
    case MachineKind::kUpdate:
      return confirm_update(command, event);
    case MachineKind::kTimer:
      if (event.has_timer_started_event_attributes())
        remember(event.event_id(), command.kind, command.seq);
      return on_timer(command.seq, event);
    case MachineKind::kSignalExternal:
    case MachineKind::kCancelExternal:
      remember(event.event_id(), command.kind, command.seq);
      return on_external({command.kind, command.seq}, event);
    case MachineKind::kPatch:
      return nondeterminism(&event, &command, "the marker is another one");
    case MachineKind::kSearchAttributes:
    case MachineKind::kMemo:
    case MachineKind::kEnd:
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::confirm_activity(const OutgoingCommand& command,
                                                  const HistoryEvent& event) {
  if (event.has_activity_task_scheduled_event_attributes()) {
    ActivityMachine& machine = activities_[command.seq];
    const auto& scheduled = event.activity_task_scheduled_event_attributes();
    if (flags_.use(CoreFlag::kIdAndTypeChecks, replaying_)) {
      if (scheduled.activity_id() != machine.id)
        return nondeterminism(&event, &command, "the activity ids differ");
      if (scheduled.activity_type().name() != machine.type) {
        return nondeterminism(&event, &command, "the activity types differ");
      }
    }
    machine.scheduled_event_id = event.event_id();
    remember(event.event_id(), MachineKind::kActivity, command.seq);
  }
  return on_activity(command.seq, event);
}

absl::Status WorkflowRun::State::confirm_child(const OutgoingCommand& command,
                                               const HistoryEvent& event) {
  ChildWorkflowMachine& machine = children_[command.seq];
  const auto& initiated = event.start_child_workflow_execution_initiated_event_attributes();
  if (flags_.use(CoreFlag::kIdAndTypeChecks, replaying_)) {
    if (initiated.workflow_id() != machine.workflow_id) {
      return nondeterminism(&event, &command, "the child workflow ids differ");
    }
    if (initiated.workflow_type().name() != machine.type) {
      return nondeterminism(&event, &command, "the child workflow types differ");
    }
  }
  machine.initiated_event_id = event.event_id();
  remember(event.event_id(), MachineKind::kChildWorkflow, command.seq);
  return on_child(command.seq, event);
}

absl::Status WorkflowRun::State::confirm_update(const OutgoingCommand& command,
                                                const HistoryEvent& event) {
  UpdateMachine& machine = updates_[command.id];
  const bool accepted = event.has_workflow_execution_update_accepted_event_attributes();
  const std::string& id =
      accepted ? event.workflow_execution_update_accepted_event_attributes().protocol_instance_id()
               : event.workflow_execution_update_completed_event_attributes().meta().update_id();
  if (id != (accepted ? command.id : machine.update_id))
    return nondeterminism(&event, &command, "the updates differ");
  UpdateMachine::Action action;
  if (!UpdateMachine::kTable.advance(
          machine.state,
          accepted ? UpdateMachine::Event::kUpdateAccepted : UpdateMachine::Event::kUpdateCompleted,
          action)) {
    return nondeterminism(&event, &command, "the update is not that far");
  }
  if (accepted) known_updates_.erase(command.id);
  if (machine.state == UpdateMachine::State::kDone) updates_.erase(command.id);
  return absl::OkStatus();
}

// An event that goes on with something a command began.
absl::Status WorkflowRun::State::route(const HistoryEvent& event) {
  const std::int64_t origin = origin_event_id(event);
  if (origin == 0) {
    if (event.worker_may_ignore()) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("this worker does not know what to do with ",
                                            describe_event(event), "; a newer one may"));
  }
  if (swallow_.contains(origin)) {
    if (event.event_type() != enums::EVENT_TYPE_ACTIVITY_TASK_STARTED &&
        event.event_type() != enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED) {
      swallow_.erase(origin);  // That was its end.
    }
    return absl::OkStatus();
  }
  const auto found = by_event_.find(origin);
  if (found == by_event_.end()) {
    return nondeterminism(&event, nullptr,
                          absl::StrCat("nothing that event ", origin, " began is under way"));
  }
  const MachineRef ref = found->second;
  absl::Status status;
  bool gone = false;
  switch (ref.kind) {
    case MachineKind::kTimer:
      status = on_timer(ref.seq, event);
      gone = !timers_.contains(ref.seq);
      break;
    case MachineKind::kActivity:
      status = on_activity(ref.seq, event);
      gone = !activities_.contains(ref.seq);
      break;
    case MachineKind::kChildWorkflow:
      status = on_child(ref.seq, event);
      gone = !children_.contains(ref.seq);
      break;
    default:
      status = on_external(ref, event);
      gone = true;
  }
  if (status.ok() && gone) by_event_.erase(origin);
  return status;
}

absl::Status WorkflowRun::State::on_timer(std::uint32_t seq, const HistoryEvent& event) {
  using M = TimerMachine;
  M& machine = timers_[seq];
  M::Event what = M::Event::kTimerCanceled;
  const std::string* id = nullptr;
  if (event.has_timer_started_event_attributes()) {
    what = M::Event::kTimerStarted;
    machine.started_event_id = event.event_id();
  } else if (event.has_timer_fired_event_attributes()) {
    what = M::Event::kTimerFired;
    id = &event.timer_fired_event_attributes().timer_id();
  } else {
    id = &event.timer_canceled_event_attributes().timer_id();
  }
  M::Action action;
  if ((id && *id != absl::StrCat(seq)) || !M::kTable.advance(machine.state, what, action)) {
    return nondeterminism(
        &event, nullptr,
        absl::StrCat("timer ", seq, " of the code is in state ", enum_name(machine.state)));
  }
  if (action == M::Action::kFire) jobs_.push_back(FireTimer{seq});
  if (machine.state == M::State::kDone) {
    by_event_.erase(machine.started_event_id);
    timers_.erase(seq);
  }
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::on_activity(std::uint32_t seq, const HistoryEvent& event) {
  using A = ActivityMachine::Action;
  ActivityMachine& machine = activities_[seq];
  A action;
  if (!ActivityMachine::kTable.advance(machine.state, activity_event(event.event_type()), action)) {
    return nondeterminism(&event, nullptr,
                          absl::StrCat("activity ", machine.type, " (id ", machine.id,
                                       ") of the code is in state ", enum_name(machine.state)));
  }
  if (action == A::kNone) return absl::OkStatus();
  const std::int64_t scheduled = machine.scheduled_event_id;
  if (action == A::kSwallow) {
    swallow_.insert(scheduled);
  } else if (action == A::kResolveCompleted) {
    const auto& completed = event.activity_task_completed_event_attributes();
    jobs_.push_back(ResolveActivity{seq, Completed{only_payload(completed.result())}});
  } else if (action == A::kResolveCanceled) {
    jobs_.push_back(ResolveActivity{seq, Cancelled{activity_failed(machine, event)}});
  } else {
    jobs_.push_back(ResolveActivity{seq, Failed{activity_failed(machine, event)}});
  }
  by_event_.erase(scheduled);
  activities_.erase(seq);
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::on_child(std::uint32_t seq, const HistoryEvent& event) {
  using A = ChildWorkflowMachine::Action;
  using Start = ResolveChildWorkflowExecutionStart;
  ChildWorkflowMachine& machine = children_[seq];
  A action;
  if (!ChildWorkflowMachine::kTable.advance(machine.state, child_event(event.event_type()),
                                            action)) {
    return nondeterminism(
        &event, nullptr,
        absl::StrCat("child workflow ", machine.type, " (id ", machine.workflow_id,
                     ") of the code is in state ", enum_name(machine.state)));
  }
  switch (action) {
    case A::kResolveStarted:
      machine.started_event_id = event.event_id();
      machine.run_id =
          event.child_workflow_execution_started_event_attributes().workflow_execution().run_id();
      jobs_.push_back(Start{seq, Start::Succeeded{machine.run_id}});
      return absl::OkStatus();
    case A::kResolveStartFailed: {
      const auto& failed = event.start_child_workflow_execution_failed_event_attributes();
      jobs_.push_back(Start{
          seq,
          Start::StartFailed{failed.workflow_id(), failed.workflow_type().name(), failed.cause()}});
      break;
    }
    case A::kResolveCompleted: {
      const auto& completed = event.child_workflow_execution_completed_event_attributes();
      jobs_.push_back(
          ResolveChildWorkflowExecution{seq, Completed{only_payload(completed.result())}});
      break;
    }
    case A::kResolveFailed:
      jobs_.push_back(ResolveChildWorkflowExecution{seq, Failed{child_failed(machine, event)}});
      break;
    case A::kResolveCancelled:
      jobs_.push_back(
          ResolveChildWorkflowExecution{seq, Cancelled{child_cancelled(machine, &event)}});
      break;
    default:
      return absl::OkStatus();
  }
  by_event_.erase(machine.initiated_event_id);
  children_.erase(seq);
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::on_external(MachineRef ref, const HistoryEvent& event) {
  const EventType type = event.event_type();
  if (ref.kind == MachineKind::kSignalExternal) {
    using M = SignalExternalMachine;
    const M::Event what = type == enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED
                              ? M::Event::kSignaled
                          : type == enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED
                              ? M::Event::kFailed
                              : M::Event::kInitiated;
    M::Action action;
    if (!M::kTable.advance(signals_[ref.seq].state, what, action)) {
      return nondeterminism(&event, nullptr,
                            absl::StrCat("signal ", ref.seq, " of the code is not that far"));
    }
    if (action == M::Action::kNone) return absl::OkStatus();
    ResolveSignalExternalWorkflow job{ref.seq, nullptr};
    if (action == M::Action::kResolveFailed) {
      job.cause = event.signal_external_workflow_execution_failed_event_attributes().cause();
      job.failure = signal_failed(job.cause);
    }
    jobs_.push_back(std::move(job));
    signals_.erase(ref.seq);
    return absl::OkStatus();
  }
  using M = CancelExternalMachine;
  const M::Event what =
      type == enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED
          ? M::Event::kCancelRequested
      : type == enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED
          ? M::Event::kFailed
          : M::Event::kInitiated;
  M& machine = cancels_[ref.seq];
  M::Action action;
  if (!M::kTable.advance(machine.state, what, action)) {
    return nondeterminism(&event, nullptr,
                          absl::StrCat("cancellation ", ref.seq, " of the code is not that far"));
  }
  if (action == M::Action::kNone) return absl::OkStatus();
  if (!machine.of_child) {
    ResolveRequestCancelExternalWorkflow job{ref.seq, nullptr};
    if (action == M::Action::kResolveFailed) {
      job.cause =
          event.request_cancel_external_workflow_execution_failed_event_attributes().cause();
      job.failure = cancel_failed(job.cause);
    }
    jobs_.push_back(std::move(job));
  }
  cancels_.erase(ref.seq);
  return absl::OkStatus();
}

}  // namespace chimera::core
