#include "core/worker/activity_rpc.h"

#include <utility>

#include "core/converter/failure_size.h"
#include "core/worker/rpc_call.h"
#include "core/workflow/payload_size.h"

namespace chimera::core {

namespace wf = api::workflowservice::v1;

namespace {

// The server would fail the activity, too, but not say by how much.
api::failure::v1::Failure unsent(std::string message, const char* type, bool non_retryable) {
  api::failure::v1::Failure failure;
  failure.set_message(std::move(message));
  failure.set_source("chimera");
  failure.mutable_application_failure_info()->set_type(type);
  failure.mutable_application_failure_info()->set_non_retryable(non_retryable);
  return failure;
}
api::failure::v1::Failure too_large(std::string message) {
  return unsent(std::move(message), "PayloadsTooLarge", /*non_retryable=*/true);
}
api::failure::v1::Failure not_stored(const absl::Status& status) {
  return unsent(std::string(status.message()), "ExternalStorageError", /*non_retryable=*/false);
}

}  // namespace

void ActivityRpc::report(const Task& task, ActivityResult result,
                         std::optional<api::common::v1::Payloads> kept, Done done) {
  if (auto* completed_as = std::get_if<ActivityResult::Completed>(&result.status))
    return completed(task, std::move(*completed_as), std::move(done));
  if (auto* failed_as = std::get_if<ActivityResult::Failed>(&result.status))
    return failed(task, std::move(failed_as->failure), std::move(kept), std::move(done));
  canceled(task, std::move(std::get<ActivityResult::Cancelled>(result.status)), std::move(done));
}

void ActivityRpc::completed(const Task& task, ActivityResult::Completed result, Done done) {
  auto request = std::make_unique<wf::RespondActivityTaskCompletedRequest>();
  request->set_task_token(task->task_token());
  if (result.result) *request->mutable_result()->add_payloads() = *std::move(result.result);
  const std::size_t limit = context_.connection->stores_values() ? 0 : context_.payload_bytes_max;
  if (const std::size_t bytes = request->result().ByteSizeLong(); limit > 0 && bytes > limit)
    return failed(task, too_large(result_too_large(bytes, limit)), std::nullopt, std::move(done));
  if (!task->workflow_execution().workflow_id().empty())
    request->set_resource_id(absl::StrCat("workflow:", task->workflow_execution().workflow_id()));
  context_.sign(*request);
  send<wf::RespondActivityTaskCompletedResponse>(
      *context_.connection, CHIMERA_WORKFLOW_SERVICE(RespondActivityTaskCompleted),
      std::move(request), context_.call_options(),
      [this, task, done = std::move(done)](auto reply) mutable {
        const absl::Status& status = reply.status();
        if (status.GetPayload(kTooLarge))
          return failed(task, too_large(std::string(status.message())), std::nullopt,
                        std::move(done));
        if (status.GetPayload(kNotStored))
          return failed(task, not_stored(status), std::nullopt, std::move(done));
        WorkerContext::log_lost("an activity's result", status);
        std::move(done)(status);
      });
}

void ActivityRpc::failed(const Task& task, api::failure::v1::Failure failure,
                         std::optional<api::common::v1::Payloads> kept, Done done) {
  auto request = std::make_unique<wf::RespondActivityTaskFailedRequest>();
  request->set_task_token(task->task_token());
  cut_causes(failure);
  shorten(failure, kFailureBytesMax);
  *request->mutable_failure() = std::move(failure);
  if (kept) *request->mutable_last_heartbeat_details() = *std::move(kept);
  context_.sign(*request);
  send<wf::RespondActivityTaskFailedResponse>(
      *context_.connection, CHIMERA_WORKFLOW_SERVICE(RespondActivityTaskFailed), std::move(request),
      context_.call_options(), [this, task, done = std::move(done)](auto reply) mutable {
        if (reply.status().GetPayload(kNotStored))  // What it carries: it goes without that.
          return failed(task, not_stored(reply.status()), std::nullopt, std::move(done));
        WorkerContext::log_lost("an activity's failure", reply.status());
        std::move(done)(reply.status());
      });
}

void ActivityRpc::canceled(const Task& task, ActivityResult::Cancelled result, Done done) {
  auto request = std::make_unique<wf::RespondActivityTaskCanceledRequest>();
  request->set_task_token(task->task_token());
  if (result.details.payloads_size() > 0) *request->mutable_details() = std::move(result.details);
  context_.sign(*request);
  send<wf::RespondActivityTaskCanceledResponse>(
      *context_.connection, CHIMERA_WORKFLOW_SERVICE(RespondActivityTaskCanceled),
      std::move(request), context_.call_options(),
      [this, task, done = std::move(done)](auto reply) mutable {
        if (reply.status().GetPayload(kNotStored)) return canceled(task, {}, std::move(done));
        WorkerContext::log_lost("an activity's cancellation", reply.status());
        std::move(done)(reply.status());
      });
}

void ActivityRpc::heartbeat(const Task& task, api::common::v1::Payloads details,
                            HeartbeatDone done) {
  auto request = std::make_unique<wf::RecordActivityTaskHeartbeatRequest>();
  request->set_task_token(task->task_token());
  *request->mutable_details() = std::move(details);
  context_.introduce(*request);
  send<HeartbeatReply>(*context_.connection, CHIMERA_WORKFLOW_SERVICE(RecordActivityTaskHeartbeat),
                       std::move(request), context_.call_options(),
                       [done = std::move(done)](auto reply) mutable {
                         if (!reply.ok()) return std::move(done)(reply.status());
                         std::move(done)(**reply);
                       });
}

}  // namespace chimera::core
