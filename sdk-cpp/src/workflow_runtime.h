// WorkflowRuntime, one run's C++ code: its object and the order in which an activation runs it. The
// order is the official Python SDK's: patches, then signals and updates, then the rest, each set
// until nothing is ready, conditions asked in order of creation; so that a history means the same
// in both languages. Its parts do the work: fibers (scheduler.h), what the code asks for
// (operations/), what others tell it (messages.h). One lane makes, activates and destroys it; user
// code runs inline on that lane.
#ifndef CHIMERA_SDK_CPP_SRC_WORKFLOW_RUNTIME_H_
#define CHIMERA_SDK_CPP_SRC_WORKFLOW_RUNTIME_H_

#include <memory>
#include <string>

#include "core/language/language.h"
#include "core/telemetry/metrics.h"
#include "sdk-cpp/src/interceptors.h"
#include "sdk-cpp/src/messages.h"
#include "sdk-cpp/src/operations/operations.h"
#include "sdk-cpp/src/patches.h"
#include "sdk-cpp/src/payload_access.h"
#include "sdk-cpp/src/records.h"
#include "sdk-cpp/src/run.h"
#include "sdk-cpp/src/scheduler.h"

namespace chimera::sdk {

class WorkflowRuntime final : public core::WorkflowInstance {
 public:
  // `type` is borrowed from the language, which outlives its runs; so is the pool, which outlives
  // everything.
  WorkflowRuntime(const detail::WorkflowType& type, const core::RunContext& context,
                  const Codec& codec, core::Metrics& metrics, StackPool& stacks,
                  const WorkerInterceptors& interceptors = {});
  ~WorkflowRuntime() override;

  std::optional<core::Completion> activate(std::shared_ptr<const core::Activation> activation,
                                           core::ActivationDone done) override;
  std::size_t memory_bytes() const override;

  // The run whose code runs on this thread; throws std::logic_error naming `call` where there is
  // none.
  static WorkflowRuntime& current(const char* call);
  static WorkflowRuntime* current_or_null();

  // --- For workflow code (workflow_calls.cc) ---
  Run& run() { return run_; }
  const Run& run() const { return run_; }
  Scheduler& scheduler() { return scheduler_; }
  OperationPtr start_timer(Duration duration) {
    StartTimerInput input{duration};
    return outbound().call(input);
  }
  // The first link of what the code's calls go through.
  WorkflowOutbound& outbound() { return outbound_.first(); }
  // Of the run before it in its chain: the first payload that it has, or null.
  const ProtoPayloads& last_completion_result() const { return last_completion_result_; }
  const api::failure::v1::Failure* last_failure() const { return last_failure_.get(); }
  Messages& messages() { return messages_; }
  Patches& patches() { return patches_; }
  Records& records() { return records_; }

 private:
  enum class Set { kPatches, kHandlers, kRest };
  class Code;  // The last link of what is called in the code.

  core::Completion guarded_activation(const core::Activation& activation);
  core::Completion run_activation(const core::Activation& activation);
  void begin(const core::Activation& activation);
  void run_set(const core::Activation& activation, Set set);
  void apply(const core::Job& job);
  void initialize(const core::InitializeWorkflow& job);
  void make_object();
  void run_main();
  void evict();

  Run run_;
  ProtoPayloads arguments_;
  Header header_;
  ProtoPayloads last_completion_result_;
  std::unique_ptr<api::failure::v1::Failure> last_failure_;  // Null: it did not fail.
  detail::ScopePtr root_scope_;
  Scheduler scheduler_;
  Operations operations_;
  LastOutbound<Operations> last_;
  Chain<WorkflowOutbound> outbound_;
  std::unique_ptr<WorkflowInbound> code_;
  Chain<WorkflowInbound> inbound_;
  Messages messages_;
  Patches patches_;
  Records records_;
  bool initialized_ = false;
  bool constructor_threw_ = false;
};

// For calls that reach out of the process: throws std::logic_error where workflow code runs, which
// must get such results from an activity.
void refuse_in_workflow(const char* call);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_WORKFLOW_RUNTIME_H_
