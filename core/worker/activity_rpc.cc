#include "core/worker/activity_rpc.h"

#include <utility>

#include "core/worker/rpc_call.h"

namespace chimera::core {

namespace wf = api::workflowservice::v1;

void ActivityRpc::completed(std::unique_ptr<wf::RespondActivityTaskCompletedRequest> request,
                            Done done) {
  context_.sign(*request);
  send<wf::RespondActivityTaskCompletedResponse>(
      *context_.connection, CHIMERA_WORKFLOW_SERVICE(RespondActivityTaskCompleted),
      std::move(request), context_.call_options(),
      [done = std::move(done)](auto reply) mutable { std::move(done)(reply.status()); });
}

void ActivityRpc::failed(std::unique_ptr<wf::RespondActivityTaskFailedRequest> request, Done done) {
  context_.sign(*request);
  send<wf::RespondActivityTaskFailedResponse>(
      *context_.connection, CHIMERA_WORKFLOW_SERVICE(RespondActivityTaskFailed), std::move(request),
      context_.call_options(),
      [done = std::move(done)](auto reply) mutable { std::move(done)(reply.status()); });
}

void ActivityRpc::canceled(std::unique_ptr<wf::RespondActivityTaskCanceledRequest> request,
                           Done done) {
  context_.sign(*request);
  send<wf::RespondActivityTaskCanceledResponse>(
      *context_.connection, CHIMERA_WORKFLOW_SERVICE(RespondActivityTaskCanceled),
      std::move(request), context_.call_options(),
      [done = std::move(done)](auto reply) mutable { std::move(done)(reply.status()); });
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
