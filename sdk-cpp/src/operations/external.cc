#include "sdk-cpp/src/operations/external.h"

#include <optional>
#include <utility>

#include "sdk-cpp/src/calls.h"
#include "sdk-cpp/src/operations/attributes.h"
#include "sdk-cpp/src/operations/values.h"

namespace chimera::sdk {

struct Externals::Signal final : Operation {
  void ask_to_end(Run& run) override { run.add_command(core::CancelSignalWorkflow{seq}); }
  std::optional<OtherWorkflowValues> values;
};
struct Externals::Cancel final : Operation {  // Cannot be taken back (as in the official SDKs).
  bool leaves_at_once() const override { return true; }
};

OperationPtr Externals::call(SignalExternalInput& input) {
  const auto signal = std::make_shared<Signal>();
  if (!run_.may_change(input.kCall)) return signal;
  signal->codec = &signal->values.emplace(run_, input.workflow_id).codec();
  core::SignalExternalWorkflowExecution command{};
  auto& attributes = command.attributes;
  attributes.mutable_execution()->set_workflow_id(input.workflow_id);
  attributes.mutable_execution()->set_run_id(input.run_id);
  attributes.set_child_workflow_only(input.child);
  attributes.set_signal_name(std::string(input.name));
  set_input(attributes, input.arguments, *signal->codec, std::move(input.header));
  signals_.add(signal);
  command.seq = signal->seq;
  run_.add_command(std::move(command));
  return signal;
}

OperationPtr Externals::call(CancelExternalInput& input) {
  const auto cancel = std::make_shared<Cancel>();
  if (!run_.may_change(input.kCall)) return cancel;
  cancel->codec = &run_.codec;
  core::RequestCancelExternalWorkflowExecution command{};
  command.attributes.set_workflow_id(input.workflow_id);
  command.attributes.set_run_id(input.run_id);
  command.attributes.set_reason(input.reason);
  cancels_.add(cancel);
  command.seq = cancel->seq;
  run_.add_command(std::move(command));
  return cancel;
}

void Externals::apply(const core::ResolveSignalExternalWorkflow& job) {
  const OperationPtr signal = signals_.take(job.seq, "signal", run_);
  if (signal == nullptr) return;
  if (job.failure == nullptr) return scheduler_.resolve(*signal, nullptr);
  scheduler_.resolve(*signal, *job.failure);
}

void Externals::apply(const core::ResolveRequestCancelExternalWorkflow& job) {
  const OperationPtr cancel = cancels_.take(job.seq, "cancel request", run_);
  if (cancel == nullptr) return;
  if (job.failure == nullptr) return scheduler_.resolve(*cancel, nullptr);
  scheduler_.resolve(*cancel, *job.failure);
}

}  // namespace chimera::sdk

namespace chimera::detail {

void signal_external(const std::string& id, const std::string& run_id, std::string_view name,
                     Arguments arguments) {
  sdk::call_and_wait(sdk::SignalExternalInput{id, run_id, /*child=*/false, name, arguments});
}

void cancel_external(const std::string& id, const std::string& run_id, const std::string& reason) {
  sdk::call_and_wait(sdk::CancelExternalInput{id, run_id, reason});
}

}  // namespace chimera::detail
