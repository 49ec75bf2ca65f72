// What a test that has run out of time says of its workflow.
#include <algorithm>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include "chimera/testing/worker.h"
#include "core/base/proto_time.h"
#include "sdk-cpp/src/client_state.h"

namespace chimera {
namespace {

namespace ws = api::workflowservice::v1;
using api::history::v1::HistoryEvent;

constexpr int kEventsMost = 20;

// "ActivityTaskScheduled" for EVENT_TYPE_ACTIVITY_TASK_SCHEDULED.
std::string camel_case(std::string_view name, std::string_view prefix) {
  if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  std::string out;
  bool begins = true;
  for (const char c : name) {
    if (c == '_') {
      begins = true;
    } else {
      out += begins ? c : static_cast<char>(c - 'A' + 'a');
      begins = false;
    }
  }
  return out;
}

std::string message_of(const api::failure::v1::Failure& failure) {
  std::string out = failure.message();
  if (failure.has_cause()) absl::StrAppend(&out, ": ", message_of(failure.cause()));
  return out;
}

// What tells one event of a type from another.
std::string about(const HistoryEvent& event) {
  switch (event.attributes_case()) {
    case HistoryEvent::kActivityTaskScheduledEventAttributes:
      return event.activity_task_scheduled_event_attributes().activity_type().name();
    case HistoryEvent::kActivityTaskFailedEventAttributes:
      return message_of(event.activity_task_failed_event_attributes().failure());
    case HistoryEvent::kActivityTaskTimedOutEventAttributes:
      return message_of(event.activity_task_timed_out_event_attributes().failure());
    case HistoryEvent::kWorkflowTaskFailedEventAttributes:
      return message_of(event.workflow_task_failed_event_attributes().failure());
    case HistoryEvent::kTimerStartedEventAttributes:
      return absl::StrCat(
          base::to_nanoseconds(event.timer_started_event_attributes().start_to_fire_timeout()) /
              std::chrono::seconds(1),
          " s");
    case HistoryEvent::kStartChildWorkflowExecutionInitiatedEventAttributes:
      return event.start_child_workflow_execution_initiated_event_attributes()
          .workflow_type()
          .name();
    case HistoryEvent::kWorkflowExecutionSignaledEventAttributes:
      return event.workflow_execution_signaled_event_attributes().signal_name();
    case HistoryEvent::kWorkflowExecutionStartedEventAttributes:
      return event.workflow_execution_started_event_attributes().workflow_type().name();
    case HistoryEvent::kMarkerRecordedEventAttributes:
      return event.marker_recorded_event_attributes().marker_name();
    default:
      return "";
  }
}

void append_history(detail::ClientState& client, const std::string& id, std::string& out) {
  ws::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(client.namespace_);
  request.mutable_execution()->set_workflow_id(id);
  api::history::v1::History history;
  do {
    ws::GetWorkflowExecutionHistoryResponse page;
    client.must("cannot fetch the history", CHIMERA_WORKFLOW_SERVICE(GetWorkflowExecutionHistory),
                request, page);
    history.mutable_events()->MergeFrom(page.history().events());
    request.set_next_page_token(page.next_page_token());
  } while (!request.next_page_token().empty());
  const int size = history.events_size();
  const int first = std::max(0, size - kEventsMost);
  absl::StrAppend(&out, first == 0 ? "Its history:\n" : "Its history ends:\n");
  for (int i = first; i < size; ++i) {
    const HistoryEvent& event = history.events(i);
    const std::string more = about(event);
    absl::StrAppend(&out, "  ", event.event_id(), " ",
                    camel_case(api::enums::v1::EventType_Name(event.event_type()), "EVENT_TYPE_"),
                    more.empty() ? "" : " ", more, "\n");
  }
}

}  // namespace

std::string describe_for_test(const Client& client, const std::string& workflow_id) {
  detail::ClientState& state = *client.state();
  ws::DescribeWorkflowExecutionRequest request;
  request.set_namespace_(state.namespace_);
  request.mutable_execution()->set_workflow_id(workflow_id);
  ws::DescribeWorkflowExecutionResponse found;
  state.must(absl::StrCat("cannot describe workflow '", workflow_id, "'"),
             CHIMERA_WORKFLOW_SERVICE(DescribeWorkflowExecution), request, found);
  const auto& info = found.workflow_execution_info();
  std::string out =
      absl::StrCat("Workflow '", workflow_id, "' of type '", info.type().name(), "': ",
                   camel_case(api::enums::v1::WorkflowExecutionStatus_Name(info.status()),
                              "WORKFLOW_EXECUTION_STATUS_"),
                   ".\n");
  if (found.has_pending_workflow_task()) {
    absl::StrAppend(&out, "Open workflow task: attempt ", found.pending_workflow_task().attempt(),
                    ".\n");
  }
  for (const auto& each : found.pending_activities()) {
    absl::StrAppend(
        &out, "Open activity: '", each.activity_type().name(), "', id ", each.activity_id(), ", ",
        camel_case(api::enums::v1::PendingActivityState_Name(each.state()),
                   "PENDING_ACTIVITY_STATE_"),
        ", attempt ", each.attempt(),
        each.has_last_failure() ? absl::StrCat(", last failure: ", message_of(each.last_failure()))
                                : "",
        ".\n");
  }
  for (const auto& each : found.pending_children()) {
    absl::StrAppend(&out, "Open child: '", each.workflow_type_name(), "', id '", each.workflow_id(),
                    "'.\n");
  }
  append_history(state, workflow_id, out);
  return out;
}

}  // namespace chimera
