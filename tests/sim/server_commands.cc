// What commands become: events, and things that go on by themselves.
#include <algorithm>

#include "absl/strings/str_cat.h"

#include "core/base/proto_time.h"
#include "tests/sim/server.h"
#include "tests/sim/text.h"

namespace chimera::sim {

namespace enums = api::enums::v1;

namespace {

constexpr Time kMillisecond = 1'000'000;
constexpr auto kSignalFailed =
    enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
constexpr auto kCancelFailed =
    enums::CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;

api::failure::v1::Failure failure(const std::string& message) {
  api::failure::v1::Failure out;
  out.set_message(message);
  out.mutable_application_failure_info()->set_type("Simulated");
  return out;
}

}  // namespace

void SimServer::apply_commands(const RespondWorkflowTaskCompletedRequest& request) {
  for (const auto& command : request.commands()) {
    if (closed_) return violation("a command behind the one that closes the run");
    apply_command(command, request);
  }
}

void SimServer::apply_command(const api::command::v1::Command& command,
                              const RespondWorkflowTaskCompletedRequest& request) {
  switch (command.command_type()) {
    case enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK:
      return schedule_activity(command.schedule_activity_task_command_attributes());
    case enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK:
      return cancel_activity(
          command.request_cancel_activity_task_command_attributes().scheduled_event_id());
    case enums::COMMAND_TYPE_START_TIMER:
      return start_timer(command.start_timer_command_attributes());
    case enums::COMMAND_TYPE_CANCEL_TIMER:
      return cancel_timer(command.cancel_timer_command_attributes().timer_id());
    case enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION:
      return start_child(command.start_child_workflow_execution_command_attributes());
    case enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION:
      return signal_external(command.signal_external_workflow_execution_command_attributes());
    case enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION:
      return cancel_external(
          command.request_cancel_external_workflow_execution_command_attributes());
    case enums::COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION:
      return schedule_nexus(command.schedule_nexus_operation_command_attributes());
    case enums::COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION:
      return cancel_nexus(
          command.request_cancel_nexus_operation_command_attributes().scheduled_event_id());
    case enums::COMMAND_TYPE_RECORD_MARKER: {
      auto& made = append(event(enums::EVENT_TYPE_MARKER_RECORDED));
      auto& attributes = *made.mutable_marker_recorded_event_attributes();
      attributes.set_marker_name(command.record_marker_command_attributes().marker_name());
      *attributes.mutable_details() = command.record_marker_command_attributes().details();
      forget_foreseen(*attributes.mutable_details(), attributes.marker_name());
      if (command.record_marker_command_attributes().has_failure())
        *attributes.mutable_failure() = command.record_marker_command_attributes().failure();
      return;
    }
    case enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
      *append(event(enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES))
           .mutable_upsert_workflow_search_attributes_event_attributes()
           ->mutable_search_attributes() =
          command.upsert_workflow_search_attributes_command_attributes().search_attributes();
      return;
    case enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES:
      *append(event(enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED))
           .mutable_workflow_properties_modified_event_attributes()
           ->mutable_upserted_memo() =
          command.modify_workflow_properties_command_attributes().upserted_memo();
      return;
    case enums::COMMAND_TYPE_PROTOCOL_MESSAGE:
      return apply_message(command.protocol_message_command_attributes().message_id(), request);
    case enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION:
      return close(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, command);
    case enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION:
      return close(enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, command);
    case enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION:
      return close(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, command);
    case enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
      return close(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, command);
    default:
      return violation(absl::StrCat("a command of another kind: ", text(command)));
  }
}

void SimServer::close(EventType type, const api::command::v1::Command& command) {
  HistoryEvent closing = event(type);
  if (type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED) {
    *closing.mutable_workflow_execution_completed_event_attributes()->mutable_result() =
        command.complete_workflow_execution_command_attributes().result();
  } else if (type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED) {
    *closing.mutable_workflow_execution_failed_event_attributes()->mutable_failure() =
        command.fail_workflow_execution_command_attributes().failure();
  } else if (type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW) {
    const auto& again = command.continue_as_new_workflow_execution_command_attributes();
    auto& attributes = *closing.mutable_workflow_execution_continued_as_new_event_attributes();
    *attributes.mutable_workflow_type() = again.workflow_type();
    *attributes.mutable_input() = again.input();
  } else {
    closing.mutable_workflow_execution_canceled_event_attributes();
  }
  append(std::move(closing));
  closed_ = true;
}

void SimServer::schedule_activity(
    const api::command::v1::ScheduleActivityTaskCommandAttributes& command) {
  HistoryEvent& made = append(event(enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED));
  auto& attributes = *made.mutable_activity_task_scheduled_event_attributes();
  attributes.set_activity_id(command.activity_id());
  *attributes.mutable_activity_type() = command.activity_type();
  *attributes.mutable_input() = command.input();
  const std::int64_t id = made.event_id();
  for (const auto& [scheduled, other] : activities_) {
    if (!other.over && other.id == command.activity_id())
      violation(absl::StrCat("two activities with the id ", command.activity_id()));
  }
  activities_[id] = {command.activity_id()};
  const std::uint64_t wait = rng_.percent(60) ? 5 : 2000, run = rng_.percent(60) ? 100 : 6000;
  const Time begins = now_ + static_cast<Time>(rng_.below(wait + 1)) * kMillisecond;
  at(begins, [this, id] { activities_[id].started = true; });
  at(begins + static_cast<Time>(1 + rng_.below(run)) * kMillisecond,
     [this, id] { end_activity(id, false); });
}

void SimServer::end_activity(std::int64_t scheduled_id, bool cancelled) {
  Activity& activity = activities_[scheduled_id];
  if (activity.over || closed_) return;
  activity.over = true;
  std::vector<HistoryEvent> events;
  if (activity.started) {
    HistoryEvent& started = events.emplace_back(event(enums::EVENT_TYPE_ACTIVITY_TASK_STARTED));
    started.mutable_activity_task_started_event_attributes()->set_scheduled_event_id(scheduled_id);
  }
  HistoryEvent& ended = events.emplace_back();
  const std::uint64_t way = cancelled ? 9 : rng_.below(9);
  if (way < 5) {
    ended = event(enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
    auto& attributes = *ended.mutable_activity_task_completed_event_attributes();
    attributes.set_scheduled_event_id(scheduled_id);
    if (way > 0)
      attributes.mutable_result()->add_payloads()->set_data(absl::StrCat(rng_.below(1000)));
  } else if (way < 7) {
    ended = event(enums::EVENT_TYPE_ACTIVITY_TASK_FAILED);
    auto& attributes = *ended.mutable_activity_task_failed_event_attributes();
    attributes.set_scheduled_event_id(scheduled_id);
    *attributes.mutable_failure() = failure(absl::StrCat("activity ", rng_.below(1000)));
  } else if (way < 9) {
    ended = event(enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT);
    auto& attributes = *ended.mutable_activity_task_timed_out_event_attributes();
    attributes.set_scheduled_event_id(scheduled_id);
    attributes.mutable_failure()->mutable_timeout_failure_info();
  } else {
    ended = event(enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED);
    ended.mutable_activity_task_canceled_event_attributes()->set_scheduled_event_id(scheduled_id);
  }
  happen(std::move(events));
}

void SimServer::cancel_activity(std::int64_t scheduled_id) {
  const auto found = activities_.find(scheduled_id);
  if (found == activities_.end())
    return violation(
        absl::StrCat("a request to cancel activity ", scheduled_id, ", which is none"));
  append(event(enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED))
      .mutable_activity_task_cancel_requested_event_attributes()
      ->set_scheduled_event_id(scheduled_id);
  if (found->second.over) return;  // Its end is buffered.
  if (!found->second.started) return end_activity(scheduled_id, true);
  if (rng_.percent(60)) after(2000, [this, scheduled_id] { end_activity(scheduled_id, true); });
}

void SimServer::start_timer(const api::command::v1::StartTimerCommandAttributes& command) {
  const std::string& id = command.timer_id();
  if (!timer_ids_.insert(id).second) violation(absl::StrCat("two timers with the id ", id));
  HistoryEvent& made = append(event(enums::EVENT_TYPE_TIMER_STARTED));
  auto& attributes = *made.mutable_timer_started_event_attributes();
  attributes.set_timer_id(id);
  *attributes.mutable_start_to_fire_timeout() = command.start_to_fire_timeout();
  timers_[id] = made.event_id();
  at(now_ + base::to_nanoseconds(command.start_to_fire_timeout()).count(), [this, id] {
    const auto timer = timers_.extract(id);
    if (timer.empty()) return;
    HistoryEvent fired = event(enums::EVENT_TYPE_TIMER_FIRED);
    auto& attributes = *fired.mutable_timer_fired_event_attributes();
    attributes.set_timer_id(id);
    attributes.set_started_event_id(timer.mapped());
    happen({std::move(fired)});
  });
}

void SimServer::cancel_timer(const std::string& id) {
  const auto fired = std::find_if(buffered_.begin(), buffered_.end(), [&](const HistoryEvent& one) {
    return one.has_timer_fired_event_attributes() &&
           one.timer_fired_event_attributes().timer_id() == id;
  });
  std::int64_t started = 0;
  if (fired != buffered_.end()) {  // Too late by the clock, but nobody was told.
    started = fired->timer_fired_event_attributes().started_event_id();
    buffered_.erase(fired);
  } else if (const auto timer = timers_.extract(id); !timer.empty()) {
    started = timer.mapped();
  } else {
    return violation(absl::StrCat("a request to cancel timer ", id, ", which does not run"));
  }
  auto& attributes =
      *append(event(enums::EVENT_TYPE_TIMER_CANCELED)).mutable_timer_canceled_event_attributes();
  attributes.set_timer_id(id);
  attributes.set_started_event_id(started);
}

void SimServer::start_child(
    const api::command::v1::StartChildWorkflowExecutionCommandAttributes& command) {
  HistoryEvent& made = append(event(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED));
  auto& attributes = *made.mutable_start_child_workflow_execution_initiated_event_attributes();
  attributes.set_workflow_id(command.workflow_id());
  *attributes.mutable_workflow_type() = command.workflow_type();
  *attributes.mutable_input() = command.input();
  const std::int64_t id = made.event_id();
  children_[id] = {command.workflow_id(), absl::StrCat("child-run-", id)};
  after(rng_.percent(70) ? 10 : 1000, [this, id] { begin_child(id); });
}

void SimServer::begin_child(std::int64_t initiated_id) {
  Child& child = children_[initiated_id];
  if (child.over || closed_) return;
  if (rng_.percent(12)) {
    child.over = true;
    HistoryEvent failed = event(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED);
    auto& attributes = *failed.mutable_start_child_workflow_execution_failed_event_attributes();
    attributes.set_initiated_event_id(initiated_id);
    attributes.set_workflow_id(child.workflow_id);
    attributes.mutable_workflow_type()->set_name("Child");
    attributes.set_cause(
        enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS);
    return happen({std::move(failed)});
  }
  child.started = true;
  HistoryEvent started = event(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED);
  auto& attributes = *started.mutable_child_workflow_execution_started_event_attributes();
  attributes.set_initiated_event_id(initiated_id);
  attributes.mutable_workflow_execution()->set_workflow_id(child.workflow_id);
  attributes.mutable_workflow_execution()->set_run_id(child.run_id);
  attributes.mutable_workflow_type()->set_name("Child");
  happen({std::move(started)});
  after(rng_.percent(50) ? 100 : 6000, [this, initiated_id] { end_child(initiated_id, false); });
}

void SimServer::end_child(std::int64_t initiated_id, bool cancelled) {
  Child& child = children_[initiated_id];
  if (child.over || closed_) return;
  child.over = true;
  HistoryEvent ended;
  const auto fill = [&](auto& attributes) {
    attributes.set_initiated_event_id(initiated_id);
    attributes.mutable_workflow_execution()->set_workflow_id(child.workflow_id);
    attributes.mutable_workflow_type()->set_name("Child");
  };
  const std::uint64_t way = cancelled ? 9 : rng_.below(9);
  if (way < 5) {
    ended = event(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED);
    auto& attributes = *ended.mutable_child_workflow_execution_completed_event_attributes();
    fill(attributes);
    attributes.mutable_result()->add_payloads()->set_data(absl::StrCat(rng_.below(1000)));
  } else if (way < 7) {
    ended = event(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED);
    auto& attributes = *ended.mutable_child_workflow_execution_failed_event_attributes();
    fill(attributes);
    *attributes.mutable_failure() = failure(absl::StrCat("child ", rng_.below(1000)));
  } else if (way == 7) {
    ended = event(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT);
    fill(*ended.mutable_child_workflow_execution_timed_out_event_attributes());
  } else if (way == 8) {
    ended = event(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED);
    fill(*ended.mutable_child_workflow_execution_terminated_event_attributes());
  } else {
    ended = event(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED);
    fill(*ended.mutable_child_workflow_execution_canceled_event_attributes());
  }
  happen({std::move(ended)});
}

void SimServer::signal_external(
    const api::command::v1::SignalExternalWorkflowExecutionCommandAttributes& command) {
  HistoryEvent& made =
      append(event(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED));
  auto& attributes = *made.mutable_signal_external_workflow_execution_initiated_event_attributes();
  *attributes.mutable_workflow_execution() = command.execution();
  attributes.set_signal_name(command.signal_name());
  *attributes.mutable_input() = command.input();
  const std::int64_t id = made.event_id();
  after(rng_.percent(50) ? 5 : 1000, [this, id] {
    HistoryEvent outcome;
    if (rng_.percent(70)) {
      outcome = event(enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED);
      outcome.mutable_external_workflow_execution_signaled_event_attributes()
          ->set_initiated_event_id(id);
    } else {
      outcome = event(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED);
      auto& failed = *outcome.mutable_signal_external_workflow_execution_failed_event_attributes();
      failed.set_initiated_event_id(id);
      failed.set_cause(kSignalFailed);
    }
    happen({std::move(outcome)});
  });
}

void SimServer::cancel_external(
    const api::command::v1::RequestCancelExternalWorkflowExecutionCommandAttributes& command) {
  HistoryEvent& made =
      append(event(enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED));
  auto& attributes =
      *made.mutable_request_cancel_external_workflow_execution_initiated_event_attributes();
  attributes.mutable_workflow_execution()->set_workflow_id(command.workflow_id());
  attributes.mutable_workflow_execution()->set_run_id(command.run_id());
  attributes.set_child_workflow_only(command.child_workflow_only());
  attributes.set_reason(command.reason());
  const std::int64_t id = made.event_id();
  after(rng_.percent(50) ? 5 : 1000, [this, id, child = command.child_workflow_only(),
                                      workflow_id = command.workflow_id()] {
    bool found = rng_.percent(70);
    for (const auto& [initiated, one] : children_) {
      if (child && one.workflow_id == workflow_id) found = one.started && !one.over;
    }
    HistoryEvent outcome;
    if (found) {
      outcome = event(enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED);
      outcome.mutable_external_workflow_execution_cancel_requested_event_attributes()
          ->set_initiated_event_id(id);
    } else {
      outcome = event(enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED);
      auto& failed =
          *outcome.mutable_request_cancel_external_workflow_execution_failed_event_attributes();
      failed.set_initiated_event_id(id);
      failed.set_cause(kCancelFailed);
    }
    happen({std::move(outcome)});
    if (child && found) cancel_child(workflow_id);
  });
}

// A child may end cancelled, or go on as it was.
void SimServer::cancel_child(const std::string& workflow_id) {
  for (const auto& [initiated, child] : children_) {
    if (child.workflow_id != workflow_id || !rng_.percent(70)) continue;
    after(1000, [this, initiated = initiated] { end_child(initiated, true); });
  }
}

void SimServer::apply_message(const std::string& id,
                              const RespondWorkflowTaskCompletedRequest& request) {
  for (const auto& message : request.messages()) {
    if (message.id() != id) continue;
    api::update::v1::Acceptance acceptance;
    api::update::v1::Response response;
    Update& update = updates_[message.protocol_instance_id()];
    if (message.body().UnpackTo(&acceptance)) {
      if (update.state != Update::kAdmitted) violation(absl::StrCat(id, ": accepted twice"));
      update.state = Update::kAccepted;
      HistoryEvent& made = append(event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED));
      auto& attributes = *made.mutable_workflow_execution_update_accepted_event_attributes();
      attributes.set_protocol_instance_id(message.protocol_instance_id());
      attributes.set_accepted_request_message_id(acceptance.accepted_request_message_id());
      attributes.set_accepted_request_sequencing_event_id(
          acceptance.accepted_request_sequencing_event_id());
      *attributes.mutable_accepted_request() = acceptance.accepted_request();
      update.accepted_event_id = made.event_id();
    } else if (message.body().UnpackTo(&response)) {
      if (update.state != Update::kAccepted) violation(absl::StrCat(id, ": not accepted before"));
      update.state = Update::kCompleted;
      HistoryEvent& made = append(event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED));
      auto& attributes = *made.mutable_workflow_execution_update_completed_event_attributes();
      *attributes.mutable_meta() = response.meta();
      attributes.set_accepted_event_id(update.accepted_event_id);
      *attributes.mutable_outcome() = response.outcome();
    }
    return;
  }
  violation(absl::StrCat("a command for the message ", id, ", which did not come"));
}

}  // namespace chimera::sim
