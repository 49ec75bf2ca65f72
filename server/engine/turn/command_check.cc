// check_commands(): every rule that refuses a command.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/rules/cron.h"
#include "server/engine/rules/limits.h"
#include "server/engine/rules/retry.h"
#include "server/engine/turn/commands.h"
#include "server/engine/turn/update_registry.h"
#include "server/visibility/attributes.h"

namespace chimera::server {
namespace {

// What earlier commands of the batch will have changed by the time a later one is applied.
class Checker {
 public:
  Checker(Engine& engine, const Run& run, const wf::RespondWorkflowTaskCompletedRequest& request)
      : engine_(engine), run_(run), request_(request) {}

  Verdict check(const command::Command& command) {
    if (Verdict verdict = check_limits(command); verdict) return verdict;
    switch (command.command_type()) {
      case enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK:
        return schedule_activity(command.schedule_activity_task_command_attributes());
      case enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK:
        return cancel_activity(command.request_cancel_activity_task_command_attributes());
      case enums::COMMAND_TYPE_START_TIMER:
        return start_timer(command.start_timer_command_attributes());
      case enums::COMMAND_TYPE_CANCEL_TIMER:
        return cancel_timer(command.cancel_timer_command_attributes());
      case enums::COMMAND_TYPE_RECORD_MARKER:
        if (!command.record_marker_command_attributes().marker_name().empty()) return std::nullopt;
        return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES,
                   "MarkerName is not set on RecordMarkerCommand.");
      case enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION:
        if (command.fail_workflow_execution_command_attributes().has_failure()) return std::nullopt;
        return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES,
                   "Failure is not set on FailWorkflowExecutionCommand.");
      case enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
        return continue_as_new(command.continue_as_new_workflow_execution_command_attributes());
      case enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION:
        return start_child(command.start_child_workflow_execution_command_attributes());
      case enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION:
        return signal_external(command.signal_external_workflow_execution_command_attributes());
      case enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION:
        return cancel_external(
            command.request_cancel_external_workflow_execution_command_attributes());
      case enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
        return upsert(command.upsert_workflow_search_attributes_command_attributes());
      case enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES:
        if (command.modify_workflow_properties_command_attributes().has_upserted_memo())
          return std::nullopt;
        return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES,
                   "UpsertedMemo is not set on ModifyWorkflowPropertiesCommand.");
      case enums::COMMAND_TYPE_PROTOCOL_MESSAGE:
        return message(command.protocol_message_command_attributes().message_id());
      case enums::COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION:
        return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_FEATURE_DISABLED,
                   "Nexus operations are not available in this server.");
      default:
        return std::nullopt;
    }
  }

  Verdict check_messages() {
    for (const auto& message : request_.messages()) {
      std::string problem = check_update_message(run_, message);
      if (problem.empty()) continue;
      return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE,
                 std::move(problem));
    }
    return std::nullopt;
  }

  // Whether events wait that the workflow has not seen; the firing of a timer that it cancels goes.
  bool leaves_events() const {
    return std::any_of(run_.buffered.begin(), run_.buffered.end(), [this](const auto& event) {
      return event.event_type() != enums::EVENT_TYPE_TIMER_FIRED ||
             !canceled_timers_.contains(event.timer_fired_event_attributes().timer_id());
    });
  }

 private:
  Verdict schedule_activity(const command::ScheduleActivityTaskCommandAttributes& a) {
    constexpr auto kCause = Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES;
    if (a.activity_id().empty())
      return bad(kCause, "ActivityId is not set on ScheduleActivityTaskCommand.");
    if (a.activity_type().name().empty())
      return bad(kCause, "ActivityType is not set on ScheduleActivityTaskCommand.");
    if (to_nanos(a.start_to_close_timeout()) == Nanos{0} &&
        to_nanos(a.schedule_to_close_timeout()) == Nanos{0}) {
      return bad(kCause,
                 absl::StrCat("A valid StartToClose or ScheduleToCloseTimeout is not set on "
                              "ScheduleActivityTaskCommand. ActivityId=",
                              a.activity_id(), " ActivityType=", a.activity_type().name()));
    }
    if (std::string problem = check_retry_policy(a.retry_policy()); !problem.empty())
      return bad(kCause, problem);
    if (run_.activity_ids.contains(a.activity_id()) ||
        !activities_.insert(a.activity_id()).second) {
      return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID,
                 absl::StrCat("activityID ", a.activity_id(), " already exists"));
    }
    return at_limit(Cause::WORKFLOW_TASK_FAILED_CAUSE_PENDING_ACTIVITIES_LIMIT_EXCEEDED,
                    "activities", run_.activities.size() + activities_.size() - 1,
                    engine_.config().activities_max);
  }

  Verdict cancel_activity(const command::RequestCancelActivityTaskCommandAttributes& a) {
    auto it = run_.activities.find(a.scheduled_event_id());
    const bool ended = ended_buffered(a.scheduled_event_id());
    if ((it == run_.activities.end() && !ended && a.scheduled_event_id() < run_.next_event_id()) ||
        (it != run_.activities.end() && it->second.cancel_requested_id != 0)) {
      return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES,
                 absl::StrCat("BadRequestCancelActivityAttributes: invalid or already requested "
                              "scheduled event id ",
                              a.scheduled_event_id()));
    }
    return std::nullopt;
  }

  // Its outcome waits in the buffer: the worker cannot know, so the cancel is no error.
  bool ended_buffered(std::int64_t scheduled_id) const {
    for (const HistoryEvent& event : run_.buffered) {
      if (event.activity_task_started_event_attributes().scheduled_event_id() == scheduled_id ||
          event.activity_task_timed_out_event_attributes().scheduled_event_id() == scheduled_id) {
        return true;
      }
    }
    return false;
  }

  Verdict start_timer(const command::StartTimerCommandAttributes& a) {
    if (a.timer_id().empty()) {
      return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES,
                 "TimerId is not set on StartTimerCommand.");
    }
    if (a.start_to_fire_timeout().seconds() < 0) {
      return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES,
                 "A valid StartToFireTimeout is not set on StartTimerCommand.");
    }
    const bool pending =
        run_.timers.contains(a.timer_id()) && !canceled_timers_.contains(a.timer_id());
    if (pending || !timers_.insert(a.timer_id()).second) {
      return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID,
                 absl::StrCat("TimerID ", a.timer_id(), " already exists"));
    }
    return std::nullopt;
  }

  Verdict cancel_timer(const command::CancelTimerCommandAttributes& a) {
    bool known = timers_.erase(a.timer_id()) > 0 || run_.timers.contains(a.timer_id());
    for (const HistoryEvent& event : run_.buffered) {
      known = known || event.timer_fired_event_attributes().timer_id() == a.timer_id();
    }
    if (a.timer_id().empty() || !known) {
      return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES,
                 absl::StrCat(
                     "invalid history builder state for action: add-timer-canceled-event, TimerId ",
                     a.timer_id(), " is not pending"));
    }
    canceled_timers_.insert(a.timer_id());
    return std::nullopt;
  }

  Verdict continue_as_new(const command::ContinueAsNewWorkflowExecutionCommandAttributes& a) {
    constexpr auto kCause = Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES;
    if (std::string problem = check_retry_policy(a.retry_policy()); !problem.empty())
      return bad(kCause, problem);
    if (absl::Status s = check_search_attributes(run_.ns->search_attributes, run_.ns->name(),
                                                 a.search_attributes());
        !s.ok()) {
      return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES, std::string(s.message()));
    }
    return std::nullopt;
  }

  Verdict start_child(const command::StartChildWorkflowExecutionCommandAttributes& a) {
    constexpr auto kCause = Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES;
    if (a.workflow_id().empty())
      return bad(kCause,
                 "Required field WorkflowId is not set on StartChildWorkflowExecutionCommand.");
    if (a.workflow_type().name().empty()) {
      return bad(kCause,
                 "Required field WorkflowType is not set on StartChildWorkflowExecutionCommand.");
    }
    if (std::string problem = check_retry_policy(a.retry_policy()); !problem.empty())
      return bad(kCause, problem);
    // Continue-as-new is not asked: as by the genuine server, a bad schedule only has no next run.
    if (std::string problem = CronSchedule::problem(a.cron_schedule(), engine_.now());
        !problem.empty()) {
      return bad(
          kCause,
          absl::StrCat("invalid CronSchedule on StartChildWorkflowExecutionCommand: ", problem,
                       ". WorkflowId=", a.workflow_id(), " WorkflowType=", a.workflow_type().name(),
                       " Namespace=", a.namespace_().empty() ? run_.ns->name() : a.namespace_()));
    }
    if (absl::Status s = check_search_attributes(run_.ns->search_attributes, run_.ns->name(),
                                                 a.search_attributes());
        !s.ok()) {
      return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES, std::string(s.message()));
    }
    const std::size_t pending = run_.children.size() + new_children_.size();
    new_children_.insert(a.workflow_id());
    return at_limit(Cause::WORKFLOW_TASK_FAILED_CAUSE_PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED,
                    "child workflow executions", pending, engine_.config().children_max);
  }

  Verdict signal_external(const command::SignalExternalWorkflowExecutionCommandAttributes& a) {
    constexpr auto kCause =
        Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
    if (a.execution().workflow_id().empty()) {
      return bad(kCause,
                 "Required field WorkflowId is not set on SignalExternalWorkflowExecutionCommand.");
    }
    if (a.signal_name().empty())
      return bad(kCause, "SignalName is not set on SignalExternalWorkflowExecutionCommand.");
    return at_limit(Cause::WORKFLOW_TASK_FAILED_CAUSE_PENDING_SIGNALS_LIMIT_EXCEEDED,
                    "signals to external workflows", run_.external_signals.size() + signals_++,
                    engine_.config().external_signals_max);
  }

  Verdict cancel_external(
      const command::RequestCancelExternalWorkflowExecutionCommandAttributes& a) {
    constexpr auto kCause =
        Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES;
    if (a.workflow_id().empty()) {
      return bad(
          kCause,
          "Required field WorkflowId is not set on RequestCancelExternalWorkflowExecutionCommand.");
    }
    if (new_children_.contains(a.workflow_id())) {
      return bad(
          kCause,
          "Start and RequestCancel for child workflow is not allowed in same workflow task.");
    }
    return at_limit(Cause::WORKFLOW_TASK_FAILED_CAUSE_PENDING_REQUEST_CANCEL_LIMIT_EXCEEDED,
                    "requests to cancel external workflows",
                    run_.external_cancels.size() + cancels_++,
                    engine_.config().external_cancels_max);
  }

  Verdict upsert(const command::UpsertWorkflowSearchAttributesCommandAttributes& a) {
    if (absl::Status s = check_search_attributes(run_.ns->search_attributes, run_.ns->name(),
                                                 a.search_attributes());
        !s.ok()) {
      return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES, std::string(s.message()));
    }
    return std::nullopt;
  }

  Verdict message(const std::string& id) {
    for (const auto& message : request_.messages()) {
      if (message.id() == id) return std::nullopt;
    }
    return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE,
               absl::StrCat("ProtocolMessageCommand referenced absent message ID ", id));
  }

  Engine& engine_;
  const Run& run_;
  const wf::RespondWorkflowTaskCompletedRequest& request_;
  std::size_t signals_ = 0, cancels_ = 0;
  absl::flat_hash_set<std::string> activities_, timers_, canceled_timers_, new_children_;
};

// "FooBar" for PREFIX_FOO_BAR, as error texts have it; the number of a value that this build does
// not know, whose `full` name is empty (the API's enums are open).
std::string short_enum_name(absl::string_view full, absl::string_view prefix, int value) {
  if (!absl::ConsumePrefix(&full, prefix)) return absl::StrCat(value);
  std::string name;
  for (absl::string_view word : absl::StrSplit(full, '_')) {
    name += absl::AsciiStrToUpper(word.substr(0, 1));
    name += absl::AsciiStrToLower(word.substr(1));
  }
  return name;
}

std::string command_name(const command::Command& command) {
  return short_enum_name(enums::CommandType_Name(command.command_type()), "COMMAND_TYPE_",
                         command.command_type());
}

// Known commands, and none behind one that closes the run: not even a message (genuine servers
// 1.29, 1.32).
absl::Status check_sequence(const wf::RespondWorkflowTaskCompletedRequest& request) {
  for (int i = 0; i < request.commands_size(); ++i) {
    const auto type = request.commands(i).command_type();
    if (!enums::CommandType_IsValid(type) || type == enums::COMMAND_TYPE_UNSPECIFIED)
      return invalid(absl::StrCat("unknown command type: ", static_cast<int>(type)));
    if (!is_close_command(type) || i + 1 == request.commands_size()) continue;
    const std::string all = absl::StrJoin(
        request.commands(), ", ",
        [](std::string* out, const auto& command) { out->append(command_name(command)); });
    return invalid(absl::StrCat("invalid command sequence: [", all, "], command ",
                                command_name(request.commands(i)), " must be the last command."));
  }
  return absl::OkStatus();
}

}  // namespace

bool is_close_command(enums::CommandType type) {
  return type == enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION ||
         type == enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION ||
         type == enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION ||
         type == enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION;
}

std::string task_failed_cause_name(enums::WorkflowTaskFailedCause cause) {
  return short_enum_name(enums::WorkflowTaskFailedCause_Name(cause), "WORKFLOW_TASK_FAILED_CAUSE_",
                         cause);
}

absl::StatusOr<Verdict> check_commands(Engine& engine, const Run& run,
                                       const wf::RespondWorkflowTaskCompletedRequest& request) {
  if (absl::Status s = check_sequence(request); !s.ok()) return s;
  Checker checker(engine, run, request);
  for (const auto& command : request.commands()) {
    if (Verdict verdict = checker.check(command); verdict) return verdict;
  }
  if (Verdict verdict = checker.check_messages(); verdict) return verdict;
  const bool closes =
      request.commands_size() > 0 &&
      is_close_command(request.commands(request.commands_size() - 1).command_type());
  if (closes && checker.leaves_events()) {
    return Verdict(TaskFailure{Cause::WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, ""});
  }
  return Verdict();
}

}  // namespace chimera::server
