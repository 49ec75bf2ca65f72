// Lists and counts of executions: the index answers them, on its own thread.
#include "server/visibility/visibility.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/service/handlers.h"
#include "server/service/listing.h"
#include "server/service/method_table.h"
#include "server/visibility/attributes.h"
#include "server/visibility/values.h"

namespace chimera::server {
namespace {

constexpr char kRunning[] = "ExecutionStatus = 'Running'";

std::int64_t nanos(WallTime time) { return time.time_since_epoch().count(); }

absl::StatusOr<Question> question(Engine& engine, const std::string& namespace_name,
                                  const std::string& text) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(namespace_name);
  if (!ns.ok()) return ns.status();
  absl::StatusOr<visibility::Query> query =
      visibility::parse_query(text, attribute_types((*ns)->search_attributes));
  if (!query.ok()) return query.status();
  return Question{(*ns)->id, *std::move(query)};
}

template <class Request, class Response>
absl::Status list_by(Engine& engine, TypedCall<Request, Response> call, const std::string& query,
                     int size) {
  return list_executions(engine, call, question(engine, call.request().namespace_(), query), size);
}

template <class Request, class Response>
absl::Status list(Engine& engine, TypedCall<Request, Response> call) {
  return list_by(engine, call, call.request().query(), call.request().page_size());
}

absl::Status count_rows(
    Engine& engine,
    TypedCall<wf::CountWorkflowExecutionsRequest, wf::CountWorkflowExecutionsResponse> call) {
  return count_executions(engine, call,
                          question(engine, call.request().namespace_(), call.request().query()));
}

std::string quoted(const std::string& text) {
  std::string safe;
  for (char c : text) {
    if (c == '\'' || c == '\\') safe += '\\';
    safe += c;
  }
  return absl::StrCat("'", safe, "'");
}

// The old calls: their filters as a query of today's. Of open ones the time filter is about the
// start, of closed ones about the end; one other filter counts, the first of these.
template <class Request, class Response>
absl::Status list_old(Engine& engine, TypedCall<Request, Response> call) {
  constexpr bool kClosed = requires { call.request().status_filter(); };
  Request& request = call.request();
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  std::string query = kClosed ? absl::StrCat("NOT ", kRunning) : kRunning;
  const char* time = kClosed ? "CloseTime" : "StartTime";
  const auto& times = request.start_time_filter();
  if (times.has_earliest_time())
    absl::StrAppend(&query, " AND ", time, " >= ", nanos(to_wall(times.earliest_time())));
  if (times.has_latest_time())
    absl::StrAppend(&query, " AND ", time, " <= ", nanos(to_wall(times.latest_time())));
  if (times.has_earliest_time() && times.has_latest_time() &&
      to_wall(times.earliest_time()) > to_wall(times.latest_time())) {
    return invalid("EarliestTime in StartTimeFilter should not be larger than LatestTime.");
  }
  if (request.has_execution_filter()) {
    absl::StrAppend(&query, " AND WorkflowId = ", quoted(request.execution_filter().workflow_id()));
  } else if (request.has_type_filter()) {
    absl::StrAppend(&query, " AND WorkflowType = ", quoted(request.type_filter().name()));
  } else if constexpr (kClosed) {
    const enums::WorkflowExecutionStatus status = request.status_filter().status();
    if (request.has_status_filter() && (status == enums::WORKFLOW_EXECUTION_STATUS_UNSPECIFIED ||
                                        status == enums::WORKFLOW_EXECUTION_STATUS_RUNNING))
      return invalid("StatusFilter must be specified and must be not Running.");
    if (request.has_status_filter())
      absl::StrAppend(&query, " AND ExecutionStatus = ", quoted(status_name(status)));
  }
  return list_by(engine, call, query, request.maximum_page_size());
}

absl::Status get_search_attributes(Engine& engine, wf::GetSearchAttributesRequest&,
                                   wf::GetSearchAttributesResponse& response) {
  auto& keys = *response.mutable_keys();
  for (const auto& [name, type] : system_attributes()) keys[name] = type;
  for (const auto& [name, type] : predefined_attributes()) keys[name] = type;
  for (const auto& [name, ns] : engine.namespaces().all()) {
    for (const auto& [attribute, type] : ns->search_attributes) keys[attribute] = type;
  }
  return absl::OkStatus();
}

}  // namespace

void register_visibility(MethodTable& table) {
  table.add("ListWorkflowExecutions",
            list<wf::ListWorkflowExecutionsRequest, wf::ListWorkflowExecutionsResponse>);
  table.add("ScanWorkflowExecutions",
            list<wf::ScanWorkflowExecutionsRequest, wf::ScanWorkflowExecutionsResponse>);
  table.add("CountWorkflowExecutions", count_rows);
  table.add(
      "ListOpenWorkflowExecutions",
      list_old<wf::ListOpenWorkflowExecutionsRequest, wf::ListOpenWorkflowExecutionsResponse>);
  table.add(
      "ListClosedWorkflowExecutions",
      list_old<wf::ListClosedWorkflowExecutionsRequest, wf::ListClosedWorkflowExecutionsResponse>);
  table.add("GetSearchAttributes", get_search_attributes);
}

}  // namespace chimera::server
