// ActivityRpc, an ActivityManager's way to the server. Any thread.
#ifndef CHIMERA_CORE_WORKER_ACTIVITY_RPC_H_
#define CHIMERA_CORE_WORKER_ACTIVITY_RPC_H_

#include <memory>

#include "core/worker/context.h"

namespace chimera::core {

class ActivityRpc : public ActivityIo {
 public:
  explicit ActivityRpc(const WorkerContext& context) : context_(context) {}

  void completed(
      std::unique_ptr<api::workflowservice::v1::RespondActivityTaskCompletedRequest> request,
      Done done) override;
  void failed(std::unique_ptr<api::workflowservice::v1::RespondActivityTaskFailedRequest> request,
              Done done) override;
  void canceled(
      std::unique_ptr<api::workflowservice::v1::RespondActivityTaskCanceledRequest> request,
      Done done) override;
  void heartbeat(
      std::unique_ptr<api::workflowservice::v1::RecordActivityTaskHeartbeatRequest> request,
      absl::AnyInvocable<void(absl::StatusOr<HeartbeatReply>) &&> done) override;

 private:
  const WorkerContext& context_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_ACTIVITY_RPC_H_
