#include "core/history/events.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "core/base/proto_time.h"

namespace chimera::core {

namespace enums = api::enums::v1;

bool is_command_event(EventType type) {
  switch (type) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED:
    case enums::EVENT_TYPE_MARKER_RECORDED:
    case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
    case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
    case enums::EVENT_TYPE_TIMER_CANCELED:
    case enums::EVENT_TYPE_TIMER_STARTED:
    case enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
    case enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED:
    case enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED:
    case enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_REJECTED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
      return true;
    default:
      return false;
  }
}

bool is_final_event(EventType type) {
  switch (type) {
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
      return true;
    default:
      return false;
  }
}

std::string event_name(EventType type) {
  std::string upper = enums::EventType_Name(type);
  if (upper.empty()) return absl::StrCat("event type ", static_cast<int>(type));
  std::string name;
  bool start = true;
  for (char c : absl::StripPrefix(upper, "EVENT_TYPE_")) {
    if (c == '_') {
      start = true;
      continue;
    }
    name += start ? c : absl::ascii_tolower(c);
    start = false;
  }
  return name;
}

namespace {

std::string detail(const HistoryEvent& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: {
      const auto& a = event.activity_task_scheduled_event_attributes();
      return absl::StrCat(", activity ", a.activity_type().name(), " (id ", a.activity_id(), ")");
    }
    case enums::EVENT_TYPE_TIMER_STARTED: {
      const auto& a = event.timer_started_event_attributes();
      const double seconds =
          std::chrono::duration<double>(base::to_nanoseconds(a.start_to_fire_timeout())).count();
      return absl::StrCat(", timer ", a.timer_id(), ", ", seconds, " s");
    }
    case enums::EVENT_TYPE_TIMER_FIRED:
      return absl::StrCat(", timer ", event.timer_fired_event_attributes().timer_id());
    case enums::EVENT_TYPE_TIMER_CANCELED:
      return absl::StrCat(", timer ", event.timer_canceled_event_attributes().timer_id());
    case enums::EVENT_TYPE_MARKER_RECORDED:
      return absl::StrCat(", marker ", event.marker_recorded_event_attributes().marker_name());
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: {
      const auto& a = event.start_child_workflow_execution_initiated_event_attributes();
      return absl::StrCat(", child workflow ", a.workflow_type().name(), " (id ", a.workflow_id(),
                          ")");
    }
    case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: {
      const auto& a = event.signal_external_workflow_execution_initiated_event_attributes();
      return absl::StrCat(", signal ", a.signal_name(), " to workflow ",
                          a.workflow_execution().workflow_id());
    }
    case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
      return absl::StrCat(
          ", workflow ",
          event.request_cancel_external_workflow_execution_initiated_event_attributes()
              .workflow_execution()
              .workflow_id());
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
      return absl::StrCat(
          ", update ",
          event.workflow_execution_update_accepted_event_attributes().protocol_instance_id());
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
      return absl::StrCat(
          ", update ",
          event.workflow_execution_update_completed_event_attributes().meta().update_id());
    case enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED: {
      const auto& a = event.nexus_operation_scheduled_event_attributes();
      return absl::StrCat(", Nexus operation ", a.service(), "/", a.operation());
    }
    default:
      return "";
  }
}

}  // namespace

std::string describe_event(const HistoryEvent& event) {
  return absl::StrCat("event ", event.event_id(), ", ", event_name(event.event_type()),
                      detail(event));
}

}  // namespace chimera::core
