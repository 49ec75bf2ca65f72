// The exceptions that users see: the tree of the official SDKs' exceptions, each with its cause.
//   TemporalError > FailureError > ApplicationError, CancelledError, TerminatedError,
//                                  TimeoutError, ServerError, ActivityError, ChildWorkflowError,
//                                  NexusOperationError, nexus::HandlerError
// Out of a workflow only a FailureError fails the workflow; anything else (std::out_of_range, throw
// 42) fails the task, which is tried again once the code is mended. Out of an activity everything
// becomes an ApplicationError.
#ifndef CHIMERA_ERRORS_H_
#define CHIMERA_ERRORS_H_

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "chimera/converter.h"

namespace chimera {

// Values that travel with a failure.
class Details {
 public:
  Details() = default;
  explicit Details(std::vector<Payload> payloads) : payloads_(std::move(payloads)) {}

  std::size_t size() const { return payloads_.size(); }
  bool empty() const { return payloads_.empty(); }
  // Throws std::out_of_range or ConversionError.
  template <class T>
  T get(std::size_t index = 0) const {
    return from_payload<T>(payloads_.at(index));
  }
  const std::vector<Payload>& payloads() const { return payloads_; }

 private:
  std::vector<Payload> payloads_;
};

template <class... T>
Details details(const T&... values) {
  return Details(std::vector<Payload>{make_payload(values)...});
}

class TemporalError : public std::exception {
 public:
  const char* what() const noexcept override { return what_.c_str(); }

 protected:
  explicit TemporalError(std::string what) : what_(std::move(what)) {}
  std::string what_;
};

// Immutable once thrown.
class FailureError : public TemporalError {
 public:
  const std::string& message() const { return message_; }
  const std::string& stack_trace() const { return stack_trace_; }
  const std::string& source() const { return source_; }  // "chimera-cpp", "PythonSDK", ...
  const FailureError* cause() const { return cause_.get(); }
  // The cause (or a cause's cause) of this class, or null.
  template <class Error>
  const Error* find_cause() const {
    for (const FailureError* at = cause(); at != nullptr; at = at->cause()) {
      if (const auto* found = dynamic_cast<const Error*>(at)) return found;
    }
    return nullptr;
  }
  [[noreturn]] virtual void raise() const = 0;  // Throws a copy.

 protected:
  explicit FailureError(std::string message)
      : TemporalError(message), message_(std::move(message)) {}

  std::string message_, stack_trace_, source_;
  std::shared_ptr<const FailureError> cause_;  // Shared by all copies of this exception.
  friend struct FailureAccess;
};

enum class ApplicationErrorCategory { kUnspecified = 0, kBenign = 1 };

struct ApplicationErrorOptions {
  std::string type;  // Matched by RetryPolicy::non_retryable_error_types.
  Details details = {};
  bool non_retryable = false;
  std::optional<std::chrono::nanoseconds> next_retry_delay = {};
  ApplicationErrorCategory category = ApplicationErrorCategory::kUnspecified;
  std::exception_ptr cause = {};
};

// What user code throws, and what any other exception of an activity becomes.
class ApplicationError : public FailureError {
 public:
  explicit ApplicationError(std::string message, ApplicationErrorOptions options = {});
  const std::string& type() const { return options_.type; }
  const Details& details() const { return options_.details; }
  bool non_retryable() const { return options_.non_retryable; }
  std::optional<std::chrono::nanoseconds> next_retry_delay() const {
    return options_.next_retry_delay;
  }
  ApplicationErrorCategory category() const { return options_.category; }
  void raise() const override { throw *this; }

 private:
  ApplicationErrorOptions options_;  // Without the cause.
};

class CancelledError : public FailureError {
 public:
  explicit CancelledError(std::string message = "Cancelled", Details details = {});
  const Details& details() const { return details_; }
  void raise() const override { throw *this; }

 private:
  Details details_;
};

class TerminatedError : public FailureError {
 public:
  explicit TerminatedError(std::string message);
  void raise() const override { throw *this; }
};

enum class TimeoutType {
  kUnspecified = 0,
  kStartToClose = 1,
  kScheduleToStart = 2,
  kScheduleToClose = 3,
  kHeartbeat = 4,
};

class TimeoutError : public FailureError {
 public:
  explicit TimeoutError(std::string message, TimeoutType type = {},
                        Details last_heartbeat_details = {});
  TimeoutType type() const { return type_; }
  const Details& last_heartbeat_details() const { return last_heartbeat_details_; }
  void raise() const override { throw *this; }

 private:
  TimeoutType type_;
  Details last_heartbeat_details_;
};

class ServerError : public FailureError {
 public:
  ServerError(std::string message, bool non_retryable);
  bool non_retryable() const { return non_retryable_; }
  void raise() const override { throw *this; }

 private:
  bool non_retryable_;
};

enum class RetryState {
  kUnspecified = 0,
  kInProgress = 1,
  kNonRetryableFailure = 2,
  kTimeout = 3,
  kMaximumAttemptsReached = 4,
  kRetryPolicyNotSet = 5,
  kInternalServerError = 6,
  kCancelRequested = 7,
};

struct ActivityErrorInfo {
  std::int64_t scheduled_event_id = 0, started_event_id = 0;
  std::string identity, activity_type, activity_id;
  RetryState retry_state = RetryState::kUnspecified;
};

// An activity that a workflow ran has failed, timed out or was cancelled; the cause says which.
class ActivityError : public FailureError {
 public:
  ActivityError(std::string message, ActivityErrorInfo info);
  const ActivityErrorInfo& info() const { return info_; }
  const std::string& activity_type() const { return info_.activity_type; }
  const std::string& activity_id() const { return info_.activity_id; }
  RetryState retry_state() const { return info_.retry_state; }
  void raise() const override { throw *this; }

 private:
  ActivityErrorInfo info_;
};

struct ChildWorkflowErrorInfo {
  std::string namespace_, workflow_id, run_id, workflow_type;
  std::int64_t initiated_event_id = 0, started_event_id = 0;
  RetryState retry_state = RetryState::kUnspecified;
};

class ChildWorkflowError : public FailureError {
 public:
  ChildWorkflowError(std::string message, ChildWorkflowErrorInfo info);
  const ChildWorkflowErrorInfo& info() const { return info_; }
  const std::string& workflow_id() const { return info_.workflow_id; }
  const std::string& workflow_type() const { return info_.workflow_type; }
  RetryState retry_state() const { return info_.retry_state; }
  void raise() const override { throw *this; }

 private:
  ChildWorkflowErrorInfo info_;
};

struct NexusOperationErrorInfo {
  std::int64_t scheduled_event_id = 0;
  std::string endpoint, service, operation, operation_token;
};

// A Nexus operation that a workflow called has failed, timed out or was cancelled; the cause says
// which: an ApplicationError, TimeoutError, CancelledError or nexus::HandlerError.
class NexusOperationError : public FailureError {
 public:
  NexusOperationError(std::string message, NexusOperationErrorInfo info);
  const NexusOperationErrorInfo& info() const { return info_; }
  const std::string& endpoint() const { return info_.endpoint; }
  const std::string& service() const { return info_.service; }
  const std::string& operation() const { return info_.operation; }
  const std::string& operation_token() const { return info_.operation_token; }
  void raise() const override { throw *this; }

 private:
  NexusOperationErrorInfo info_;
};

namespace nexus {

// Why a handler gives no answer. kUnknown: of a type that this SDK does not know.
enum class HandlerErrorType {
  kUnknown,
  kBadRequest,
  kUnauthenticated,
  kUnauthorized,
  kNotFound,
  kRequestTimeout,
  kConflict,
  kResourceExhausted,
  kInternal,
  kNotImplemented,
  kUnavailable,
  kUpstreamTimeout,
};
std::string name_of(HandlerErrorType type);  // "BAD_REQUEST"

enum class RetryBehavior { kUnspecified = 0, kRetryable = 1, kNonRetryable = 2 };

// What a handler throws that cannot answer a request. The server tries retryable ones again; of
// others it is the cause of the caller's NexusOperationError.
class HandlerError : public FailureError {
 public:
  // kUnspecified: by its type, as the Nexus protocol says: INTERNAL, UNAVAILABLE, REQUEST_TIMEOUT,
  // RESOURCE_EXHAUSTED, UPSTREAM_TIMEOUT and unknown ones are retryable.
  HandlerError(HandlerErrorType type, std::string message,
               RetryBehavior retry_behavior = RetryBehavior::kUnspecified,
               std::exception_ptr cause = {});
  // By the type's name on the wire.
  HandlerError(std::string type_name, std::string message,
               RetryBehavior retry_behavior = RetryBehavior::kUnspecified);
  HandlerErrorType type() const;
  const std::string& type_name() const { return type_name_; }
  RetryBehavior retry_behavior() const { return retry_behavior_; }
  bool retryable() const;
  void raise() const override { throw *this; }

 private:
  std::string type_name_;
  RetryBehavior retry_behavior_;
};

enum class OperationState { kFailed, kCancelled };

// What a handler throws whose operation has ended without a result: so ends the caller's, too, and
// nothing is tried again. The caller's NexusOperationError has an ApplicationError of type
// "OperationError" or a CancelledError for its cause.
class OperationError : public TemporalError {
 public:
  OperationError(OperationState state, std::string message, std::exception_ptr cause = {})
      : TemporalError(std::move(message)), state_(state), cause_(std::move(cause)) {}
  OperationState state() const { return state_; }
  const std::exception_ptr& cause() const { return cause_; }  // Null: none.

 private:
  OperationState state_;
  std::exception_ptr cause_;
};

}  // namespace nexus

// The execution that was to be started runs already, or has run and may not run again.
// Thrown by clients, and by workflows that start a child; a workflow that lets it out fails with an
// ApplicationError of type "WorkflowAlreadyStarted".
class WorkflowAlreadyStartedError : public FailureError {
 public:
  WorkflowAlreadyStartedError(std::string workflow_id, std::string workflow_type,
                              std::string run_id);
  const std::string& workflow_id() const { return workflow_id_; }
  const std::string& workflow_type() const { return workflow_type_; }
  const std::string& run_id() const { return run_id_; }  // Empty where the server does not say.
  void raise() const override { throw *this; }

 private:
  std::string workflow_id_, workflow_type_, run_id_;
};

// Thrown by clients: an activity of this id runs, or its id may not be used again.
class ActivityAlreadyStartedError : public FailureError {
 public:
  ActivityAlreadyStartedError(std::string activity_id, std::string activity_type,
                              std::string run_id);
  const std::string& activity_id() const { return activity_id_; }
  const std::string& activity_type() const { return activity_type_; }
  const std::string& run_id() const { return run_id_; }  // Empty where the server does not say.
  void raise() const override { throw *this; }

 private:
  std::string activity_id_, activity_type_, run_id_;
};

// Thrown by clients: a Nexus operation of this id runs, or its id may not be used again.
class NexusOperationAlreadyStartedError : public FailureError {
 public:
  NexusOperationAlreadyStartedError(std::string operation_id, std::string run_id);
  const std::string& operation_id() const { return operation_id_; }
  const std::string& run_id() const { return run_id_; }  // Empty where the server does not say.
  void raise() const override { throw *this; }

 private:
  std::string operation_id_, run_id_;
};

// The schedule that was to be made is there.
class ScheduleAlreadyRunningError : public TemporalError {
 public:
  explicit ScheduleAlreadyRunningError(std::string schedule_id);
  const std::string& schedule_id() const { return schedule_id_; }

 private:
  std::string schedule_id_;
};

// What a client's result() throws when the workflow did not complete. The cause is an
// ApplicationError, CancelledError, TerminatedError or TimeoutError.
class WorkflowFailureError : public TemporalError {
 public:
  explicit WorkflowFailureError(std::shared_ptr<const FailureError> cause);
  const FailureError* cause() const { return cause_.get(); }

 private:
  std::shared_ptr<const FailureError> cause_;
};

// What the result() of an activity that stands alone throws when it did not complete. The cause is
// an ApplicationError, CancelledError, TerminatedError or TimeoutError.
class ActivityFailureError : public TemporalError {
 public:
  explicit ActivityFailureError(std::shared_ptr<const FailureError> cause);
  const FailureError* cause() const { return cause_.get(); }

 private:
  std::shared_ptr<const FailureError> cause_;
};

// What the result() of a Nexus operation that stands alone throws when it did not complete. The
// cause is an ApplicationError, CancelledError, TerminatedError, TimeoutError or
// nexus::HandlerError.
class NexusOperationFailureError : public TemporalError {
 public:
  explicit NexusOperationFailureError(std::shared_ptr<const FailureError> cause);
  const FailureError* cause() const { return cause_.get(); }

 private:
  std::shared_ptr<const FailureError> cause_;
};

class WorkflowUpdateFailedError : public TemporalError {
 public:
  explicit WorkflowUpdateFailedError(std::shared_ptr<const FailureError> cause);
  const FailureError* cause() const { return cause_.get(); }

 private:
  std::shared_ptr<const FailureError> cause_;
};

class WorkflowQueryFailedError : public TemporalError {
 public:
  explicit WorkflowQueryFailedError(std::string message) : TemporalError(std::move(message)) {}
};

// gRPC's codes.
enum class StatusCode {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};
std::string name_of(StatusCode code);  // "NOT_FOUND"

// A call that the server refused or that did not reach it.
class RpcError : public TemporalError {
 public:
  RpcError(StatusCode code, std::string message, std::string raw_grpc_status = {})
      : TemporalError(std::move(message)),
        code_(code),
        raw_grpc_status_(std::move(raw_grpc_status)) {}
  StatusCode code() const { return code_; }
  // A serialized google.rpc.Status with the details that the server gave; empty if it gave none.
  const std::string& raw_grpc_status() const { return raw_grpc_status_; }

 private:
  StatusCode code_;
  std::string raw_grpc_status_;
};

// A command, random number or wait in a query, a validator or a condition.
class ReadOnlyContextError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// The failure and its causes in one line: "ActivityError: Activity task failed: ApplicationError
// NoTruck: too heavy".
std::string describe(const FailureError* error);
std::string describe(const std::exception& error);

// True for a CancelledError, and for an activity, child or Nexus error whose cause is one.
bool is_cancelled(const std::exception& error);

}  // namespace chimera

#endif  // CHIMERA_ERRORS_H_
