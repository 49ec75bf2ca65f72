// Rebuilds an engine from what its store held: namespaces, runs, their timers and their place in
// matching. Before the loop starts.
#ifndef CHIMERA_SERVER_ENGINE_TURN_RECOVERY_H_
#define CHIMERA_SERVER_ENGINE_TURN_RECOVERY_H_

#include "absl/status/status.h"

namespace chimera::server {

class Engine;

absl::Status recover(Engine& engine);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_TURN_RECOVERY_H_
