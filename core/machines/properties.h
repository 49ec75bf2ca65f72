// Properties, what a run says of itself beside its state: memo and search attributes, which its
// code changes, and what continue-as-new hands on. A change has one step, command to event, so its
// entry among the outgoing commands is its machine. Lane thread.
#ifndef CHIMERA_CORE_MACHINES_PROPERTIES_H_
#define CHIMERA_CORE_MACHINES_PROPERTIES_H_

#include <memory>

#include "core/machines/port.h"

namespace chimera::core {

class Properties {
 public:
  void begin(const api::history::v1::WorkflowExecutionStartedEventAttributes& started);
  void take(UpsertWorkflowSearchAttributes& command, Command& whole, RunPort& run,
            Outgoing& outgoing);
  void take(ModifyWorkflowProperties& command, Command& whole, RunPort& run, Outgoing& outgoing);
  // What the code left to the run.
  void fill(api::command::v1::ContinueAsNewWorkflowExecutionCommandAttributes& attributes) const;
  std::size_t memory_bytes() const;

 private:
  std::unique_ptr<api::common::v1::Memo> memo_;  // Null when there is none, as the others.
  std::unique_ptr<api::common::v1::SearchAttributes> search_attributes_;
  std::unique_ptr<api::common::v1::RetryPolicy> retry_policy_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_PROPERTIES_H_
