// NexusOperations, a run's Nexus operations: their start, and their end.
#ifndef CHIMERA_SDK_CPP_SRC_OPERATIONS_NEXUS_OPERATION_H_
#define CHIMERA_SDK_CPP_SRC_OPERATIONS_NEXUS_OPERATION_H_

#include <memory>
#include <optional>
#include <string>

#include "sdk-cpp/src/interceptors.h"
#include "sdk-cpp/src/operations/operation.h"
#include "sdk-cpp/src/operations/values.h"
#include "sdk-cpp/src/scheduler.h"

namespace chimera::sdk {

// The end of one. A test's mock stands in with an operation of its own.
struct NexusOperation : Operation {
  void ask_to_end(Run& run) override { run.add_command(core::RequestCancelNexusOperation{seq}); }
  std::string token;  // Empty: it ended as it started.
  std::optional<NexusValues> values;
};

// Its start, for which start_nexus_operation() waits. Both are asked to end at most once together.
struct NexusOperationStart final : Operation {
  void ask_to_end(Run& run) override {
    if (!std::exchange(operation->cancel_sent, true)) operation->ask_to_end(run);
  }
  std::shared_ptr<NexusOperation> operation;  // Has the same number.
};

class NexusOperations {
 public:
  NexusOperations(Run& run, Scheduler& scheduler) : run_(run), scheduler_(scheduler) {}
  OperationPtr call(StartNexusOperationInput& input);
  void apply(const core::ResolveNexusOperationStart& job);
  void apply(const core::ResolveNexusOperation& job);

 private:
  Run& run_;
  Scheduler& scheduler_;
  Pending<NexusOperationStart> starts_;
  Pending<NexusOperation> operations_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_OPERATIONS_NEXUS_OPERATION_H_
