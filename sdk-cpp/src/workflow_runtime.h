// WorkflowRuntime, one run's C++ code: its object, its fibers and the scheduler that resumes them
// in a fixed order. The order is the official Python SDK's: patches, then signals and updates, then
// the rest, each set until nothing is ready, conditions asked in order of creation; so that a
// history means the same in both languages. One lane makes, activates and destroys it; user code
// runs inline on that lane.
#ifndef CHIMERA_SDK_CPP_SRC_WORKFLOW_RUNTIME_H_
#define CHIMERA_SDK_CPP_SRC_WORKFLOW_RUNTIME_H_

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "temporal/api/sdk/v1/workflow_metadata.pb.h"

#include "core/language/language.h"
#include "core/telemetry/metrics.h"
#include "sdk-cpp/src/payload_access.h"
#include "sdk-cpp/src/workflow_state.h"

namespace chimera::sdk {

class WorkflowRuntime final : public core::WorkflowInstance {
 public:
  using Operation = detail::Operation;
  using OperationPtr = detail::OperationPtr;
  using Task = detail::TaskState;
  using Scope = std::shared_ptr<detail::ScopeState>;
  using Handler = std::shared_ptr<const detail::HandlerType>;  // Shared by the tasks that run it.

  // `type` is borrowed from the language, which outlives its runs; so is the pool, which outlives
  // everything.
  WorkflowRuntime(const detail::WorkflowType& type, const core::RunContext& context, Codec codec,
                  core::Metrics& metrics, StackPool& stacks);
  ~WorkflowRuntime() override;

  std::optional<core::Completion> activate(std::shared_ptr<const core::Activation> activation,
                                           core::ActivationDone done) override;
  std::size_t memory_bytes() const override;

  // The run whose code runs on this thread; throws std::logic_error naming `call` where there is
  // none.
  static WorkflowRuntime& current(const char* call);
  static WorkflowRuntime* current_or_null();

  // --- For workflow code (workflow_calls.cc, workflow_commands.cc) ---
  // The task that runs; throws ReadOnlyContextError where waiting is not allowed.
  Task& waiting_task(const char* call);
  // For calls that do not wait. False while the run is being evicted: nothing that its code asks
  // for counts any more. Throws ReadOnlyContextError where nothing may change.
  bool may_change(const char* call);
  // Asks the condition, which may not change anything.
  bool ask(const std::function<bool()>& condition);
  // Parks the running task; throws Unwinding when the run is being evicted. The caller looks at
  // what has changed.
  void park(Task& task);
  [[noreturn]] void throw_unwinding(Task& task);
  void wake(Task& task);
  // True once for each delivered cancellation.
  static bool take_cancel(Task& task);
  void add_command(core::CommandVariant command, std::string_view summary = {});
  void wait_for(const OperationPtr& operation, Task& task);
  OperationPtr start_timer(Duration duration);
  void cancel_operation(const OperationPtr& operation);
  OperationPtr schedule_activity(std::string_view name, const ActivityOptions& options,
                                 detail::Arguments arguments);
  OperationPtr start_child(std::string_view type, const ChildWorkflowOptions& options,
                           detail::Arguments arguments);
  OperationPtr signal_external(const std::string& id, const std::string& run_id, bool child,
                               std::string_view name, detail::Arguments arguments);
  OperationPtr cancel_external(const std::string& id, const std::string& run_id,
                               const std::string& reason);
  std::shared_ptr<Task> spawn(std::string name, std::function<void()> body, const Scope& parent);
  void cancel_scope(const Scope& scope, std::string reason);
  // The scope is `at` or one around it that reaches in.
  static bool within(const detail::ScopeState* at, const detail::ScopeState& scope);
  void set_handler(detail::HandlerKind kind, detail::HandlerType handler);
  void set_current_details(std::string text) { current_details_ = std::move(text); }
  void add_condition(Condition& condition) { conditions_.push_back(&condition); }
  void remove_condition(Condition& condition) { conditions_.remove(&condition); }
  bool patched(std::string_view id, bool deprecated);
  std::mt19937_64& random() { return random_; }
  std::string make_uuid();

  const std::string& owner() const { return owner_; }
  const core::RunContext& context() const { return context_; }
  const Codec& codec() const { return codec_; }
  core::Metrics& metrics() const { return metrics_; }
  workflow::Info& info() { return info_; }
  base::WallTime now() const { return now_; }
  Task* running() const { return running_; }
  bool evicting() const { return evicting_; }
  bool cancel_requested() const { return cancel_requested_; }
  bool quiet() const { return (info_.is_replaying && !read_only_) || evicting_; }
  bool handlers_running() const;

 private:
  enum class Set { kPatches, kHandlers, kRest };

  // --- workflow_runtime.cc: the scheduler ---
  core::Completion guarded_activation(const core::Activation& activation);
  core::Completion run_activation(const core::Activation& activation);
  static core::Completion failed_task(std::string message);
  void begin(const core::Activation& activation);
  void run_set(const core::Activation& activation, Set set);
  void run_ready(bool ask_conditions);
  bool ask_conditions();
  void resume(Task& task);
  void report_unjoined(const Task& task) const;
  void make_object();
  void finish_main_with_current_exception();
  void set_task_error(std::string message);
  void report_trouble(absl::FunctionRef<void()> code);
  void evict();
  void unwind(Task& task);

  // --- workflow_jobs.cc: what a job does ---
  void apply(const core::InitializeWorkflow& job);
  void apply(const core::FireTimer& job);
  void apply(const core::UpdateRandomSeed& job);
  void apply(const core::CancelWorkflow& job);
  void apply(const core::SignalWorkflow& job);
  void apply(const core::DoUpdate& job);
  void apply(const core::ResolveActivity& job);
  void apply(const core::NotifyHasPatch& job);
  void apply(const core::ResolveChildWorkflowExecutionStart& job);
  void apply(const core::ResolveChildWorkflowExecution& job);
  void apply(const core::ResolveSignalExternalWorkflow& job);
  void apply(const core::ResolveRequestCancelExternalWorkflow& job);
  void start_signal(const Handler& handler, const std::string& name, const ProtoPayloads& input);
  void apply(const core::QueryWorkflow&) {}    // answer_query()
  void apply(const core::RemoveFromCache&) {}  // evict()
  void apply(const core::ResolveNexusOperationStart&);
  void apply(const core::ResolveNexusOperation&);
  void answer_query(const core::QueryWorkflow& job);
  void run_query(const core::QueryWorkflow& job, ProtoPayload& answer);
  void run_update(const core::DoUpdate& job, const ProtoPayloads& arguments);
  bool accept_update(const core::DoUpdate& job, const Handler& handler,
                     const ProtoPayloads& arguments);
  void respond_update(const core::DoUpdate& job, decltype(core::UpdateResponse::response) response);
  void run_main();
  bool fails_workflow() const;

  // --- workflow_handlers.cc: which handler takes what, and what the run tells of itself ---
  // The handler of this name, else the one for all names, else null.
  Handler find_handler(detail::HandlerKind kind, const std::string& name) const;
  const std::vector<detail::HandlerType>& listed_handlers(detail::HandlerKind kind) const;
  std::vector<std::string> handler_names(detail::HandlerKind kind) const;
  std::string known_handlers(detail::HandlerKind kind) const;
  void warn_of_unfinished_handlers();
  bool answer_built_in(const std::string& query, ProtoPayload& answer);
  std::string stack_traces();
  api::sdk::v1::WorkflowMetadata metadata() const;

  OperationPtr take(std::map<std::uint32_t, OperationPtr>& operations, std::uint32_t seq,
                    const char* kind);
  void resolve(Operation& operation, const api::common::v1::Payload* result);
  void resolve(Operation& operation, const api::failure::v1::Failure& failure);
  void wake_waiting(Operation& operation);

  const detail::WorkflowType& type_;
  const core::RunContext context_;
  const Codec codec_;
  core::Metrics& metrics_;
  StackPool& stacks_;
  const std::string owner_;  // "workflow Order (id order-17, run 01a1...)"
  workflow::Info info_;
  base::WallTime now_;

  std::shared_ptr<void> object_;  // The user's; erased.
  bool initialized_ = false;
  ProtoPayloads arguments_;
  Scope root_scope_;
  std::list<std::shared_ptr<Task>> tasks_;  // Shared with the user's Task handles.
  std::deque<Task*> ready_;
  std::list<Condition*> conditions_;  // Each on the stack of the fiber that waits.
  Task* running_ = nullptr;
  std::vector<void*>* trace_ = nullptr;  // Where a parked task that is resumed notes its stack.
  std::map<std::string, Handler> set_handlers_[3];  // By HandlerKind; set by the code.
  std::vector<BufferedSignals> buffered_signals_;
  std::string current_details_;

  std::map<std::uint32_t, OperationPtr> timers_, activities_, child_starts_, children_, signals_,
      cancels_;
  std::uint32_t timer_seq_ = 0, activity_seq_ = 0, child_seq_ = 0, signal_seq_ = 0, cancel_seq_ = 0;
  std::map<std::string, bool, std::less<>> patches_;  // What patched() has answered.
  std::set<std::string, std::less<>> notified_patches_;
  std::mt19937_64 random_;

  std::vector<core::Command> commands_;
  std::string task_error_;
  std::string cancel_reason_;
  bool cancel_requested_ = false;
  bool read_only_ = false;
  bool evicting_ = false;
  bool accepted_update_ = false;
  bool constructor_threw_ = false;
};

// For calls that reach out of the process: throws std::logic_error where workflow code runs, which
// must get such results from an activity.
void refuse_in_workflow(const char* call);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_WORKFLOW_RUNTIME_H_
