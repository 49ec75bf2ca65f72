// What clients may say of a run's version: at its start, or later. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_DEPLOYMENTS_OVERRIDES_H_
#define CHIMERA_SERVER_ENGINE_DEPLOYMENTS_OVERRIDES_H_

#include <string>

#include "absl/status/status.h"

#include "server/engine/deployments/run_versioning.h"
#include "server/engine/run/namespaces.h"

namespace chimera::server {

class Engine;

// Errors in the genuine server's words (1.32).
// Whether it says something at all.
absl::Status check_override(const VersioningOverride& override);
// And whether a version that it names has the workflow queue.
absl::Status check_override(const Engine& engine, const Namespace& ns, const std::string& queue,
                            const VersioningOverride& override);
// A run has it from now on: the version that it names is in use again.
void note_override(Engine& engine, const Namespace& ns, const VersioningOverride& override);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_DEPLOYMENTS_OVERRIDES_H_
