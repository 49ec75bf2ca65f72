// What is shown of an activity that stands alone: described, and in lists. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_STANDALONE_ACTIVITY_VIEW_H_
#define CHIMERA_SERVER_ENGINE_STANDALONE_ACTIVITY_VIEW_H_

#include <string>

#include "temporal/api/activity/v1/message.pb.h"
#include "temporal/api/workflow/v1/message.pb.h"

#include "server/engine/standalone/activity_execution.h"
#include "server/visibility/entry.h"

namespace chimera::server {

// In lists such activities are a division of their own, named as in the genuine server 1.32.
inline constexpr char kActivityDivision[] = "3332429922";

// Without what only some ask for: heartbeat details, last failure.
void describe(const ActivityExecution& execution, WallTime now,
              ::temporal::api::activity::v1::ActivityExecutionInfo& info);
visibility::Entry entry_of(const ActivityExecution& execution);
// What lists of such activities show of an entry. Its info is a WorkflowExecutionInfo, as any:
// lists of workflows may ask for the division.
void fill_listed(const ::temporal::api::workflow::v1::WorkflowExecutionInfo& entry,
                 ::temporal::api::activity::v1::ActivityExecutionListInfo& info);
// Another one when lists would show something else.
std::string shown_key(const ActivityExecution& execution);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_STANDALONE_ACTIVITY_VIEW_H_
