// Children, a run's child workflows: their start, and their end.
#ifndef CHIMERA_SDK_CPP_SRC_OPERATIONS_CHILD_H_
#define CHIMERA_SDK_CPP_SRC_OPERATIONS_CHILD_H_

#include <memory>
#include <optional>
#include <string>

#include "sdk-cpp/src/interceptors.h"
#include "sdk-cpp/src/operations/operation.h"
#include "sdk-cpp/src/operations/values.h"
#include "sdk-cpp/src/scheduler.h"

namespace chimera::sdk {

// The end of a child.
struct Child final : Operation {
  void ask_to_end(Run& run) override {
    run.add_command(core::CancelChildWorkflowExecution{seq, run.cancel_reason});
  }
  void name(const Run& run, std::string id_in) {
    id = std::move(id_in);
    codec = &values.emplace(run, id).codec();
  }
  std::string id, run_id, type;
  std::optional<OtherWorkflowValues> values;
};

// Its start, for which start_child_workflow() waits.
struct ChildStart final : Operation {
  void ask_to_end(Run& run) override { child->ask_to_end(run); }
  bool leaves_at_once() const override { return true; }
  std::shared_ptr<Child> child;  // Has the same number.
};

class Children {
 public:
  Children(Run& run, Scheduler& scheduler) : run_(run), scheduler_(scheduler) {}
  OperationPtr call(StartChildInput& input);
  void apply(const core::ResolveChildWorkflowExecutionStart& job);
  void apply(const core::ResolveChildWorkflowExecution& job);

 private:
  Run& run_;
  Scheduler& scheduler_;
  Pending<ChildStart> starts_;
  Pending<Child> children_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_OPERATIONS_CHILD_H_
