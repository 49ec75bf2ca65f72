#include "server/engine/standalone/operation_view.h"

#include <nlohmann/json.hpp>

#include "server/engine/standalone/listed.h"

namespace chimera::server {
namespace {

using Info = nexus::NexusOperationExecutionInfo;
using State = NexusOperation::State;

enums::PendingNexusOperationState pending_state(const OperationExecution& execution) {
  if (!execution.open()) return enums::PENDING_NEXUS_OPERATION_STATE_UNSPECIFIED;
  switch (execution.operation.state) {
    case State::kScheduled:
      return enums::PENDING_NEXUS_OPERATION_STATE_SCHEDULED;
    case State::kBackingOff:
      return enums::PENDING_NEXUS_OPERATION_STATE_BACKING_OFF;
    default:
      return enums::PENDING_NEXUS_OPERATION_STATE_STARTED;
  }
}

void fill_options(const OperationExecution& execution, Info& info) {
  const auto& a = execution.attributes();
  info.set_endpoint(a.endpoint());
  info.set_service(a.service());
  info.set_operation(a.operation());
  if (a.has_schedule_to_close_timeout()) {
    *info.mutable_schedule_to_close_timeout() = a.schedule_to_close_timeout();
    set(info.mutable_expiration_time(),
        add_saturated(execution.scheduled, to_nanos(a.schedule_to_close_timeout())));
  }
  if (a.has_schedule_to_start_timeout())
    *info.mutable_schedule_to_start_timeout() = a.schedule_to_start_timeout();
  if (a.has_start_to_close_timeout())
    *info.mutable_start_to_close_timeout() = a.start_to_close_timeout();
  *info.mutable_nexus_header() = a.nexus_header();
  info.set_request_id(a.request_id());
  info.set_identity(execution.identity);
  *info.mutable_search_attributes() = execution.search_attributes;
  if (execution.user_metadata.ByteSizeLong() > 0)
    *info.mutable_user_metadata() = execution.user_metadata;
}

// An attempt counts from when it is begun on (genuine server 1.32).
void fill_attempts(const OperationExecution& execution, Info& info) {
  const NexusOperation& operation = execution.operation;
  operation.attempts.describe(info);
  if (operation.state == State::kScheduled) info.set_attempt(info.attempt() + 1);
  if (!execution.cancel_requested()) return;
  auto& cancel = *info.mutable_cancellation_info();
  cancel.set_state(operation.cancel.state);
  operation.cancel.attempts.describe(cancel);
  if (operation.is_canceling()) cancel.set_attempt(cancel.attempt() + 1);
  cancel.set_reason(execution.cancel_reason);
}

enums::WorkflowExecutionStatus listed_status(OperationExecution::Status status) {
  return status == enums::NEXUS_OPERATION_EXECUTION_STATUS_TIMED_OUT
             ? enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT
             : static_cast<enums::WorkflowExecutionStatus>(status);
}

OperationExecution::Status status_listed(enums::WorkflowExecutionStatus status) {
  return status == enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT
             ? enums::NEXUS_OPERATION_EXECUTION_STATUS_TIMED_OUT
             : static_cast<OperationExecution::Status>(status);
}

}  // namespace

void describe(const OperationExecution& execution, WallTime now, Info& info) {
  info.set_operation_id(execution.id());
  info.set_run_id(execution.run_id);
  info.set_status(execution.status);
  info.set_state(pending_state(execution));
  fill_options(execution, info);
  fill_attempts(execution, info);
  info.set_operation_token(execution.operation.token);
  set(info.mutable_schedule_time(), execution.scheduled);
  if (!execution.open()) set(info.mutable_close_time(), execution.closed);
  set(info.mutable_execution_duration(),
      (execution.open() ? now : execution.closed) - execution.scheduled);
  info.set_state_transition_count(execution.transitions);
  info.set_state_size_bytes(static_cast<std::int64_t>(execution.event.ByteSizeLong()));
  for (const common::Link& link : execution.links) *info.add_links() = link;
}

std::string shown_key(const OperationExecution& execution) {
  return absl::StrCat(static_cast<int>(execution.status));
}

visibility::Entry entry_of(const OperationExecution& execution) {
  const auto& a = execution.attributes();
  return listed_entry(execution, {.id = execution.id(),
                                  .type = "",
                                  .task_queue = "",
                                  .division = kOperationDivision,
                                  .status = listed_status(execution.status),
                                  .open = execution.open(),
                                  .execution_time = execution.scheduled,
                                  .keywords = {{kEndpointAttribute, a.endpoint()},
                                               {kServiceAttribute, a.service()},
                                               {kOperationAttribute, a.operation()},
                                               {kRequestIdAttribute, a.request_id()}}});
}

void fill_listed(const ::temporal::api::workflow::v1::WorkflowExecutionInfo& entry,
                 nexus::NexusOperationExecutionListInfo& info) {
  info.set_operation_id(entry.execution().workflow_id());
  info.set_run_id(entry.execution().run_id());
  *info.mutable_schedule_time() = entry.start_time();
  info.set_status(status_listed(entry.status()));
  *info.mutable_search_attributes() = entry.search_attributes();
  auto& fields = *info.mutable_search_attributes()->mutable_indexed_fields();
  const auto take = [&fields](const char* name) {
    const auto found = fields.find(name);
    if (found == fields.end()) return std::string();
    const auto text = nlohmann::json::parse(found->second.data(), nullptr, false);
    fields.erase(found);
    return text.is_string() ? text.get<std::string>() : std::string();
  };
  info.set_endpoint(take(kEndpointAttribute));
  info.set_service(take(kServiceAttribute));
  info.set_operation(take(kOperationAttribute));
  take(kRequestIdAttribute);
  if (entry.has_close_time()) *info.mutable_close_time() = entry.close_time();
  if (entry.has_execution_duration())
    *info.mutable_execution_duration() = entry.execution_duration();
  info.set_state_transition_count(entry.state_transition_count());
}

}  // namespace chimera::server
