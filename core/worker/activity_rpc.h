// ActivityRpc, the way of an activity task's heartbeats and end to the server. Any thread.
#ifndef CHIMERA_CORE_WORKER_ACTIVITY_RPC_H_
#define CHIMERA_CORE_WORKER_ACTIVITY_RPC_H_

#include <memory>

#include "core/activity/activity_sink.h"
#include "core/worker/context.h"

namespace chimera::core {

class ActivityRpc : public ActivitySink {
 public:
  // Borrows the context, which outlives all its tasks.
  explicit ActivityRpc(const WorkerContext& context) : context_(context) {}

  void report(const Task& task, ActivityResult result,
              std::optional<api::common::v1::Payloads> kept, Done done) override;
  void heartbeat(const Task& task, api::common::v1::Payloads details, HeartbeatDone done) override;

 private:
  void completed(const Task& task, ActivityResult::Completed result, Done done);
  void failed(const Task& task, api::failure::v1::Failure failure,
              std::optional<api::common::v1::Payloads> kept, Done done);
  void canceled(const Task& task, ActivityResult::Cancelled result, Done done);

  const WorkerContext& context_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_ACTIVITY_RPC_H_
