// Activities, a run's activities on any worker of their task queue.
#ifndef CHIMERA_SDK_CPP_SRC_OPERATIONS_ACTIVITY_H_
#define CHIMERA_SDK_CPP_SRC_OPERATIONS_ACTIVITY_H_

#include "sdk-cpp/src/interceptors.h"
#include "sdk-cpp/src/operations/operation.h"
#include "sdk-cpp/src/scheduler.h"

namespace chimera::sdk {

class Activities {
 public:
  // `pending` numbers local activities, too.
  Activities(Run& run, Scheduler& scheduler, Pending<Operation>& pending)
      : run_(run), scheduler_(scheduler), pending_(pending) {}
  OperationPtr call(StartActivityInput& input);
  void apply(const core::ResolveActivity& job);

 private:
  struct Activity;
  Run& run_;
  Scheduler& scheduler_;
  Pending<Operation>& pending_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_OPERATIONS_ACTIVITY_H_
