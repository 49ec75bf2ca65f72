// Operations, what workflow code asks the world for, of every kind: the last link of its chain of
// interceptors, and the place where jobs find what they resolve.
#ifndef CHIMERA_SDK_CPP_SRC_OPERATIONS_OPERATIONS_H_
#define CHIMERA_SDK_CPP_SRC_OPERATIONS_OPERATIONS_H_

#include "sdk-cpp/src/interceptors.h"
#include "sdk-cpp/src/operations/activity.h"
#include "sdk-cpp/src/operations/child.h"
#include "sdk-cpp/src/operations/external.h"
#include "sdk-cpp/src/operations/local_activity.h"
#include "sdk-cpp/src/operations/timer.h"

namespace chimera::sdk {

class Operations final : public WorkflowOutbound {
 public:
  // Both borrowed.
  Operations(Run& run, Scheduler& scheduler);

  OperationPtr start_timer(Duration duration) { return timers_.start(duration); }
  OperationPtr start_activity(StartActivityInput& input) override;
  OperationPtr start_local_activity(StartLocalActivityInput& input) override;
  OperationPtr start_child(StartChildInput& input) override;
  OperationPtr signal_external(SignalExternalInput& input) override;
  OperationPtr cancel_external(CancelExternalInput& input) override;
  void continue_as_new(ContinueAsNewInput& input) override;

  void apply(const core::FireTimer& job) { timers_.apply(job); }
  void apply(const core::ResolveActivity& job) {
    job.is_local ? local_activities_.apply(job) : activities_.apply(job);
  }
  void apply(const core::ResolveChildWorkflowExecutionStart& job) { children_.apply(job); }
  void apply(const core::ResolveChildWorkflowExecution& job) { children_.apply(job); }
  void apply(const core::ResolveSignalExternalWorkflow& job) { externals_.apply(job); }
  void apply(const core::ResolveRequestCancelExternalWorkflow& job) { externals_.apply(job); }
  void apply(const core::ResolveNexusOperationStart&);
  void apply(const core::ResolveNexusOperation&);

 private:
  Run& run_;
  Scheduler& scheduler_;
  Pending<Operation> pending_activities_;
  Timers timers_;
  Activities activities_;
  LocalActivities local_activities_;
  Children children_;
  Externals externals_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_OPERATIONS_OPERATIONS_H_
