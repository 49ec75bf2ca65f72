// OperationExecution, a Nexus operation that stands alone: what it was started with, how its
// requests go, how it ended. OperationExecutions owns it and gives it out const: it changes in an
// OperationChange. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_STANDALONE_OPERATION_EXECUTION_H_
#define CHIMERA_SERVER_ENGINE_STANDALONE_OPERATION_EXECUTION_H_

#include <cstdint>
#include <memory>
#include <string>

#include "temporal/api/enums/v1/nexus.pb.h"

#include "server/engine/pending/nexus_operation.h"
#include "server/engine/standalone/executions.h"

namespace chimera::server {

struct OperationExecution : StandaloneExecution, std::enable_shared_from_this<OperationExecution> {
  using Status = enums::NexusOperationExecutionStatus;
  static constexpr char kName[] = "operation";
  static constexpr char kStartTable[] = "operation_start", kStateTable[] = "operation_state";

  // --- As it was started; this does not change.
  std::string operation_id, identity;
  // What `operation` is of, as if it was in a workflow's history: endpoint, input, timeouts.
  HistoryEvent event;

  // --- What becomes of it.
  NexusOperation operation;
  Status status = enums::NEXUS_OPERATION_EXECUTION_STATUS_RUNNING;  // Until it has ended.
  std::unique_ptr<common::Payload> result;
  std::unique_ptr<failure::Failure> failure;

  const std::string& id() const { return operation_id; }
  const NexusOperation::Attributes& attributes() const {
    return event.nexus_operation_scheduled_event_attributes();
  }
  const std::string& request_id() const { return attributes().request_id(); }  // To its handler.
  bool open() const { return status == enums::NEXUS_OPERATION_EXECUTION_STATUS_RUNNING; }
  bool cancel_requested() const { return operation.cancel.requested_id != 0; }
  // "Succeeded", "TimedOut": as errors name what it has ended as.
  std::string state() const;
  WallTime next_deadline() const { return open() ? operation.next_deadline() : kNever; }
  void attach(Engine&) { operation.event = &event; }
  std::uint64_t last_stamp() const { return 0; }

  // As the store has it, in two rows.
  std::string start_row() const;
  std::string state_row() const;
  bool read(absl::string_view start, absl::string_view state);  // But for `ns`, by its id.
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_STANDALONE_OPERATION_EXECUTION_H_
