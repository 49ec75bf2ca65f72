// OwnCalls, the calls of workflow code that its run answers by itself, without the core: time and
// waiting, facts, patches, properties, handlers, the next run.
#ifndef CHIMERA_SDK_CPP_SRC_OWN_CALLS_H_
#define CHIMERA_SDK_CPP_SRC_OWN_CALLS_H_

#include <memory>

#include "sdk-cpp/src/interceptors.h"

namespace chimera::sdk {

class WorkflowRuntime;

class OwnCalls {
 public:
  // Borrowed; may still be under construction.
  explicit OwnCalls(WorkflowRuntime& runtime) : runtime_(runtime) {}

  Time call(NowInput& input);
  void call(SleepInput& input);
  bool call(WaitConditionInput& input);
  std::shared_ptr<detail::TaskState> call(SpawnInput& input);
  const workflow::Info& call(InfoInput& input);
  const workflow::UpdateInfo* call(CurrentUpdateInfoInput& input);
  bool call(PatchedInput& input);
  void call(SideEffectInput& input);  // This and the next two: records.cc.
  void call(MutableSideEffectInput& input);
  int call(GetVersionInput& input);
  void call(UpsertSearchAttributesInput& input);
  void call(UpsertMemoInput& input);
  void call(SetHandlerInput& input);
  MetricMeter call(MetricMeterInput& input);
  void call(LogInput& input);
  void call(ContinueAsNewInput& input);

 private:
  WorkflowRuntime& runtime_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_OWN_CALLS_H_
