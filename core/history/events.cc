#include "core/history/events.h"

#include <bitset>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace chimera::core {

namespace enums = api::enums::v1;

namespace {

using Types = std::bitset<enums::EventType_ARRAYSIZE>;

// The events of commands name the task that commanded them; so do those of how a request fared,
// which name the request, too.
Types command_events() {
  Types types;
  const auto* attributes = HistoryEvent::descriptor()->FindOneofByName("attributes");
  const auto* names = enums::EventType_descriptor();
  for (int i = 0; i < attributes->field_count(); ++i) {
    const auto* field = attributes->field(i);
    const auto has = [&](const char* name) {
      return field->message_type()->FindFieldByName(name) != nullptr;
    };
    if (!has("workflow_task_completed_event_id") || has("initiated_event_id") ||
        has("requested_event_id"))
      continue;
    const auto* type = names->FindValueByName(
        absl::StrCat("EVENT_TYPE_",
                     absl::AsciiStrToUpper(absl::StripSuffix(field->name(), "_event_attributes"))));
    if (type) types.set(static_cast<std::size_t>(type->number()));
  }
  // Answers to an update's messages do not, but stand in their place among the commands.
  types.set(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED);
  types.set(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_REJECTED);
  types.set(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED);
  return types;
}

}  // namespace

bool is_command_event(EventType type) {
  static const Types types = command_events();
  return type >= 0 && static_cast<std::size_t>(type) < types.size() &&
         types[static_cast<std::size_t>(type)];
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

}  // namespace chimera::core
