#include "server/engine/turn/commands.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_join.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/pending/pending.h"
#include "server/engine/rules/enum_names.h"
#include "server/engine/rules/limits.h"
#include "server/engine/run/transition.h"
#include "server/engine/turn/run_commands.h"
#include "server/engine/turn/update_registry.h"

namespace chimera::server {
namespace {

namespace update = ::temporal::api::update::v1;
using Request = wf::RespondWorkflowTaskCompletedRequest;

bool is_close_command(enums::CommandType type) {
  return type == enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION ||
         type == enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION ||
         type == enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION ||
         type == enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION;
}

std::string command_name(const command::Command& command) {
  return short_enum_name(enums::CommandType_Name(command.command_type()), "COMMAND_TYPE_",
                         command.command_type());
}

// Known commands, and none behind one that closes the run: not even a message (genuine servers
// 1.29, 1.32).
absl::Status check_sequence(const Request& request) {
  for (int i = 0; i < request.commands_size(); ++i) {
    const auto type = request.commands(i).command_type();
    if (!enums::CommandType_IsValid(type) || type == enums::COMMAND_TYPE_UNSPECIFIED)
      return invalid(absl::StrCat("unknown command type: ", command_name(request.commands(i))));
    if (!is_close_command(type) || i + 1 == request.commands_size()) continue;
    const std::string all = absl::StrJoin(
        request.commands(), ", ",
        [](std::string* out, const auto& command) { out->append(command_name(command)); });
    return invalid(absl::StrCat("invalid command sequence: [", all, "], command ",
                                command_name(request.commands(i)), " must be the last command."));
  }
  return absl::OkStatus();
}

// The attributes that a command's type asks for, and the cause of a failure for want of them.
struct Wanted {
  enums::CommandType type;
  command::Command::AttributesCase attributes;
  Cause cause;
};
using In = command::Command;
constexpr Wanted kWanted[] = {
    {enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK, In::kScheduleActivityTaskCommandAttributes,
     Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES},
    {enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK,
     In::kRequestCancelActivityTaskCommandAttributes,
     Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES},
    {enums::COMMAND_TYPE_START_TIMER, In::kStartTimerCommandAttributes,
     Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES},
    {enums::COMMAND_TYPE_CANCEL_TIMER, In::kCancelTimerCommandAttributes,
     Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES},
    {enums::COMMAND_TYPE_RECORD_MARKER, In::kRecordMarkerCommandAttributes,
     Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES},
    {enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
     In::kCompleteWorkflowExecutionCommandAttributes,
     Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_COMPLETE_WORKFLOW_EXECUTION_ATTRIBUTES},
    {enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION, In::kFailWorkflowExecutionCommandAttributes,
     Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES},
    {enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION, In::kCancelWorkflowExecutionCommandAttributes,
     Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_WORKFLOW_EXECUTION_ATTRIBUTES},
    {enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
     In::kContinueAsNewWorkflowExecutionCommandAttributes,
     Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES},
    {enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
     In::kStartChildWorkflowExecutionCommandAttributes,
     Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES},
    {enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
     In::kSignalExternalWorkflowExecutionCommandAttributes,
     Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES},
    {enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
     In::kRequestCancelExternalWorkflowExecutionCommandAttributes,
     Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES},
    {enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
     In::kUpsertWorkflowSearchAttributesCommandAttributes,
     Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES},
    {enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES, In::kModifyWorkflowPropertiesCommandAttributes,
     Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES},
    {enums::COMMAND_TYPE_PROTOCOL_MESSAGE, In::kProtocolMessageCommandAttributes,
     Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE},
};

Verdict check_attributes(const command::Command& command) {
  for (const Wanted& wanted : kWanted) {
    if (wanted.type != command.command_type()) continue;
    if (wanted.attributes == command.attributes_case()) return std::nullopt;
    const std::string name = command_name(command);
    return bad(wanted.cause,
               absl::StrCat(name, "CommandAttributes is not set on ", name, "Command."));
  }
  return std::nullopt;
}

// The namespace that a command names; a request that names an unknown one is refused as a whole.
const std::string& target_namespace_of(const command::Command& command) {
  static const auto* none = new std::string;
  switch (command.attributes_case()) {
    case In::kStartChildWorkflowExecutionCommandAttributes:
      return command.start_child_workflow_execution_command_attributes().namespace_();
    case In::kSignalExternalWorkflowExecutionCommandAttributes:
      return command.signal_external_workflow_execution_command_attributes().namespace_();
    case In::kRequestCancelExternalWorkflowExecutionCommandAttributes:
      return command.request_cancel_external_workflow_execution_command_attributes().namespace_();
    default:
      return *none;
  }
}

Verdict check_message(const Request& request, const std::string& id) {
  if (id.empty()) {
    return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE,
               "MessageID is not set on ProtocolMessageCommand.");
  }
  for (const auto& message : request.messages()) {
    if (message.id() == id) return std::nullopt;
  }
  return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE,
             absl::StrCat("ProtocolMessageCommand referenced absent message ID ", id));
}

Verdict check_command(CommandCheck& check, const Request& request,
                      const command::Command& command) {
  Verdict verdict = check_attributes(command);
  if (verdict || Pending::check(check, command, verdict)) return verdict;
  if (command.command_type() == enums::COMMAND_TYPE_PROTOCOL_MESSAGE)
    return check_message(request, command.protocol_message_command_attributes().message_id());
  return check_run_command(check, command);
}

// How many events a command writes at its place.
int events_of(const Request& request, const command::Command& command) {
  if (command.command_type() != enums::COMMAND_TYPE_PROTOCOL_MESSAGE) return 1;
  const std::string& id = command.protocol_message_command_attributes().message_id();
  return static_cast<int>(
      std::count_if(request.messages().begin(), request.messages().end(), [&](const auto& message) {
        return message.id() == id && !message.body().template Is<update::Rejection>();
      }));
}

Verdict check_messages(const Run& run, const Request& request) {
  for (const auto& message : request.messages()) {
    std::string problem = check_update_message(run, message);
    if (problem.empty()) continue;
    return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE,
               std::move(problem));
  }
  return std::nullopt;
}

// Whether events wait that the workflow has not seen.
bool leaves_events(const CommandCheck& check) {
  return !std::all_of(
      check.run.buffered.begin(), check.run.buffered.end(),
      [&](const HistoryEvent& event) { return Pending::withdraws(check.batches, event); });
}

void cap_durations_of(command::StartTimerCommandAttributes& a) {
  cap_duration(a.has_start_to_fire_timeout() ? a.mutable_start_to_fire_timeout() : nullptr);
}

void cap_durations_of(command::ScheduleActivityTaskCommandAttributes& a) {
  cap_duration(a.has_schedule_to_close_timeout() ? a.mutable_schedule_to_close_timeout() : nullptr);
  cap_duration(a.has_schedule_to_start_timeout() ? a.mutable_schedule_to_start_timeout() : nullptr);
  cap_duration(a.has_start_to_close_timeout() ? a.mutable_start_to_close_timeout() : nullptr);
  cap_duration(a.has_heartbeat_timeout() ? a.mutable_heartbeat_timeout() : nullptr);
  cap_durations(a.has_retry_policy() ? a.mutable_retry_policy() : nullptr);
}

template <class Attributes>
void cap_durations_of(Attributes& a) {
  if constexpr (requires { a.has_workflow_execution_timeout(); }) {
    cap_duration(a.has_workflow_execution_timeout() ? a.mutable_workflow_execution_timeout()
                                                    : nullptr);
  }
  if constexpr (requires { a.has_backoff_start_interval(); })
    cap_duration(a.has_backoff_start_interval() ? a.mutable_backoff_start_interval() : nullptr);
  cap_duration(a.has_workflow_run_timeout() ? a.mutable_workflow_run_timeout() : nullptr);
  cap_duration(a.has_workflow_task_timeout() ? a.mutable_workflow_task_timeout() : nullptr);
  cap_durations(a.has_retry_policy() ? a.mutable_retry_policy() : nullptr);
}

void cap_durations_of(command::Command& command) {
  switch (command.attributes_case()) {
    case In::kStartTimerCommandAttributes:
      return cap_durations_of(*command.mutable_start_timer_command_attributes());
    case In::kScheduleActivityTaskCommandAttributes:
      return cap_durations_of(*command.mutable_schedule_activity_task_command_attributes());
    case In::kStartChildWorkflowExecutionCommandAttributes:
      return cap_durations_of(*command.mutable_start_child_workflow_execution_command_attributes());
    case In::kContinueAsNewWorkflowExecutionCommandAttributes:
      return cap_durations_of(
          *command.mutable_continue_as_new_workflow_execution_command_attributes());
    default:
      return;
  }
}

}  // namespace

HistoryEvent CommandTurn::event(enums::EventType type, command::Command& command) const {
  HistoryEvent event = t.event(type);
  if (command.has_user_metadata())
    *event.mutable_user_metadata() = std::move(*command.mutable_user_metadata());
  return event;
}

std::string task_failed_cause_name(enums::WorkflowTaskFailedCause cause) {
  return short_enum_name(enums::WorkflowTaskFailedCause_Name(cause), "WORKFLOW_TASK_FAILED_CAUSE_",
                         cause);
}

absl::StatusOr<Verdict> check_commands(const Engine& engine, const Run& run,
                                       const Request& request) {
  if (absl::Status s = check_sequence(request); !s.ok()) return s;
  // Behind the task's Completed event, and the two that are not written yet, perhaps.
  CommandCheck check{engine, run, {}, run.next_event_id() + (run.task.written() ? 1 : 3)};
  for (const auto& command : request.commands()) {
    const std::string& target = target_namespace_of(command);
    if (!target.empty() && engine.namespaces().find(target) == nullptr)
      return namespace_not_found(target);
    if (Verdict verdict = check_command(check, request, command); verdict) return verdict;
    check.event_id += events_of(request, command);
  }
  if (Verdict verdict = check_messages(run, request); verdict) return verdict;
  const bool closes =
      request.commands_size() > 0 &&
      is_close_command(request.commands(request.commands_size() - 1).command_type());
  if (closes && leaves_events(check))
    return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, "");
  return Verdict();
}

void apply_commands(CommandTurn& turn, Request& request) {
  absl::flat_hash_set<std::string> applied;  // Messages.
  for (auto& command : *request.mutable_commands()) {
    cap_durations_of(command);
    if (Pending::apply(turn, command)) continue;
    if (command.command_type() != enums::COMMAND_TYPE_PROTOCOL_MESSAGE) {
      apply_run_command(turn, command);
      continue;
    }
    const std::string& id = command.protocol_message_command_attributes().message_id();
    for (auto& message : *request.mutable_messages()) {
      if (message.id() == id && applied.insert(id).second) apply_update_message(turn.t, message);
    }
  }
  for (auto& message : *request.mutable_messages()) {
    if (applied.insert(message.id()).second) apply_update_message(turn.t, message);
  }
}

}  // namespace chimera::server
