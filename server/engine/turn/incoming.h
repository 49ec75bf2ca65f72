// What comes to a run from outside: signals and cancel requests, of clients and of other runs. Loop
// thread.
#ifndef CHIMERA_SERVER_ENGINE_TURN_INCOMING_H_
#define CHIMERA_SERVER_ENGINE_TURN_INCOMING_H_

#include <string>

#include "absl/status/status.h"

#include "server/engine/engine.h"
#include "server/engine/run/transition.h"

namespace chimera::server {

bool takes_no_more_signals(const Engine& engine, const Run& run);
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

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_TURN_INCOMING_H_
