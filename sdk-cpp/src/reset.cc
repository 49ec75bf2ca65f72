// Resets of single executions. As in the official SDKs, no interceptor sees them.
#include <stdexcept>

#include "absl/strings/str_cat.h"

#include "chimera/client.h"
#include "sdk-cpp/src/change_wire.h"
#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/execution_wire.h"
#include "sdk-cpp/src/rpc_parts.h"

namespace chimera::detail {
namespace {

namespace ws = api::workflowservice::v1;

// A workflow task's end, or, where none has ended, what follows the first that was scheduled: as
// the official command line chooses.
std::int64_t event_of(ClientState& client, const api::common::v1::WorkflowExecution& execution,
                      bool first, const std::string& doing) {
  ws::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(client.namespace_);
  *request.mutable_execution() = execution;
  std::int64_t completed = 0, scheduled = 0;
  do {
    ws::GetWorkflowExecutionHistoryResponse page;
    client.must(doing, CHIMERA_WORKFLOW_SERVICE(GetWorkflowExecutionHistory), request, page);
    for (const auto& event : page.history().events()) {
      if (event.event_type() == api::enums::v1::EVENT_TYPE_WORKFLOW_TASK_COMPLETED) {
        completed = event.event_id();
        if (first) return completed;
      } else if (event.event_type() == api::enums::v1::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED) {
        if (!first || scheduled == 0) scheduled = event.event_id();
      }
    }
    request.set_next_page_token(page.next_page_token());
  } while (!request.next_page_token().empty());
  if (completed != 0) return completed;
  if (scheduled != 0) return scheduled + 1;
  throw std::invalid_argument(absl::StrCat(doing, ": it has had no workflow task yet"));
}

}  // namespace

std::string reset(ClientState& client, const Target& target, const ResetOptions& options) {
  const std::string doing = absl::StrCat("cannot reset workflow '", target.id, "'");
  if (options.reason.empty())
    throw std::invalid_argument(absl::StrCat(doing, ": ResetOptions needs a reason"));
  const bool by_event = options.to == ResetTo::kEvent;
  if (by_event != (options.event_id > 0)) {
    throw std::invalid_argument(absl::StrCat(
        doing, by_event ? ": ResetOptions needs the event_id to go back to, or `to`"
                        : ": ResetOptions has an event_id, which only goes with ResetTo::kEvent"));
  }
  ws::ResetWorkflowExecutionRequest request;
  request.set_namespace_(client.namespace_);
  sdk::set_execution(*request.mutable_workflow_execution(), target);
  request.set_identity(client.connection->options().identity);
  request.set_request_id(options.request_id.empty() ? sdk::random_id() : options.request_id);
  request.set_reason(options.reason);
  for (const ResetExclude each : options.exclude)
    request.add_reset_reapply_exclude_types(
        static_cast<api::enums::v1::ResetReapplyExcludeType>(each));
  for (const PostResetOperation& each : options.post_reset_operations)
    sdk::write(each, doing, client.codec_of(target.id), *request.add_post_reset_operations());
  request.set_workflow_task_finish_event_id(
      by_event ? options.event_id
               : event_of(client, request.workflow_execution(),
                          options.to == ResetTo::kFirstWorkflowTask, doing));
  ws::ResetWorkflowExecutionResponse response;
  client.must(doing, CHIMERA_WORKFLOW_SERVICE(ResetWorkflowExecution), request, response);
  return response.run_id();
}

}  // namespace chimera::detail
