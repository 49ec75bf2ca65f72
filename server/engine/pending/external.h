// What signals and cancels to other workflows, and children, have in common. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_PENDING_EXTERNAL_H_
#define CHIMERA_SERVER_ENGINE_PENDING_EXTERNAL_H_

#include <string>

#include "server/engine/engine.h"
#include "server/engine/run/transition.h"

namespace chimera::server {

// Runs the action as a follow-up of the turn, so that both sides become durable together.
template <class Action>
void post(Engine& engine, const Run& run, std::int64_t id, Action action) {
  engine.follow_up([&engine, weak = RunWeak(share(run)), id, action] {
    if (const RunPtr live = weak.lock()) action(engine, *live, id);
  });
}

// The namespace that a command of the run means: its own where none is named. Null: there is none.
const Namespace* target_namespace(const Engine& engine, const Run& run, const std::string& named);

// The event names the namespace as the command does, and always has its id, as with server 1.29.
template <class Attributes>
void set_target_namespace(Transition& t, const std::string& named, Attributes& a) {
  const Namespace* ns = target_namespace(t.engine(), t.run(), named);
  a.set_namespace_(named);
  if (ns != nullptr) a.set_namespace_id(ns->id);
}

// The name of the namespace that a command of the run means.
const std::string& target_namespace_name(const Run& run, const std::string& named);

// The target of a signal or cancel: running, not the sender, and its child if it must be.
const Run* external_target(Engine& engine, const Run& sender, const Namespace* ns,
                           const common::WorkflowExecution& execution, bool child_only);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_PENDING_EXTERNAL_H_
