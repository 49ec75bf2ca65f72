// Lists and counts of executions.
#include <algorithm>
#include <tuple>

#include <nlohmann/json.hpp>

#include "server/base/errors.h"
#include "server/base/tokens.h"
#include "server/engine/engine.h"
#include "server/engine/run/describe.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/visibility/attributes.h"
#include "server/visibility/row.h"

namespace chimera::server {
namespace {

constexpr int kPageMax = 1000;
constexpr char kDivision[] = "TemporalNamespaceDivision";

std::int64_t nanos(WallTime time) { return time.time_since_epoch().count(); }

// Open runs first, then the latest closed, the latest started, the run id.
auto place(const Run& run) {
  return std::tuple(run.running(), nanos(run.close_time), nanos(run.start_time),
                    std::string_view(run.run_id));
}
auto place(const ListToken& token) {
  return std::tuple(token.running, token.close_time, token.start_time,
                    std::string_view(token.run_id));
}
bool before(const Run* a, const Run* b) { return place(*a) > place(*b); }

absl::StatusOr<std::vector<const Run*>> select(Engine& engine, const std::string& namespace_name,
                                               const std::string& text, std::string* group_by) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(namespace_name);
  if (!ns.ok()) return ns.status();
  absl::StatusOr<visibility::Query> query =
      visibility::parse_query(text, attribute_types((*ns)->search_attributes));
  if (!query.ok()) return query.status();
  if (group_by == nullptr && !query->group_by.empty()) {
    return invalid("invalid query: operation is not supported: 'GROUP BY' clause");
  }
  if (group_by != nullptr) *group_by = query->group_by;
  const bool divisions = query->names(kDivision);
  std::vector<const Run*> rows;
  for (const auto& [id, run] : engine.runs().in_memory()) {
    if (run->ns != *ns || (!divisions && run->search_attributes.contains(kDivision))) continue;
    const Row row = row_of(*run);
    if (visibility::matches(*query,
                            [&row](std::string_view name) { return row_value(row, name); })) {
      rows.push_back(run.get());
    }
  }
  return rows;
}

template <class Request, class Response>
absl::Status list(Engine& engine, Request& request, Response& response) {
  auto rows = select(engine, request.namespace_(), request.query(), nullptr);
  if (!rows.ok()) return rows.status();
  std::sort(rows->begin(), rows->end(), before);
  auto first = rows->begin();
  if (!request.next_page_token().empty()) {
    const auto last = ListToken::decode(request.next_page_token());
    if (!last) return invalid("Invalid NextPageToken.");
    first = std::upper_bound(rows->begin(), rows->end(), place(*last),
                             [](const auto& at, const Run* row) { return at > place(*row); });
  }
  const int size = request.page_size() > 0 ? std::min(request.page_size(), kPageMax) : kPageMax;
  for (; first != rows->end() && response.executions_size() < size; ++first) {
    fill_info(**first, *response.add_executions());
  }
  if (first != rows->end()) {
    const Run& last = **(first - 1);
    response.set_next_page_token(
        ListToken{last.running(), nanos(last.close_time), nanos(last.start_time), last.run_id}
            .encode());
  }
  return absl::OkStatus();
}

std::string status_name(enums::WorkflowExecutionStatus status) {
  switch (status) {
    case enums::WORKFLOW_EXECUTION_STATUS_RUNNING:
      return "Running";
    case enums::WORKFLOW_EXECUTION_STATUS_COMPLETED:
      return "Completed";
    case enums::WORKFLOW_EXECUTION_STATUS_FAILED:
      return "Failed";
    case enums::WORKFLOW_EXECUTION_STATUS_CANCELED:
      return "Canceled";
    case enums::WORKFLOW_EXECUTION_STATUS_TERMINATED:
      return "Terminated";
    case enums::WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW:
      return "ContinuedAsNew";
    case enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
      return "TimedOut";
    default:
      return "Paused";
  }
}

absl::Status count_rows(Engine& engine, wf::CountWorkflowExecutionsRequest& request,
                        wf::CountWorkflowExecutionsResponse& response) {
  std::string group_by;
  auto rows = select(engine, request.namespace_(), request.query(), &group_by);
  if (!rows.ok()) return rows.status();
  response.set_count(static_cast<std::int64_t>(rows->size()));
  if (group_by.empty()) return absl::OkStatus();
  std::map<enums::WorkflowExecutionStatus, std::int64_t> groups;
  for (const Run* run : *rows) ++groups[run->status];
  for (const auto& [status, rows_in_group] : groups) {
    auto& group = *response.add_groups();
    group.set_count(rows_in_group);
    common::Payload& value = *group.add_group_values();
    (*value.mutable_metadata())["encoding"] = "json/plain";
    (*value.mutable_metadata())["type"] = "Keyword";
    value.set_data(nlohmann::json(status_name(status)).dump());
  }
  return absl::OkStatus();
}

// The old calls: their filters as a query of today's.
template <class Request, class Response>
absl::Status list_old(Engine& engine, Request& request, Response& response) {
  std::string query = std::is_same_v<Request, wf::ListOpenWorkflowExecutionsRequest>
                          ? "ExecutionStatus = 'Running'"
                          : "ExecutionStatus != 'Running'";
  const auto quoted = [](std::string text) {
    std::string safe;
    for (char c : text) safe += c == '\'' ? std::string("''") : std::string(1, c);
    return absl::StrCat("'", safe, "'");
  };
  if (request.has_execution_filter()) {
    query += absl::StrCat(" AND WorkflowId = ", quoted(request.execution_filter().workflow_id()));
  }
  if (request.has_type_filter()) {
    query += absl::StrCat(" AND WorkflowType = ", quoted(request.type_filter().name()));
  }
  if constexpr (requires { request.status_filter(); }) {
    if (request.has_status_filter()) {
      query += absl::StrCat(" AND ExecutionStatus = ",
                            quoted(status_name(request.status_filter().status())));
    }
  }
  if (request.has_start_time_filter()) {
    const auto& filter = request.start_time_filter();
    if (filter.has_earliest_time())
      absl::StrAppend(&query, " AND StartTime >= ", nanos(to_wall(filter.earliest_time())));
    if (filter.has_latest_time())
      absl::StrAppend(&query, " AND StartTime <= ", nanos(to_wall(filter.latest_time())));
    if (filter.has_earliest_time() && filter.has_latest_time() &&
        to_wall(filter.earliest_time()) > to_wall(filter.latest_time())) {
      return invalid("EarliestTime in StartTimeFilter should not be larger than LatestTime.");
    }
  }
  wf::ListWorkflowExecutionsRequest today;
  wf::ListWorkflowExecutionsResponse found;
  today.set_namespace_(request.namespace_());
  today.set_page_size(request.maximum_page_size());
  today.set_next_page_token(request.next_page_token());
  today.set_query(query);
  if (absl::Status status = list(engine, today, found); !status.ok()) return status;
  response.mutable_executions()->Swap(found.mutable_executions());
  response.set_next_page_token(found.next_page_token());
  return absl::OkStatus();
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
