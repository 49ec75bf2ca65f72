// New runs: by a client's start (with its policies), by a parent, by a run that continues. Loop
// thread.
#ifndef CHIMERA_SERVER_ENGINE_TURN_START_H_
#define CHIMERA_SERVER_ENGINE_TURN_START_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"

#include "server/engine/run/run.h"

namespace chimera::server {

class Transition;

class Engine;

struct StartSpec {
  Namespace* ns = nullptr;
  std::string workflow_id, run_id;
  std::string request_id;
  history::WorkflowExecutionStartedEventAttributes
      attributes;  // But for ids and expiry, which create_run() fills.
  ::temporal::api::sdk::v1::UserMetadata user_metadata;
  google::protobuf::RepeatedPtrField<common::Link> links;
  std::optional<history::WorkflowExecutionSignaledEventAttributes> signal;
  WallTime execution_expires = kUnset;  // Of a chain; kUnset: counted from now.
  bool has_worker = true;               // Else the server does its work: it gets no workflow task.
};

// Writes the first events and schedules the first workflow task unless it is delayed.
const Run& create_run(Engine& engine, StartSpec spec);

// What a start does with the current run of its workflow id.
struct StartDecision {
  const Run* use = nullptr;        // Answer with this run; nothing is started.
  bool deduplicated = false;       // The same request started it.
  const Run* terminate = nullptr;  // Terminate this one first.
};
absl::StatusOr<StartDecision> decide_start(Engine& engine, const Namespace& ns,
                                           const std::string& workflow_id,
                                           const std::string& request_id,
                                           enums::WorkflowIdReusePolicy reuse,
                                           enums::WorkflowIdConflictPolicy conflict);
// A start that was answered with a run leaves its trace there.
struct Attached {
  std::string request_id;
  google::protobuf::RepeatedPtrField<common::Link> links;
  google::protobuf::RepeatedPtrField<common::Callback> callbacks;
};
void attach_request(Engine& engine, const Run& run, Attached attached);
// Writes the Terminated event, and before it the end of a started workflow task and what it held
// back.
void write_terminated(Transition& t, const std::string& reason, const common::Payloads* details,
                      const std::string& identity);
void terminate_run(Engine& engine, const Run& run, const std::string& reason,
                   const common::Payloads* details, const std::string& identity);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_TURN_START_H_
