// What of a run's version its children and the runs that follow it begin with. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_DEPLOYMENTS_INHERITANCE_H_
#define CHIMERA_SERVER_ENGINE_DEPLOYMENTS_INHERITANCE_H_

#include "server/engine/run/run.h"

namespace chimera::server {

class Engine;

using StartedAttributes = history::WorkflowExecutionStartedEventAttributes;

// Each fills the versioning of a first event, whose task queue is there already.
void inherit_as_child(const Engine& engine, const Run& parent, const Namespace& ns,
                      StartedAttributes& a);
void inherit_as_retry(const Run& before, StartedAttributes& a);
void inherit_as_cron(const Run& before, StartedAttributes& a);
void inherit_as_continued(const Engine& engine, const Run& before,
                          enums::ContinueAsNewVersioningBehavior wanted, StartedAttributes& a);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_DEPLOYMENTS_INHERITANCE_H_
