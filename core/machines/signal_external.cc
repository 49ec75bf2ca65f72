#include "core/machines/signal_external.h"

#include "absl/strings/str_cat.h"

#include "core/machines/outcome.h"

namespace chimera::core {

namespace enums = api::enums::v1;
using api::failure::v1::Failure;

constexpr LaterEvent SignalExternalMachine::kLater[] = {
    {enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED,
     [](const HistoryEvent& e) {
       return e.signal_external_workflow_execution_failed_event_attributes().initiated_event_id();
     }},
    {enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED,
     [](const HistoryEvent& e) {
       return e.external_workflow_execution_signaled_event_attributes().initiated_event_id();
     }},
};

namespace {

FailurePtr failed(enums::SignalExternalWorkflowExecutionFailedCause cause) {
  auto failure = std::make_shared<Failure>();
  if (cause == enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND) {
    failure->set_message("Unable to signal external workflow because its namespace was not found");
    failure->mutable_application_failure_info()->set_type("NamespaceNotFound");
  } else if (cause ==
             enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED) {
    failure->set_message(
        "Unable to signal external workflow because it has received too many signals");
    failure->mutable_application_failure_info()->set_type("SignalCountLimitExceeded");
  } else {
    failure->set_message("Unable to signal external workflow because it was not found");
    failure->mutable_application_failure_info()->set_type("ExternalWorkflowExecutionNotFound");
  }
  return failure;
}

FailurePtr cancelled() {
  auto failure = std::make_shared<Failure>();
  failure->set_message("Signal was cancelled before being sent");
  failure->mutable_canceled_failure_info();
  return failure;
}

}  // namespace

void SignalExternalMachine::begin(SignalExternalWorkflowExecution& command, Command& whole,
                                  RunPort& run) {
  auto out = run.make(enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION, whole);
  if (out) {
    auto& attributes = command.attributes;
    if (attributes.namespace_().empty()) attributes.set_namespace_(run.context().namespace_);
    *out->mutable_signal_external_workflow_execution_command_attributes() = std::move(attributes);
  }
  run.send(*this, kBegunBy, std::move(out));
}

void SignalExternalMachine::cancel(CancelSignalWorkflow&, Command&, RunPort& run) {
  Action action;
  if (!kTable.advance(state, Event::kCancel, action)) return;
  if (action != Action::kDropCommandAndResolveCancelled) return;
  run.take_back(*this);
  run.tell(ResolveSignalExternalWorkflow{seq, cancelled()});
}

absl::Status SignalExternalMachine::on(const HistoryEvent& event, RunPort& run) {
  const EventType type = event.event_type();
  const Event what = type == kBegunBy         ? Event::kInitiated
                     : type == kLater[0].type ? Event::kFailed
                                              : Event::kSignaled;
  Action action;
  if (!kTable.advance(state, what, action))
    return run.disagree(
        event, absl::StrCat("signal ", seq, " of the code is in state ", enum_name(state)));
  if (action == Action::kNone) return absl::OkStatus();
  ResolveSignalExternalWorkflow job{seq, nullptr};
  if (action == Action::kResolveFailed) {
    job.cause = event.signal_external_workflow_execution_failed_event_attributes().cause();
    job.failure = failed(job.cause);
  }
  run.tell(std::move(job));
  return absl::OkStatus();
}

std::string SignalExternalMachine::describe(EventType) const {
  return absl::StrCat("SignalExternalWorkflowExecution ", seq);
}

std::string SignalExternalMachine::describe(const HistoryEvent& event) {
  if (event.event_type() != kBegunBy) return "";
  const auto& initiated = event.signal_external_workflow_execution_initiated_event_attributes();
  return absl::StrCat("signal ", initiated.signal_name(), " to workflow ",
                      initiated.workflow_execution().workflow_id());
}

}  // namespace chimera::core
