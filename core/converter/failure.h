// FailureInfo, a failure as neither language nor wire sees it: what went wrong, of which kind, and
// why (the cause). The C++ SDK makes exceptions of it; api.failure.v1.Failure is its form on the
// wire. Plain values; any thread.
#ifndef CHIMERA_CORE_CONVERTER_FAILURE_H_
#define CHIMERA_CORE_CONVERTER_FAILURE_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "core/base/api.h"

namespace chimera::core {

struct ApplicationFailure {
  std::string type;
  bool non_retryable = false;
  std::optional<std::chrono::nanoseconds> next_retry_delay;
  api::enums::v1::ApplicationErrorCategory category{};
  api::common::v1::Payloads details;
};
struct TimeoutFailure {
  api::enums::v1::TimeoutType type{};
  api::common::v1::Payloads last_heartbeat_details;
};
struct CanceledFailure {
  api::common::v1::Payloads details;
};
struct TerminatedFailure {};
struct ServerFailure {
  bool non_retryable = false;
};
struct ResetWorkflowFailure {
  api::common::v1::Payloads last_heartbeat_details;
};
struct ActivityFailure {
  std::int64_t scheduled_event_id = 0, started_event_id = 0;
  std::string identity, activity_type, activity_id;
  api::enums::v1::RetryState retry_state{};
};
struct ChildWorkflowFailure {
  std::string namespace_, workflow_id, run_id, workflow_type;
  std::int64_t initiated_event_id = 0, started_event_id = 0;
  api::enums::v1::RetryState retry_state{};
};
struct NexusOperationFailure {
  std::int64_t scheduled_event_id = 0;
  std::string endpoint, service, operation, operation_token;
};
struct NexusHandlerFailure {
  std::string type;
  api::enums::v1::NexusHandlerErrorRetryBehavior retry_behavior{};
};

struct FailureInfo {
  std::string message, source, stack_trace;
  // monostate: a failure of no kind that we know.
  std::variant<std::monostate, ApplicationFailure, TimeoutFailure, CanceledFailure,
               TerminatedFailure, ServerFailure, ResetWorkflowFailure, ActivityFailure,
               ChildWorkflowFailure, NexusOperationFailure, NexusHandlerFailure>
      kind;
  std::shared_ptr<const FailureInfo> cause;  // Shared by every copy of the failure; never changed.
};

// Encoded attributes that are plain JSON ({"message", "stack_trace"}) are put back in their place.
// Chains deeper than 100 causes are cut there.
FailureInfo from_proto(const api::failure::v1::Failure& failure);
// Texts of exceptions may be in any encoding: what is not UTF-8 of them becomes U+FFFD.
api::failure::v1::Failure to_proto(const FailureInfo& failure);

// An ApplicationFailure with a type and nothing else.
FailureInfo application_failure(std::string message, std::string type);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_CONVERTER_FAILURE_H_
