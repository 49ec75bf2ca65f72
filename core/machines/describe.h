// In which words reports speak of an event.
#ifndef CHIMERA_CORE_MACHINES_DESCRIBE_H_
#define CHIMERA_CORE_MACHINES_DESCRIBE_H_

#include <string>

#include "core/history/events.h"

namespace chimera::core {

// "event 11, TimerStarted, timer 2, 30 s": for people.
std::string describe_event(const HistoryEvent& event);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_DESCRIBE_H_
