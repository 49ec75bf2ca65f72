// Externals, what a run asks of workflows that it did not start: signals (of its children, too) and
// cancellations.
#ifndef CHIMERA_SDK_CPP_SRC_OPERATIONS_EXTERNAL_H_
#define CHIMERA_SDK_CPP_SRC_OPERATIONS_EXTERNAL_H_

#include "sdk-cpp/src/interceptors.h"
#include "sdk-cpp/src/operations/operation.h"
#include "sdk-cpp/src/scheduler.h"

namespace chimera::sdk {

class Externals {
 public:
  Externals(Run& run, Scheduler& scheduler) : run_(run), scheduler_(scheduler) {}
  OperationPtr call(SignalExternalInput& input);
  OperationPtr call(CancelExternalInput& input);
  void apply(const core::ResolveSignalExternalWorkflow& job);
  void apply(const core::ResolveRequestCancelExternalWorkflow& job);

 private:
  struct Signal;
  struct Cancel;
  Run& run_;
  Scheduler& scheduler_;
  Pending<Operation> signals_, cancels_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_OPERATIONS_EXTERNAL_H_
