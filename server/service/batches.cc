// Batch operations: the RPCs that start, stop, describe and list them. Texts are those of the
// genuine server (1.32).
#include "server/service/batches.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include <nlohmann/json.hpp>

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/rules/limits.h"
#include "server/engine/turn/start.h"
#include "server/service/executions.h"
#include "server/service/handlers.h"
#include "server/service/listing.h"
#include "server/service/method_table.h"
#include "server/service/workflow_options.h"
#include "server/visibility/grammar.h"
#include "server/visibility/values.h"
#include "server/visibility/visibility.h"

namespace chimera::server {
namespace {

using Operation = BatchRequest::OperationCase;
using Execution = common::Execution;

constexpr char kTypeMemo[] = "batch_operation_type";
constexpr char kQueryMemo[] = "batch_operation_visibility_query";
constexpr char kExecutionsMemo[] = "batch_operation_executions";

// By the operation: the genuine server's name of it, its word in the memo, its type.
struct Kind {
  Operation operation;
  const char *name, *word;
  enums::BatchOperationType type;
};
constexpr Kind kKinds[] = {
    {Operation::kTerminationOperation, "TerminationOperation", "terminate",
     enums::BATCH_OPERATION_TYPE_TERMINATE_WORKFLOW},
    {Operation::kCancellationOperation, "CancellationOperation", "cancel",
     enums::BATCH_OPERATION_TYPE_CANCEL_WORKFLOW},
    {Operation::kSignalOperation, "SignalOperation", "signal",
     enums::BATCH_OPERATION_TYPE_SIGNAL_WORKFLOW},
    {Operation::kDeletionOperation, "DeletionOperation", "delete",
     enums::BATCH_OPERATION_TYPE_DELETE_WORKFLOW},
    {Operation::kResetOperation, "ResetOperation", "reset",
     enums::BATCH_OPERATION_TYPE_RESET_WORKFLOW},
    {Operation::kUpdateWorkflowOptionsOperation, "UpdateWorkflowOptionsOperation", "update_options",
     enums::BATCH_OPERATION_TYPE_UPDATE_WORKFLOW_EXECUTION_OPTIONS},
    {Operation::kUnpauseActivitiesOperation, "UnpauseActivitiesOperation", "unpause_activities",
     enums::BATCH_OPERATION_TYPE_UNPAUSE_ACTIVITY},
    {Operation::kUpdateActivityOptionsOperation, "UpdateActivityOptionsOperation",
     "update_activity_options", enums::BATCH_OPERATION_TYPE_UPDATE_ACTIVITY_OPTIONS},
    {Operation::kResetActivitiesOperation, "ResetActivitiesOperation", "reset_activities",
     enums::BATCH_OPERATION_TYPE_RESET_ACTIVITY},
    {Operation::kTerminateActivitiesOperation, "TerminateActivitiesOperation",
     "terminate_activities", enums::BATCH_OPERATION_TYPE_TERMINATE_ACTIVITY},
    {Operation::kCancelActivitiesOperation, "CancelActivitiesOperation", "cancel_activities",
     enums::BATCH_OPERATION_TYPE_CANCEL_ACTIVITY},
    {Operation::kDeleteActivitiesOperation, "DeleteActivitiesOperation", "delete_activities",
     enums::BATCH_OPERATION_TYPE_DELETE_ACTIVITY},
};

// The caller has checked that there is an operation.
const Kind& kind_of(const BatchRequest& request) {
  return *std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& kind) {
    return kind.operation == request.operation_case();
  });
}
std::string go_name(const BatchRequest& request) {
  return absl::StrCat("*workflowservice.StartBatchOperationRequest_", kind_of(request).name);
}

std::string identity_of(const BatchRequest& request) {
  switch (request.operation_case()) {
    case Operation::kTerminationOperation:
      return request.termination_operation().identity();
    case Operation::kCancellationOperation:
      return request.cancellation_operation().identity();
    case Operation::kSignalOperation:
      return request.signal_operation().identity();
    case Operation::kDeletionOperation:
      return request.deletion_operation().identity();
    case Operation::kResetOperation:
      return request.reset_operation().identity();
    case Operation::kUpdateWorkflowOptionsOperation:
      return request.update_workflow_options_operation().identity();
    case Operation::kUnpauseActivitiesOperation:
      return request.unpause_activities_operation().identity();
    case Operation::kUpdateActivityOptionsOperation:
      return request.update_activity_options_operation().identity();
    case Operation::kResetActivitiesOperation:
      return request.reset_activities_operation().identity();
    default:
      return "";
  }
}

// --- What is refused.

absl::Status check_reset(const BatchRequest& request) {
  const auto& reset = request.reset_operation();
  if (reset.has_options()) {
    return reset.options().target_case() == 0 ? invalid("batch reset missing target")
                                              : absl::OkStatus();
  }
  if (reset.reset_type() == enums::RESET_TYPE_UNSPECIFIED)
    return invalid("unknown batch reset type Unspecified");
  if (!enums::ResetType_IsValid(reset.reset_type()))
    return invalid(absl::StrCat("unknown batch reset type ", static_cast<int>(reset.reset_type())));
  return absl::OkStatus();
}

// "Either": of activities all, or those of a type.
template <class Activities>
absl::Status check_choice(const Activities& operation) {
  const bool nothing = (operation.has_type() && operation.type().empty()) ||
                       (operation.has_match_all() && !operation.match_all());
  return nothing ? invalid("Either activity type must be set, or match all should be set to true")
                 : absl::OkStatus();
}

absl::Status check_activity_options(const BatchRequest& request) {
  const auto& operation = request.update_activity_options_operation();
  if (operation.has_activity_options() && operation.restore_original())
    return invalid("cannot set both activity options and restore original");
  if (!operation.has_activity_options() && !operation.restore_original()) {
    return invalid("Either activity type must be set, or restore original should be set to true");
  }
  return check_choice(operation);
}

absl::Status check_operation(const BatchRequest& request) {
  switch (request.operation_case()) {
    case Operation::kSignalOperation:
      return request.signal_operation().signal().empty() ? invalid("must provide signal name")
                                                         : absl::OkStatus();
    case Operation::kUpdateWorkflowOptionsOperation: {
      const auto& update = request.update_workflow_options_operation();
      if (!update.has_workflow_execution_options()) return invalid("must provide UpdateOptions");
      return update.has_update_mask() ? absl::OkStatus() : invalid("must provide UpdateMask");
    }
    case Operation::kResetOperation:
      return check_reset(request);
    case Operation::kUnpauseActivitiesOperation:
      if (request.unpause_activities_operation().activity_case() == 0)
        return invalid("activity filter must be set");
      return check_choice(request.unpause_activities_operation());
    case Operation::kResetActivitiesOperation:
      if (request.reset_activities_operation().activity_case() == 0)
        return invalid("must provide ActivityType or MatchAll");
      return check_choice(request.reset_activities_operation());
    case Operation::kUpdateActivityOptionsOperation:
      return check_activity_options(request);
    default:
      return absl::OkStatus();
  }
}

std::string type_text(enums::ExecutionType type) {
  switch (type) {
    case enums::EXECUTION_TYPE_UNSPECIFIED:
      return "Unspecified";
    case enums::EXECUTION_TYPE_WORKFLOW:
      return "Workflow";
    case enums::EXECUTION_TYPE_ACTIVITY:
      return "Activity";
    default:
      return absl::StrCat(static_cast<int>(type));
  }
}

absl::Status check_targets(const BatchRequest& request) {
  for (int i = 0; i < request.target_executions_size(); ++i) {
    const auto type = request.target_executions(i).type();
    if (type == enums::EXECUTION_TYPE_WORKFLOW) continue;
    return invalid(absl::StrCat("target_executions[", i, "] has type ", type_text(type),
                                ", but operation ", go_name(request), " requires Workflow"));
  }
  return absl::OkStatus();
}

// As the genuine server looks at it: words alone, not what they mean.
absl::Status check_syntax(const std::string& query) {
  const absl::Status status = visibility::check_where(query, "dummy");
  if (status.ok()) return status;
  absl::string_view text = status.message();
  absl::ConsumePrefix(&text, visibility::kMalformed);
  return invalid(absl::StrCat("invalid visibility query: ", text));
}

absl::Status check_start(const BatchRequest& request) {
  const bool has_operation = request.operation_case() != 0;
  if (has_operation && Batches::of_activities(request)) {
    return invalid(absl::StrCat("The operation type ", go_name(request),
                                " is not supported for this namespace"));
  }
  const int selectors = !request.visibility_query().empty() + (request.executions_size() > 0) +
                        (request.target_executions_size() > 0);
  if (!has_operation || request.reason().empty() || selectors == 0) {
    return invalid(
        "must provide required parameters: BatchType,Reason,Namespace, AND one of (Query OR "
        "Executions OR TargetExecutions)");
  }
  if (request.job_id().empty()) return invalid("JobId is not set on request.");
  if (selectors > 1) {
    return invalid("visibility query, executions, and target executions are mutually exclusive");
  }
  if (absl::Status s = check_targets(request); !s.ok()) return s;
  if (absl::Status s = check_operation(request); !s.ok()) return s;
  return request.visibility_query().empty() ? absl::OkStatus()
                                            : check_syntax(request.visibility_query());
}

absl::Status check_batch_options(const DynamicConfig& config, BatchRequest& request) {
  if (request.has_reset_operation()) {
    auto& operations = *request.mutable_reset_operation()->mutable_post_reset_operations();
    if (absl::Status s = check_time_skipping(config, operations); !s.ok()) return s;
  }
  if (!request.has_update_workflow_options_operation()) return absl::OkStatus();
  return check_time_skipping(
      config,
      *request.mutable_update_workflow_options_operation()->mutable_workflow_execution_options());
}

// --- The RPCs.

common::Payload text_payload(const std::string& text) {
  common::Payload payload;
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  payload.set_data(nlohmann::json(text).dump());
  return payload;
}

std::vector<Execution> executions_of(const BatchRequest& request) {
  std::vector<Execution> all(request.target_executions().begin(),
                             request.target_executions().end());
  for (const auto& execution : request.executions()) {
    Execution& one = all.emplace_back();
    one.set_type(enums::EXECUTION_TYPE_WORKFLOW);
    one.set_business_id(execution.workflow_id());
    one.set_run_id(execution.run_id());
  }
  return all;
}

common::Memo memo_of(const BatchRequest& request) {
  common::Memo memo;
  auto& fields = *memo.mutable_fields();
  fields[kTypeMemo] = text_payload(kind_of(request).word);
  fields[kBatchReason] = text_payload(request.reason());
  if (!request.visibility_query().empty())
    fields[kQueryMemo] = text_payload(request.visibility_query());
  nlohmann::json executions = nlohmann::json::array();
  for (const Execution& execution : executions_of(request)) {
    nlohmann::json one = {{"type", execution.type()}, {"business_id", execution.business_id()}};
    if (!execution.run_id().empty()) one["run_id"] = execution.run_id();
    executions.push_back(std::move(one));
  }
  if (!executions.empty()) {
    fields[kExecutionsMemo] = text_payload("");
    fields[kExecutionsMemo].set_data(executions.dump());
  }
  return memo;
}

absl::Status start(Engine& engine, BatchRequest& request, wf::StartBatchOperationResponse&) {
  if (absl::Status s = check_start(request); !s.ok()) return s;
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if (engine.batches->under_way(**ns) > 0) {
    return exhausted("Max concurrent batch operations is reached",
                     enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT);
  }
  if (absl::Status s = check_batch_options(engine.config(), request); !s.ok()) return s;
  if (request.job_id().size() > kIdMax) return invalid("WorkflowId exceeds length limit.");
  absl::StatusOr<StartDecision> decision = decide_start(
      engine, **ns, request.job_id(), engine.ids().uuid(),
      enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL);
  if (!decision.ok()) return decision.status();
  const std::string identity = identity_of(request);
  common::Memo memo = memo_of(request);
  engine.batches->start(**ns, std::move(request), identity, std::move(memo));
  return absl::OkStatus();
}

absl::Status stop(Engine& engine, wf::StopBatchOperationRequest& request,
                  wf::StopBatchOperationResponse&) {
  if (request.job_id().empty()) return invalid("JobId is not set on request.");
  if (request.reason().empty()) return invalid("Reason is not set on request.");
  wf::TerminateWorkflowExecutionRequest one;
  wf::TerminateWorkflowExecutionResponse none;
  one.set_namespace_(request.namespace_());
  one.mutable_workflow_execution()->set_workflow_id(request.job_id());
  one.set_reason(request.reason());
  one.set_identity(request.identity());
  return terminate(engine, one, none);
}

enums::BatchOperationState state_of(enums::WorkflowExecutionStatus status) {
  switch (status) {
    case enums::WORKFLOW_EXECUTION_STATUS_RUNNING:
      return enums::BATCH_OPERATION_STATE_RUNNING;
    case enums::WORKFLOW_EXECUTION_STATUS_COMPLETED:
      return enums::BATCH_OPERATION_STATE_COMPLETED;
    default:
      return enums::BATCH_OPERATION_STATE_FAILED;
  }
}

nlohmann::json memo_value(const auto& memo, const char* name) {
  const auto found = memo.find(name);
  if (found == memo.end()) return nlohmann::json();
  return nlohmann::json::parse(found->second.data(), nullptr, /*allow_exceptions=*/false);
}
std::string memo_text(const auto& memo, const char* name) {
  const nlohmann::json value = memo_value(memo, name);
  return value.is_string() ? value.get<std::string>() : "";
}

enums::BatchOperationType type_of(const std::string& word) {
  for (const Kind& kind : kKinds) {
    if (word == kind.word) return kind.type;
  }
  return enums::BATCH_OPERATION_TYPE_UNSPECIFIED;
}

absl::Status describe(Engine& engine, wf::DescribeBatchOperationRequest& request,
                      wf::DescribeBatchOperationResponse& response) {
  if (request.job_id().empty()) return invalid("JobId is not set on request.");
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  absl::StatusOr<const Run*> found = engine.runs().find(**ns, request.job_id(), "");
  if (!found.ok()) return found.status();
  const Run& run = **found;
  response.set_job_id(run.workflow_id);
  response.set_operation_type(type_of(memo_text(run.memo, kTypeMemo)));
  response.set_state(state_of(run.status));
  set(response.mutable_start_time(), run.start_time);
  if (!run.running()) set(response.mutable_close_time(), run.close_time);
  response.set_identity(memo_text(run.search_attributes, "BatcherUser"));
  response.set_reason(memo_text(run.memo, kBatchReason));
  response.set_query(memo_text(run.memo, kQueryMemo));
  if (const std::optional<BatchRequest> asked = Batches::request_of(run)) {
    for (Execution& execution : executions_of(*asked))
      *response.add_executions() = std::move(execution);
  }
  if (const Batches::Progress* progress = engine.batches->progress(run)) {
    response.set_total_operation_count(progress->total);
    response.set_complete_operation_count(progress->complete);
    response.set_failure_operation_count(progress->failed);
  } else if (run.status == enums::WORKFLOW_EXECUTION_STATUS_COMPLETED) {
    const nlohmann::json stats = memo_value(run.memo, "batch_operation_stats");
    if (!stats.is_object())
      return absl::UnknownError("batch operation stats are not present in the memo");
    const auto succeeded = stats.value("NumSuccess", std::int64_t{0});
    const auto failed = stats.value("NumFailure", std::int64_t{0});
    response.set_total_operation_count(succeeded + failed);
    response.set_complete_operation_count(succeeded);
    response.set_failure_operation_count(failed);
  }
  return absl::OkStatus();
}

using ListCall = TypedCall<wf::ListBatchOperationsRequest, wf::ListBatchOperationsResponse>;

absl::Status fill(absl::StatusOr<visibility::Page> page,
                  wf::ListBatchOperationsResponse& response) {
  if (!page.ok()) return page.status();
  for (const std::string& bytes : page->infos) {
    ::temporal::api::workflow::v1::WorkflowExecutionInfo info;
    if (!info.ParseFromString(bytes))
      return absl::InternalError("a row of the index of executions is damaged");
    auto& batch = *response.add_operation_info();
    batch.set_job_id(info.execution().workflow_id());
    batch.set_state(state_of(info.status()));
    batch.set_operation_type(type_of(memo_text(info.memo().fields(), kTypeMemo)));
    *batch.mutable_start_time() = info.start_time();
    if (info.has_close_time()) *batch.mutable_close_time() = info.close_time();
  }
  response.set_next_page_token(next_page_token(*page));
  return absl::OkStatus();
}

absl::Status list(Engine& engine, ListCall call) {
  auto after = place_of(call.request().next_page_token());
  if (!after.ok()) return after.status();
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(call.request().namespace_());
  if (!ns.ok()) return ns.status();
  absl::StatusOr<visibility::Query> query =
      visibility::parse_query(absl::StrCat("TemporalNamespaceDivision = '", kBatchDivision, "'"),
                              attribute_types((*ns)->search_attributes));
  if (!query.ok()) return query.status();
  const int size = call.request().page_size();
  engine.visibility().list(
      (*ns)->id, *std::move(query), size > 0 ? std::min(size, kPageMax) : kPageMax,
      *std::move(after),
      [&engine, call = std::move(call)](absl::StatusOr<visibility::Page> page) mutable {
        auto response = std::make_shared<wf::ListBatchOperationsResponse>();
        absl::Status status = fill(std::move(page), *response);
        answer(engine, std::move(call), std::move(status), std::move(response));
      });
  return absl::OkStatus();
}

}  // namespace

void register_batches(MethodTable& table) {
  table.add("StartBatchOperation", start);
  table.add("StopBatchOperation", stop);
  table.add("DescribeBatchOperation", describe);
  table.add("ListBatchOperations", list);
}

}  // namespace chimera::server
