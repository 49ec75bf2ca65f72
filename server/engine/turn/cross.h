// What runs do to each other: children, signals and cancels to other workflows, the end of a
// parent. Each effect is a follow-up of the turn, so that both sides become durable together. Loop
// thread.
#ifndef CHIMERA_SERVER_ENGINE_TURN_CROSS_H_
#define CHIMERA_SERVER_ENGINE_TURN_CROSS_H_

#include <string>

#include "absl/status/status.h"

#include "server/engine/engine.h"
#include "server/engine/run/transition.h"

namespace chimera::server {

void initiate_child(Transition& t, command::StartChildWorkflowExecutionCommandAttributes& from,
                    std::int64_t completed_id,
                    history::StartChildWorkflowExecutionInitiatedEventAttributes& a);
void post_child_start(Transition& t, std::int64_t initiated_id);
void post_external_signal(Transition& t, std::int64_t initiated_id);
void post_external_cancel(Transition& t, std::int64_t initiated_id);
// Signals and cancels to others whose outcome the run has not got: after a reset to a point before
// it, or a restart.
void post_unanswered(Engine& engine, const Run& run);
void notify_parent(Engine& engine, const Run& run);
void apply_parent_close_policy(Engine& engine, const Run& run);

// Whether the run takes another signal: it has not had too many, and is not about to close.
absl::Status check_signal(const Engine& engine, const Run& run);
// Shared with the RPCs. False: a request of this id has signalled the run already.
bool signal_run(Engine& engine, const Run& run,
                history::WorkflowExecutionSignaledEventAttributes attributes,
                const std::string& request_id = {},
                google::protobuf::RepeatedPtrField<common::Link>* links = nullptr);
void cancel_run(Engine& engine, const Run& run,
                history::WorkflowExecutionCancelRequestedEventAttributes attributes);

// Ends the delay of a run's first task.
void wake_delayed(Engine& engine, const Run& run);

// A command's target namespace defaults to the run's own.
template <class Attributes>
void set_target_namespace(Transition& t, const std::string& name, Attributes& a) {
  const Namespace* ns = name.empty() ? t.run().ns : t.engine().namespaces().find(name);
  a.set_namespace_(name.empty() ? t.run().ns->name() : name);
  if (ns != nullptr) a.set_namespace_id(ns->id);
}

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_TURN_CROSS_H_
