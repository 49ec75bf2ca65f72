// CommandApplier: what each command writes into history, and its activities and timers.
#include "server/engine/engine.h"
#include "server/engine/pending/activity.h"
#include "server/engine/pending/activity_options.h"
#include "server/engine/rules/retry.h"
#include "server/engine/turn/chain.h"
#include "server/engine/turn/commands.h"
#include "server/engine/turn/cross.h"
#include "server/engine/turn/update_registry.h"
#include "server/visibility/attributes.h"

namespace chimera::server {

HistoryEvent CommandApplier::event(enums::EventType type, command::Command& command) {
  HistoryEvent event = t_.event(type);
  if (command.has_user_metadata())
    *event.mutable_user_metadata() = std::move(*command.mutable_user_metadata());
  return event;
}

void CommandApplier::apply(command::Command& command) {
  switch (command.command_type()) {
    case enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK:
      return schedule_activity(command);
    case enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK:
      return cancel_activity(command);
    case enums::COMMAND_TYPE_START_TIMER:
      return start_timer(command);
    case enums::COMMAND_TYPE_CANCEL_TIMER:
      return cancel_timer(command);
    case enums::COMMAND_TYPE_RECORD_MARKER:
      return record_marker(command);
    case enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
      return upsert_search_attributes(command);
    case enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES:
      return modify_properties(command);
    case enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION:
      return complete(command);
    case enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION:
      return fail(command);
    case enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION:
      return cancel(command);
    case enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
      return continue_as_new(command);
    case enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION:
      return start_child(command);
    case enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION:
      return signal_external(command);
    case enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION:
      return cancel_external(command);
    case enums::COMMAND_TYPE_PROTOCOL_MESSAGE:
      return apply_message(command.protocol_message_command_attributes().message_id());
    default:
      return;
  }
}

void CommandApplier::apply_message(const std::string& id) {
  for (auto& message : *request_.mutable_messages()) {
    if (message.id() != id || !applied_messages_.insert(id).second) continue;
    apply_update_message(t_, message);
  }
}

void CommandApplier::apply_remaining_messages() {
  for (auto& message : *request_.mutable_messages()) {
    if (applied_messages_.insert(message.id()).second) apply_update_message(t_, message);
  }
}

void CommandApplier::schedule_activity(command::Command& command) {
  auto& from = *command.mutable_schedule_activity_task_command_attributes();
  HistoryEvent event = this->event(enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, command);
  auto& a = *event.mutable_activity_task_scheduled_event_attributes();
  a.set_activity_id(from.activity_id());
  *a.mutable_activity_type() = from.activity_type();
  const bool named = !from.task_queue().name().empty();
  a.mutable_task_queue()->set_name(named ? from.task_queue().name() : t_.run().task_queue);
  a.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  if (from.has_header()) *a.mutable_header() = std::move(*from.mutable_header());
  if (from.has_input()) *a.mutable_input() = std::move(*from.mutable_input());
  *a.mutable_schedule_to_close_timeout() = from.schedule_to_close_timeout();
  *a.mutable_schedule_to_start_timeout() = from.schedule_to_start_timeout();
  *a.mutable_start_to_close_timeout() = from.start_to_close_timeout();
  *a.mutable_heartbeat_timeout() = from.heartbeat_timeout();
  fill_activity_timeouts(t_.run(), a);
  a.set_workflow_task_completed_event_id(completed_id_);
  *a.mutable_retry_policy() = from.retry_policy();
  default_retry_policy(*a.mutable_retry_policy());
  a.set_use_workflow_build_id(from.use_workflow_build_id());
  if (from.has_priority()) *a.mutable_priority() = from.priority();
  const std::int64_t id = t_.write(std::move(event)).event_id();
  if (from.request_eager_execution()) {
    eager_.push_back(id);
  } else {
    dispatch_activity(t_, *t_.run().find_activity(id));
  }
}

void CommandApplier::cancel_activity(command::Command& command) {
  const std::int64_t id =
      command.request_cancel_activity_task_command_attributes().scheduled_event_id();
  if (Activity* activity = t_.run().find_activity(id)) {
    request_activity_cancel(t_, *activity, completed_id_, request_.identity());
    return;
  }
  HistoryEvent event = this->event(enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED, command);
  auto& a = *event.mutable_activity_task_cancel_requested_event_attributes();
  a.set_scheduled_event_id(id);
  a.set_workflow_task_completed_event_id(completed_id_);
  t_.write(std::move(event));
}

void CommandApplier::start_timer(command::Command& command) {
  const auto& from = command.start_timer_command_attributes();
  HistoryEvent event = this->event(enums::EVENT_TYPE_TIMER_STARTED, command);
  auto& a = *event.mutable_timer_started_event_attributes();
  a.set_timer_id(from.timer_id());
  *a.mutable_start_to_fire_timeout() = from.start_to_fire_timeout();
  a.set_workflow_task_completed_event_id(completed_id_);
  t_.write(std::move(event));
}

void CommandApplier::cancel_timer(command::Command& command) {
  const std::string& id = command.cancel_timer_command_attributes().timer_id();
  Run& run = t_.run();
  std::int64_t started = 0;
  if (auto it = run.timers.find(id); it != run.timers.end()) started = it->second.started_id;
  std::erase_if(
      run.buffered, [&](const HistoryEvent& buffered) {  // It fired, but the workflow never saw it.
        const auto& fired = buffered.timer_fired_event_attributes();
        if (buffered.event_type() != enums::EVENT_TYPE_TIMER_FIRED || fired.timer_id() != id)
          return false;
        started = fired.started_event_id();
        return true;
      });
  HistoryEvent event = this->event(enums::EVENT_TYPE_TIMER_CANCELED, command);
  auto& a = *event.mutable_timer_canceled_event_attributes();
  a.set_timer_id(id);
  a.set_started_event_id(started);
  a.set_workflow_task_completed_event_id(completed_id_);
  a.set_identity(request_.identity());
  t_.write(std::move(event));
}

void CommandApplier::record_marker(command::Command& command) {
  auto& from = *command.mutable_record_marker_command_attributes();
  HistoryEvent event = this->event(enums::EVENT_TYPE_MARKER_RECORDED, command);
  auto& a = *event.mutable_marker_recorded_event_attributes();
  a.set_marker_name(from.marker_name());
  a.mutable_details()->swap(*from.mutable_details());
  a.set_workflow_task_completed_event_id(completed_id_);
  if (from.has_header()) *a.mutable_header() = std::move(*from.mutable_header());
  if (from.has_failure()) *a.mutable_failure() = std::move(*from.mutable_failure());
  t_.write(std::move(event));
}

void CommandApplier::upsert_search_attributes(command::Command& command) {
  auto& from = *command.mutable_upsert_workflow_search_attributes_command_attributes();
  HistoryEvent event = this->event(enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, command);
  auto& a = *event.mutable_upsert_workflow_search_attributes_event_attributes();
  a.set_workflow_task_completed_event_id(completed_id_);
  *a.mutable_search_attributes() =
      with_types(t_.run().ns->search_attributes, std::move(*from.mutable_search_attributes()));
  t_.write(std::move(event));
}

void CommandApplier::modify_properties(command::Command& command) {
  HistoryEvent event = this->event(enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED, command);
  auto& a = *event.mutable_workflow_properties_modified_event_attributes();
  a.set_workflow_task_completed_event_id(completed_id_);
  *a.mutable_upserted_memo() = std::move(
      *command.mutable_modify_workflow_properties_command_attributes()->mutable_upserted_memo());
  t_.write(std::move(event));
}

void CommandApplier::complete(command::Command& command) {
  HistoryEvent event = this->event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, command);
  auto& a = *event.mutable_workflow_execution_completed_event_attributes();
  auto& from = *command.mutable_complete_workflow_execution_command_attributes();
  if (from.has_result()) *a.mutable_result() = std::move(*from.mutable_result());
  a.set_workflow_task_completed_event_id(completed_id_);
  a.set_new_execution_run_id(follow_after_completion(t_, a.result()));
  t_.write(std::move(event));
}

void CommandApplier::fail(command::Command& command) {
  HistoryEvent event = this->event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, command);
  auto& a = *event.mutable_workflow_execution_failed_event_attributes();
  *a.mutable_failure() =
      std::move(*command.mutable_fail_workflow_execution_command_attributes()->mutable_failure());
  a.set_workflow_task_completed_event_id(completed_id_);
  const FollowUp follow = follow_after_failure(t_, a.failure());
  a.set_retry_state(follow.state);
  a.set_new_execution_run_id(follow.run_id);
  t_.write(std::move(event));
}

void CommandApplier::cancel(command::Command& command) {
  HistoryEvent event = this->event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, command);
  auto& a = *event.mutable_workflow_execution_canceled_event_attributes();
  a.set_workflow_task_completed_event_id(completed_id_);
  auto& from = *command.mutable_cancel_workflow_execution_command_attributes();
  if (from.has_details()) *a.mutable_details() = std::move(*from.mutable_details());
  t_.write(std::move(event));
}

void CommandApplier::continue_as_new(command::Command& command) {
  auto& from = *command.mutable_continue_as_new_workflow_execution_command_attributes();
  HistoryEvent event = this->event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, command);
  continue_run(t_, from, completed_id_,
               *event.mutable_workflow_execution_continued_as_new_event_attributes());
  t_.write(std::move(event));
}

void CommandApplier::start_child(command::Command& command) {
  auto& from = *command.mutable_start_child_workflow_execution_command_attributes();
  HistoryEvent event =
      this->event(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, command);
  initiate_child(t_, from, completed_id_,
                 *event.mutable_start_child_workflow_execution_initiated_event_attributes());
  post_child_start(t_, t_.write(std::move(event)).event_id());
}

void CommandApplier::signal_external(command::Command& command) {
  auto& from = *command.mutable_signal_external_workflow_execution_command_attributes();
  HistoryEvent event =
      this->event(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, command);
  auto& a = *event.mutable_signal_external_workflow_execution_initiated_event_attributes();
  a.set_workflow_task_completed_event_id(completed_id_);
  set_target_namespace(t_, from.namespace_(), a);
  *a.mutable_workflow_execution() = from.execution();
  a.set_signal_name(from.signal_name());
  if (from.has_input()) *a.mutable_input() = std::move(*from.mutable_input());
  if (from.has_header()) *a.mutable_header() = std::move(*from.mutable_header());
  a.set_control(from.control());
  a.set_child_workflow_only(from.child_workflow_only());
  post_external_signal(t_, t_.write(std::move(event)).event_id());
}

void CommandApplier::cancel_external(command::Command& command) {
  const auto& from = command.request_cancel_external_workflow_execution_command_attributes();
  HistoryEvent event =
      this->event(enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, command);
  auto& a = *event.mutable_request_cancel_external_workflow_execution_initiated_event_attributes();
  a.set_workflow_task_completed_event_id(completed_id_);
  set_target_namespace(t_, from.namespace_(), a);
  a.mutable_workflow_execution()->set_workflow_id(from.workflow_id());
  a.mutable_workflow_execution()->set_run_id(from.run_id());
  a.set_control(from.control());
  a.set_child_workflow_only(from.child_workflow_only());
  a.set_reason(from.reason());
  post_external_cancel(t_, t_.write(std::move(event)).event_id());
}

}  // namespace chimera::server
