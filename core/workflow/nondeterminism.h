// The report of a disagreement between history and code.
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

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_NONDETERMINISM_H_
