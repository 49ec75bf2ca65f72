// How a call of workflow code begins: with its input, at the first link of its run's chain.
#ifndef CHIMERA_SDK_CPP_SRC_CALLS_H_
#define CHIMERA_SDK_CPP_SRC_CALLS_H_

#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera::sdk {

// Throws std::logic_error outside a workflow.
template <class Input>
typename Input::Answer call(Input input) {
  return WorkflowRuntime::current(input.kCall).outbound().call(input);
}

// Waits for the operation, whose result nobody reads; throws its failure.
template <class Input>
OperationPtr call_and_wait(Input input) {
  WorkflowRuntime& run = WorkflowRuntime::current(input.kCall);
  const OperationPtr operation = run.outbound().call(input);
  run.scheduler().wait_for(operation, run.scheduler().waiting_task(input.kCall));
  if (operation->failure != nullptr) operation->failure->raise();
  return operation;
}

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_CALLS_H_
