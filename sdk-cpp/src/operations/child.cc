#include "sdk-cpp/src/operations/child.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "sdk-cpp/src/calls.h"
#include "sdk-cpp/src/operations/attributes.h"
#include "sdk-cpp/src/operations/end.h"
#include "sdk-cpp/src/version_wire.h"

namespace chimera::sdk {
namespace {

using Start = core::ResolveChildWorkflowExecutionStart;

std::shared_ptr<const FailureError> start_error(const Start::StartFailed& failed) {
  namespace enums = api::enums::v1;
  if (failed.cause == enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS) {
    return std::make_shared<const WorkflowAlreadyStartedError>(failed.workflow_id,
                                                               failed.workflow_type, "");
  }
  const bool no_namespace =
      failed.cause == enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND;
  return std::make_shared<const ApplicationError>(
      absl::StrCat("cannot start child workflow ", failed.workflow_type, " with id ",
                   failed.workflow_id, ": ",
                   enums::StartChildWorkflowExecutionFailedCause_Name(failed.cause)),
      ApplicationErrorOptions{
          .type = no_namespace ? "NamespaceNotFound" : "ChildWorkflowStartFailed",
          .non_retryable = true});
}

void set_attributes(api::command::v1::StartChildWorkflowExecutionCommandAttributes& attributes,
                    StartChildInput& input, Run& run, Child& child) {
  const ChildWorkflowOptions& options = input.options;
  child.name(run, options.id.empty() ? run.make_uuid() : options.id);
  attributes.set_workflow_id(child.id);
  attributes.mutable_workflow_type()->set_name(std::string(input.type));
  attributes.mutable_task_queue()->set_name(options.task_queue.empty() ? run.context.task_queue
                                                                       : options.task_queue);
  set_input(attributes, input.arguments, *child.codec, std::move(input.header));
  set_duration(options.execution_timeout, "ChildWorkflowOptions::execution_timeout",
               [&] { return attributes.mutable_workflow_execution_timeout(); });
  set_duration(options.run_timeout, "ChildWorkflowOptions::run_timeout",
               [&] { return attributes.mutable_workflow_run_timeout(); });
  set_duration(options.task_timeout, "ChildWorkflowOptions::task_timeout",
               [&] { return attributes.mutable_workflow_task_timeout(); });
  attributes.set_parent_close_policy(
      static_cast<api::enums::v1::ParentClosePolicy>(options.parent_close_policy));
  attributes.set_workflow_id_reuse_policy(
      static_cast<api::enums::v1::WorkflowIdReusePolicy>(options.id_reuse_policy));
  attributes.set_cron_schedule(options.cron_schedule);
  if (options.retry_policy) *attributes.mutable_retry_policy() = to_proto(*options.retry_policy);
  if (!options.memo.empty()) *attributes.mutable_memo() = to_proto(options.memo, *child.codec);
  if (!options.search_attributes.empty())
    *attributes.mutable_search_attributes() = to_proto(options.search_attributes);
  if (options.priority != Priority{}) *attributes.mutable_priority() = to_proto(options.priority);
  if (options.versioning_override)
    *attributes.mutable_versioning_override() = to_proto(*options.versioning_override);
}

}  // namespace

OperationPtr Children::call(StartChildInput& input) {
  const auto start = std::make_shared<ChildStart>();
  start->child = std::make_shared<Child>();
  if (!run_.may_change(input.kCall)) return start;
  core::StartChildWorkflowExecution command{};
  set_attributes(command.attributes, input, run_, *start->child);
  start->codec = start->child->codec;
  command.cancellation_type =
      static_cast<core::ChildWorkflowCancellationType>(input.options.cancellation_type);
  command.made_up_id = input.options.id.empty();
  start->child->type = input.type;
  starts_.add(start);
  children_.add(start->child);
  command.seq = start->seq;
  run_.add_command(std::move(command), input.options.static_summary, input.options.static_details);
  return start;
}

void Children::apply(const Start& job) {
  const std::shared_ptr<ChildStart> start = starts_.take(job.seq, "child workflow start", run_);
  if (start == nullptr) return;
  if (const auto* succeeded = std::get_if<Start::Succeeded>(&job.status)) {
    start->child->run_id = succeeded->run_id;
    if (!succeeded->workflow_id.empty() && succeeded->workflow_id != start->child->id)
      start->child->name(run_, succeeded->workflow_id);
    return scheduler_.resolve(*start, nullptr);
  }
  children_.take(job.seq);
  if (const auto* failed = std::get_if<Start::StartFailed>(&job.status)) {
    start->failure = start_error(*failed);
    scheduler_.resolve(*start, nullptr);
  } else {
    scheduler_.resolve(*start, *std::get<core::Cancelled>(job.status).failure);
  }
}

void Children::apply(const core::ResolveChildWorkflowExecution& job) {
  const std::shared_ptr<Child> child = children_.take(job.seq, "child workflow", run_);
  if (child != nullptr) end(scheduler_, *child, job.result);
}

}  // namespace chimera::sdk

namespace chimera::detail {

OperationPtr start_child(std::string_view type, const ChildWorkflowOptions& options,
                         Arguments arguments) {
  const OperationPtr start = sdk::call_and_wait(sdk::StartChildInput{type, options, arguments});
  return static_cast<const sdk::ChildStart&>(*start).child;
}

namespace {
const sdk::Child& as_child(const OperationPtr& operation) {
  sdk::require(operation, "handle");
  return static_cast<const sdk::Child&>(*operation);
}
}  // namespace

const std::string& child_id(const OperationPtr& child) { return as_child(child).id; }
const std::string& child_run_id(const OperationPtr& child) { return as_child(child).run_id; }
const std::string& child_type(const OperationPtr& child) { return as_child(child).type; }

void signal_child(const OperationPtr& child, std::string_view name, Arguments arguments) {
  const std::string any_run;
  sdk::call_and_wait(
      sdk::SignalExternalInput{as_child(child).id, any_run, /*child=*/true, name, arguments});
}

}  // namespace chimera::detail
