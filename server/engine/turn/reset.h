// Reset: a new run that repeats a run's history up to a workflow task and goes on from there. Loop
// thread.
#ifndef CHIMERA_SERVER_ENGINE_TURN_RESET_H_
#define CHIMERA_SERVER_ENGINE_TURN_RESET_H_

#include <string>

#include "server/base/types.h"

namespace chimera::server {

class Engine;
class Run;

// Ends the current run of the workflow id if it runs. The request names a point at which this can
// be done; its ids have been looked up. The new run's id.
std::string reset_run(Engine& engine, const Run& base,
                      const wf::ResetWorkflowExecutionRequest& request);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_TURN_RESET_H_
