// Activation, what a run hands to the language that executes its code: the time, and the jobs in
// order. The words are the protocol's (coresdk.workflow_activation). Jobs borrow from the history
// pages and messages that `keep_alive` holds; nothing is copied or serialized on the way to the
// language.
#ifndef CHIMERA_CORE_LANGUAGE_ACTIVATION_H_
#define CHIMERA_CORE_LANGUAGE_ACTIVATION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "temporal/api/query/v1/message.pb.h"
#include "temporal/api/update/v1/message.pb.h"

#include "core/base/api.h"
#include "core/base/clock.h"
#include "core/language/recorded.h"

namespace chimera::core {

// Why a run leaves the cache. Numbers are coresdk's RemoveFromCache.EvictionReason.
enum class EvictionReason {
  kUnspecified = 0,
  kCacheFull = 1,
  kCacheMiss = 2,
  kNondeterminism = 3,
  kLangFail = 4,
  kLangRequested = 5,
  kTaskNotFound = 6,
  kUnhandledCommand = 7,
  kFatal = 8,
  kPaginationOrHistoryFetch = 9,
  kWorkflowExecutionEnding = 10,
};

struct InitializeWorkflow {
  const api::history::v1::WorkflowExecutionStartedEventAttributes* started;  // Never null.
  std::string workflow_id;
  std::uint64_t randomness_seed;  // SipHash-1-3 of original_execution_run_id.
  base::WallTime start_time;      // Of the execution (event 1), not of this task.
};
struct FireTimer {
  std::uint32_t seq;
};
struct UpdateRandomSeed {
  std::uint64_t randomness_seed;
};
struct QueryWorkflow {
  std::string query_id;  // "legacy_query" when it came in the task's `query` field.
  const api::query::v1::WorkflowQuery* query;
};
struct CancelWorkflow {
  std::string reason;
};
struct SignalWorkflow {
  const api::history::v1::WorkflowExecutionSignaledEventAttributes* signal;
  std::int64_t event_id = 0;  // Of the signal's event.
};
struct NotifyHasPatch {
  std::string patch_id;
};
// Told ahead of the activation whose code decided it, to languages that record side effects: in
// replay this is what the code gets.
struct NotifyRecorded {
  Recorded recorded;
};
struct DoUpdate {
  std::string id;
  std::string protocol_instance_id;
  const api::update::v1::Request* request;  // meta, input{name, args, header}
  bool run_validator;                       // True unless replaying.
};

// How an operation ended. Failures are built by the machine (wrapped as the protocol wants them)
// and owned here.
struct Completed {
  const api::common::v1::Payload* result;  // Null when there is none.
};
struct Failed {
  std::shared_ptr<const api::failure::v1::Failure> failure;
};
struct Cancelled {
  std::shared_ptr<const api::failure::v1::Failure> failure;
};
struct ScheduleLocalActivity;
struct Backoff {  // Local activities only: try again after a timer.
  std::uint32_t attempt;
  std::chrono::nanoseconds duration;
  base::WallTime original_schedule_time;
  std::shared_ptr<const ScheduleLocalActivity> activity;  // What is tried. Never null.
};

struct ResolveActivity {
  std::uint32_t seq;
  std::variant<Completed, Failed, Cancelled, Backoff> result;
  bool is_local = false;
};
struct ResolveChildWorkflowExecutionStart {
  struct Succeeded {
    std::string run_id;
    std::string workflow_id;  // Where history names the child otherwise than the command did.
  };
  struct StartFailed {
    std::string workflow_id, workflow_type;
    api::enums::v1::StartChildWorkflowExecutionFailedCause cause;
  };
  std::uint32_t seq;
  std::variant<Succeeded, StartFailed, Cancelled> status;
};
struct ResolveChildWorkflowExecution {
  std::uint32_t seq;
  std::variant<Completed, Failed, Cancelled> result;
};
struct ResolveSignalExternalWorkflow {
  std::uint32_t seq;
  std::shared_ptr<const api::failure::v1::Failure> failure;  // Null on success.
  api::enums::v1::SignalExternalWorkflowExecutionFailedCause cause{};
};
struct ResolveRequestCancelExternalWorkflow {
  std::uint32_t seq;
  std::shared_ptr<const api::failure::v1::Failure> failure;  // Null on success.
  api::enums::v1::CancelExternalWorkflowExecutionFailedCause cause{};
};
struct ResolveNexusOperationStart {
  struct StartedSync {};
  struct OperationToken {
    std::string token;
  };
  std::uint32_t seq;
  std::variant<OperationToken, StartedSync, Failed> status;
};
struct ResolveNexusOperation {
  struct TimedOut {
    std::shared_ptr<const api::failure::v1::Failure> failure;
  };
  std::uint32_t seq;
  std::variant<Completed, Failed, Cancelled, TimedOut> result;
};
// Alone and last. The language cancels what the run still has, must not add commands, and completes
// with none.
struct RemoveFromCache {
  EvictionReason reason;
  std::string message;
};

using Job = std::variant<InitializeWorkflow, FireTimer, UpdateRandomSeed, QueryWorkflow,
                         CancelWorkflow, SignalWorkflow, ResolveActivity, NotifyHasPatch,
                         ResolveChildWorkflowExecutionStart, ResolveChildWorkflowExecution,
                         ResolveSignalExternalWorkflow, ResolveRequestCancelExternalWorkflow,
                         DoUpdate, ResolveNexusOperationStart, ResolveNexusOperation,
                         NotifyRecorded, RemoveFromCache>;

struct Activation {
  std::string run_id;
  base::WallTime time;  // Workflow time; never goes back within a run.
  bool is_replaying = false;
  std::uint32_t history_length = 0;  // Events applied so far.
  std::uint64_t history_size_bytes = 0;
  bool continue_as_new_suggested = false;
  std::vector<api::enums::v1::SuggestContinueAsNewReason> suggest_continue_as_new_reasons;
  bool target_worker_deployment_version_changed = false;
  // Of the worker that completes (or, in replay, completed) this task.
  std::optional<api::deployment::v1::WorkerDeploymentVersion> deployment_version_for_current_task;
  std::vector<std::uint32_t> available_internal_flags;  // Language flags recorded in history.
  std::string last_sdk_version;  // That completed a task of this run; empty before the first.
  std::vector<Job> jobs;
  std::vector<std::shared_ptr<const void>> keep_alive;  // What the jobs' pointers point into.
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_LANGUAGE_ACTIVATION_H_
