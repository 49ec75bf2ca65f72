#include "core/base/proto_time.h"
#include "coresdk.h"

// The fields that today's servers and recordings use.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace chimera::core::testing {
namespace {

namespace cmd = coresdk::workflow_commands;
namespace enums = api::enums::v1;

template <class Map>
void set_header(const Map& from, api::common::v1::Header& to) {
  for (const auto& [key, value] : from) (*to.mutable_fields())[key] = value;
}

// The workers of the recordings have no versioning of their own; unset means the same build as the
// workflow.
bool own_build(coresdk::common::VersioningIntent intent, const std::string& queue,
               const std::string& own_queue) {
  if (intent == coresdk::common::COMPATIBLE) return true;
  return intent != coresdk::common::DEFAULT && (queue.empty() || queue == own_queue);
}

template <class Queue>
void set_queue(const std::string& name, Queue* queue) {
  queue->set_name(name);
  queue->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
}

#define COPY(field) \
  if (in.has_##field()) *to.mutable_##field() = in.field()

CommandVariant convert(const cmd::ScheduleActivity& in, const std::string& own_queue) {
  ScheduleActivity out{in.seq(), static_cast<ActivityCancellationType>(in.cancellation_type()),
                       in.do_not_eagerly_execute()};
  auto& to = out.attributes;
  to.set_activity_id(in.activity_id());
  to.mutable_activity_type()->set_name(in.activity_type());
  set_queue(in.task_queue(), to.mutable_task_queue());
  set_header(in.headers(), *to.mutable_header());
  if (!in.arguments().empty()) to.mutable_input()->mutable_payloads()->CopyFrom(in.arguments());
  COPY(schedule_to_close_timeout);
  COPY(schedule_to_start_timeout);
  COPY(start_to_close_timeout);
  COPY(heartbeat_timeout);
  COPY(retry_policy);
  COPY(priority);
  to.set_use_workflow_build_id(own_build(in.versioning_intent(), in.task_queue(), own_queue));
  return out;
}

CommandVariant convert(const cmd::ScheduleLocalActivity& in) {
  ScheduleLocalActivity out{in.seq(),
                            static_cast<ActivityCancellationType>(in.cancellation_type())};
  out.activity_id = in.activity_id();
  out.activity_type = in.activity_type();
  return out;
}

CommandVariant convert(const cmd::StartChildWorkflowExecution& in) {
  StartChildWorkflowExecution out{
      in.seq(), static_cast<ChildWorkflowCancellationType>(in.cancellation_type())};
  auto& to = out.attributes;
  to.set_namespace_(in.namespace_());
  to.set_workflow_id(in.workflow_id());
  to.mutable_workflow_type()->set_name(in.workflow_type());
  set_queue(in.task_queue(), to.mutable_task_queue());
  if (!in.input().empty()) to.mutable_input()->mutable_payloads()->CopyFrom(in.input());
  COPY(workflow_execution_timeout);
  COPY(workflow_run_timeout);
  COPY(workflow_task_timeout);
  to.set_parent_close_policy(static_cast<enums::ParentClosePolicy>(in.parent_close_policy()));
  to.set_workflow_id_reuse_policy(in.workflow_id_reuse_policy());
  COPY(retry_policy);
  to.set_cron_schedule(in.cron_schedule());
  set_header(in.headers(), *to.mutable_header());
  to.mutable_memo();
  for (const auto& [key, value] : in.memo()) (*to.mutable_memo()->mutable_fields())[key] = value;
  COPY(search_attributes);
  COPY(priority);
  COPY(versioning_override);
  to.set_inherit_build_id(in.versioning_intent() != coresdk::common::DEFAULT);
  return out;
}

CommandVariant convert(const cmd::SignalExternalWorkflowExecution& in) {
  SignalExternalWorkflowExecution out{in.seq()};
  auto& to = out.attributes;
  if (in.has_workflow_execution()) {
    to.set_namespace_(in.workflow_execution().namespace_());
    to.mutable_execution()->set_workflow_id(in.workflow_execution().workflow_id());
    to.mutable_execution()->set_run_id(in.workflow_execution().run_id());
  } else {
    to.mutable_execution()->set_workflow_id(in.child_workflow_id());
    to.set_child_workflow_only(true);
  }
  to.set_signal_name(in.signal_name());
  if (!in.args().empty()) to.mutable_input()->mutable_payloads()->CopyFrom(in.args());
  if (!in.headers().empty()) set_header(in.headers(), *to.mutable_header());
  return out;
}

CommandVariant convert(const cmd::RequestCancelExternalWorkflowExecution& in) {
  RequestCancelExternalWorkflowExecution out{in.seq()};
  out.attributes.set_namespace_(in.workflow_execution().namespace_());
  out.attributes.set_workflow_id(in.workflow_execution().workflow_id());
  out.attributes.set_run_id(in.workflow_execution().run_id());
  out.attributes.set_reason(in.reason());
  return out;
}

CommandVariant convert(const cmd::ContinueAsNewWorkflowExecution& in) {
  ContinueAsNewWorkflowExecution out;
  auto& to = out.attributes;
  if (!in.workflow_type().empty()) to.mutable_workflow_type()->set_name(in.workflow_type());
  if (!in.task_queue().empty()) to.mutable_task_queue()->set_name(in.task_queue());
  if (!in.arguments().empty()) to.mutable_input()->mutable_payloads()->CopyFrom(in.arguments());
  COPY(workflow_run_timeout);
  COPY(workflow_task_timeout);
  for (const auto& [key, value] : in.memo()) (*to.mutable_memo()->mutable_fields())[key] = value;
  if (!in.headers().empty()) set_header(in.headers(), *to.mutable_header());
  COPY(search_attributes);
  COPY(retry_policy);
  to.set_inherit_build_id(in.versioning_intent() != coresdk::common::DEFAULT);
  to.set_initial_versioning_behavior(in.initial_versioning_behavior());
  COPY(backoff_start_interval);
  return out;
}

CommandVariant convert(const cmd::ScheduleNexusOperation& in) {
  ScheduleNexusOperation out{in.seq(),
                             static_cast<NexusOperationCancellationType>(in.cancellation_type())};
  auto& to = out.attributes;
  to.set_endpoint(in.endpoint());
  to.set_service(in.service());
  to.set_operation(in.operation());
  COPY(input);
  COPY(schedule_to_close_timeout);
  COPY(schedule_to_start_timeout);
  COPY(start_to_close_timeout);
  *to.mutable_nexus_header() = in.nexus_header();
  return out;
}

#undef COPY

CommandVariant convert(const cmd::UpdateResponse& in) {
  UpdateResponse out{in.protocol_instance_id(), UpdateResponse::Accepted{}};
  if (in.has_rejected()) out.response = UpdateResponse::Rejected{in.rejected()};
  if (in.has_completed()) out.response = UpdateResponse::Completed{in.completed()};
  return out;
}

CommandVariant convert(const cmd::QueryResult& in) {
  RespondToQuery out{in.query_id(), in.succeeded().response()};
  if (in.has_failed()) out.answer = in.failed();
  return out;
}

CommandVariant convert(const cmd::WorkflowCommand& in, const std::string& own_queue) {
  using C = cmd::WorkflowCommand;
  switch (in.variant_case()) {
    case C::kStartTimer:
      return StartTimer{in.start_timer().seq(),
                        base::to_nanoseconds(in.start_timer().start_to_fire_timeout())};
    case C::kScheduleActivity:
      return convert(in.schedule_activity(), own_queue);
    case C::kRespondToQuery:
      return convert(in.respond_to_query());
    case C::kRequestCancelActivity:
      return RequestCancelActivity{in.request_cancel_activity().seq()};
    case C::kCancelTimer:
      return CancelTimer{in.cancel_timer().seq()};
    case C::kCompleteWorkflowExecution: {
      CompleteWorkflowExecution out;
      if (in.complete_workflow_execution().has_result())
        out.result = in.complete_workflow_execution().result();
      return out;
    }
    case C::kFailWorkflowExecution:
      return FailWorkflowExecution{in.fail_workflow_execution().failure()};
    case C::kContinueAsNewWorkflowExecution:
      return convert(in.continue_as_new_workflow_execution());
    case C::kCancelWorkflowExecution:
      return CancelWorkflowExecution{};
    case C::kSetPatchMarker:
      return SetPatchMarker{in.set_patch_marker().patch_id(), in.set_patch_marker().deprecated()};
    case C::kStartChildWorkflowExecution:
      return convert(in.start_child_workflow_execution());
    case C::kCancelChildWorkflowExecution:
      return CancelChildWorkflowExecution{in.cancel_child_workflow_execution().child_workflow_seq(),
                                          in.cancel_child_workflow_execution().reason()};
    case C::kRequestCancelExternalWorkflowExecution:
      return convert(in.request_cancel_external_workflow_execution());
    case C::kSignalExternalWorkflowExecution:
      return convert(in.signal_external_workflow_execution());
    case C::kCancelSignalWorkflow:
      return CancelSignalWorkflow{in.cancel_signal_workflow().seq()};
    case C::kScheduleLocalActivity:
      return convert(in.schedule_local_activity());
    case C::kRequestCancelLocalActivity:
      return RequestCancelLocalActivity{in.request_cancel_local_activity().seq()};
    case C::kUpsertWorkflowSearchAttributes:
      return UpsertWorkflowSearchAttributes{
          in.upsert_workflow_search_attributes().search_attributes()};
    case C::kModifyWorkflowProperties:
      return ModifyWorkflowProperties{in.modify_workflow_properties().upserted_memo()};
    case C::kUpdateResponse:
      return convert(in.update_response());
    case C::kScheduleNexusOperation:
      return convert(in.schedule_nexus_operation());
    case C::kRequestCancelNexusOperation:
      return RequestCancelNexusOperation{in.request_cancel_nexus_operation().seq()};
    case C::VARIANT_NOT_SET:
      break;
  }
  return CancelTimer{0};
}

}  // namespace

Completion from_coresdk(
    const coresdk::workflow_completion::WorkflowActivationCompletion& completion,
    const std::string& own_queue) {
  if (completion.has_failed()) {
    Completion::Failure failure{completion.failed().failure()};
    if (completion.failed().force_cause()) failure.cause = completion.failed().force_cause();
    return Completion{std::move(failure)};
  }
  Completion::Success success;
  for (const auto& in : completion.successful().commands()) {
    Command command{convert(in, own_queue)};
    if (in.has_user_metadata())
      command.user_metadata = std::make_unique<api::sdk::v1::UserMetadata>(in.user_metadata());
    for (const auto& marker : in.event_group_markers())
      command.event_group_markers.push_back(marker);
    success.commands.push_back(std::move(command));
  }
  for (auto flag : completion.successful().used_internal_flags())
    success.used_internal_flags.push_back(flag);
  success.versioning_behavior = completion.successful().versioning_behavior();
  return Completion{std::move(success)};
}

}  // namespace chimera::core::testing
