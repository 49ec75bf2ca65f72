// Calls about batches. As in the official SDKs, no interceptor sees them.
#include "chimera/batch.h"

#include <cmath>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "temporal/api/batch/v1/message.pb.h"

#include "chimera/client.h"
#include "sdk-cpp/src/change_wire.h"
#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/paging.h"
#include "sdk-cpp/src/rpc_parts.h"

namespace chimera {
namespace {

namespace ws = api::workflowservice::v1;
using detail::ClientState;

sdk::ProtoPayloads encoded(const std::vector<Payload>& values, const sdk::Codec& codec) {
  sdk::ProtoPayloads payloads = sdk::to_proto(values);
  sdk::encode_in_place(payloads, codec);
  return payloads;
}

void write(const BatchReset& reset, std::string_view doing, const sdk::Codec& codec,
           api::batch::v1::BatchOperationReset& out) {
  auto& options = *out.mutable_options();
  if (!reset.build_id.empty() && reset.to != ResetTo::kLastWorkflowTask) {
    throw std::invalid_argument(absl::StrCat(
        std::string(doing), ": BatchReset has both a build_id and another place to reset to"));
  }
  if (!reset.build_id.empty()) {
    options.set_build_id(reset.build_id);
  } else if (reset.to == ResetTo::kFirstWorkflowTask) {
    options.mutable_first_workflow_task();
  } else if (reset.to == ResetTo::kLastWorkflowTask) {
    options.mutable_last_workflow_task();
  } else {
    throw std::invalid_argument(
        absl::StrCat(std::string(doing),
                     ": a batch resets to the first or last workflow task or to a build's; "
                     "an event is one execution's (WorkflowHandle::reset())"));
  }
  options.set_current_run_only(reset.current_run_only);
  for (const ResetExclude each : reset.exclude)
    options.add_reset_reapply_exclude_types(
        static_cast<api::enums::v1::ResetReapplyExcludeType>(each));
  for (const PostResetOperation& each : reset.post_reset_operations)
    sdk::write(each, doing, codec, *out.add_post_reset_operations());
}

// Writes the operation of this batch into its request.
struct WriteOperation {
  ws::StartBatchOperationRequest& request;
  const sdk::Codec& codec;
  const std::string &identity, &doing;

  void operator()(const BatchTerminate& terminate) const {
    auto& out = *request.mutable_termination_operation();
    out.set_identity(identity);
    if (!terminate.details.empty()) *out.mutable_details() = encoded(terminate.details, codec);
  }
  void operator()(const BatchCancel&) const {
    request.mutable_cancellation_operation()->set_identity(identity);
  }
  void operator()(const BatchSignal& signal) const {
    if (signal.name.empty())
      throw std::invalid_argument(absl::StrCat(doing, ": BatchSignal needs a name"));
    auto& out = *request.mutable_signal_operation();
    out.set_identity(identity);
    out.set_signal(signal.name);
    if (!signal.args.empty()) *out.mutable_input() = encoded(signal.args, codec);
  }
  void operator()(const BatchDelete&) const {
    request.mutable_deletion_operation()->set_identity(identity);
  }
  void operator()(const BatchReset& reset) const {
    request.mutable_reset_operation()->set_identity(identity);
    write(reset, doing, codec, *request.mutable_reset_operation());
  }
  void operator()(const BatchUpdateOptions& update) const {
    auto& out = *request.mutable_update_workflow_options_operation();
    out.set_identity(identity);
    sdk::write(update, doing, *out.mutable_workflow_execution_options(),
               *out.mutable_update_mask());
  }
  void operator()(const BatchUnpauseActivities& unpause) const {
    auto& out = *request.mutable_unpause_activities_operation();
    out.set_identity(identity);
    if (unpause.activity_type.empty()) {
      out.set_match_all(true);
    } else {
      out.set_type(unpause.activity_type);
    }
    out.set_reset_attempts(unpause.reset_attempts);
    out.set_reset_heartbeat(unpause.reset_heartbeat);
    sdk::set_duration(unpause.jitter, "BatchUnpauseActivities::jitter",
                      [&] { return out.mutable_jitter(); });
  }
};

// Newer servers name the kinds for workflows by other numbers, in the same order.
BatchType to_public(api::enums::v1::BatchOperationType type) {
  constexpr int kNewer = api::enums::v1::BATCH_OPERATION_TYPE_TERMINATE_WORKFLOW;
  return static_cast<BatchType>(type < kNewer ? type : type - kNewer + 1);
}

std::string naming(std::string_view what, const std::string& job_id) {
  return absl::StrCat("cannot ", std::string(what), " batch '", job_id, "'");
}

}  // namespace

BatchHandle Client::start_batch(const BatchOperation& operation,
                                const BatchOptions& options) const {
  const std::string doing = "cannot start a batch";
  if (options.query.empty() == options.executions.empty()) {
    throw std::invalid_argument(absl::StrCat(
        doing, ": BatchOptions needs a query or executions",
        options.query.empty() ? "; the query \"WorkflowId != ''\" finds all" : ", not both"));
  }
  if (options.reason.empty())
    throw std::invalid_argument(absl::StrCat(doing, ": BatchOptions needs a reason"));
  if (!std::isfinite(options.max_operations_per_second) || options.max_operations_per_second < 0) {
    throw std::invalid_argument(
        absl::StrCat(doing, ": max_operations_per_second is ", options.max_operations_per_second,
                     "; it is above 0, or 0 for as many as the server likes"));
  }
  ws::StartBatchOperationRequest request;
  request.set_namespace_(state_->namespace_);
  request.set_job_id(options.job_id.empty() ? sdk::random_id() : options.job_id);
  request.set_reason(options.reason);
  request.set_visibility_query(options.query);
  for (const BatchExecution& each : options.executions) {
    auto& execution = *request.add_executions();
    execution.set_workflow_id(each.workflow_id);
    execution.set_run_id(each.run_id);
  }
  request.set_max_operations_per_second(options.max_operations_per_second);
  // Which workflows it is about is the server's to find.
  const sdk::CodecIn codec(state_->codec, {.namespace_ = state_->namespace_, .workflow_id = {}});
  std::visit(WriteOperation{request, codec, identity(), doing}, operation);
  ws::StartBatchOperationResponse response;
  state_->must(doing, CHIMERA_WORKFLOW_SERVICE(StartBatchOperation), request, response);
  return get_batch_handle(request.job_id());
}

PagedRange<BatchListEntry> Client::list_batches(const ListOptions& options) const {
  ws::ListBatchOperationsRequest request;
  request.set_namespace_(state_->namespace_);
  return sdk::paged<BatchListEntry, ws::ListBatchOperationsResponse>(
      *state_, "cannot list batches", CHIMERA_WORKFLOW_SERVICE(ListBatchOperations),
      std::move(request), options, [](const auto& page) { return page.operation_info(); },
      [](const ClientState&, const auto& info) {
        return BatchListEntry{.job_id = info.job_id(),
                              .state = static_cast<BatchState>(info.state()),
                              .start_time = base::to_wall_time(info.start_time()),
                              .close_time = base::to_wall_time(info.close_time())};
      });
}

BatchDescription BatchHandle::describe() const {
  ws::DescribeBatchOperationRequest request;
  request.set_namespace_(client_->namespace_);
  request.set_job_id(job_id_);
  ws::DescribeBatchOperationResponse told;
  client_->must(naming("describe", job_id_), CHIMERA_WORKFLOW_SERVICE(DescribeBatchOperation),
                request, told);
  return {.job_id = told.job_id(),
          .type = to_public(told.operation_type()),
          .state = static_cast<BatchState>(told.state()),
          .start_time = base::to_wall_time(told.start_time()),
          .close_time = base::to_wall_time(told.close_time()),
          .total = told.total_operation_count(),
          .completed = told.complete_operation_count(),
          .failed = told.failure_operation_count(),
          .identity = told.identity(),
          .reason = told.reason()};
}

void BatchHandle::stop(const std::string& reason) const {
  if (reason.empty())
    throw std::invalid_argument(absl::StrCat(naming("stop", job_id_), ": it needs a reason"));
  ws::StopBatchOperationRequest request;
  request.set_namespace_(client_->namespace_);
  request.set_job_id(job_id_);
  request.set_reason(reason);
  request.set_identity(client_->connection->options().identity);
  ws::StopBatchOperationResponse response;
  client_->must(naming("stop", job_id_), CHIMERA_WORKFLOW_SERVICE(StopBatchOperation), request,
                response);
}

}  // namespace chimera
