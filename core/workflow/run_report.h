// What a run knows of a disagreement between its history and its code, put into a report. Lane
// thread; at work only where there is one.
#ifndef CHIMERA_CORE_WORKFLOW_RUN_REPORT_H_
#define CHIMERA_CORE_WORKFLOW_RUN_REPORT_H_

#include <string>

#include "core/workflow/run_data.h"

namespace chimera::core {

// "ScheduleActivity charge (id 2)".
std::string describe_command(const RunData& run, const OutgoingCommand& command);
// `event` is null where the history has no more, `command` where the code issued none for it.
std::string report_disagreement(const RunData& run, const HistoryEvent* event,
                                const OutgoingCommand* command, const std::string& what);
// What belongs behind a report that the language made itself: the history around, in
// lines; the last has no end.
std::string report_surroundings(const RunData& run);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_RUN_REPORT_H_
