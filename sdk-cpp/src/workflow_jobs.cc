// What each job of an activation does to a run.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "core/converter/failure.h"
#include "core/converter/payload.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/failure_size.h"
#include "sdk-cpp/src/log.h"
#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera::sdk {
namespace {

std::shared_ptr<const FailureError> start_error(
    const core::ResolveChildWorkflowExecutionStart::StartFailed& failed) {
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

// A handler for all names gets the name first.
const ProtoPayloads& handler_arguments(const detail::HandlerType& handler, const std::string& name,
                                       const ProtoPayloads& arguments, ProtoPayloads& scratch) {
  if (!handler.name.empty()) return arguments;
  ProtoPayloads with_name;
  PayloadSink sink(with_name.add_payloads());
  encode(sink, name);
  with_name.MergeFrom(arguments);
  scratch = std::move(with_name);
  return scratch;
}

}  // namespace

void WorkflowRuntime::apply(const core::InitializeWorkflow& job) {
  const auto& started = *job.started;
  initialized_ = true;
  arguments_ = started.input();
  random_.seed(job.randomness_seed);
  info_.workflow_id = context_.workflow_id;
  info_.run_id = context_.run_id;
  info_.workflow_type = context_.workflow_type;
  info_.task_queue = context_.task_queue;
  info_.namespace_ = context_.namespace_;
  info_.attempt = started.attempt();
  info_.first_execution_run_id = started.first_execution_run_id();
  info_.continued_run_id = started.continued_execution_run_id();
  info_.cron_schedule = started.cron_schedule();
  info_.execution_timeout = core::to_nanoseconds(started.workflow_execution_timeout());
  info_.run_timeout = core::to_nanoseconds(started.workflow_run_timeout());
  info_.task_timeout = core::to_nanoseconds(started.workflow_task_timeout());
  info_.workflow_start_time = job.start_time;
  info_.start_time = now_;
  if (started.has_retry_policy()) info_.retry_policy = to_public(started.retry_policy());
  if (started.has_parent_workflow_execution()) {
    info_.parent =
        workflow::ParentInfo{.namespace_ = started.parent_workflow_namespace(),
                             .workflow_id = started.parent_workflow_execution().workflow_id(),
                             .run_id = started.parent_workflow_execution().run_id()};
  }
  for (const auto& [key, value] : started.memo().fields()) {
    try {
      ProtoPayload scratch;
      info_.memo[key] = to_public(decoded(value, codec_, scratch));
    } catch (...) {
      set_task_error(
          absl::StrCat("cannot decode the memo '", key, "' of ", owner_, ": ", describe_current()));
    }
  }
  for (const auto& [key, value] : started.search_attributes().indexed_fields()) {
    info_.search_attributes[key] = to_public(value);
  }
}

void WorkflowRuntime::run_main() {
  try {
    core::CompleteWorkflowExecution complete;
    ProtoPayloads scratch;
    ProtoPayload result;
    PayloadSink sink(&result);
    type_.run(object_.get(), PayloadList(&decoded(arguments_, codec_, scratch)), &sink);
    encode_in_place(result, codec_);
    complete.result = std::move(result);
    add_command(std::move(complete));
  } catch (const ConversionError&) {
    if (fails_workflow()) return add_command(core::FailWorkflowExecution{current_failure(codec_)});
    set_task_error(absl::StrCat("cannot convert a value of ", owner_, ": ", describe_current()));
  } catch (...) {
    finish_main_with_current_exception();
  }
}

void WorkflowRuntime::apply(const core::FireTimer& job) {
  const auto found = timers_.find(job.seq);
  if (found == timers_.end()) return;  // Cancelled earlier in this activation.
  const OperationPtr timer = std::move(found->second);
  timers_.erase(found);
  resolve(*timer, nullptr);
}

void WorkflowRuntime::apply(const core::UpdateRandomSeed& job) {
  random_.seed(job.randomness_seed);
}

void WorkflowRuntime::apply(const core::NotifyHasPatch& job) {
  notified_patches_.insert(job.patch_id);
}

void WorkflowRuntime::apply(const core::CancelWorkflow& job) {
  cancel_requested_ = true;
  cancel_reason_ = job.reason;
  cancel_scope(root_scope_, job.reason);
}

void WorkflowRuntime::apply(const core::SignalWorkflow& job) {
  const std::string& name = job.signal->signal_name();
  if (const Handler handler = find_handler(detail::HandlerKind::kSignal, name)) {
    start_signal(handler, name, job.signal->input());
    return;
  }
  if (!quiet()) {
    log(LogLevel::kWarning, absl::StrCat(owner_, " has no handler for the signal '", name,
                                         "' yet; it waits until one is set. Known signals: ",
                                         known_handlers(detail::HandlerKind::kSignal)));
  }
  auto at = std::find_if(buffered_signals_.begin(), buffered_signals_.end(),
                         [&](const BufferedSignals& each) { return each.name == name; });
  if (at == buffered_signals_.end()) at = buffered_signals_.insert(at, BufferedSignals{name, {}});
  at->inputs.push_back(job.signal->input());
}

void WorkflowRuntime::start_signal(const Handler& handler, const std::string& name,
                                   const ProtoPayloads& input) {
  auto arguments = std::make_shared<ProtoPayloads>();
  try {
    ProtoPayloads decrypted, named;
    *arguments = handler_arguments(*handler, name, decoded(input, codec_, decrypted), named);
    handler->check(PayloadList(arguments.get()));
  } catch (...) {
    if (quiet()) return;
    log(LogLevel::kError, absl::StrCat(owner_, " dropped a signal '", name,
                                       "' that it cannot read: ", describe_current()));
    return;
  }
  const auto task = spawn(
      absl::StrCat("signal ", name),
      [this, handler, arguments] {
        report_trouble([&] {
          try {
            handler->call(object_.get(), PayloadList(arguments.get()), nullptr);
          } catch (...) {
            finish_main_with_current_exception();
          }
        });
      },
      nullptr);
  task->is_handler = true;
  task->handler = handler;
  task->update = nullptr;  // Not of the update that may have set the handler.
}

void WorkflowRuntime::apply(const core::DoUpdate& job) {
  auto arguments = std::make_shared<ProtoPayloads>(job.request->input().args());
  // The request is not kept beyond its activation; only what the task needs is copied.
  core::DoUpdate kept{.id = job.id,
                      .protocol_instance_id = job.protocol_instance_id,
                      .request = nullptr,
                      .run_validator = job.run_validator};
  const auto update = std::make_shared<const workflow::UpdateInfo>(
      workflow::UpdateInfo{.id = job.id, .name = job.request->input().name()});
  const auto task = spawn(
      absl::StrCat("update ", update->name),
      [this, kept = std::move(kept), arguments] {
        report_trouble([&] { run_update(kept, *arguments); });
      },
      nullptr);
  task->is_handler = true;
  task->update = update;
  task->handler = find_handler(detail::HandlerKind::kUpdate, update->name);
}

void WorkflowRuntime::run_update(const core::DoUpdate& job, const ProtoPayloads& encoded) {
  const std::string& name = running_->update->name;
  // Looked up now: what set_update_handler() did since the update arrived counts.
  const Handler handler = running_->handler = find_handler(detail::HandlerKind::kUpdate, name);
  ProtoPayloads decrypted, named;
  const ProtoPayloads* arguments = &encoded;
  try {
    arguments = &decoded(encoded, codec_, decrypted);
    if (handler != nullptr) arguments = &handler_arguments(*handler, name, *arguments, named);
  } catch (const ConversionError&) {
    respond_update(job, core::UpdateResponse::Rejected{current_failure(codec_)});
    return;
  }
  if (!accept_update(job, handler, *arguments)) return;
  try {
    ProtoPayload result;
    PayloadSink sink(&result);
    handler->call(object_.get(), PayloadList(arguments), &sink);
    encode_in_place(result, codec_);
    respond_update(job, core::UpdateResponse::Completed{std::move(result)});
  } catch (const Unwinding&) {
    throw;
  } catch (const ContinueAsNew&) {
    set_task_error(
        absl::StrCat("the update '", name, "' of ", owner_,
                     " called continue_as_new; only the run method and signal handlers may"));
  } catch (const FailureError& error) {
    respond_update(job, core::UpdateResponse::Rejected{to_failure(error, codec_)});
  } catch (...) {
    if (fails_workflow()) {
      respond_update(job, core::UpdateResponse::Rejected{current_failure(codec_)});
      return;
    }
    set_task_error(
        absl::StrCat(describe_current(), " left the update '", name, "' of ", owner_,
                     ". Only chimera's failures fail an update; the task is tried again."));
  }
}

bool WorkflowRuntime::accept_update(const core::DoUpdate& job, const Handler& handler,
                                    const ProtoPayloads& arguments) {
  if (handler == nullptr) {
    respond_update(
        job, core::UpdateResponse::Rejected{plain_failure(
                 absl::StrCat("unknown update '", running_->update->name, "' of workflow ",
                              context_.workflow_type,
                              "; known updates: ", known_handlers(detail::HandlerKind::kUpdate)),
                 "UnknownUpdate")});
    return false;
  }
  const bool before = std::exchange(read_only_, true);
  try {
    handler->check(PayloadList(&arguments));
    if (job.run_validator && handler->validate) {
      handler->validate(object_.get(), PayloadList(&arguments), nullptr);
    }
  } catch (const ReadOnlyContextError& error) {
    read_only_ = before;
    set_task_error(error.what());
    return false;
  } catch (...) {
    read_only_ = before;
    respond_update(job, core::UpdateResponse::Rejected{current_failure(codec_)});
    return false;
  }
  read_only_ = before;
  accepted_update_ = true;
  respond_update(job, core::UpdateResponse::Accepted{});
  return true;
}

void WorkflowRuntime::respond_update(const core::DoUpdate& job,
                                     decltype(core::UpdateResponse::response) response) {
  add_command(core::UpdateResponse{job.protocol_instance_id, std::move(response)});
}

void WorkflowRuntime::answer_query(const core::QueryWorkflow& job) {
  core::RespondToQuery answer{.query_id = job.query_id, .answer = {}};
  const bool before = std::exchange(read_only_, true);
  try {
    ProtoPayload result;
    if (!answer_built_in(job.query->query_type(), result)) run_query(job, result);
    encode_in_place(result, codec_);
    answer.answer = std::move(result);
  } catch (...) {
    answer.answer = current_failure(codec_, kFailureBytesMax);
  }
  read_only_ = before;
  commands_.push_back(core::Command{.variant = std::move(answer)});
}

void WorkflowRuntime::run_query(const core::QueryWorkflow& job, ProtoPayload& answer) {
  const std::string& name = job.query->query_type();
  const Handler handler = find_handler(detail::HandlerKind::kQuery, name);
  if (handler == nullptr) {
    throw ApplicationError(
        absl::StrCat("workflow ", context_.workflow_type, " has no query '", name,
                     "'; known queries: ", known_handlers(detail::HandlerKind::kQuery)),
        {.type = "UnknownQuery"});
  }
  if (object_ == nullptr) {
    throw ApplicationError(absl::StrCat(owner_, " has not run yet"), {.type = "NotStarted"});
  }
  ProtoPayloads decrypted, named;
  const ProtoPayloads& arguments =
      handler_arguments(*handler, name, decoded(job.query->query_args(), codec_, decrypted), named);
  PayloadSink sink(&answer);
  handler->call(object_.get(), PayloadList(&arguments), &sink);
}

WorkflowRuntime::OperationPtr WorkflowRuntime::take(
    std::map<std::uint32_t, OperationPtr>& operations, std::uint32_t seq, const char* kind) {
  const auto found = operations.find(seq);
  if (found == operations.end()) {
    set_task_error(absl::StrCat("a result arrived for ", kind, " ", seq, ", which ", owner_,
                                " does not wait for"));
    return nullptr;
  }
  OperationPtr operation = std::move(found->second);
  operations.erase(found);
  return operation;
}

void WorkflowRuntime::apply(const core::ResolveActivity& job) {
  const OperationPtr operation = take(activities_, job.seq, "activity");
  if (operation == nullptr) return;
  if (const auto* completed = std::get_if<core::Completed>(&job.result)) {
    resolve(*operation, completed->result);
  } else if (const auto* failed = std::get_if<core::Failed>(&job.result)) {
    resolve(*operation, *failed->failure);
  } else if (const auto* cancelled = std::get_if<core::Cancelled>(&job.result)) {
    resolve(*operation, *cancelled->failure);
  } else {
    set_task_error("the C++ SDK has no local activities, but one asked to be tried again");
  }
}

void WorkflowRuntime::apply(const core::ResolveChildWorkflowExecutionStart& job) {
  using Start = core::ResolveChildWorkflowExecutionStart;
  const OperationPtr start = take(child_starts_, job.seq, "child workflow start");
  if (start == nullptr) return;
  if (const auto* succeeded = std::get_if<Start::Succeeded>(&job.status)) {
    start->child->child_run_id = succeeded->run_id;
    resolve(*start, nullptr);
    return;
  }
  children_.erase(job.seq);
  if (const auto* failed = std::get_if<Start::StartFailed>(&job.status)) {
    start->failure = start_error(*failed);
    resolve(*start, nullptr);
  } else {
    resolve(*start, *std::get<core::Cancelled>(job.status).failure);
  }
}

void WorkflowRuntime::apply(const core::ResolveChildWorkflowExecution& job) {
  const OperationPtr child = take(children_, job.seq, "child workflow");
  if (child == nullptr) return;
  if (const auto* completed = std::get_if<core::Completed>(&job.result)) {
    resolve(*child, completed->result);
  } else if (const auto* failed = std::get_if<core::Failed>(&job.result)) {
    resolve(*child, *failed->failure);
  } else {
    resolve(*child, *std::get<core::Cancelled>(job.result).failure);
  }
}

void WorkflowRuntime::apply(const core::ResolveSignalExternalWorkflow& job) {
  const OperationPtr operation = take(signals_, job.seq, "signal");
  if (operation == nullptr) return;
  if (job.failure == nullptr) return resolve(*operation, nullptr);
  resolve(*operation, *job.failure);
}

void WorkflowRuntime::apply(const core::ResolveRequestCancelExternalWorkflow& job) {
  const OperationPtr operation = take(cancels_, job.seq, "cancel request");
  if (operation == nullptr) return;
  if (job.failure == nullptr) return resolve(*operation, nullptr);
  resolve(*operation, *job.failure);
}

void WorkflowRuntime::apply(const core::ResolveNexusOperationStart&) {
  set_task_error("the C++ SDK has no Nexus operations yet, but one was resolved");
}
void WorkflowRuntime::apply(const core::ResolveNexusOperation&) {
  set_task_error("the C++ SDK has no Nexus operations yet, but one was resolved");
}

void WorkflowRuntime::resolve(Operation& operation, const api::common::v1::Payload* result) {
  operation.done = true;
  if (result != nullptr) {
    try {
      ProtoPayload scratch;
      operation.result = decoded(*result, codec_, scratch);
    } catch (const ConversionError& error) {
      set_task_error(absl::StrCat("cannot decode a result for ", owner_, ": ", error.what()));
    }
  }
  wake_waiting(operation);
}

void WorkflowRuntime::resolve(Operation& operation, const api::failure::v1::Failure& failure) {
  operation.done = true;
  try {
    operation.failure = to_error(failure, codec_);
  } catch (const ConversionError& error) {
    set_task_error(absl::StrCat("cannot decode a failure for ", owner_, ": ", error.what()));
  }
  wake_waiting(operation);
}

void WorkflowRuntime::wake_waiting(Operation& operation) {
  for (Task* task : std::exchange(operation.waiting, {})) wake(*task);
  if (operation.on_done) std::exchange(operation.on_done, nullptr)();
}

}  // namespace chimera::sdk
