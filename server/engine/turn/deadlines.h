// What a run does when time passes: timers fire, attempts and tasks time out, backoffs end. Loop
// thread.
#ifndef CHIMERA_SERVER_ENGINE_TURN_DEADLINES_H_
#define CHIMERA_SERVER_ENGINE_TURN_DEADLINES_H_

#include "server/engine/run/run.h"

namespace chimera::server {

class Engine;

void process_deadlines(Engine& engine, const Run& run);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_TURN_DEADLINES_H_
