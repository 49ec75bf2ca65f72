#include "sdk-cpp/src/operations/operations.h"

#include <utility>

#include "sdk-cpp/src/operations/attributes.h"

namespace chimera::sdk {

Operations::Operations(Run& run, Scheduler& scheduler)
    : WorkflowOutbound(nullptr),
      run_(run),
      scheduler_(scheduler),
      timers_(run, scheduler),
      activities_(run, scheduler, pending_activities_),
      local_activities_(run, scheduler, timers_, pending_activities_),
      children_(run, scheduler),
      externals_(run, scheduler) {}

OperationPtr Operations::start_activity(StartActivityInput& input) {
  return activities_.start(input);
}
OperationPtr Operations::start_local_activity(StartLocalActivityInput& input) {
  return local_activities_.start(input);
}
OperationPtr Operations::start_child(StartChildInput& input) { return children_.start(input); }
OperationPtr Operations::signal_external(SignalExternalInput& input) {
  return externals_.signal(input);
}
OperationPtr Operations::cancel_external(CancelExternalInput& input) {
  return externals_.cancel(input);
}

void Operations::continue_as_new(ContinueAsNewInput& input) {
  detail::TaskState* const task = scheduler_.running();
  if (!run_.may_change("continue_as_new") && task != nullptr) scheduler_.throw_unwinding(*task);
  ContinueAsNew next;
  auto& attributes = next.attributes;
  const ContinueAsNewOptions& options = input.options;
  if (!options.workflow_type.empty())
    attributes.mutable_workflow_type()->set_name(options.workflow_type);
  if (!options.task_queue.empty()) attributes.mutable_task_queue()->set_name(options.task_queue);
  set_input(attributes, input.arguments, run_.codec, std::move(input.header));
  set_duration(options.run_timeout, [&] { return attributes.mutable_workflow_run_timeout(); });
  set_duration(options.task_timeout, [&] { return attributes.mutable_workflow_task_timeout(); });
  if (options.retry_policy) *attributes.mutable_retry_policy() = to_proto(*options.retry_policy);
  if (!options.memo.empty()) *attributes.mutable_memo() = to_proto(options.memo, run_.codec);
  if (!options.search_attributes.empty())
    *attributes.mutable_search_attributes() = to_proto(options.search_attributes);
  if (task != nullptr) task->continuing_as_new = true;
  throw next;
}

void Operations::apply(const core::ResolveNexusOperationStart&) {
  run_.set_task_error("the C++ SDK has no Nexus operations yet, but one was resolved");
}
void Operations::apply(const core::ResolveNexusOperation&) {
  run_.set_task_error("the C++ SDK has no Nexus operations yet, but one was resolved");
}

}  // namespace chimera::sdk
