// The fields of each job, command and task, in the order in which they cross. This is the
// only list: see shape.h. After a change, scripts/border writes the Python classes anew.
#ifndef CHIMERA_BINDINGS_PYTHON_SHAPES_H_
#define CHIMERA_BINDINGS_PYTHON_SHAPES_H_

#include "bindings/python/shape.h"
#include "core/base/proto_time.h"
#include "core/language/activation.h"
#include "core/language/activity_language.h"
#include "core/language/commands.h"
#include "core/language/nexus_language.h"

namespace chimera::bindings {

#define CHIMERA_SHAPE(Type, Name, Doc, ...)                       \
  template <>                                                     \
  struct Shape<Type> {                                            \
    using T = Type;                                               \
    static constexpr const char* kName = Name;                    \
    static constexpr const char* kDoc = Doc;                      \
    static constexpr auto kFields = std::make_tuple(__VA_ARGS__); \
  }

// --- Jobs ---

CHIMERA_SHAPE(core::InitializeWorkflow, "InitializeWorkflow",
              "The first job of a run. The start time is that of the execution.",
              field("started", [](const T& job) -> const auto& { return *job.started; }),
              field("workflow_id", &T::workflow_id), field("randomness_seed", &T::randomness_seed),
              field("start_time", &T::start_time));
CHIMERA_SHAPE(core::FireTimer, "FireTimer", "A timer is due.", field("seq", &T::seq));
CHIMERA_SHAPE(core::UpdateRandomSeed, "UpdateRandomSeed", "The run was reset.",
              field("randomness_seed", &T::randomness_seed));
CHIMERA_SHAPE(
    core::QueryWorkflow, "QueryWorkflow", "Queries come alone.", field("query_id", &T::query_id),
    field("query_type", [](const T& job) -> const auto& { return job.query->query_type(); }),
    field("arguments", [](const T& job) -> const auto& { return job.query->query_args(); }),
    field("headers", [](const T& job) -> const auto& { return job.query->header(); }));
CHIMERA_SHAPE(core::CancelWorkflow, "CancelWorkflow", "Somebody asks for the run's cancellation.",
              field("reason", &T::reason));
CHIMERA_SHAPE(core::SignalWorkflow, "SignalWorkflow", "A signal came.",
              field("signal_name",
                    [](const T& job) -> const auto& { return job.signal->signal_name(); }),
              field("input", [](const T& job) -> const auto& { return job.signal->input(); }),
              field("headers", [](const T& job) -> const auto& { return job.signal->header(); }),
              field("identity",
                    [](const T& job) -> const auto& { return job.signal->identity(); }));
CHIMERA_SHAPE(core::NotifyHasPatch, "NotifyHasPatch", "The history has this patch's marker.",
              field("patch_id", &T::patch_id));
CHIMERA_SHAPE(core::NotifyRecorded, "NotifyRecorded",
              "Of languages that record side effects and versions: none comes to Python.",
              field("kind",
                    [](const T& job) { return static_cast<std::int64_t>(job.recorded.kind); }),
              field("id", [](const T& job) -> const auto& { return job.recorded.id; }),
              field("number", [](const T& job) { return job.recorded.number; }),
              field("value", [](const T& job) -> const auto& { return job.recorded.value; }));
CHIMERA_SHAPE(
    core::DoUpdate, "DoUpdate", "An update came; a validator runs unless it was accepted before.",
    field("id", &T::id), field("protocol_instance_id", &T::protocol_instance_id),
    field("name", [](const T& job) -> const auto& { return job.request->input().name(); }),
    field("input", [](const T& job) -> const auto& { return job.request->input().args(); }),
    field("headers", [](const T& job) -> const auto& { return job.request->input().header(); }),
    field("identity", [](const T& job) -> const auto& { return job.request->meta().identity(); }),
    field("run_validator", &T::run_validator));

// How operations end.
CHIMERA_SHAPE(core::Completed, "Completed", "It has a result, or ended without one.",
              field("result", &T::result));
CHIMERA_SHAPE(core::Failed, "Failed", "It has failed.",
              field("failure", [](const T& how) -> const auto& { return *how.failure; }));
CHIMERA_SHAPE(core::Cancelled, "Cancelled", "It was cancelled.",
              field("failure", [](const T& how) -> const auto& { return *how.failure; }));
CHIMERA_SHAPE(core::Backoff, "Backoff", "A local activity is to be tried again after a timer.",
              field("attempt", &T::attempt), field("duration", &T::duration),
              field("original_schedule_time", &T::original_schedule_time));
CHIMERA_SHAPE(core::ResolveNexusOperation::TimedOut, "TimedOut", "It has timed out.",
              field("failure", [](const T& how) -> const auto& { return *how.failure; }));
CHIMERA_SHAPE(core::ResolveChildWorkflowExecutionStart::Succeeded, "ChildStarted",
              "The child has begun.", field("run_id", &T::run_id));
CHIMERA_SHAPE(core::ResolveChildWorkflowExecutionStart::StartFailed, "ChildStartFailed",
              "The cause is a StartChildWorkflowExecutionFailedCause.",
              field("workflow_id", &T::workflow_id), field("workflow_type", &T::workflow_type),
              field("cause", &T::cause));
CHIMERA_SHAPE(core::ResolveNexusOperationStart::OperationToken, "OperationToken",
              "The operation has begun.", field("token", &T::token));
CHIMERA_SHAPE(core::ResolveNexusOperationStart::StartedSync, "StartedSync",
              "The operation was over at once.");

CHIMERA_SHAPE(core::ResolveActivity, "ResolveActivity", "An activity has ended.",
              field("seq", &T::seq), field("result", &T::result), field("is_local", &T::is_local));
CHIMERA_SHAPE(core::ResolveChildWorkflowExecutionStart, "ResolveChildWorkflowExecutionStart",
              "A child has begun, or will not.", field("seq", &T::seq),
              field("status", &T::status));
CHIMERA_SHAPE(core::ResolveChildWorkflowExecution, "ResolveChildWorkflowExecution",
              "A child has ended.", field("seq", &T::seq), field("result", &T::result));
CHIMERA_SHAPE(core::ResolveSignalExternalWorkflow, "ResolveSignalExternalWorkflow",
              "A signal has arrived, or will not.", field("seq", &T::seq),
              field("failure", &T::failure));
CHIMERA_SHAPE(core::ResolveRequestCancelExternalWorkflow, "ResolveRequestCancelExternalWorkflow",
              "Another workflow was asked for its cancellation, or will not be.",
              field("seq", &T::seq), field("failure", &T::failure));
CHIMERA_SHAPE(core::ResolveNexusOperationStart, "ResolveNexusOperationStart",
              "An operation has begun, or will not.", field("seq", &T::seq),
              field("status", &T::status));
CHIMERA_SHAPE(core::ResolveNexusOperation, "ResolveNexusOperation", "An operation has ended.",
              field("seq", &T::seq), field("result", &T::result));
CHIMERA_SHAPE(core::RemoveFromCache, "RemoveFromCache",
              "The run's code is to end. Comes alone; answered without commands.",
              field("reason", &T::reason), field("message", &T::message));

CHIMERA_SHAPE(api::deployment::v1::WorkerDeploymentVersion, "DeploymentVersion",
              "Of the worker that completes the task.",
              field("deployment_name",
                    [](const T& v) -> const auto& { return v.deployment_name(); }),
              field("build_id", [](const T& v) -> const auto& { return v.build_id(); }));

template <>
struct Annotation<core::Job> {
  static std::string text() { return "Job"; }
};

CHIMERA_SHAPE(core::Activation, "Activation", "What has happened to a run, in order.",
              field("time", &T::time), field("is_replaying", &T::is_replaying),
              field("history_length", &T::history_length),
              field("history_size_bytes", &T::history_size_bytes),
              field("continue_as_new_suggested", &T::continue_as_new_suggested),
              field("suggest_continue_as_new_reasons", &T::suggest_continue_as_new_reasons),
              field("target_worker_deployment_version_changed",
                    &T::target_worker_deployment_version_changed),
              field("deployment_version", &T::deployment_version_for_current_task),
              field("available_internal_flags", &T::available_internal_flags),
              field("jobs", &T::jobs));

// --- Commands. Those of kWithMetadata end with `user_metadata` (UserMetadata or None). ---

template <class Struct>
inline constexpr bool kWithMetadata = false;

// A field that is a message's part: `set` has the command's attributes as `to`, and what Python
// gave as `value`.
#define CHIMERA_ATTRIBUTE(name, annotation, type, set)   \
  ReadBy<T> {                                            \
    name, annotation, [](py::handle given, T& command) { \
      type value{};                                      \
      read(given, value);                                \
      auto& to = command.attributes;                     \
      set;                                               \
    }                                                    \
  }
#define CHIMERA_TIMEOUT(field)                                         \
  CHIMERA_ATTRIBUTE(#field, "Nanoseconds", google::protobuf::Duration, \
                    if (value.ByteSizeLong() != 0) to.mutable_##field()->Swap(&value))
CHIMERA_SHAPE(
    core::ScheduleActivity, "ScheduleActivity", "Times of 0 are unset.", field("seq", &T::seq),
    CHIMERA_ATTRIBUTE("activity_id", "str", std::string, to.set_activity_id(std::move(value))),
    CHIMERA_ATTRIBUTE("activity_type", "str", std::string,
                      to.mutable_activity_type()->set_name(std::move(value))),
    CHIMERA_ATTRIBUTE("task_queue", "str", std::string,
                      to.mutable_task_queue()->set_name(std::move(value))),
    CHIMERA_ATTRIBUTE("header", "dict[str, Payload]", api::common::v1::Header,
                      if (value.fields_size() != 0) to.mutable_header()->Swap(&value)),
    CHIMERA_ATTRIBUTE("arguments", "list[Payload]", api::common::v1::Payloads,
                      if (value.payloads_size() != 0) to.mutable_input()->Swap(&value)),
    CHIMERA_TIMEOUT(schedule_to_close_timeout), CHIMERA_TIMEOUT(schedule_to_start_timeout),
    CHIMERA_TIMEOUT(start_to_close_timeout), CHIMERA_TIMEOUT(heartbeat_timeout),
    CHIMERA_ATTRIBUTE("retry_policy", "RetryPolicy | None",
                      std::optional<api::common::v1::RetryPolicy>,
                      if (value) to.mutable_retry_policy()->Swap(&*value)),
    CHIMERA_ATTRIBUTE("priority", "Priority | None", std::optional<api::common::v1::Priority>,
                      if (value) to.mutable_priority()->Swap(&*value)),
    CHIMERA_ATTRIBUTE("use_workflow_build_id", "bool", bool, to.set_use_workflow_build_id(value)),
    field("cancellation_type", &T::cancellation_type),
    field("do_not_eagerly_execute", &T::do_not_eagerly_execute));
#undef CHIMERA_TIMEOUT
#undef CHIMERA_ATTRIBUTE
CHIMERA_SHAPE(core::ScheduleLocalActivity, "ScheduleLocalActivity",
              "Times of 0 are unset. The time of scheduling is that of the first attempt.",
              field("seq", &T::seq), field("activity_id", &T::activity_id),
              field("activity_type", &T::activity_type), field("attempt", &T::attempt),
              field("original_schedule_time", &T::original_schedule_time),
              field("header", &T::header), field("arguments", &T::arguments),
              field("schedule_to_close_timeout", &T::schedule_to_close_timeout),
              field("schedule_to_start_timeout", &T::schedule_to_start_timeout),
              field("start_to_close_timeout", &T::start_to_close_timeout),
              field("retry_policy", &T::retry_policy),
              ReadBy<T>{"local_retry_threshold", "Nanoseconds",
                        [](py::handle value, T& command) {
                          std::chrono::nanoseconds threshold{};
                          read(value, threshold);
                          if (threshold.count() != 0) command.local_retry_threshold = threshold;
                        }},
              field("cancellation_type", &T::cancellation_type));
CHIMERA_SHAPE(core::RequestCancelActivity, "RequestCancelActivity", "", field("seq", &T::seq));
CHIMERA_SHAPE(core::RequestCancelLocalActivity, "RequestCancelLocalActivity", "",
              field("seq", &T::seq));
CHIMERA_SHAPE(core::StartTimer, "StartTimer", "", field("seq", &T::seq),
              field("start_to_fire_timeout", &T::start_to_fire_timeout));
CHIMERA_SHAPE(core::CancelTimer, "CancelTimer", "", field("seq", &T::seq));
CHIMERA_SHAPE(core::StartChildWorkflowExecution, "StartChildWorkflowExecution", "",
              field("seq", &T::seq), field("attributes", &T::attributes),
              field("cancellation_type", &T::cancellation_type));
CHIMERA_SHAPE(core::CancelChildWorkflowExecution, "CancelChildWorkflowExecution",
              "The number is the child's.", field("seq", &T::seq), field("reason", &T::reason));
CHIMERA_SHAPE(core::SignalExternalWorkflowExecution, "SignalExternalWorkflowExecution", "",
              field("seq", &T::seq), field("attributes", &T::attributes));
CHIMERA_SHAPE(core::CancelSignalWorkflow, "CancelSignalWorkflow", "", field("seq", &T::seq));
CHIMERA_SHAPE(core::RequestCancelExternalWorkflowExecution,
              "RequestCancelExternalWorkflowExecution", "", field("seq", &T::seq),
              field("attributes", &T::attributes));
CHIMERA_SHAPE(core::SetPatchMarker, "SetPatchMarker", "", field("patch_id", &T::patch_id),
              field("deprecated", &T::deprecated));
CHIMERA_SHAPE(core::RecordOnce, "RecordOnce",
              "Of languages that record side effects and versions: none comes from Python.",
              ReadBy<T>{"kind", "int",
                        [](py::handle value, T& command) {
                          command.recorded.kind =
                              static_cast<core::Recorded::Kind>(value.cast<int>());
                        }},
              ReadBy<T>{"id", "str",
                        [](py::handle value, T& command) { read(value, command.recorded.id); }},
              ReadBy<T>{"number", "int",
                        [](py::handle value, T& command) { read(value, command.recorded.number); }},
              ReadBy<T>{"value", "Payload",
                        [](py::handle value, T& command) { read(value, command.recorded.value); }});
CHIMERA_SHAPE(core::UpsertWorkflowSearchAttributes, "UpsertWorkflowSearchAttributes", "",
              field("search_attributes", &T::search_attributes));
CHIMERA_SHAPE(core::ModifyWorkflowProperties, "ModifyWorkflowProperties", "",
              field("upserted_memo", &T::upserted_memo));
CHIMERA_SHAPE(core::CompleteWorkflowExecution, "CompleteWorkflowExecution", "",
              field("result", &T::result));
CHIMERA_SHAPE(core::FailWorkflowExecution, "FailWorkflowExecution", "",
              field("failure", &T::failure));
CHIMERA_SHAPE(core::CancelWorkflowExecution, "CancelWorkflowExecution", "");
CHIMERA_SHAPE(core::ContinueAsNewWorkflowExecution, "ContinueAsNewWorkflowExecution",
              "What is unset is the run's own.", field("attributes", &T::attributes));
CHIMERA_SHAPE(core::ScheduleNexusOperation, "ScheduleNexusOperation", "", field("seq", &T::seq),
              field("attributes", &T::attributes),
              field("cancellation_type", &T::cancellation_type));
CHIMERA_SHAPE(core::RequestCancelNexusOperation, "RequestCancelNexusOperation", "",
              field("seq", &T::seq));
CHIMERA_SHAPE(core::RespondToQuery, "RespondToQuery", "With a result or with a failure.",
              field("query_id", &T::query_id),
              ReadBy<T>{"result", "Payload | None",
                        [](py::handle value, T& command) {
                          if (!value.is_none())
                            read(value, command.answer.emplace<api::common::v1::Payload>());
                        }},
              ReadBy<T>{"failure", "Failure | None", [](py::handle value, T& command) {
                          if (!value.is_none())
                            read(value, command.answer.emplace<api::failure::v1::Failure>());
                        }});
CHIMERA_SHAPE(core::UpdateResponse::Accepted, "UpdateAccepted", "");
CHIMERA_SHAPE(core::UpdateResponse::Rejected, "UpdateRejected",
              "Before its acceptance: rejected. After it: completed with this failure.",
              field("failure", &T::failure));
CHIMERA_SHAPE(core::UpdateResponse::Completed, "UpdateCompleted", "", field("result", &T::result));
CHIMERA_SHAPE(core::UpdateResponse, "UpdateResponse", "",
              field("protocol_instance_id", &T::protocol_instance_id),
              field("response", &T::response));

// --- Activities ---

CHIMERA_SHAPE(
    core::ActivityTask, "ActivityTask",
    "An attempt of an activity that is to be run. Times and durations of 0 are unset.",
    field("token", [](const T& task) { return Bytes{task.message->task_token()}; }),
    field("activity_type",
          [](const T& task) -> const auto& { return task.message->activity_type().name(); }),
    field("activity_id", [](const T& task) -> const auto& { return task.message->activity_id(); }),
    field("activity_run_id",
          [](const T& task) -> const auto& { return task.message->activity_run_id(); }),
    field("workflow_namespace",
          [](const T& task) -> const auto& { return task.message->workflow_namespace(); }),
    field("workflow_id",
          [](const T& task) -> const auto& {
            return task.message->workflow_execution().workflow_id();
          }),
    field("workflow_run_id",
          [](const T& task) -> const auto& { return task.message->workflow_execution().run_id(); }),
    field("workflow_type",
          [](const T& task) -> const auto& { return task.message->workflow_type().name(); }),
    field("attempt", [](const T& task) { return task.message->attempt(); }),
    field("input", [](const T& task) -> const auto& { return task.message->input(); }),
    field("headers", [](const T& task) -> const auto& { return task.message->header(); }),
    field("heartbeat_details",
          [](const T& task) -> const auto& { return task.message->heartbeat_details(); }),
    field("scheduled_time",
          [](const T& task) { return base::to_wall_time(task.message->scheduled_time()); }),
    field("current_attempt_scheduled_time",
          [](const T& task) {
            return base::to_wall_time(task.message->current_attempt_scheduled_time());
          }),
    field("started_time",
          [](const T& task) { return base::to_wall_time(task.message->started_time()); }),
    field("schedule_to_close_timeout",
          [](const T& task) -> const auto& { return task.message->schedule_to_close_timeout(); }),
    field("start_to_close_timeout",
          [](const T& task) -> const auto& { return task.message->start_to_close_timeout(); }),
    field("heartbeat_timeout",
          [](const T& task) -> const auto& { return task.message->heartbeat_timeout(); }),
    field("retry_policy",
          [](const T& task) {
            return task.message->has_retry_policy() ? &task.message->retry_policy() : nullptr;
          }),
    field("priority",
          [](const T& task) {
            return task.message->has_priority() ? &task.message->priority() : nullptr;
          }),
    field("is_local", &T::is_local));

// --- Nexus ---

CHIMERA_SHAPE(core::NexusTask, "NexusTask",
              "A request to start or to cancel an operation. The deadline is the caller's.",
              field("token", [](const T& task) { return Bytes{task.message->task_token()}; }),
              field("request",
                    [](const T& task) -> const auto& { return task.message->request(); }),
              field("deadline", &T::deadline));

#undef CHIMERA_SHAPE

template <>
inline constexpr bool kWithMetadata<core::ScheduleActivity> = true;
template <>
inline constexpr bool kWithMetadata<core::ScheduleLocalActivity> = true;
template <>
inline constexpr bool kWithMetadata<core::StartTimer> = true;
template <>
inline constexpr bool kWithMetadata<core::StartChildWorkflowExecution> = true;
template <>
inline constexpr bool kWithMetadata<core::ScheduleNexusOperation> = true;

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_SHAPES_H_
