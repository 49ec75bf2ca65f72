// Timers, a run's durable timers: sleeps, and deadlines of conditions and scopes.
#ifndef CHIMERA_SDK_CPP_SRC_OPERATIONS_TIMER_H_
#define CHIMERA_SDK_CPP_SRC_OPERATIONS_TIMER_H_

#include "sdk-cpp/src/interceptors.h"
#include "sdk-cpp/src/operations/operation.h"
#include "sdk-cpp/src/scheduler.h"

namespace chimera::sdk {

class Timers {
 public:
  Timers(Run& run, Scheduler& scheduler) : run_(run), scheduler_(scheduler) {}
  OperationPtr start(Duration duration, std::string_view summary = {});
  OperationPtr call(StartTimerInput& input);
  void apply(const core::FireTimer& job);

 private:
  struct Timer;
  Run& run_;
  Scheduler& scheduler_;
  Pending<Operation> pending_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_OPERATIONS_TIMER_H_
