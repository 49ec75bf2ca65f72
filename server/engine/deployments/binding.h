// What binds a run to a version, and the queues that its tasks go to therefore. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_DEPLOYMENTS_BINDING_H_
#define CHIMERA_SERVER_ENGINE_DEPLOYMENTS_BINDING_H_

#include <string>

#include "server/engine/deployments/routing.h"
#include "server/engine/deployments/run_versioning.h"
#include "server/engine/run/transition.h"
#include "server/matching/task.h"

namespace chimera::server {

class Engine;

RunBinding binding_of(const Run& run);
// Of a worker, by its poll.
DeploymentVersion version_of(const Poller& poller);

// Where new runs of this id and queue go; a pinned run may be elsewhere.
VersionTarget workflow_target(const Engine& engine, const Run& run);
// Whose workers are to have the run's next task at its normal queue, by which revision.
VersionTarget workflow_route(const Engine& engine, const Run& run);
// Likewise for an activity at the queue of this name. One of a pinned run goes to the run's
// version if that has the queue, else wherever the queue's tasks go.
VersionTarget activity_route(const Engine& engine, const Run& run, const std::string& queue);
// The worker that has the run in its cache is of another version than the run is to go to.
bool leaves_sticky(const Engine& engine, const Run& run);

// --- The run moves.
// Workers of another version have its task, or are about to: until one completes it. What waits
// for the old ones is sent out anew.
void begin_transition(Transition& t, const VersionTarget& to);
// A worker of this version wants an activity of the run, which is elsewhere: whether the run has to
// move there first (then it does) or the activity goes by itself.
bool moves_run(Transition& t, const DeploymentVersion& by, const std::string& queue);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_DEPLOYMENTS_BINDING_H_
