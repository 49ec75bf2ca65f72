// Lists, counts and histories: what a client reads of many executions, or of all events of one.
#include <utility>

#include "absl/strings/str_cat.h"

#include "core/history/json.h"
#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/execution_wire.h"
#include "sdk-cpp/src/paging.h"

namespace chimera::sdk {
namespace {

namespace ws = api::workflowservice::v1;
using detail::ClientState;
using detail::Target;

ws::GetWorkflowExecutionHistoryRequest history_of(const ClientState& client, const Target& target) {
  ws::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(client.namespace_);
  set_execution(*request.mutable_execution(), target);
  return request;
}

std::string fetching(const Target& target) {
  return absl::StrCat("cannot fetch the history of workflow '", target.id, "'");
}

// A long poll that ended without news is repeated, unless the caller's time is over.
void await_page(ClientState& client, const std::string& doing,
                const ws::GetWorkflowExecutionHistoryRequest& request,
                ws::GetWorkflowExecutionHistoryResponse& page) {
  const detail::Patience patience = client.patience();
  for (;;) {
    const absl::Status status =
        client.call(CHIMERA_WORKFLOW_SERVICE(GetWorkflowExecutionHistory), request, page, kLongPoll,
                    &patience, ClientState::Values::kAsTheyAre);
    if (status.ok()) return;
    if (status.code() != absl::StatusCode::kDeadlineExceeded || patience.over())
      throw_rpc(status, doing);
  }
}

}  // namespace

std::string ClientCalls::fetch_history(const FetchHistoryInput& input) {
  auto request = history_of(client_, input.target);
  api::history::v1::History history;
  do {
    ws::GetWorkflowExecutionHistoryResponse page;
    client_.must(fetching(input.target), CHIMERA_WORKFLOW_SERVICE(GetWorkflowExecutionHistory),
                 request, page, {}, nullptr, ClientState::Values::kAsTheyAre);
    history.mutable_events()->MergeFrom(page.history().events());
    request.set_next_page_token(page.next_page_token());
  } while (!request.next_page_token().empty());
  const absl::StatusOr<std::string> json = core::history_to_json(history);
  if (!json.ok()) throw ConversionError(std::string(json.status().message()));
  return *json;
}

PagedRange<WorkflowHistoryEvent> ClientCalls::fetch_history_events(
    const FetchHistoryEventsInput& input) {
  const FetchHistoryOptions& options = input.options;
  std::string doing = fetching(input.target);
  check_page_size(options.page_size, doing);
  auto request = history_of(client_, input.target);
  if (input.target.run_id.empty())  // As result(): one run's, from the first page to the last.
    request.mutable_execution()->set_run_id(input.target.started_run_id);
  request.set_wait_new_event(options.wait_new_event);
  request.set_skip_archival(options.skip_archival);
  request.set_history_event_filter_type(
      static_cast<api::enums::v1::HistoryEventFilterType>(options.event_filter));
  return PagedRange<WorkflowHistoryEvent>(
      [client = client_.shared_from_this(), doing = std::move(doing), request = std::move(request)](
          int size, const std::string& token) mutable {
        ask_page(request, size, token);
        ws::GetWorkflowExecutionHistoryResponse response;
        if (request.wait_new_event()) {
          await_page(*client, doing, request, response);
        } else {
          client->must(doing, CHIMERA_WORKFLOW_SERVICE(GetWorkflowExecutionHistory), request,
                       response, {}, nullptr, ClientState::Values::kAsTheyAre);
        }
        PagedRange<WorkflowHistoryEvent>::Page page{.items = {},
                                                    .next_token = response.next_page_token()};
        for (const auto& event : response.history().events())
          page.items.push_back(to_public(event));
        return page;
      },
      {.page_size = options.page_size, .limit = options.limit});
}

PagedRange<WorkflowExecution> ClientCalls::list_workflows(const ListInput& input) {
  ws::ListWorkflowExecutionsRequest request;
  request.set_namespace_(client_.namespace_);
  request.set_query(input.query);
  return paged<WorkflowExecution, ws::ListWorkflowExecutionsResponse>(
      client_, "cannot list workflows", CHIMERA_WORKFLOW_SERVICE(ListWorkflowExecutions),
      std::move(request), input.options, [](const auto& page) { return page.executions(); },
      [](const ClientState& client, const auto& info) {
        return to_public(info, client.codec_of(info.execution().workflow_id()));
      });
}

WorkflowCount ClientCalls::count_workflows(const CountInput& input) {
  ws::CountWorkflowExecutionsRequest request;
  request.set_namespace_(client_.namespace_);
  request.set_query(input.query);
  ws::CountWorkflowExecutionsResponse response;
  client_.must("cannot count workflows", CHIMERA_WORKFLOW_SERVICE(CountWorkflowExecutions), request,
               response);
  return to_count(response);
}

}  // namespace chimera::sdk
