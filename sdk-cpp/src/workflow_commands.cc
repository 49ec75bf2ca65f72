// The commands that workflow code issues, built as the server will get them.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "core/converter/payload.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera::sdk {
namespace {

void set_if(google::protobuf::Duration* (*field)(void*), void* message, Duration value) {
  if (value.count() > 0) core::set_duration(*field(message), value);
}
// set_duration on a submessage only if there is a duration: unset and zero differ for the server.
#define CHIMERA_SET_DURATION(message, field, value)                                            \
  set_if(                                                                                      \
      [](void* m) {                                                                            \
        return static_cast<std::remove_reference_t<decltype(message)>*>(m)->mutable_##field(); \
      },                                                                                       \
      &(message), value)

}  // namespace

void WorkflowRuntime::add_command(core::CommandVariant command, std::string_view summary) {
  if (evicting_) return;
  core::Command out{.variant = std::move(command)};
  if (!summary.empty()) {
    out.user_metadata = std::make_unique<api::sdk::v1::UserMetadata>();
    PayloadSink sink(out.user_metadata->mutable_summary());
    encode(sink, summary);
    encode_in_place(*out.user_metadata->mutable_summary(), codec_);
  }
  commands_.push_back(std::move(out));
}

WorkflowRuntime::OperationPtr WorkflowRuntime::start_timer(Duration duration) {
  auto timer = std::make_shared<Operation>();
  timer->kind = Operation::Kind::kTimer;
  timer->seq = ++timer_seq_;
  timers_[timer->seq] = timer;
  add_command(core::StartTimer{timer->seq, duration});
  return timer;
}

WorkflowRuntime::OperationPtr WorkflowRuntime::schedule_activity(std::string_view name,
                                                                 const ActivityOptions& options,
                                                                 detail::Arguments arguments) {
  if (!may_change("start_activity")) return std::make_shared<Operation>();
  if (options.start_to_close_timeout.count() <= 0 &&
      options.schedule_to_close_timeout.count() <= 0) {
    throw std::invalid_argument(
        absl::StrCat("activity ", std::string(name),
                     " needs a start_to_close_timeout or a schedule_to_close_timeout"));
  }
  core::ScheduleActivity command{};
  auto& attributes = command.attributes;
  attributes.mutable_activity_type()->set_name(std::string(name));
  attributes.set_activity_id(options.activity_id);
  attributes.mutable_task_queue()->set_name(options.task_queue.empty() ? context_.task_queue
                                                                       : options.task_queue);
  if (!arguments.empty()) *attributes.mutable_input() = encode_arguments(arguments, codec_);
  CHIMERA_SET_DURATION(attributes, schedule_to_close_timeout, options.schedule_to_close_timeout);
  CHIMERA_SET_DURATION(attributes, schedule_to_start_timeout, options.schedule_to_start_timeout);
  CHIMERA_SET_DURATION(attributes, start_to_close_timeout, options.start_to_close_timeout);
  CHIMERA_SET_DURATION(attributes, heartbeat_timeout, options.heartbeat_timeout);
  if (options.retry_policy) *attributes.mutable_retry_policy() = to_proto(*options.retry_policy);
  command.cancellation_type =
      static_cast<core::ActivityCancellationType>(options.cancellation_type);
  command.do_not_eagerly_execute = options.disable_eager_execution;

  auto operation = std::make_shared<Operation>();
  operation->kind = Operation::Kind::kActivity;
  operation->seq = command.seq = ++activity_seq_;
  activities_[operation->seq] = operation;
  add_command(std::move(command), options.summary);
  return operation;
}

WorkflowRuntime::OperationPtr WorkflowRuntime::start_child(std::string_view type,
                                                           const ChildWorkflowOptions& options,
                                                           detail::Arguments arguments) {
  if (!may_change("start_child_workflow")) return std::make_shared<Operation>();
  core::StartChildWorkflowExecution command{};
  auto& attributes = command.attributes;
  attributes.set_workflow_id(options.id.empty() ? make_uuid() : options.id);
  attributes.mutable_workflow_type()->set_name(std::string(type));
  attributes.mutable_task_queue()->set_name(options.task_queue.empty() ? context_.task_queue
                                                                       : options.task_queue);
  if (!arguments.empty()) *attributes.mutable_input() = encode_arguments(arguments, codec_);
  CHIMERA_SET_DURATION(attributes, workflow_execution_timeout, options.execution_timeout);
  CHIMERA_SET_DURATION(attributes, workflow_run_timeout, options.run_timeout);
  CHIMERA_SET_DURATION(attributes, workflow_task_timeout, options.task_timeout);
  attributes.set_parent_close_policy(
      static_cast<api::enums::v1::ParentClosePolicy>(options.parent_close_policy));
  attributes.set_workflow_id_reuse_policy(
      static_cast<api::enums::v1::WorkflowIdReusePolicy>(options.id_reuse_policy));
  attributes.set_cron_schedule(options.cron_schedule);
  if (options.retry_policy) *attributes.mutable_retry_policy() = to_proto(*options.retry_policy);
  if (!options.memo.empty()) *attributes.mutable_memo() = to_proto(options.memo, codec_);
  if (!options.search_attributes.empty()) {
    *attributes.mutable_search_attributes() = to_proto(options.search_attributes);
  }
  command.cancellation_type =
      static_cast<core::ChildWorkflowCancellationType>(options.cancellation_type);

  auto start = std::make_shared<Operation>();
  auto child = std::make_shared<Operation>();
  start->kind = Operation::Kind::kChildStart;
  child->kind = Operation::Kind::kChild;
  start->seq = child->seq = command.seq = ++child_seq_;
  start->child = child;
  child->child_id = attributes.workflow_id();
  child->child_type = type;
  child_starts_[start->seq] = start;
  children_[child->seq] = child;
  add_command(std::move(command));
  return start;
}

WorkflowRuntime::OperationPtr WorkflowRuntime::signal_external(const std::string& id,
                                                               const std::string& run_id,
                                                               bool child, std::string_view name,
                                                               detail::Arguments arguments) {
  if (!may_change("signal")) return std::make_shared<Operation>();
  core::SignalExternalWorkflowExecution command{};
  command.attributes.mutable_execution()->set_workflow_id(id);
  command.attributes.mutable_execution()->set_run_id(run_id);
  command.attributes.set_child_workflow_only(child);
  command.attributes.set_signal_name(std::string(name));
  if (!arguments.empty()) *command.attributes.mutable_input() = encode_arguments(arguments, codec_);
  auto operation = std::make_shared<Operation>();
  operation->kind = Operation::Kind::kSignalExternal;
  operation->seq = command.seq = ++signal_seq_;
  signals_[operation->seq] = operation;
  add_command(std::move(command));
  return operation;
}

WorkflowRuntime::OperationPtr WorkflowRuntime::cancel_external(const std::string& id,
                                                               const std::string& run_id,
                                                               const std::string& reason) {
  if (!may_change("cancel")) return std::make_shared<Operation>();
  core::RequestCancelExternalWorkflowExecution command{};
  command.attributes.set_workflow_id(id);
  command.attributes.set_run_id(run_id);
  command.attributes.set_reason(reason);
  auto operation = std::make_shared<Operation>();
  operation->kind = Operation::Kind::kCancelExternal;
  operation->seq = command.seq = ++cancel_seq_;
  cancels_[operation->seq] = operation;
  add_command(std::move(command));
  return operation;
}

// One cancel command per operation; what follows depends on its cancellation type, which the core
// knows.
void WorkflowRuntime::cancel_operation(const OperationPtr& operation) {
  if (operation->done || std::exchange(operation->cancel_sent, true)) return;
  switch (operation->kind) {
    case Operation::Kind::kTimer:
      timers_.erase(operation->seq);
      operation->done = true;
      add_command(core::CancelTimer{operation->seq});
      return;
    case Operation::Kind::kActivity:
      add_command(core::RequestCancelActivity{operation->seq});
      return;
    case Operation::Kind::kChildStart:
    case Operation::Kind::kChild:
      add_command(core::CancelChildWorkflowExecution{operation->seq, cancel_reason_});
      return;
    case Operation::Kind::kSignalExternal:
      add_command(core::CancelSignalWorkflow{operation->seq});
      return;
    case Operation::Kind::kCancelExternal:
      return;  // Cannot be taken back (as in the official SDKs).
  }
}

// As in the official Python SDK 1.35: a cancellation of the waiter becomes one of the operation,
// whose end is then waited for.
void WorkflowRuntime::wait_for(const OperationPtr& operation, Task& task) {
  while (!operation->done) {
    operation->waiting.push_back(&task);
    struct Leave {
      Operation& operation;
      Task* task;
      ~Leave() { std::erase(operation.waiting, task); }
    } leave{*operation, &task};
    park(task);
    if (!take_cancel(task)) continue;
    const bool at_once = operation->kind == Operation::Kind::kTimer ||
                         operation->kind == Operation::Kind::kChildStart ||
                         operation->kind == Operation::Kind::kCancelExternal;
    const bool was_done = operation->done;
    cancel_operation(operation);
    if (was_done || at_once) throw CancelledError();
  }
}

bool WorkflowRuntime::within(const detail::ScopeState* at, const detail::ScopeState& scope) {
  while (at != nullptr && at != &scope) at = at->parent.get();
  return at != nullptr;
}

void WorkflowRuntime::cancel_scope(const Scope& scope, std::string reason) {
  if (std::exchange(scope->cancelled, true)) return;
  scope->reason = std::move(reason);
  for (const auto& task : tasks_) {
    if (within(task->scope.get(), *scope)) {
      task->pending_cancel = scope.get();
      if (task.get() != running_) wake(*task);
    } else if (std::any_of(task->entered.begin(), task->entered.end(), [&](const auto& entered) {
                 return within(entered.outer.get(), *scope);
               })) {
      task->due_cancels.push_back(scope);
    }
  }
}

bool WorkflowRuntime::patched(std::string_view id, bool deprecated) {
  const bool counts = may_change(deprecated ? "deprecate_patch" : "patched");
  const auto known = patches_.find(id);
  if (known != patches_.end()) return known->second;
  if (!counts) return false;
  const bool answer = !info_.is_replaying || notified_patches_.contains(id);
  patches_.emplace(id, answer);
  if (answer) add_command(core::SetPatchMarker{std::string(id), deprecated});
  return answer;
}

std::string WorkflowRuntime::make_uuid() {
  const std::uint64_t high = (random_() & ~0xF000ull) | 0x4000ull;             // Version 4
  const std::uint64_t low = (random_() & ~(0xC0ull << 56)) | (0x80ull << 56);  // Variant 1
  return absl::StrFormat("%08x-%04x-%04x-%04x-%012x", high >> 32, (high >> 16) & 0xFFFF,
                         high & 0xFFFF, low >> 48, low & 0xFFFFFFFFFFFFull);
}

}  // namespace chimera::sdk
