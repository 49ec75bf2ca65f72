#include "core/machines/signal_external.h"

namespace chimera::core {

namespace enums = api::enums::v1;
using api::failure::v1::Failure;

FailurePtr signal_failed(enums::SignalExternalWorkflowExecutionFailedCause cause) {
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

FailurePtr signal_cancelled() {
  auto failure = std::make_shared<Failure>();
  failure->set_message("Signal was cancelled before being sent");
  failure->mutable_canceled_failure_info();
  return failure;
}

}  // namespace chimera::core
