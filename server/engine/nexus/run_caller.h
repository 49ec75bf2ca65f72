// The caller that is a run. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_NEXUS_RUN_CALLER_H_
#define CHIMERA_SERVER_ENGINE_NEXUS_RUN_CALLER_H_

#include <cstdint>

#include "server/engine/nexus/caller.h"
#include "server/engine/run/run.h"

namespace chimera::server {

class Engine;

NexusCallerPtr caller_of(Engine& engine, const Run& run, std::int64_t scheduled_id);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_NEXUS_RUN_CALLER_H_
