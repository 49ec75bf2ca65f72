// The reports of disagreements between history and code.
#ifndef CHIMERA_CORE_WORKFLOW_NONDETERMINISM_H_
#define CHIMERA_CORE_WORKFLOW_NONDETERMINISM_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/history/events.h"
#include "core/language/language.h"

namespace chimera::core {

// What a report shows; each text is a line's.
struct Disagreement {
  std::string what;
  std::string event;    // Empty: the history has none.
  std::string command;  // Empty: the code issued none.
  int commands_matched = 0;
  // Commands' events that agreed, up to there, and what either side has next.
  std::vector<std::string> before, history_after, code_after;
  std::string cause;  // Empty: nothing that can be told.
};
// The part of it that is about what stands before and after; lines, each with its end.
std::string surroundings(const Disagreement& disagreement);
std::string nondeterminism_message(const RunContext& run, const Disagreement& disagreement);
// Its first line, for later attempts.
std::string_view first_line(std::string_view message);

// A file that ends among the events of a task's commands, before `command`: it may have been cut
// there, so that nothing is said of the code. (A server gives them all at once.)
std::string cut_history_message(const RunContext& run, std::int64_t last_event_id,
                                const std::string& command);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_NONDETERMINISM_H_
