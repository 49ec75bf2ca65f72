// NexusRpc, the way of a Nexus task's answer to the server. Any thread.
#ifndef CHIMERA_CORE_WORKER_NEXUS_RPC_H_
#define CHIMERA_CORE_WORKER_NEXUS_RPC_H_

#include "core/nexus/nexus_sink.h"
#include "core/worker/context.h"

namespace chimera::core {

class NexusRpc : public NexusSink {
 public:
  // Borrows the context, which outlives all its tasks.
  explicit NexusRpc(const WorkerContext& context) : context_(context) {}

  // A value that is too large, or cannot be stored, makes it a handler's failure.
  void completed(const Task& task, NexusResult::Completed result, Done done) override;
  void failed(const Task& task, NexusResult::Failed result, Done done) override;

 private:
  const WorkerContext& context_;
};

// As servers read them that know no Temporal failures: the failure without its message as JSON.
api::nexus::v1::HandlerError to_handler_error(api::failure::v1::Failure failure);
api::nexus::v1::UnsuccessfulOperationError to_operation_error(api::failure::v1::Failure failure);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_NEXUS_RPC_H_
