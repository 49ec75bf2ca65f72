// What kind an event of a history is.
#ifndef CHIMERA_CORE_HISTORY_EVENTS_H_
#define CHIMERA_CORE_HISTORY_EVENTS_H_

#include <string>
#include <string_view>

#include "core/base/api.h"

namespace chimera::core {

using api::enums::v1::EventType;
using api::history::v1::HistoryEvent;

// Written because a command of a workflow task asked for it; in the order of the commands.
bool is_command_event(EventType type);
// Nothing of the language's comes after it.
bool is_final_event(EventType type);

// "TimerStarted".
std::string event_name(EventType type);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_HISTORY_EVENTS_H_
