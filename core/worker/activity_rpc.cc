#include "core/worker/activity_rpc.h"

#include <utility>

#include "core/converter/failure_size.h"
#include "core/worker/rpc_call.h"

namespace chimera::core {

namespace wf = api::workflowservice::v1;

namespace {

// The server would fail the activity, too, but not say by how much. Its code is the official one.
api::failure::v1::Failure too_large(std::size_t bytes, std::size_t limit) {
  api::failure::v1::Failure failure;
  failure.set_message(absl::StrCat("[TMPRL1103] The activity's result has ", bytes,
                                   " bytes, which exceeds the server's limit of ", limit,
                                   ". Store large data elsewhere and return where it is."));
  failure.set_source("chimera");
  failure.mutable_application_failure_info()->set_type("PayloadsTooLarge");
  failure.mutable_application_failure_info()->set_non_retryable(true);
  return failure;
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
  const std::size_t limit = context_.payload_bytes_max;
  if (const std::size_t bytes = request->result().ByteSizeLong(); limit > 0 && bytes > limit)
    return failed(task, too_large(bytes, limit), std::nullopt, std::move(done));
  context_.sign(*request);
  send<wf::RespondActivityTaskCompletedResponse>(
      *context_.connection, CHIMERA_WORKFLOW_SERVICE(RespondActivityTaskCompleted),
      std::move(request), context_.call_options(), [done = std::move(done)](auto reply) mutable {
        WorkerContext::log_lost("an activity's result", reply.status());
        std::move(done)(reply.status());
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
      context_.call_options(), [done = std::move(done)](auto reply) mutable {
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
      std::move(request), context_.call_options(), [done = std::move(done)](auto reply) mutable {
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
