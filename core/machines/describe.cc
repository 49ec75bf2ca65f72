#include "core/machines/describe.h"

#include "absl/strings/str_cat.h"

#include "core/machines/machines.h"
#include "core/machines/update.h"

namespace chimera::core {
namespace {

template <class M>
bool is_of(EventType type) {
  if (type == M::kBegunBy) return true;
  for (const LaterEvent& later : M::kLater) {
    if (type == later.type) return true;
  }
  return false;
}

template <class... Ms>
std::string of_machine(const HistoryEvent& event, const std::variant<Ms...>*) {
  std::string words;
  ((is_of<Ms>(event.event_type()) ? void(words = Ms::describe(event)) : void()), ...);
  return words;
}

std::string detail(const HistoryEvent& event) {
  if (event.has_marker_recorded_event_attributes())
    return absl::StrCat("marker ", event.marker_recorded_event_attributes().marker_name());
  if (event.has_timer_canceled_event_attributes()) return TimerMachine::describe(event);
  std::string words = UpdateMachine::describe(event);
  return words.empty() ? of_machine(event, static_cast<const Machine*>(nullptr)) : words;
}

}  // namespace

std::string describe_event(const HistoryEvent& event) {
  const std::string words = detail(event);
  return absl::StrCat("event ", event.event_id(), ", ", event_name(event.event_type()),
                      words.empty() ? "" : ", ", words);
}

}  // namespace chimera::core
