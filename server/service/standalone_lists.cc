// Lists and counts of activities and of Nexus operations that stand alone: rows of the index of
// executions, in a division of their kind's own, in which an id and a type are where a workflow's
// are.
#include <map>

#include "server/engine/standalone/activity_view.h"
#include "server/engine/standalone/operation_view.h"
#include "server/service/handlers.h"
#include "server/service/listing.h"
#include "server/service/method_table.h"
#include "server/service/operation_checks.h"
#include "server/visibility/values.h"

namespace chimera::server {
namespace {

using visibility::Node;

constexpr char kNamespaceDivision[] = "TemporalNamespaceDivision";

// How filters of a kind call what the index has under another name: keywords, all of them.
struct Kind {
  const char* division;
  std::map<std::string, std::string, std::less<>> names;
};

const Kind& activities() {
  static const auto* kind = new Kind{kActivityDivision,
                                     {{"ActivityId", "WorkflowId"},
                                      {"ActivityType", "WorkflowType"},
                                      // An attribute that no row has.
                                      {"WorkflowType", "NoWorkflowType"}}};
  return *kind;
}

const Kind& operations() {
  static const auto* kind = new Kind{kOperationDivision,
                                     {{"OperationId", "WorkflowId"},
                                      {"Endpoint", kEndpointAttribute},
                                      {"Service", kServiceAttribute},
                                      {"Operation", kOperationAttribute},
                                      {"RequestId", kRequestIdAttribute}}};
  return *kind;
}

visibility::TypeOf types_of(const Kind& kind, const Namespace& ns) {
  return [&kind, others = attribute_types(ns.search_attributes)](
             std::string_view name) -> std::optional<visibility::AttributeType> {
    if (kind.names.contains(name)) return visibility::AttributeType::kKeyword;
    return others(name);
  };
}

void rename(const Kind& kind, Node& node) {
  if (const auto found = kind.names.find(node.name); found != kind.names.end())
    node.name = found->second;
  for (const auto& child : node.children) rename(kind, *child);
}

std::unique_ptr<Node> of_division(const Kind& kind) {
  auto node = std::make_unique<Node>();
  node->name = kNamespaceDivision;
  node->operands.emplace_back(std::string(kind.division));
  return node;
}

template <class Request>
absl::StatusOr<Question> question(Engine& engine, const Kind& kind, const Request& request) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  absl::StatusOr<visibility::Query> query =
      visibility::parse_query(request.query(), types_of(kind, **ns));
  if (!query.ok()) return query.status();
  auto both = std::make_unique<Node>();
  both->kind = Node::Kind::kAnd;
  both->children.push_back(of_division(kind));
  if (query->where != nullptr) {
    rename(kind, *query->where);
    both->children.push_back(std::move(query->where));
  }
  query->where = std::move(both);
  return Question{(*ns)->id, *std::move(query)};
}

absl::Status list_activities(
    Engine& engine,
    TypedCall<wf::ListActivityExecutionsRequest, wf::ListActivityExecutionsResponse> call) {
  const auto& request = call.request();
  return list_executions(engine, call, question(engine, activities(), request),
                         request.page_size());
}

absl::Status count_activities(
    Engine& engine,
    TypedCall<wf::CountActivityExecutionsRequest, wf::CountActivityExecutionsResponse> call) {
  return count_executions(engine, call, question(engine, activities(), call.request()));
}

absl::Status list_operations(
    Engine& engine,
    TypedCall<wf::ListNexusOperationExecutionsRequest, wf::ListNexusOperationExecutionsResponse>
        call) {
  const auto& request = call.request();
  if (absl::StatusOr<Namespace*> ns = operations_namespace(engine, request); !ns.ok())
    return ns.status();
  return list_executions(engine, call, question(engine, operations(), request),
                         request.page_size());
}

absl::Status count_operations(
    Engine& engine,
    TypedCall<wf::CountNexusOperationExecutionsRequest, wf::CountNexusOperationExecutionsResponse>
        call) {
  const auto& request = call.request();
  if (absl::StatusOr<Namespace*> ns = operations_namespace(engine, request); !ns.ok())
    return ns.status();
  return count_executions(engine, call, question(engine, operations(), request));
}

}  // namespace

void register_standalone_lists(MethodTable& table) {
  table.add("ListActivityExecutions", list_activities);
  table.add("CountActivityExecutions", count_activities);
  table.add("ListNexusOperationExecutions", list_operations);
  table.add("CountNexusOperationExecutions", count_operations);
}

}  // namespace chimera::server
