#include "core/worker/activity_rpc.h"

#include <utility>

#include "core/worker/rpc_call.h"

namespace chimera::core {

namespace wf = api::workflowservice::v1;

namespace {

// The server would fail the activity, too, but not say by how much. Its code is the official one.
std::unique_ptr<wf::RespondActivityTaskFailedRequest> too_large(
    const wf::RespondActivityTaskCompletedRequest& completed, std::size_t limit) {
  auto request = std::make_unique<wf::RespondActivityTaskFailedRequest>();
  request->set_task_token(completed.task_token());
  auto& failure = *request->mutable_failure();
  failure.set_message(absl::StrCat("[TMPRL1103] The activity's result has ",
                                   completed.result().ByteSizeLong(),
                                   " bytes, which exceeds the server's limit of ", limit,
                                   ". Store large data elsewhere and return where it is."));
  failure.set_source("chimera");
  failure.mutable_application_failure_info()->set_type("PayloadsTooLarge");
  failure.mutable_application_failure_info()->set_non_retryable(true);
  return request;
}

}  // namespace

void ActivityRpc::completed(std::unique_ptr<wf::RespondActivityTaskCompletedRequest> request,
                            Done done) {
  const std::size_t limit = context_.payload_bytes_max;
  if (limit > 0 && request->result().ByteSizeLong() > limit)
    return failed(too_large(*request, limit), std::move(done));
  context_.sign(*request);
  send<wf::RespondActivityTaskCompletedResponse>(
      *context_.connection, CHIMERA_WORKFLOW_SERVICE(RespondActivityTaskCompleted),
      std::move(request), context_.call_options(), [done = std::move(done)](auto reply) mutable {
        WorkerContext::log_lost("an activity's result", reply.status());
        std::move(done)(reply.status());
      });
}

void ActivityRpc::failed(std::unique_ptr<wf::RespondActivityTaskFailedRequest> request, Done done) {
  context_.sign(*request);
  send<wf::RespondActivityTaskFailedResponse>(
      *context_.connection, CHIMERA_WORKFLOW_SERVICE(RespondActivityTaskFailed), std::move(request),
      context_.call_options(), [done = std::move(done)](auto reply) mutable {
        WorkerContext::log_lost("an activity's failure", reply.status());
        std::move(done)(reply.status());
      });
}

void ActivityRpc::canceled(std::unique_ptr<wf::RespondActivityTaskCanceledRequest> request,
                           Done done) {
  context_.sign(*request);
  send<wf::RespondActivityTaskCanceledResponse>(
      *context_.connection, CHIMERA_WORKFLOW_SERVICE(RespondActivityTaskCanceled),
      std::move(request), context_.call_options(), [done = std::move(done)](auto reply) mutable {
        WorkerContext::log_lost("an activity's cancellation", reply.status());
        std::move(done)(reply.status());
      });
}

void ActivityRpc::heartbeat(std::unique_ptr<wf::RecordActivityTaskHeartbeatRequest> request,
                            absl::AnyInvocable<void(absl::StatusOr<HeartbeatReply>) &&> done) {
  context_.introduce(*request);
  send<HeartbeatReply>(*context_.connection, CHIMERA_WORKFLOW_SERVICE(RecordActivityTaskHeartbeat),
                       std::move(request), context_.call_options(),
                       [done = std::move(done)](auto reply) mutable {
                         if (!reply.ok()) return std::move(done)(reply.status());
                         std::move(done)(**reply);
                       });
}

}  // namespace chimera::core
