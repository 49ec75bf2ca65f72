// Operations, what workflow code asks for, of every kind: behind the last link of its chain of
// interceptors, and the place where jobs find what they resolve.
#ifndef CHIMERA_SDK_CPP_SRC_OPERATIONS_OPERATIONS_H_
#define CHIMERA_SDK_CPP_SRC_OPERATIONS_OPERATIONS_H_

#include "sdk-cpp/src/interceptors.h"
#include "sdk-cpp/src/operations/activity.h"
#include "sdk-cpp/src/operations/child.h"
#include "sdk-cpp/src/operations/external.h"
#include "sdk-cpp/src/operations/local_activity.h"
#include "sdk-cpp/src/operations/nexus_operation.h"
#include "sdk-cpp/src/operations/timer.h"
#include "sdk-cpp/src/own_calls.h"

namespace chimera::sdk {

// Each kind has a call() for its inputs and an apply() for its jobs.
class Operations final : private Timers,
                         private Activities,
                         private LocalActivities,
                         private Children,
                         private NexusOperations,
                         private Externals,
                         private OwnCalls {
 public:
  // All borrowed; the runtime may still be under construction.
  Operations(WorkflowRuntime& runtime, Run& run, Scheduler& scheduler)
      : Timers(run, scheduler),
        Activities(run, scheduler, pending_activities_),
        LocalActivities(run, scheduler, *this, pending_activities_),
        Children(run, scheduler),
        NexusOperations(run, scheduler),
        Externals(run, scheduler),
        OwnCalls(runtime) {}

  using Timers::apply, Children::apply, NexusOperations::apply, Externals::apply;
  using Timers::call, Activities::call, LocalActivities::call, Children::call,
      NexusOperations::call, Externals::call, OwnCalls::call;
  void apply(const core::ResolveActivity& job) {
    job.is_local ? LocalActivities::apply(job) : Activities::apply(job);
  }

 private:
  Pending<Operation> pending_activities_;  // Local ones, too.
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_OPERATIONS_OPERATIONS_H_
