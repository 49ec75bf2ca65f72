#include "bindings/python/activation.h"

namespace chimera::bindings {
namespace {

std::int64_t nanoseconds(base::WallTime time) { return time.time_since_epoch().count(); }

py::object optional_message(const google::protobuf::MessageLite* message) {
  if (message == nullptr) return py::none();
  return serialize(*message);
}

py::list payloads(const api::common::v1::Payloads& values) {
  py::list result(values.payloads_size());
  for (int i = 0; i < values.payloads_size(); ++i) result[i] = serialize(values.payloads(i));
  return result;
}

py::dict headers(const api::common::v1::Header& header) {
  py::dict result;
  for (const auto& [name, payload] : header.fields()) result[text(name)] = serialize(payload);
  return result;
}

// How operations end: (status, value) is the tail of their job's tuple.
struct Ending {
  const char* status;
  py::object value;
};

Ending ending(const core::Completed& result) {
  return {"completed", optional_message(result.result)};
}
Ending ending(const core::Failed& result) { return {"failed", serialize(*result.failure)}; }
Ending ending(const core::Cancelled& result) { return {"cancelled", serialize(*result.failure)}; }
Ending ending(const core::Backoff& result) {
  return {"backoff", py::make_tuple(result.attempt, result.duration.count(),
                                    nanoseconds(result.original_schedule_time))};
}
Ending ending(const core::ResolveNexusOperation::TimedOut& result) {
  return {"timed_out", serialize(*result.failure)};
}
Ending ending(const core::ResolveChildWorkflowExecutionStart::Succeeded& result) {
  return {"succeeded", text(result.run_id)};
}
Ending ending(const core::ResolveChildWorkflowExecutionStart::StartFailed& result) {
  return {"failed", py::make_tuple(text(result.workflow_id), text(result.workflow_type),
                                   static_cast<int>(result.cause))};
}
Ending ending(const core::ResolveNexusOperationStart::OperationToken& result) {
  return {"token", text(result.token)};
}
Ending ending(const core::ResolveNexusOperationStart::StartedSync&) { return {"sync", py::none()}; }

template <class Variant>
Ending ending_of(const Variant& result) {
  return std::visit([](const auto& value) { return ending(value); }, result);
}

py::tuple resolution(const char* job, std::uint32_t seq, Ending end) {
  return py::make_tuple(job, seq, end.status, std::move(end.value));
}

py::tuple job_tuple(const core::InitializeWorkflow& job) {
  return py::make_tuple("initialize", serialize(*job.started), text(job.workflow_id),
                        job.randomness_seed, nanoseconds(job.start_time));
}
py::tuple job_tuple(const core::FireTimer& job) { return py::make_tuple("fire_timer", job.seq); }
py::tuple job_tuple(const core::UpdateRandomSeed& job) {
  return py::make_tuple("random_seed", job.randomness_seed);
}
py::tuple job_tuple(const core::QueryWorkflow& job) {
  return py::make_tuple("query", text(job.query_id), text(job.query->query_type()),
                        payloads(job.query->query_args()), headers(job.query->header()));
}
py::tuple job_tuple(const core::CancelWorkflow& job) {
  return py::make_tuple("cancel", text(job.reason));
}
py::tuple job_tuple(const core::SignalWorkflow& job) {
  return py::make_tuple("signal", text(job.signal->signal_name()), payloads(job.signal->input()),
                        headers(job.signal->header()), text(job.signal->identity()));
}
py::tuple job_tuple(const core::NotifyHasPatch& job) {
  return py::make_tuple("patch", text(job.patch_id));
}
py::tuple job_tuple(const core::DoUpdate& job) {
  const auto& input = job.request->input();
  const auto& meta = job.request->meta();
  return py::make_tuple("update", text(job.id), text(job.protocol_instance_id), text(input.name()),
                        payloads(input.args()), headers(input.header()), text(meta.update_id()),
                        text(meta.identity()), job.run_validator);
}
py::tuple job_tuple(const core::ResolveActivity& job) {
  Ending end = ending_of(job.result);
  return py::make_tuple("activity", job.seq, end.status, std::move(end.value), job.is_local);
}
py::tuple job_tuple(const core::ResolveChildWorkflowExecutionStart& job) {
  return resolution("child_start", job.seq, ending_of(job.status));
}
py::tuple job_tuple(const core::ResolveChildWorkflowExecution& job) {
  return resolution("child", job.seq, ending_of(job.result));
}
py::tuple job_tuple(const core::ResolveSignalExternalWorkflow& job) {
  return py::make_tuple("signal_external", job.seq, optional_message(job.failure.get()));
}
py::tuple job_tuple(const core::ResolveRequestCancelExternalWorkflow& job) {
  return py::make_tuple("cancel_external", job.seq, optional_message(job.failure.get()));
}
py::tuple job_tuple(const core::ResolveNexusOperationStart& job) {
  return resolution("nexus_start", job.seq, ending_of(job.status));
}
py::tuple job_tuple(const core::ResolveNexusOperation& job) {
  return resolution("nexus", job.seq, ending_of(job.result));
}
py::tuple job_tuple(const core::RemoveFromCache& job) {
  return py::make_tuple("remove_from_cache", static_cast<int>(job.reason), text(job.message));
}

template <class Numbers>
py::tuple number_tuple(const Numbers& numbers) {
  py::tuple result(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) result[i] = static_cast<int>(numbers[i]);
  return result;
}

}  // namespace

py::tuple activation_tuple(const core::Activation& activation) {
  py::list jobs(activation.jobs.size());
  for (std::size_t i = 0; i < activation.jobs.size(); ++i) {
    jobs[i] = std::visit([](const auto& job) { return job_tuple(job); }, activation.jobs[i]);
  }
  py::object deployment = py::none();
  if (const auto& version = activation.deployment_version_for_current_task) {
    deployment = py::make_tuple(text(version->deployment_name()), text(version->build_id()));
  }
  return py::make_tuple(text(activation.run_id), nanoseconds(activation.time),
                        activation.is_replaying, activation.history_length,
                        activation.history_size_bytes, activation.continue_as_new_suggested,
                        number_tuple(activation.suggest_continue_as_new_reasons),
                        activation.target_worker_deployment_version_changed, std::move(deployment),
                        number_tuple(activation.available_internal_flags), std::move(jobs));
}

}  // namespace chimera::bindings
