// Commands, what the language answers to an Activation (coresdk.workflow_commands). Where the API
// has attributes for a command they are carried as they will be sent, so that nothing is copied
// field by field; what the API has no field for stands beside them. `seq` numbers are the
// language's own, one counter per kind (activities and local activities share one).
#ifndef CHIMERA_CORE_LANGUAGE_COMMANDS_H_
#define CHIMERA_CORE_LANGUAGE_COMMANDS_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "temporal/api/sdk/v1/event_group_marker.pb.h"
#include "temporal/api/sdk/v1/user_metadata.pb.h"

#include "core/base/api.h"
#include "core/base/clock.h"
#include "core/language/recorded.h"

namespace chimera::core {

enum class ActivityCancellationType {
  kTryCancel = 0,
  kWaitCancellationCompleted = 1,
  kAbandon = 2
};
enum class ChildWorkflowCancellationType {
  kAbandon = 0,
  kTryCancel = 1,
  kWaitCancellationCompleted = 2,
  kWaitCancellationRequested = 3,
};
enum class NexusOperationCancellationType {
  kWaitCancellationCompleted = 0,
  kAbandon = 1,
  kTryCancel = 2,
  kWaitCancellationRequested = 3,
};

struct ScheduleActivity {
  std::uint32_t seq;
  ActivityCancellationType cancellation_type = ActivityCancellationType::kTryCancel;
  bool do_not_eagerly_execute = false;
  // activity_id empty: the decimal seq. request_eager_execution is set by the worker.
  api::command::v1::ScheduleActivityTaskCommandAttributes attributes;
};
struct ScheduleLocalActivity {
  std::uint32_t seq;
  ActivityCancellationType cancellation_type = ActivityCancellationType::kWaitCancellationCompleted;
  std::string activity_id, activity_type;
  std::uint32_t attempt = 1;
  std::optional<base::WallTime> original_schedule_time;
  api::common::v1::Header header;
  api::common::v1::Payloads arguments;
  std::chrono::nanoseconds schedule_to_close_timeout{}, schedule_to_start_timeout{},
      start_to_close_timeout{};
  api::common::v1::RetryPolicy retry_policy;
  std::chrono::nanoseconds local_retry_threshold{std::chrono::minutes(1)};
};
struct RequestCancelActivity {
  std::uint32_t seq;
};
struct RequestCancelLocalActivity {
  std::uint32_t seq;
};
struct StartTimer {
  std::uint32_t seq;
  std::chrono::nanoseconds start_to_fire_timeout;
};
struct CancelTimer {
  std::uint32_t seq;
};
struct StartChildWorkflowExecution {
  std::uint32_t seq;
  ChildWorkflowCancellationType cancellation_type = ChildWorkflowCancellationType::kAbandon;
  api::command::v1::StartChildWorkflowExecutionCommandAttributes attributes;
  bool made_up_id = false;  // The language's own, not the code's: another SDK's may stand for it.
};
struct CancelChildWorkflowExecution {
  std::uint32_t seq;  // Of the child.
  std::string reason;
};
struct SignalExternalWorkflowExecution {
  std::uint32_t seq;
  api::command::v1::SignalExternalWorkflowExecutionCommandAttributes attributes;
};
struct CancelSignalWorkflow {
  std::uint32_t seq;
};
struct RequestCancelExternalWorkflowExecution {
  std::uint32_t seq;
  api::command::v1::RequestCancelExternalWorkflowExecutionCommandAttributes attributes;
};
struct SetPatchMarker {
  std::string patch_id;
  bool deprecated = false;
};
// The answer to a question that history has to keep. Sent also for what was told by NotifyRecorded.
struct RecordOnce {
  Recorded recorded;
};
struct UpsertWorkflowSearchAttributes {
  api::common::v1::SearchAttributes search_attributes;
};
struct ModifyWorkflowProperties {
  api::common::v1::Memo upserted_memo;
};
struct CompleteWorkflowExecution {
  std::optional<api::common::v1::Payload> result;
};
struct FailWorkflowExecution {
  api::failure::v1::Failure failure;
};
struct CancelWorkflowExecution {};
struct ContinueAsNewWorkflowExecution {
  // Fields left unset are filled from the run: type, task queue, memo, search attributes, retry
  // policy.
  api::command::v1::ContinueAsNewWorkflowExecutionCommandAttributes attributes;
};
struct ScheduleNexusOperation {
  std::uint32_t seq;
  NexusOperationCancellationType cancellation_type =
      NexusOperationCancellationType::kWaitCancellationCompleted;
  api::command::v1::ScheduleNexusOperationCommandAttributes attributes;
};
struct RequestCancelNexusOperation {
  std::uint32_t seq;
};
struct RespondToQuery {
  std::string query_id;
  std::variant<api::common::v1::Payload, api::failure::v1::Failure> answer;
};
struct UpdateResponse {
  struct Accepted {};
  struct Rejected {  // Before acceptance: rejected. After it: completed with this failure.
    api::failure::v1::Failure failure;
  };
  struct Completed {
    api::common::v1::Payload result;
  };
  std::string protocol_instance_id;
  std::variant<Accepted, Rejected, Completed> response;
};

using CommandVariant =
    std::variant<ScheduleActivity, ScheduleLocalActivity, RequestCancelActivity,
                 RequestCancelLocalActivity, StartTimer, CancelTimer, StartChildWorkflowExecution,
                 CancelChildWorkflowExecution, SignalExternalWorkflowExecution,
                 CancelSignalWorkflow, RequestCancelExternalWorkflowExecution, SetPatchMarker,
                 UpsertWorkflowSearchAttributes, ModifyWorkflowProperties,
                 CompleteWorkflowExecution, FailWorkflowExecution, CancelWorkflowExecution,
                 ContinueAsNewWorkflowExecution, ScheduleNexusOperation,
                 RequestCancelNexusOperation, RespondToQuery, UpdateResponse, RecordOnce>;

struct Command {
  CommandVariant variant;
  std::unique_ptr<api::sdk::v1::UserMetadata> user_metadata;  // Null when there is none.
  std::vector<api::sdk::v1::EventGroupMarker> event_group_markers;
  // Where in the code it was issued, as LanguageIdentity::place reads it; 0: not known.
  std::uint64_t place = 0;
};

// The language's answer to one Activation.
struct Completion {
  struct Success {
    std::vector<Command> commands;  // In the order in which the code issued them.
    std::vector<std::uint32_t> used_internal_flags;
    api::enums::v1::VersioningBehavior versioning_behavior =
        api::enums::v1::VERSIONING_BEHAVIOR_UNSPECIFIED;
    // Of an answer to queries. Not empty: why the instance cannot go on all the same. It is evicted
    // when the answer has gone out.
    std::string unusable;
  };
  struct Failure {  // The task fails, not the workflow.
    api::failure::v1::Failure failure;
    api::enums::v1::WorkflowTaskFailedCause cause =
        api::enums::v1::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE;
  };
  std::variant<Success, Failure> status;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_LANGUAGE_COMMANDS_H_
