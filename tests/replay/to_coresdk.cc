#include "core/base/check.h"
#include "core/base/proto_time.h"
#include "coresdk.h"

namespace chimera::core::testing {
namespace {

namespace act = coresdk::workflow_activation;
using OutJob = act::WorkflowActivationJob;

template <class From, class To>
void copy_map(const From& from, To* to) {
  for (const auto& [key, value] : from) (*to)[key] = value;
}

void convert(const InitializeWorkflow& job, OutJob& out) {
  const auto& in = *job.started;
  auto& to = *out.mutable_initialize_workflow();
  to.set_workflow_type(in.workflow_type().name());
  to.set_workflow_id(job.workflow_id);
  to.mutable_arguments()->CopyFrom(in.input().payloads());
  to.set_randomness_seed(job.randomness_seed);
  copy_map(in.header().fields(), to.mutable_headers());
  to.set_identity(in.identity());
  if (in.has_parent_workflow_execution()) {
    auto& parent = *to.mutable_parent_workflow_info();
    parent.set_namespace_(in.parent_workflow_namespace());
    parent.set_workflow_id(in.parent_workflow_execution().workflow_id());
    parent.set_run_id(in.parent_workflow_execution().run_id());
  }
  if (in.has_workflow_execution_timeout())
    *to.mutable_workflow_execution_timeout() = in.workflow_execution_timeout();
  if (in.has_workflow_run_timeout()) *to.mutable_workflow_run_timeout() = in.workflow_run_timeout();
  if (in.has_workflow_task_timeout())
    *to.mutable_workflow_task_timeout() = in.workflow_task_timeout();
  to.set_continued_from_execution_run_id(in.continued_execution_run_id());
  to.set_continued_initiator(in.initiator());
  if (in.has_continued_failure()) *to.mutable_continued_failure() = in.continued_failure();
  if (in.has_last_completion_result())
    *to.mutable_last_completion_result() = in.last_completion_result();
  to.set_first_execution_run_id(in.first_execution_run_id());
  if (in.has_retry_policy()) *to.mutable_retry_policy() = in.retry_policy();
  to.set_attempt(in.attempt());
  to.set_cron_schedule(in.cron_schedule());
  if (in.has_workflow_execution_expiration_time()) {
    *to.mutable_workflow_execution_expiration_time() = in.workflow_execution_expiration_time();
  }
  if (in.has_first_workflow_task_backoff()) {
    *to.mutable_cron_schedule_to_schedule_interval() = in.first_workflow_task_backoff();
  }
  if (in.has_memo()) *to.mutable_memo() = in.memo();
  if (in.has_search_attributes()) *to.mutable_search_attributes() = in.search_attributes();
  base::set_timestamp(job.start_time, *to.mutable_start_time());
  if (in.has_root_workflow_execution()) *to.mutable_root_workflow() = in.root_workflow_execution();
  if (in.has_priority()) *to.mutable_priority() = in.priority();
  to.set_original_execution_run_id(in.original_execution_run_id());
}

void convert(const FireTimer& job, OutJob& out) { out.mutable_fire_timer()->set_seq(job.seq); }
void convert(const UpdateRandomSeed& job, OutJob& out) {
  out.mutable_update_random_seed()->set_randomness_seed(job.randomness_seed);
}
void convert(const QueryWorkflow& job, OutJob& out) {
  auto& to = *out.mutable_query_workflow();
  to.set_query_id(job.query_id);
  to.set_query_type(job.query->query_type());
  to.mutable_arguments()->CopyFrom(job.query->query_args().payloads());
  copy_map(job.query->header().fields(), to.mutable_headers());
}
void convert(const CancelWorkflow& job, OutJob& out) {
  out.mutable_cancel_workflow()->set_reason(job.reason);
}
void convert(const SignalWorkflow& job, OutJob& out) {
  auto& to = *out.mutable_signal_workflow();
  to.set_signal_name(job.signal->signal_name());
  to.mutable_input()->CopyFrom(job.signal->input().payloads());
  to.set_identity(job.signal->identity());
  copy_map(job.signal->header().fields(), to.mutable_headers());
  to.set_originating_event_id(job.event_id);
}
void convert(const ResolveActivity& job, OutJob& out) {
  auto& to = *out.mutable_resolve_activity();
  to.set_seq(job.seq);
  to.set_is_local(job.is_local);
  auto& result = *to.mutable_result();
  if (const auto* completed = std::get_if<Completed>(&job.result)) {
    result.mutable_completed();
    if (completed->result) *result.mutable_completed()->mutable_result() = *completed->result;
  } else if (const auto* failed = std::get_if<Failed>(&job.result)) {
    *result.mutable_failed()->mutable_failure() = *failed->failure;
  } else if (const auto* cancelled = std::get_if<Cancelled>(&job.result)) {
    *result.mutable_cancelled()->mutable_failure() = *cancelled->failure;
  } else {
    const auto& backoff = std::get<Backoff>(job.result);
    result.mutable_backoff()->set_attempt(backoff.attempt);
    base::set_duration(backoff.duration, *result.mutable_backoff()->mutable_backoff_duration());
    base::set_timestamp(backoff.original_schedule_time,
                        *result.mutable_backoff()->mutable_original_schedule_time());
  }
}
// The official core has no such job, and tells it to no language of the golden traces.
void convert(const NotifyRecorded&, OutJob&) { CHIMERA_CHECK(false, "a record was told"); }
void convert(const NotifyHasPatch& job, OutJob& out) {
  out.mutable_notify_has_patch()->set_patch_id(job.patch_id);
}
void convert(const ResolveChildWorkflowExecutionStart& job, OutJob& out) {
  using Start = ResolveChildWorkflowExecutionStart;
  auto& to = *out.mutable_resolve_child_workflow_execution_start();
  to.set_seq(job.seq);
  if (const auto* succeeded = std::get_if<Start::Succeeded>(&job.status)) {
    to.mutable_succeeded()->set_run_id(succeeded->run_id);
  } else if (const auto* failed = std::get_if<Start::StartFailed>(&job.status)) {
    to.mutable_failed()->set_workflow_id(failed->workflow_id);
    to.mutable_failed()->set_workflow_type(failed->workflow_type);
    to.mutable_failed()->set_cause(
        static_cast<coresdk::child_workflow::StartChildWorkflowExecutionFailedCause>(
            failed->cause));
  } else {
    *to.mutable_cancelled()->mutable_failure() = *std::get<Cancelled>(job.status).failure;
  }
}
void convert(const ResolveChildWorkflowExecution& job, OutJob& out) {
  auto& to = *out.mutable_resolve_child_workflow_execution();
  to.set_seq(job.seq);
  auto& result = *to.mutable_result();
  if (const auto* completed = std::get_if<Completed>(&job.result)) {
    result.mutable_completed();
    if (completed->result) *result.mutable_completed()->mutable_result() = *completed->result;
  } else if (const auto* failed = std::get_if<Failed>(&job.result)) {
    *result.mutable_failed()->mutable_failure() = *failed->failure;
  } else {
    *result.mutable_cancelled()->mutable_failure() = *std::get<Cancelled>(job.result).failure;
  }
}
void convert(const ResolveSignalExternalWorkflow& job, OutJob& out) {
  auto& to = *out.mutable_resolve_signal_external_workflow();
  to.set_seq(job.seq);
  if (job.failure) *to.mutable_failure() = *job.failure;
  to.set_cause(job.cause);
}
void convert(const ResolveRequestCancelExternalWorkflow& job, OutJob& out) {
  auto& to = *out.mutable_resolve_request_cancel_external_workflow();
  to.set_seq(job.seq);
  if (job.failure) *to.mutable_failure() = *job.failure;
  to.set_cause(job.cause);
}
void convert(const DoUpdate& job, OutJob& out) {
  auto& to = *out.mutable_do_update();
  to.set_id(job.id);
  to.set_protocol_instance_id(job.protocol_instance_id);
  to.set_name(job.request->input().name());
  to.mutable_input()->CopyFrom(job.request->input().args().payloads());
  copy_map(job.request->input().header().fields(), to.mutable_headers());
  *to.mutable_meta() = job.request->meta();
  to.set_run_validator(job.run_validator);
}
void convert(const ResolveNexusOperationStart& job, OutJob& out) {
  auto& to = *out.mutable_resolve_nexus_operation_start();
  to.set_seq(job.seq);
  if (const auto* token = std::get_if<ResolveNexusOperationStart::OperationToken>(&job.status)) {
    to.set_operation_token(token->token);
  } else if (std::holds_alternative<ResolveNexusOperationStart::StartedSync>(job.status)) {
    to.set_started_sync(true);
  } else {
    *to.mutable_failed() = *std::get<Failed>(job.status).failure;
  }
}
void convert(const ResolveNexusOperation& job, OutJob& out) {
  auto& to = *out.mutable_resolve_nexus_operation();
  to.set_seq(job.seq);
  auto& result = *to.mutable_result();
  if (const auto* completed = std::get_if<Completed>(&job.result)) {
    result.mutable_completed();
    if (completed->result) *result.mutable_completed() = *completed->result;
  } else if (const auto* failed = std::get_if<Failed>(&job.result)) {
    *result.mutable_failed() = *failed->failure;
  } else if (const auto* cancelled = std::get_if<Cancelled>(&job.result)) {
    *result.mutable_cancelled() = *cancelled->failure;
  } else {
    *result.mutable_timed_out() = *std::get<ResolveNexusOperation::TimedOut>(job.result).failure;
  }
}
void convert(const RemoveFromCache& job, OutJob& out) {
  auto& to = *out.mutable_remove_from_cache();
  to.set_reason(static_cast<act::RemoveFromCache::EvictionReason>(job.reason));
  to.set_message(job.message);
}

}  // namespace

act::WorkflowActivation to_coresdk(const Activation& activation) {
  act::WorkflowActivation out;
  out.set_run_id(activation.run_id);
  base::set_timestamp(activation.time, *out.mutable_timestamp());
  out.set_is_replaying(activation.is_replaying);
  out.set_history_length(activation.history_length);
  out.set_history_size_bytes(activation.history_size_bytes);
  out.set_continue_as_new_suggested(activation.continue_as_new_suggested);
  for (auto reason : activation.suggest_continue_as_new_reasons)
    out.add_suggest_continue_as_new_reasons(reason);
  out.set_target_worker_deployment_version_changed(
      activation.target_worker_deployment_version_changed);
  if (const auto& version = activation.deployment_version_for_current_task) {
    out.mutable_deployment_version_for_current_task()->set_deployment_name(
        version->deployment_name());
    out.mutable_deployment_version_for_current_task()->set_build_id(version->build_id());
  }
  for (auto flag : activation.available_internal_flags) out.add_available_internal_flags(flag);
  out.set_last_sdk_version(activation.last_sdk_version);
  for (const Job& job : activation.jobs) {
    std::visit([&](const auto& one) { convert(one, *out.add_jobs()); }, job);
  }
  return out;
}

}  // namespace chimera::core::testing
