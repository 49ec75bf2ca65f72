// What reports say of an event's or a command's attributes. No values of the user's: reports go to
// logs.
#ifndef CHIMERA_CORE_WORKFLOW_ATTRIBUTES_H_
#define CHIMERA_CORE_WORKFLOW_ATTRIBUTES_H_

#include <string>

#include "core/history/events.h"
#include "core/language/commands.h"

namespace chimera::core {

// "task_queue=orders input=2 values start_to_close_timeout=10s"; what describe_event() says, too,
// is left out. Empty: there are no others.
std::string attributes_of(const HistoryEvent& event);
std::string attributes_of(const Command& command);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_ATTRIBUTES_H_
