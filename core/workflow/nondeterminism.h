// The reports of disagreements between history and code.
#ifndef CHIMERA_CORE_WORKFLOW_NONDETERMINISM_H_
#define CHIMERA_CORE_WORKFLOW_NONDETERMINISM_H_

#include <string>
#include <string_view>

#include "core/history/events.h"
#include "core/language/language.h"

namespace chimera::core {

// `event` may be null (the history has none), `command` empty (the code issued none).
std::string nondeterminism_message(const RunContext& run, const HistoryEvent* event,
                                   const std::string& command, const std::string& what,
                                   int commands_matched);
// A file that ends among the events of a task's commands, before `command`: it may have been cut
// there, so that nothing is said of the code. (A server gives them all at once.)
std::string cut_history_message(const RunContext& run, std::int64_t last_event_id,
                                const std::string& command);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_NONDETERMINISM_H_
