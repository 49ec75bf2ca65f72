#include "core/machines/child_workflow.h"

#include "absl/strings/str_cat.h"

namespace chimera::core {

namespace enums = api::enums::v1;
using api::failure::v1::ChildWorkflowExecutionFailureInfo;
using api::failure::v1::Failure;

constexpr LaterEvent ChildWorkflowMachine::kLater[] = {
    {enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED,
     [](const HistoryEvent& e) {
       return e.start_child_workflow_execution_failed_event_attributes().initiated_event_id();
     }},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED,
     [](const HistoryEvent& e) {
       return e.child_workflow_execution_started_event_attributes().initiated_event_id();
     },
     /*ends=*/false},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
     [](const HistoryEvent& e) {
       return e.child_workflow_execution_completed_event_attributes().initiated_event_id();
     }},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
     [](const HistoryEvent& e) {
       return e.child_workflow_execution_failed_event_attributes().initiated_event_id();
     }},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT,
     [](const HistoryEvent& e) {
       return e.child_workflow_execution_timed_out_event_attributes().initiated_event_id();
     }},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED,
     [](const HistoryEvent& e) {
       return e.child_workflow_execution_canceled_event_attributes().initiated_event_id();
     }},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED,
     [](const HistoryEvent& e) {
       return e.child_workflow_execution_terminated_event_attributes().initiated_event_id();
     }},
};

namespace {

using E = ChildWorkflowMachine::Event;
using Start = ResolveChildWorkflowExecutionStart;

E event_of(EventType type) {
  switch (type) {
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
      return E::kStartFailed;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
      return E::kStarted;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
      return E::kCompleted;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
      return E::kFailed;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
      return E::kTimedOut;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
      return E::kCanceled;
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
      return E::kTerminated;
    default:
      return E::kInitiated;
  }
}

E cancel_event(ChildWorkflowCancellationType type) {
  switch (type) {
    case ChildWorkflowCancellationType::kTryCancel:
      return E::kTryCancel;
    case ChildWorkflowCancellationType::kWaitCancellationCompleted:
    case ChildWorkflowCancellationType::kWaitCancellationRequested:  // As sdk-core 1.35 does.
      return E::kWaitCancel;
    case ChildWorkflowCancellationType::kAbandon:
      break;
  }
  return E::kAbandon;
}

ChildWorkflowExecutionFailureInfo& fill_info(const ChildWorkflowMachine& machine,
                                             Failure& failure) {
  ChildWorkflowExecutionFailureInfo& info =
      *failure.mutable_child_workflow_execution_failure_info();
  info.set_namespace_(std::string(machine.namespace_()));
  info.mutable_workflow_execution()->set_workflow_id(std::string(machine.workflow_id()));
  if (!machine.run_id.empty()) info.mutable_workflow_execution()->set_run_id(machine.run_id);
  info.mutable_workflow_type()->set_name(std::string(machine.type()));
  info.set_initiated_event_id(machine.began);
  info.set_started_event_id(machine.started_event_id);
  return info;
}

}  // namespace

void ChildWorkflowMachine::begin(StartChildWorkflowExecution& command, Command& whole,
                                 RunPort& run) {
  auto& attributes = command.attributes;
  if (attributes.namespace_().empty()) attributes.set_namespace_(run.context().namespace_);
  names = absl::StrCat(attributes.namespace_(), attributes.workflow_id(),
                       attributes.workflow_type().name());
  namespace_end = static_cast<std::uint32_t>(attributes.namespace_().size());
  id_end = namespace_end + static_cast<std::uint32_t>(attributes.workflow_id().size());
  on_cancel = cancel_event(command.cancellation_type);
  made_up_id = command.made_up_id;
  auto out = run.make(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION, whole);
  if (out) {
    if (attributes.task_queue().name().empty()) {
      attributes.mutable_task_queue()->set_name(run.context().task_queue);
      attributes.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
    }
    *out->mutable_start_child_workflow_execution_command_attributes() = std::move(attributes);
  }
  run.send(*this, kBegunBy, std::move(out));
}

void ChildWorkflowMachine::cancel(CancelChildWorkflowExecution& command, Command&, RunPort& run) {
  Action action;
  if (!kTable.advance(state, on_cancel, action)) return;
  switch (action) {
    case Action::kDropCommandAndResolveStartCancelled:
      run.take_back(*this);
      run.tell(Start{seq, Cancelled{cancelled_before_start(command.reason)}});
      return;
    case Action::kRequestCancel:
      return request_cancel(command.reason, run);
    case Action::kRequestCancelAndResolveCancelled:
    case Action::kRequestCancelAndResolveStartCancelled:
      request_cancel(command.reason, run);
      break;
    case Action::kResolveCancelled:
    case Action::kResolveStartCancelled:
      break;
    default:
      return;
  }
  Cancelled result{cancelled(nullptr)};
  if (action == Action::kResolveStartCancelled ||
      action == Action::kRequestCancelAndResolveStartCancelled) {
    run.tell(Start{seq, std::move(result)});
  } else {
    run.tell(ResolveChildWorkflowExecution{seq, std::move(result)});
  }
  run.swallow(*this);
}

void ChildWorkflowMachine::request_cancel(const std::string& reason, RunPort& run) const {
  RequestCancelExternalWorkflowExecution request{};
  auto& attributes = request.attributes;
  attributes.set_namespace_(std::string(namespace_()));
  attributes.set_workflow_id(std::string(workflow_id()));
  attributes.set_run_id(run_id);
  attributes.set_child_workflow_only(true);
  attributes.set_reason(reason);
  run.issue(std::move(request));
}

absl::Status ChildWorkflowMachine::check(const HistoryEvent& event, RunPort& run) {
  const bool foreign = run.dialect().foreign();
  if (!foreign && !run.use(CoreFlag::kIdAndTypeChecks)) return absl::OkStatus();
  const auto& initiated = event.start_child_workflow_execution_initiated_event_attributes();
  if (foreign && made_up_id) {
    rename(initiated.workflow_id());
  } else if (initiated.workflow_id() != workflow_id()) {
    return run.disagree(event, "the child workflow ids differ");
  }
  if (initiated.workflow_type().name() != type())
    return run.disagree(event, "the child workflow types differ");
  return absl::OkStatus();
}

void ChildWorkflowMachine::rename(const std::string& id) {
  names = absl::StrCat(namespace_(), id, type());
  id_end = namespace_end + static_cast<std::uint32_t>(id.size());
  renamed = true;
}

absl::Status ChildWorkflowMachine::on(const HistoryEvent& event, RunPort& run) {
  const Event what = event_of(event.event_type());
  if (what == Event::kInitiated) {
    if (absl::Status status = check(event, run); !status.ok()) return status;
  }
  Action action;
  if (!kTable.advance(state, what, action)) {
    return run.disagree(event, absl::StrCat("child workflow ", type(), " (id ", workflow_id(),
                                            ") of the code is in state ", enum_name(state)));
  }
  switch (action) {
    case Action::kResolveStarted:
      started_event_id = event.event_id();
      run_id =
          event.child_workflow_execution_started_event_attributes().workflow_execution().run_id();
      run.tell(Start{seq, Start::Succeeded{run_id, renamed ? std::string(workflow_id()) : ""}});
      break;
    case Action::kResolveStartFailed: {
      const auto& failed = event.start_child_workflow_execution_failed_event_attributes();
      run.tell(Start{seq, Start::StartFailed{failed.workflow_id(), failed.workflow_type().name(),
                                             failed.cause()}});
      break;
    }
    case Action::kResolveCompleted: {
      const auto& completed = event.child_workflow_execution_completed_event_attributes();
      run.tell(ResolveChildWorkflowExecution{seq, Completed{only_payload(completed.result())}});
      break;
    }
    case Action::kResolveFailed:
      run.tell(ResolveChildWorkflowExecution{seq, Failed{failed(event)}});
      break;
    case Action::kResolveCancelled:
      run.tell(ResolveChildWorkflowExecution{seq, Cancelled{cancelled(&event)}});
      break;
    default:
      break;
  }
  return absl::OkStatus();
}

FailurePtr ChildWorkflowMachine::failed(const HistoryEvent& event) const {
  auto failure = std::make_shared<Failure>();
  ChildWorkflowExecutionFailureInfo& info = fill_info(*this, *failure);
  if (event.has_child_workflow_execution_failed_event_attributes()) {
    const auto& attributes = event.child_workflow_execution_failed_event_attributes();
    failure->set_message("Child Workflow execution failed");
    *failure->mutable_cause() = attributes.failure();
    info.set_retry_state(attributes.retry_state());
  } else if (event.has_child_workflow_execution_timed_out_event_attributes()) {
    failure->set_message("Child Workflow execution timed out");
    failure->mutable_cause()->set_message("Timed out");
    failure->mutable_cause()->mutable_timeout_failure_info()->set_timeout_type(
        enums::TIMEOUT_TYPE_START_TO_CLOSE);
    info.set_retry_state(event.child_workflow_execution_timed_out_event_attributes().retry_state());
  } else {
    failure->set_message("Child Workflow execution terminated");
    failure->mutable_cause()->set_message("Terminated");
    failure->mutable_cause()->mutable_terminated_failure_info();
    info.set_retry_state(enums::RETRY_STATE_NON_RETRYABLE_FAILURE);
  }
  return failure;
}

FailurePtr ChildWorkflowMachine::cancelled(const HistoryEvent* event) const {
  auto failure = std::make_shared<Failure>();
  failure->set_message("Child Workflow execution cancelled");
  fill_info(*this, *failure).set_retry_state(enums::RETRY_STATE_NON_RETRYABLE_FAILURE);
  auto& cancelled = *failure->mutable_cause()->mutable_canceled_failure_info();
  if (event && event->child_workflow_execution_canceled_event_attributes().has_details()) {
    *cancelled.mutable_details() =
        event->child_workflow_execution_canceled_event_attributes().details();
  }
  return failure;
}

FailurePtr ChildWorkflowMachine::cancelled_before_start(const std::string& reason) const {
  auto failure = std::make_shared<Failure>();
  failure->set_message(
      absl::StrCat("Child Workflow Execution cancelled before scheduled: ", reason));
  fill_info(*this, *failure).set_retry_state(enums::RETRY_STATE_NON_RETRYABLE_FAILURE);
  failure->mutable_cause()->mutable_canceled_failure_info();
  return failure;
}

std::string ChildWorkflowMachine::describe(EventType) const {
  return absl::StrCat("StartChildWorkflowExecution ", type(), " (id ", workflow_id(), ")");
}

std::string ChildWorkflowMachine::describe(const HistoryEvent& event) {
  if (event.event_type() != kBegunBy) return "";
  const auto& initiated = event.start_child_workflow_execution_initiated_event_attributes();
  return absl::StrCat("child workflow ", initiated.workflow_type().name(), " (id ",
                      initiated.workflow_id(), ")");
}

}  // namespace chimera::core
