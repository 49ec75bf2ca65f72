#include "server/engine/rules/limits.h"

#include "core/base/utf8.h"
#include "server/base/errors.h"

namespace chimera::server {
namespace {

constexpr std::size_t kCutTextMax = 4000;

// "ActivityId on ScheduleActivityTaskCommand exceeds length limit. ActivityId=a ... Limit=1000".
struct Length {
  const char* field;
  const std::string& value;
  std::string before, after;  // What else the text names.
};

Verdict too_long(Cause cause, const char* command, std::initializer_list<Length> lengths) {
  for (const Length& length : lengths) {
    if (length.value.size() <= kIdMax) continue;
    return TaskFailure{
        cause, absl::StrCat(length.field, " on ", command, " exceeds length limit. ", length.before,
                            length.field, "=", length.value, " ", length.after,
                            "Length=", length.value.size(), " Limit=", kIdMax)};
  }
  return std::nullopt;
}

Verdict too_big(Cause cause, std::size_t bytes, const char* what) {
  if (bytes <= kBlobBytesMax) return std::nullopt;
  return TaskFailure{cause, absl::StrCat(what, " exceeds size limit."), /*terminate=*/true};
}

Verdict either(Verdict first, Verdict second) { return first ? std::move(first) : second; }

std::size_t size_of(const auto& map) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : map) bytes += value.ByteSizeLong();
  return bytes;
}

Verdict check(const command::ScheduleActivityTaskCommandAttributes& a) {
  constexpr auto kCause = Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES;
  const std::string type = absl::StrCat("ActivityType=", a.activity_type().name(), " ");
  const std::string id = absl::StrCat("ActivityId=", a.activity_id(), " ");
  return either(
      too_long(kCause, "ScheduleActivityTaskCommand",
               {{"ActivityId", a.activity_id(), "", type},
                {"ActivityType", a.activity_type().name(), id, ""}}),
      too_big(kCause, a.input().ByteSizeLong(), "ScheduleActivityTaskCommandAttributes.Input"));
}

Verdict check(const command::StartChildWorkflowExecutionCommandAttributes& a) {
  constexpr auto kCause = Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES;
  return either(too_long(kCause, "StartChildWorkflowExecutionCommand",
                         {{"WorkflowId", a.workflow_id(), "", ""},
                          {"WorkflowType", a.workflow_type().name(),
                           absl::StrCat("WorkflowId=", a.workflow_id(), " "), ""}}),
                too_big(kCause, a.input().ByteSizeLong(),
                        "StartChildWorkflowExecutionCommandAttributes. Input"));
}

Verdict check(const command::ContinueAsNewWorkflowExecutionCommandAttributes& a) {
  constexpr auto kCause = Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES;
  return either(too_long(kCause, "ContinueAsNewWorkflowExecutionCommand",
                         {{"WorkflowType", a.workflow_type().name(), "", ""}}),
                too_big(kCause, a.input().ByteSizeLong(),
                        "ContinueAsNewWorkflowExecutionCommandAttributes. Input"));
}

Verdict check(const command::SignalExternalWorkflowExecutionCommandAttributes& a) {
  constexpr auto kCause =
      Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
  return either(too_long(kCause, "SignalExternalWorkflowExecutionCommand",
                         {{"WorkflowId", a.execution().workflow_id(), "", ""}}),
                too_big(kCause, a.input().ByteSizeLong(),
                        "SignalExternalWorkflowExecutionCommandAttributes.Input"));
}

Verdict check(const command::RecordMarkerCommandAttributes& a) {
  constexpr auto kCause = Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES;
  return either(too_long(kCause, "RecordMarkerCommand", {{"MarkerName", a.marker_name(), "", ""}}),
                too_big(kCause, size_of(a.details()), "RecordMarkerCommandAttributes.Details"));
}

}  // namespace

Verdict check_limits(const command::Command& command) {
  switch (command.command_type()) {
    case enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK:
      return check(command.schedule_activity_task_command_attributes());
    case enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION:
      return check(command.start_child_workflow_execution_command_attributes());
    case enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
      return check(command.continue_as_new_workflow_execution_command_attributes());
    case enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION:
      return check(command.signal_external_workflow_execution_command_attributes());
    case enums::COMMAND_TYPE_RECORD_MARKER:
      return check(command.record_marker_command_attributes());
    case enums::COMMAND_TYPE_START_TIMER:
      return too_long(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES,
                      "StartTimerCommand",
                      {{"TimerId", command.start_timer_command_attributes().timer_id(), "", ""}});
    case enums::COMMAND_TYPE_CANCEL_TIMER:
      return too_long(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES,
                      "CancelTimerCommand",
                      {{"TimerId", command.cancel_timer_command_attributes().timer_id(), "", ""}});
    // The genuine server's cause, though it speaks of activities.
    case enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION:
      return too_big(
          Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES,
          command.complete_workflow_execution_command_attributes().result().ByteSizeLong(),
          "CompleteWorkflowExecutionCommandAttributes.Result");
    case enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION:
      return too_big(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES,
                     command.fail_workflow_execution_command_attributes().failure().ByteSizeLong(),
                     "FailWorkflowExecutionCommandAttributes.Failure");
    case enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES:
      return too_big(
          Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES,
          size_of(command.modify_workflow_properties_command_attributes().upserted_memo().fields()),
          "ModifyWorkflowPropertiesCommandAttributes");
    default:
      return std::nullopt;
  }
}

absl::Status check_length(absl::string_view what, absl::string_view value) {
  if (value.size() <= kIdMax) return absl::OkStatus();
  return invalid(absl::StrCat(what, " length exceeds limit."));
}

absl::Status check_blob(const google::protobuf::Message& payloads) {
  if (payloads.ByteSizeLong() <= kBlobBytesMax) return absl::OkStatus();
  return invalid("Blob data size exceeds limit.");
}

failure::Failure server_failure(std::string message) {
  failure::Failure failure;
  failure.set_message(std::move(message));
  failure.mutable_server_failure_info()->set_non_retryable(true);
  return failure;
}

bool cut_failure(failure::Failure& failure) {
  if (failure.ByteSizeLong() <= kBlobBytesMax) return false;
  failure::Failure cut = server_failure("Failure exceeds size limit.");
  failure::Failure& cause = *cut.mutable_cause();
  cause.set_message(base::cut_utf8(failure.message(), kCutTextMax));
  cause.set_source(base::cut_utf8(failure.source(), kCutTextMax));
  cause.set_stack_trace(base::cut_utf8(failure.stack_trace(), kCutTextMax));
  if (failure.has_application_failure_info()) {
    auto& info = *cause.mutable_application_failure_info();
    info.set_type(base::cut_utf8(failure.application_failure_info().type(), kCutTextMax));
    info.set_non_retryable(failure.application_failure_info().non_retryable());
  }
  failure = std::move(cut);
  return true;
}

}  // namespace chimera::server
