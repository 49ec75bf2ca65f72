// LocalActivities, activities that this worker runs itself, within the run's workflow tasks. What
// the core hands back to be tried again after a longer wait (Backoff) waits on a durable timer
// here.
#ifndef CHIMERA_SDK_CPP_SRC_OPERATIONS_LOCAL_ACTIVITY_H_
#define CHIMERA_SDK_CPP_SRC_OPERATIONS_LOCAL_ACTIVITY_H_

#include <memory>

#include "sdk-cpp/src/interceptors.h"
#include "sdk-cpp/src/operations/operation.h"
#include "sdk-cpp/src/operations/timer.h"
#include "sdk-cpp/src/scheduler.h"

namespace chimera::sdk {

class LocalActivities {
 public:
  // All borrowed. `pending` numbers the other activities, too.
  LocalActivities(Run& run, Scheduler& scheduler, Timers& timers, Pending<Operation>& pending)
      : run_(run), scheduler_(scheduler), timers_(timers), pending_(pending) {}
  OperationPtr call(StartLocalActivityInput& input);
  void apply(const core::ResolveActivity& job);

 private:
  struct LocalActivity;
  void schedule(const std::shared_ptr<LocalActivity>& activity,
                core::ScheduleLocalActivity&& command);
  void back_off(const std::shared_ptr<LocalActivity>& activity, const core::Backoff& backoff);

  Run& run_;
  Scheduler& scheduler_;
  Timers& timers_;
  Pending<Operation>& pending_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_OPERATIONS_LOCAL_ACTIVITY_H_
