#include "core/worker/nexus_rpc.h"

#include <utility>

#include "google/protobuf/util/json_util.h"

#include "core/converter/failure_size.h"
#include "core/worker/rpc_call.h"
#include "core/workflow/payload_size.h"

namespace chimera::core {

namespace enums = api::enums::v1;
namespace nexus = api::nexus::v1;
namespace wf = api::workflowservice::v1;

namespace {

NexusResult::Failed unsent(std::string message, bool retryable) {
  NexusResult::Failed failed;
  failed.failure.set_message(std::move(message));
  failed.failure.set_source("chimera");
  auto& info = *failed.failure.mutable_nexus_handler_failure_info();
  info.set_type("INTERNAL");
  info.set_retry_behavior(retryable ? enums::NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_RETRYABLE
                                    : enums::NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_NON_RETRYABLE);
  return failed;
}

nexus::Failure to_nexus_failure(api::failure::v1::Failure failure) {
  nexus::Failure to;
  to.set_message(std::move(*failure.mutable_message()));
  to.set_stack_trace(failure.stack_trace());
  failure.clear_message();
  (*to.mutable_metadata())["type"] = failure.GetTypeName();
  // A failure has no Any and no invalid UTF-8: it can be written.
  static_cast<void>(google::protobuf::util::MessageToJsonString(failure, to.mutable_details()));
  return to;
}

}  // namespace

void NexusRpc::completed(const Task& task, NexusResult::Completed result, Done done) {
  auto request = std::make_unique<wf::RespondNexusTaskCompletedRequest>();
  request->set_task_token(task->task_token());
  *request->mutable_response() = std::move(result.response);
  const std::size_t limit = context_.connection->stores_values() ? 0 : context_.payload_bytes_max;
  auto& start = *request->mutable_response();
  const std::size_t bytes = start.start_operation().sync_success().payload().ByteSizeLong();
  if (limit > 0 && bytes > limit)
    return failed(task, unsent(result_too_large(bytes, limit), /*retryable=*/false),
                  std::move(done));
  if (start.start_operation().has_failure()) {
    auto& failure = *start.mutable_start_operation()->mutable_failure();
    cut_causes(failure);
    shorten(failure, kFailureBytesMax);
    if (!task->request().capabilities().temporal_failure_responses())
      *start.mutable_start_operation()->mutable_operation_error() =
          to_operation_error(api::failure::v1::Failure(failure));
  }
  context_.introduce(*request);
  send<wf::RespondNexusTaskCompletedResponse>(
      *context_.connection, CHIMERA_WORKFLOW_SERVICE(RespondNexusTaskCompleted), std::move(request),
      context_.call_options(), [this, task, done = std::move(done)](auto reply) mutable {
        const absl::Status& status = reply.status();
        const bool too_large = status.GetPayload(kTooLarge).has_value();
        if (too_large || status.GetPayload(kNotStored))
          return failed(task, unsent(std::string(status.message()), /*retryable=*/!too_large),
                        std::move(done));
        WorkerContext::log_lost("a Nexus task's answer", status);
        std::move(done)(status);
      });
}

void NexusRpc::failed(const Task& task, NexusResult::Failed result, Done done) {
  auto request = std::make_unique<wf::RespondNexusTaskFailedRequest>();
  request->set_task_token(task->task_token());
  cut_causes(result.failure);
  shorten(result.failure, kFailureBytesMax);
  if (task->request().capabilities().temporal_failure_responses()) {
    *request->mutable_failure() = std::move(result.failure);
  } else {
    *request->mutable_error() = to_handler_error(std::move(result.failure));
  }
  context_.introduce(*request);
  send<wf::RespondNexusTaskFailedResponse>(
      *context_.connection, CHIMERA_WORKFLOW_SERVICE(RespondNexusTaskFailed), std::move(request),
      context_.call_options(), [this, task, done = std::move(done)](auto reply) mutable {
        if (reply.status().GetPayload(kNotStored))  // What it carries: it goes without that.
          return failed(task, unsent(std::string(reply.status().message()), /*retryable=*/true),
                        std::move(done));
        WorkerContext::log_lost("a Nexus task's failure", reply.status());
        std::move(done)(reply.status());
      });
}

nexus::HandlerError to_handler_error(api::failure::v1::Failure failure) {
  nexus::HandlerError error;
  error.set_error_type(failure.nexus_handler_failure_info().type());
  error.set_retry_behavior(failure.nexus_handler_failure_info().retry_behavior());
  *error.mutable_failure() = to_nexus_failure(std::move(failure));
  return error;
}

nexus::UnsuccessfulOperationError to_operation_error(api::failure::v1::Failure failure) {
  nexus::UnsuccessfulOperationError error;
  error.set_operation_state(failure.has_canceled_failure_info() ? "canceled" : "failed");
  *error.mutable_failure() = to_nexus_failure(std::move(failure));
  return error;
}

}  // namespace chimera::core
