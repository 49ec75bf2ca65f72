// What an operator does to pending activities of a workflow: the handlers, for the two families of
// RPCs that ask for it. Loop thread.
#ifndef CHIMERA_SERVER_SERVICE_ACTIVITY_OPTIONS_H_
#define CHIMERA_SERVER_SERVICE_ACTIVITY_OPTIONS_H_

#include "absl/status/status.h"

#include "server/engine/engine.h"

namespace chimera::server {

absl::Status pause(Engine& engine, wf::PauseActivityRequest& request, wf::PauseActivityResponse&);
absl::Status unpause(Engine& engine, wf::UnpauseActivityRequest& request,
                     wf::UnpauseActivityResponse&);
absl::Status reset(Engine& engine, wf::ResetActivityRequest& request, wf::ResetActivityResponse&);
absl::Status update_options(Engine& engine, wf::UpdateActivityOptionsRequest& request,
                            wf::UpdateActivityOptionsResponse& response);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_ACTIVITY_OPTIONS_H_
