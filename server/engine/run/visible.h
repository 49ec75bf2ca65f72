// What lists show of a run, and when that has changed. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_RUN_VISIBLE_H_
#define CHIMERA_SERVER_ENGINE_RUN_VISIBLE_H_

#include "server/engine/run/run.h"
#include "server/visibility/entry.h"

namespace chimera::server {

visibility::Entry entry_of(const Run& run);
// Whether lists show something else of it than when this was last asked. The events from
// `first_new` on are new.
bool looks_different(const Run& run, int first_new);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RUN_VISIBLE_H_
