// How the calls of chimera/concurrency.h begin: whether they may, of this run, and here.
#ifndef CHIMERA_SDK_CPP_SRC_WAITING_H_
#define CHIMERA_SDK_CPP_SRC_WAITING_H_

#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera::sdk {

// Throws std::logic_error outside a workflow, and for what belongs to another run.
WorkflowRuntime& run_of(const detail::Waitable& state, const char* call);
// And the task that may wait now; throws ReadOnlyContextError or Unwinding where none may.
detail::TaskState& waiting_task_of(const detail::Waitable& state, const char* call);

// Those who wait for what is destroyed get a std::logic_error.
void refuse_all(detail::Waitable& state, detail::Seats& seats) noexcept;

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_WAITING_H_
