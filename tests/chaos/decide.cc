#include "temporal/api/update/v1/message.pb.h"

#include "tests/chaos/load.h"

namespace chimera::chaos {
namespace {

using api::command::v1::Command;
namespace update = api::update::v1;

// What a history tells.
struct Known {
  std::string type, input, workflow_id;
  int signals = 0, updates = 0;
  bool timer_started = false, timer_fired = false;
  bool child_started = false, child_done = false;
  int scheduled = 0, completed = 0;  // Activities.
};

Known read(const std::vector<HistoryEvent>& events) {
  Known known;
  for (const HistoryEvent& event : events) {
    switch (event.event_type()) {
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: {
        const auto& a = event.workflow_execution_started_event_attributes();
        known.type = a.workflow_type().name();
        known.input = text_of(a.input());
        known.workflow_id = a.workflow_id();
        break;
      }
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        ++known.signals;
        break;
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
        ++known.updates;
        break;
      case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
        ++known.scheduled;
        break;
      case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
        ++known.completed;
        break;
      case enums::EVENT_TYPE_TIMER_STARTED:
        known.timer_started = true;
        break;
      case enums::EVENT_TYPE_TIMER_FIRED:
        known.timer_fired = true;
        break;
      case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
        known.child_started = true;
        break;
      case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
        known.child_done = true;
        break;
      default:
        break;
    }
  }
  return known;
}

void answer_updates(const wf::PollWorkflowTaskQueueResponse& task, Known& known,
                    wf::RespondWorkflowTaskCompletedRequest& out) {
  auto add = [&out](const auto& message, const std::string& update_id, const char* suffix,
                    const google::protobuf::Message& body) {
    auto& added = *out.add_messages();
    added.set_id(absl::StrCat(update_id, suffix));
    added.set_protocol_instance_id(update_id);
    added.mutable_body()->PackFrom(body);
    Command& command = *out.add_commands();
    command.set_command_type(enums::COMMAND_TYPE_PROTOCOL_MESSAGE);
    command.mutable_protocol_message_command_attributes()->set_message_id(added.id());
  };
  for (const auto& message : task.messages()) {
    update::Request request;
    if (!message.body().UnpackTo(&request)) continue;
    const std::string& id = message.protocol_instance_id();
    update::Acceptance accepted;
    accepted.set_accepted_request_message_id(message.id());
    accepted.set_accepted_request_sequencing_event_id(message.event_id());
    *accepted.mutable_accepted_request() = request;
    add(message, id, "/accept", accepted);
    update::Response response;
    *response.mutable_meta() = request.meta();
    *response.mutable_outcome()->mutable_success() = text_payload("echo:" + id);
    add(message, id, "/complete", response);
    ++known.updates;
  }
}

void schedule_activity(wf::RespondWorkflowTaskCompletedRequest& out, const std::string& id) {
  Command& command = *out.add_commands();
  command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
  auto& a = *command.mutable_schedule_activity_task_command_attributes();
  a.set_activity_id(id);
  a.mutable_activity_type()->set_name("act");
  a.mutable_task_queue()->set_name(kQueue);
  a.mutable_start_to_close_timeout()->set_seconds(1);
  a.mutable_retry_policy()->mutable_initial_interval()->set_nanos(10'000'000);
}

void start_timer(wf::RespondWorkflowTaskCompletedRequest& out) {
  Command& command = *out.add_commands();
  command.set_command_type(enums::COMMAND_TYPE_START_TIMER);
  auto& a = *command.mutable_start_timer_command_attributes();
  a.set_timer_id("t");
  a.mutable_start_to_fire_timeout()->set_nanos(20'000'000);
}

void start_child(wf::RespondWorkflowTaskCompletedRequest& out, const std::string& id) {
  Command& command = *out.add_commands();
  command.set_command_type(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION);
  auto& a = *command.mutable_start_child_workflow_execution_command_attributes();
  a.set_workflow_id(id + "-child");
  a.mutable_workflow_type()->set_name("Chain");
  a.mutable_task_queue()->set_name(kQueue);
  *a.mutable_input() = text_payload("1");
  a.mutable_workflow_task_timeout()->set_seconds(1);
}

void complete(wf::RespondWorkflowTaskCompletedRequest& out, const std::string& id) {
  Command& command = *out.add_commands();
  command.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
  *command.mutable_complete_workflow_execution_command_attributes()->mutable_result() =
      text_payload("done:" + id);
}

void continue_as_new(wf::RespondWorkflowTaskCompletedRequest& out, int left) {
  Command& command = *out.add_commands();
  command.set_command_type(enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION);
  auto& a = *command.mutable_continue_as_new_workflow_execution_command_attributes();
  *a.mutable_input() = text_payload(absl::StrCat(left));
}

}  // namespace

wf::RespondWorkflowTaskCompletedRequest decide(const wf::PollWorkflowTaskQueueResponse& task,
                                               const std::vector<HistoryEvent>& events) {
  wf::RespondWorkflowTaskCompletedRequest out;
  Known known = read(events);
  answer_updates(task, known, out);
  if (known.type == "Parent") {
    if (!known.child_started) start_child(out, known.workflow_id);
    if (known.child_done) complete(out, known.workflow_id);
    return out;
  }
  if (known.type == "Scheduled") {
    complete(out, known.workflow_id);
    return out;
  }
  if (known.type == "Pinned") {
    if (!known.timer_started) start_timer(out);
    if (known.timer_fired) complete(out, known.workflow_id);
    return out;
  }
  if (known.scheduled == 0) schedule_activity(out, "a");
  if (known.type == "Chain") {
    if (known.completed == 0) return out;
    const int left = std::atoi(known.input.c_str());
    left > 0 ? continue_as_new(out, left - 1) : complete(out, known.workflow_id);
    return out;
  }
  if (!known.timer_started) start_timer(out);
  if (known.completed == 1 && known.scheduled == 1) schedule_activity(out, "b");
  if (known.completed == 2 && known.timer_fired && known.signals >= 3 && known.updates >= 1)
    complete(out, known.workflow_id);
  return out;
}

}  // namespace chimera::chaos
