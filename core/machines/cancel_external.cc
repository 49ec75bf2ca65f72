#include "core/machines/cancel_external.h"

namespace chimera::core {

FailurePtr cancel_failed(api::enums::v1::CancelExternalWorkflowExecutionFailedCause cause) {
  auto failure = std::make_shared<api::failure::v1::Failure>();
  if (cause ==
      api::enums::v1::CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND) {
    failure->set_message("Unable to cancel external workflow because its namespace was not found");
    failure->mutable_application_failure_info()->set_type("NamespaceNotFound");
  } else {
    failure->set_message("Unable to cancel external workflow because not found");
    failure->mutable_application_failure_info()->set_type("ExternalWorkflowExecutionNotFound");
  }
  return failure;
}

}  // namespace chimera::core
