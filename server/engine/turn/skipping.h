// When the clock of a run jumps (run/skipped_time.h). Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_TURN_SKIPPING_H_
#define CHIMERA_SERVER_ENGINE_TURN_SKIPPING_H_

#include <cstdint>

#include "server/engine/run/run.h"

namespace chimera::server {

class Transition;

// At a transition's end: a run that only waits, for a timer, a back-off or its own timeout, goes on
// there at once. Somebody who works holds its time: a workflow task, an attempt of an activity, a
// child, a signal or cancel on its way to another workflow. So does a pause.
void skip_time(Transition& t);
// The run has lived up to the end of its fast-forward: it skips no more, whatever it does.
void fire_fast_forward(Transition& t, std::int64_t);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_TURN_SKIPPING_H_
