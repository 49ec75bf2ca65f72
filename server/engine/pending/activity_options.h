// What an operator does to pending activities: pause, unpause, reset, change their options. Loop
// thread.
#ifndef CHIMERA_SERVER_ENGINE_PENDING_ACTIVITY_OPTIONS_H_
#define CHIMERA_SERVER_ENGINE_PENDING_ACTIVITY_OPTIONS_H_

#include "absl/status/status.h"
#include "temporal/api/activity/v1/message.pb.h"

#include "server/engine/run/run.h"

namespace chimera::server {

class Engine;

// What of the four timeouts is left open follows from the others and the run's timeout.
void fill_activity_timeouts(const Run& run, history::ActivityTaskScheduledEventAttributes& a);
// The options that hold now.
void fill_options(const Activity& activity,
                  ::temporal::api::activity::v1::ActivityOptions& options);

// Each picks its activities by id, by type or all of them.
absl::Status pause_activities(Engine& engine, wf::PauseActivityRequest& request,
                              wf::PauseActivityResponse& response);
absl::Status unpause_activities(Engine& engine, wf::UnpauseActivityRequest& request,
                                wf::UnpauseActivityResponse& response);
absl::Status reset_activities(Engine& engine, wf::ResetActivityRequest& request,
                              wf::ResetActivityResponse& response);
absl::Status update_activities(Engine& engine, wf::UpdateActivityOptionsRequest& request,
                               wf::UpdateActivityOptionsResponse& response);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_PENDING_ACTIVITY_OPTIONS_H_
