// What the failures of Nexus handlers are in a history. Pure.
#ifndef CHIMERA_SERVER_ENGINE_RULES_NEXUS_FAILURES_H_
#define CHIMERA_SERVER_ENGINE_RULES_NEXUS_FAILURES_H_

#include <string>

#include "absl/status/statusor.h"

#include "server/base/types.h"

namespace chimera::server {

// Details that are no JSON of what their type says are kInvalidArgument.
absl::StatusOr<failure::Failure> from_nexus(const nexus::Failure& failure);
// Of a request that did not come to an operation: `type` is BAD_REQUEST, INTERNAL and so on.
failure::Failure handler_failure(std::string type, std::string message);
absl::StatusOr<failure::Failure> from_nexus(const nexus::HandlerError& error);
// Whether a request that failed so is tried again.
bool is_retryable(const failure::Failure& failure);
// Of a request that the server itself could not make, or whose answer it cannot take.
failure::Failure call_failure(std::string message, bool retryable);

// What a request to start an operation came to.
struct StartOutcome {
  enum class Kind { kCompleted, kStarted, kFailed, kCanceled, kNotDone };
  Kind kind = Kind::kNotDone;
  common::Payload result;    // kCompleted.
  bool has_result = false;   // kCompleted.
  std::string token;         // kStarted.
  failure::Failure failure;  // The last three; of kNotDone is_retryable() says how it goes on.
  google::protobuf::RepeatedPtrField<nexus::Link> links;
};
StartOutcome outcome_of(nexus::StartOperationResponse& response);
// A failure that ends an operation that was cancelled says so (genuine servers).
failure::Failure as_canceled(failure::Failure failure);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RULES_NEXUS_FAILURES_H_
