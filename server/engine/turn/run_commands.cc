#include "server/engine/turn/run_commands.h"

#include "server/engine/engine.h"
#include "server/engine/rules/failures.h"
#include "server/engine/rules/limits.h"
#include "server/engine/rules/retry.h"
#include "server/engine/run/transition.h"
#include "server/engine/turn/chain.h"
#include "server/visibility/attributes.h"

namespace chimera::server {
namespace {

std::size_t size_of(const auto& map) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : map) bytes += value.ByteSizeLong();
  return bytes;
}

Verdict check(const Run& run, const common::SearchAttributes& attributes) {
  const Namespace& ns = *run.ns;
  const absl::Status status = check_search_attributes(ns.search_attributes, ns.name(), attributes);
  if (status.ok()) return std::nullopt;
  return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
             std::string(status.message()));
}

Verdict check(const Run& run, const command::UpsertWorkflowSearchAttributesCommandAttributes& a) {
  const char* missing = !a.has_search_attributes()                       ? "SearchAttributes"
                        : a.search_attributes().indexed_fields().empty() ? "IndexedFields"
                                                                         : nullptr;
  if (missing == nullptr) return check(run, a.search_attributes());
  return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
             absl::StrCat(missing, " is not set on UpsertWorkflowSearchAttributesCommand."));
}

Verdict check(const command::RecordMarkerCommandAttributes& a) {
  constexpr auto kCause = Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES;
  Verdict sizes =
      either(too_long(kCause, "RecordMarkerCommand", {{"MarkerName", a.marker_name(), "", ""}}),
             too_big(kCause, size_of(a.details()), "RecordMarkerCommandAttributes.Details"));
  if (sizes || !a.marker_name().empty()) return sizes;
  return bad(kCause, "MarkerName is not set on RecordMarkerCommand.");
}

Verdict check(const command::FailWorkflowExecutionCommandAttributes& a) {
  constexpr auto kCause = Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES;
  Verdict size =
      too_big(kCause, a.failure().ByteSizeLong(), "FailWorkflowExecutionCommandAttributes.Failure");
  if (size || a.has_failure()) return size;
  return bad(kCause, "Failure is not set on FailWorkflowExecutionCommand.");
}

Verdict check(const Run& run, const command::ContinueAsNewWorkflowExecutionCommandAttributes& a) {
  constexpr auto kCause = Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES;
  Verdict sizes = either(too_long(kCause, "ContinueAsNewWorkflowExecutionCommand",
                                  {{"WorkflowType", a.workflow_type().name(), "", ""}}),
                         too_big(kCause, a.input().ByteSizeLong(),
                                 "ContinueAsNewWorkflowExecutionCommandAttributes. Input"));
  if (sizes) return sizes;
  constexpr char kCommand[] = "ContinueAsNewWorkflowExecutionCommand";
  const std::string queue = a.task_queue().name().empty() ? run.task_queue : a.task_queue().name();
  const std::string which =
      absl::StrCat(". WorkflowType=",
                   a.workflow_type().name().empty() ? run.workflow_type : a.workflow_type().name(),
                   " TaskQueue=name:\"", queue, "\" kind:TASK_QUEUE_KIND_NORMAL");
  if (queue.size() > kIdMax) {
    return bad(kCause, absl::StrCat("error validating ", kCommand,
                                    " TaskQueue: taskQueue length exceeds limit", which));
  }
  for (const auto& [name, duration] :
       {std::pair("WorkflowRunTimeout", &a.workflow_run_timeout()),
        std::pair("WorkflowTaskTimeout", &a.workflow_task_timeout()),
        std::pair("BackoffStartInterval", &a.backoff_start_interval())}) {
    if (const std::string problem = duration_problem(*duration); !problem.empty())
      return bad(kCause, absl::StrCat("Invalid ", name, " on ", kCommand, ": ", problem, which));
  }
  if (a.inherit_build_id() && queue != run.task_queue) {
    return bad(kCause,
               "ContinueAsNew with UseCompatibleVersion cannot run on different task queue.");
  }
  if (std::string problem = check_retry_policy(a.retry_policy()); !problem.empty()) {
    return bad(kCause,
               absl::StrCat("invalid WorkflowRetryPolicy on ", kCommand, ": ", problem, which));
  }
  return check(run, a.search_attributes());
}

Verdict check(const command::ModifyWorkflowPropertiesCommandAttributes& a) {
  constexpr auto kCause =
      Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES;
  Verdict size = too_big(kCause, size_of(a.upserted_memo().fields()),
                         "ModifyWorkflowPropertiesCommandAttributes");
  if (size || !a.upserted_memo().fields().empty()) return size;
  return bad(kCause, absl::StrCat(a.has_upserted_memo() ? "UpsertedMemo.Fields" : "UpsertedMemo",
                                  " is not set on ModifyWorkflowPropertiesCommand."));
}

void record_marker(CommandTurn& turn, command::Command& command) {
  auto& from = *command.mutable_record_marker_command_attributes();
  HistoryEvent event = turn.event(enums::EVENT_TYPE_MARKER_RECORDED, command);
  auto& a = *event.mutable_marker_recorded_event_attributes();
  a.set_marker_name(from.marker_name());
  a.mutable_details()->swap(*from.mutable_details());
  a.set_workflow_task_completed_event_id(turn.completed_id);
  if (from.has_header()) *a.mutable_header() = std::move(*from.mutable_header());
  if (from.has_failure()) {
    *a.mutable_failure() = std::move(*from.mutable_failure());
    cut_causes(*a.mutable_failure());
  }
  turn.t.write(std::move(event));
}

void upsert_search_attributes(CommandTurn& turn, command::Command& command) {
  auto& from = *command.mutable_upsert_workflow_search_attributes_command_attributes();
  HistoryEvent event = turn.event(enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, command);
  auto& a = *event.mutable_upsert_workflow_search_attributes_event_attributes();
  a.set_workflow_task_completed_event_id(turn.completed_id);
  *a.mutable_search_attributes() =
      with_types(turn.t.run().ns->search_attributes, std::move(*from.mutable_search_attributes()));
  turn.t.write(std::move(event));
}

void modify_properties(CommandTurn& turn, command::Command& command) {
  HistoryEvent event = turn.event(enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED, command);
  auto& a = *event.mutable_workflow_properties_modified_event_attributes();
  a.set_workflow_task_completed_event_id(turn.completed_id);
  *a.mutable_upserted_memo() = std::move(
      *command.mutable_modify_workflow_properties_command_attributes()->mutable_upserted_memo());
  turn.t.write(std::move(event));
}

void complete(CommandTurn& turn, command::Command& command) {
  HistoryEvent event = turn.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, command);
  auto& a = *event.mutable_workflow_execution_completed_event_attributes();
  auto& from = *command.mutable_complete_workflow_execution_command_attributes();
  if (from.has_result()) *a.mutable_result() = std::move(*from.mutable_result());
  a.set_workflow_task_completed_event_id(turn.completed_id);
  a.set_new_execution_run_id(follow_after_completion(turn.t, a.result()));
  turn.t.write(std::move(event));
}

void fail(CommandTurn& turn, command::Command& command) {
  HistoryEvent event = turn.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, command);
  auto& a = *event.mutable_workflow_execution_failed_event_attributes();
  *a.mutable_failure() =
      std::move(*command.mutable_fail_workflow_execution_command_attributes()->mutable_failure());
  cut_causes(*a.mutable_failure());
  a.set_workflow_task_completed_event_id(turn.completed_id);
  const FollowUp follow = follow_after_failure(turn.t, a.failure());
  a.set_retry_state(follow.state);
  a.set_new_execution_run_id(follow.run_id);
  turn.t.write(std::move(event));
}

void cancel(CommandTurn& turn, command::Command& command) {
  HistoryEvent event = turn.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, command);
  auto& a = *event.mutable_workflow_execution_canceled_event_attributes();
  a.set_workflow_task_completed_event_id(turn.completed_id);
  auto& from = *command.mutable_cancel_workflow_execution_command_attributes();
  if (from.has_details()) *a.mutable_details() = std::move(*from.mutable_details());
  turn.t.write(std::move(event));
}

void continue_as_new(CommandTurn& turn, command::Command& command) {
  auto& from = *command.mutable_continue_as_new_workflow_execution_command_attributes();
  HistoryEvent event = turn.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, command);
  continue_run(turn.t, from, turn.completed_id,
               *event.mutable_workflow_execution_continued_as_new_event_attributes());
  turn.t.write(std::move(event));
}

}  // namespace

Verdict check_run_command(const CommandCheck& checked, const command::Command& command) {
  const Run& run = checked.run;
  switch (command.command_type()) {
    case enums::COMMAND_TYPE_RECORD_MARKER:
      return check(command.record_marker_command_attributes());
    case enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION:
      // The genuine server's cause, though it speaks of activities.
      return too_big(
          Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES,
          command.complete_workflow_execution_command_attributes().result().ByteSizeLong(),
          "CompleteWorkflowExecutionCommandAttributes.Result");
    case enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION:
      return check(command.fail_workflow_execution_command_attributes());
    case enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
      return check(run, command.continue_as_new_workflow_execution_command_attributes());
    case enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
      return check(run, command.upsert_workflow_search_attributes_command_attributes());
    case enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES:
      return check(command.modify_workflow_properties_command_attributes());
    default:
      return std::nullopt;
  }
}

void apply_run_command(CommandTurn& turn, command::Command& command) {
  switch (command.command_type()) {
    case enums::COMMAND_TYPE_RECORD_MARKER:
      return record_marker(turn, command);
    case enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
      return upsert_search_attributes(turn, command);
    case enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES:
      return modify_properties(turn, command);
    case enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION:
      return complete(turn, command);
    case enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION:
      return fail(turn, command);
    case enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION:
      return cancel(turn, command);
    case enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
      return continue_as_new(turn, command);
    default:
      return;
  }
}

}  // namespace chimera::server
