// How a call of workflow code begins: with its input, at the first link of its run's chain.
#ifndef CHIMERA_SDK_CPP_SRC_CALLS_H_
#define CHIMERA_SDK_CPP_SRC_CALLS_H_

#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera::sdk {

// Throws std::logic_error outside a workflow. This and the next are parts of the function that the
// user's code calls, which says where that is.
template <class Input>
[[gnu::always_inline]] inline typename Input::Answer call(Input input) {
  WorkflowRuntime& run = WorkflowRuntime::current(input.kCall);
  run.run().place = place_of(__builtin_return_address(0));
  return run.outbound().call(input);
}

// Waits for the operation, whose result nobody reads; throws its failure.
template <class Input>
[[gnu::always_inline]] inline OperationPtr call_and_wait(Input input) {
  WorkflowRuntime& run = WorkflowRuntime::current(input.kCall);
  run.run().place = place_of(__builtin_return_address(0));
  const OperationPtr operation = run.outbound().call(input);
  run.scheduler().wait_for(operation, run.scheduler().waiting_task(input.kCall));
  throw_if_failed(*operation);
  return operation;
}

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_CALLS_H_
