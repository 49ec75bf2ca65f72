// Nexus operations that stand alone: a client calls one, without a workflow, through an endpoint.
// By server 1.32 with nexusoperation.enableStandalone. client.h has the calls that give handles.
//
//   auto charge = client.start_nexus_operation<&Payments::charge>(
//       "payments", {.id = "charge-7", .schedule_to_close_timeout = 5min}, Charge{"7", 500});
//   const Receipt receipt = charge.result();
#ifndef CHIMERA_NEXUS_EXECUTION_H_
#define CHIMERA_NEXUS_EXECUTION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "chimera/client_options.h"
#include "chimera/definition.h"
#include "chimera/errors.h"
#include "chimera/executions.h"
#include "chimera/nexus_member.h"
#include "chimera/options.h"

namespace chimera {

// Whether an id may be used again once its operation has closed.
enum class NexusOperationIdReusePolicy {
  kUnspecified = 0,
  kAllowDuplicate = 1,
  kAllowDuplicateFailedOnly = 2,
  kRejectDuplicate = 3,
};
// What a start does while an operation of this id runs.
enum class NexusOperationIdConflictPolicy { kUnspecified = 0, kFail = 1, kUseExisting = 2 };

// How a client starts an operation. `id` is required; it is the caller's, its handler does not see
// it. Requests to start it are tried again until the schedule_to_close_timeout, which the server
// may limit, or the operation's end.
struct StartNexusOperationOptions {
  std::string id = {};
  Duration schedule_to_close_timeout{};
  Duration schedule_to_start_timeout{};
  Duration start_to_close_timeout{};  // Of an operation that goes on after its start.
  NexusOperationIdReusePolicy id_reuse_policy = NexusOperationIdReusePolicy::kAllowDuplicate;
  NexusOperationIdConflictPolicy id_conflict_policy = NexusOperationIdConflictPolicy::kFail;
  SearchAttributes search_attributes = {};
  std::string summary = {};                         // A line for people.
  std::map<std::string, std::string> headers = {};  // Of its requests; not encoded by any codec.
};

enum class NexusExecutionStatus {
  kUnspecified = 0,
  kRunning = 1,
  kCompleted = 2,
  kFailed = 3,
  kCanceled = 4,
  kTerminated = 5,
  kTimedOut = 6,
};
enum class PendingNexusOperationState {
  kUnspecified = 0,
  kScheduled = 1,
  kBackingOff = 2,  // Until its handler is asked again.
  kStarted = 3,
  kBlocked = 4,
};
enum class NexusOperationCancellationState {
  kUnspecified = 0,
  kScheduled = 1,
  kBackingOff = 2,
  kSucceeded = 3,
  kFailed = 4,
  kTimedOut = 5,
  kBlocked = 6,
};

// As lists have it. Times that are not known are the epoch.
struct NexusExecution {
  std::string id, run_id, endpoint, service, operation;
  NexusExecutionStatus status = NexusExecutionStatus::kUnspecified;
  Time schedule_time, close_time;
  Duration execution_duration{};
  std::int64_t state_transition_count = 0;
  std::map<std::string, Payload> search_attributes;  // Read with from_payload().
};

// What a description has that is asked for by name, because it may be large.
struct DescribeNexusOperationOptions {
  bool include_input = false, include_outcome = false;
};

// How far a request to cancel has come.
struct NexusExecutionCancellation {
  Time requested_time;
  NexusOperationCancellationState state = NexusOperationCancellationState::kUnspecified;
  int attempt = 0;
  Time last_attempt_complete_time, next_attempt_schedule_time;
  std::shared_ptr<const FailureError> last_attempt_failure;  // Null: none.
  std::string blocked_reason, reason;                        // The second is the caller's.
};

struct NexusExecutionDescription : NexusExecution {
  PendingNexusOperationState state = PendingNexusOperationState::kUnspecified;  // While it runs.
  int attempt = 0;
  Duration schedule_to_close_timeout{}, schedule_to_start_timeout{}, start_to_close_timeout{};
  Time expiration_time, last_attempt_complete_time, next_attempt_schedule_time;
  std::shared_ptr<const FailureError> last_attempt_failure;  // Null: none.
  std::string blocked_reason;
  std::string request_id;       // By which its handler knows a start that it has seen.
  std::string operation_token;  // Empty: it has not started, or was over when it did.
  std::string identity, summary, details;
  std::map<std::string, std::string> headers;
  std::vector<nexus::Link> links;                          // That its handler has given.
  std::optional<NexusExecutionCancellation> cancellation;  // Once somebody has asked for it.
  // Where they were asked for, and are there.
  std::optional<Payload> input, result;
  std::shared_ptr<const FailureError> outcome_failure;
};

using NexusExecutionCount = WorkflowCount;

namespace detail {

// Which execution a handle means: of an empty run id, the latest.
struct NexusTarget {
  std::string id, run_id;
  std::string endpoint = {}, service = {}, operation = {};  // As far as they are known.
};

// At most one argument.
NexusTarget start_nexus_execution(ClientState& client, std::string_view endpoint,
                                  std::string_view service, std::string_view operation,
                                  const StartNexusOperationOptions& options, Arguments input);
// Null: it has none. `target` learns of which operation it is.
std::optional<Payload> nexus_operation_result(ClientState& client, NexusTarget& target);
NexusExecutionDescription describe_nexus_operation(ClientState& client, const NexusTarget& target,
                                                   const DescribeNexusOperationOptions& options);
void cancel_nexus_operation(ClientState& client, const NexusTarget& target,
                            const std::string& reason);
void terminate_nexus_operation(ClientState& client, const NexusTarget& target,
                               const std::string& reason);

// As long as it lives, this thread converts values of that operation. Borrows both.
class NexusValues {
 public:
  NexusValues(const ClientState& client, const NexusTarget& target);
  ~NexusValues();
  NexusValues(const NexusValues&) = delete;
  NexusValues& operator=(const NexusValues&) = delete;

 private:
  const void* const context_;
  const void* const before_;
};

}  // namespace detail

// A Nexus operation that stands alone. R is its output. Calls block, and throw RpcError (kNotFound:
// there is none of this id); any thread, cheap to copy, not from workflow code.
template <class R>
class NexusExecutionHandle {
 public:
  NexusExecutionHandle(detail::ClientPtr client, detail::NexusTarget target)
      : client_(std::move(client)), target_(std::move(target)) {}
  // The same handle, whose calls have these options.
  NexusExecutionHandle with_rpc(const RpcOptions& options) const {
    return {detail::with_rpc(client_, options), target_};
  }
  const std::string& id() const { return target_.id; }
  // That was started or asked for; empty if the handle is for the latest.
  const std::string& run_id() const { return target_.run_id; }

  // Waits for the end. Throws NexusOperationFailureError.
  R result() const {
    detail::NexusTarget target = target_;
    [[maybe_unused]] const std::optional<Payload> value =
        detail::nexus_operation_result(*client_, target);
    if constexpr (!std::is_void_v<R>) {
      const detail::NexusValues converting(*client_, target);
      return from_payload<R>(value ? *value : make_payload(nullptr));
    }
  }
  NexusExecutionDescription describe(const DescribeNexusOperationOptions& options = {}) const {
    return detail::describe_nexus_operation(*client_, target_, options);
  }
  // Asks its handler to stop, once it has started. Does not wait for that.
  void cancel(const std::string& reason = "") const {
    detail::cancel_nexus_operation(*client_, target_, reason);
  }
  // Ends it at once; its handler is not asked.
  void terminate(const std::string& reason = "") const {
    detail::terminate_nexus_operation(*client_, target_, reason);
  }

 private:
  friend const detail::NexusTarget& target_of(const NexusExecutionHandle& handle) {
    return handle.target_;
  }
  detail::ClientPtr client_;
  detail::NexusTarget target_;
};

}  // namespace chimera

#endif  // CHIMERA_NEXUS_EXECUTION_H_
