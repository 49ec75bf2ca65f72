#include "core/machines/child_workflow.h"

#include "absl/strings/str_cat.h"

namespace chimera::core {
namespace {

namespace enums = api::enums::v1;
using api::failure::v1::ChildWorkflowExecutionFailureInfo;
using api::failure::v1::Failure;

ChildWorkflowExecutionFailureInfo& fill_info(const ChildWorkflowMachine& machine,
                                             Failure& failure) {
  ChildWorkflowExecutionFailureInfo& info =
      *failure.mutable_child_workflow_execution_failure_info();
  info.set_namespace_(machine.namespace_);
  info.mutable_workflow_execution()->set_workflow_id(machine.workflow_id);
  if (!machine.run_id.empty()) info.mutable_workflow_execution()->set_run_id(machine.run_id);
  info.mutable_workflow_type()->set_name(machine.type);
  info.set_initiated_event_id(machine.initiated_event_id);
  info.set_started_event_id(machine.started_event_id);
  return info;
}

}  // namespace

FailurePtr child_failed(const ChildWorkflowMachine& machine,
                        const api::history::v1::HistoryEvent& event) {
  auto failure = std::make_shared<Failure>();
  ChildWorkflowExecutionFailureInfo& info = fill_info(machine, *failure);
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

FailurePtr child_cancelled(const ChildWorkflowMachine& machine,
                           const api::history::v1::HistoryEvent* event) {
  auto failure = std::make_shared<Failure>();
  failure->set_message("Child Workflow execution cancelled");
  fill_info(machine, *failure).set_retry_state(enums::RETRY_STATE_NON_RETRYABLE_FAILURE);
  auto& cancelled = *failure->mutable_cause()->mutable_canceled_failure_info();
  if (event && event->child_workflow_execution_canceled_event_attributes().has_details()) {
    *cancelled.mutable_details() =
        event->child_workflow_execution_canceled_event_attributes().details();
  }
  return failure;
}

FailurePtr child_cancelled_before_start(const ChildWorkflowMachine& machine,
                                        const std::string& reason) {
  auto failure = std::make_shared<Failure>();
  failure->set_message(
      absl::StrCat("Child Workflow Execution cancelled before scheduled: ", reason));
  fill_info(machine, *failure).set_retry_state(enums::RETRY_STATE_NON_RETRYABLE_FAILURE);
  failure->mutable_cause()->mutable_canceled_failure_info();
  return failure;
}

}  // namespace chimera::core
