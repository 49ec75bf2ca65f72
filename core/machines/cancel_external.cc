#include "core/machines/cancel_external.h"

#include "absl/strings/str_cat.h"

#include "core/machines/outcome.h"

namespace chimera::core {

namespace enums = api::enums::v1;

constexpr LaterEvent CancelExternalMachine::kLater[] = {
    {enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED,
     [](const HistoryEvent& e) {
       return e.request_cancel_external_workflow_execution_failed_event_attributes()
           .initiated_event_id();
     }},
    {enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
     [](const HistoryEvent& e) {
       return e.external_workflow_execution_cancel_requested_event_attributes()
           .initiated_event_id();
     }},
};

namespace {

FailurePtr failed(enums::CancelExternalWorkflowExecutionFailedCause cause) {
  auto failure = std::make_shared<api::failure::v1::Failure>();
  if (cause == enums::CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND) {
    failure->set_message("Unable to cancel external workflow because its namespace was not found");
    failure->mutable_application_failure_info()->set_type("NamespaceNotFound");
  } else {
    failure->set_message("Unable to cancel external workflow because not found");
    failure->mutable_application_failure_info()->set_type("ExternalWorkflowExecutionNotFound");
  }
  return failure;
}

}  // namespace

void CancelExternalMachine::begin(RequestCancelExternalWorkflowExecution& command, Command& whole,
                                  RunPort& run) {
  auto out = run.make(enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION, whole);
  if (out) {
    auto& attributes = command.attributes;
    if (attributes.namespace_().empty()) attributes.set_namespace_(run.context().namespace_);
    if (!of_child()) {
      attributes.set_reason(absl::StrCat("Cancel requested by workflow with run id ",
                                         run.context().run_id,
                                         " with reason: ", attributes.reason()));
    }
    *out->mutable_request_cancel_external_workflow_execution_command_attributes() =
        std::move(attributes);
  }
  run.send(*this, kBegunBy, std::move(out));
}

absl::Status CancelExternalMachine::on(const HistoryEvent& event, RunPort& run) {
  const EventType type = event.event_type();
  const Event what = type == kBegunBy         ? Event::kInitiated
                     : type == kLater[0].type ? Event::kFailed
                                              : Event::kCancelRequested;
  Action action;
  if (!kTable.advance(state, what, action))
    return run.disagree(
        event, absl::StrCat("cancellation ", seq, " of the code is in state ", enum_name(state)));
  if (action == Action::kNone || of_child()) return absl::OkStatus();
  ResolveRequestCancelExternalWorkflow job{seq, nullptr};
  if (action == Action::kResolveFailed) {
    job.cause = event.request_cancel_external_workflow_execution_failed_event_attributes().cause();
    job.failure = failed(job.cause);
  }
  run.tell(std::move(job));
  return absl::OkStatus();
}

std::string CancelExternalMachine::describe(EventType) const {
  return "RequestCancelExternalWorkflowExecution";
}

std::string CancelExternalMachine::describe(const HistoryEvent& event) {
  if (event.event_type() != kBegunBy) return "";
  return absl::StrCat("workflow ",
                      event.request_cancel_external_workflow_execution_initiated_event_attributes()
                          .workflow_execution()
                          .workflow_id());
}

}  // namespace chimera::core
