// Lists and counts of activities that stand alone: rows of the index of executions, in a division
// of their own, in which an activity's id and type are where a workflow's are.
#include "server/engine/standalone/activity_view.h"
#include "server/service/handlers.h"
#include "server/service/listing.h"
#include "server/service/method_table.h"
#include "server/visibility/values.h"

namespace chimera::server {
namespace {

using visibility::Node;

constexpr char kDivision[] = "TemporalNamespaceDivision";

visibility::TypeOf types_of(const Namespace& ns) {
  return [others = attribute_types(ns.search_attributes)](
             std::string_view name) -> std::optional<visibility::AttributeType> {
    if (name == "ActivityId" || name == "ActivityType") return visibility::AttributeType::kKeyword;
    return others(name);
  };
}

// Names as the index has them.
void rename(Node& node) {
  if (node.name == "ActivityId")
    node.name = "WorkflowId";
  else if (node.name == "ActivityType")
    node.name = "WorkflowType";
  else if (node.name == "WorkflowType")
    node.name = "NoWorkflowType";  // An attribute that no row has.
  for (const auto& child : node.children) rename(*child);
}

std::unique_ptr<Node> of_division() {
  auto node = std::make_unique<Node>();
  node->name = kDivision;
  node->operands.emplace_back(std::string(kActivityDivision));
  return node;
}

absl::StatusOr<Question> question(Engine& engine, const std::string& namespace_name,
                                  const std::string& text) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(namespace_name);
  if (!ns.ok()) return ns.status();
  absl::StatusOr<visibility::Query> query = visibility::parse_query(text, types_of(**ns));
  if (!query.ok()) return query.status();
  auto both = std::make_unique<Node>();
  both->kind = Node::Kind::kAnd;
  both->children.push_back(of_division());
  if (query->where != nullptr) {
    rename(*query->where);
    both->children.push_back(std::move(query->where));
  }
  query->where = std::move(both);
  return Question{(*ns)->id, *std::move(query)};
}

absl::Status list(
    Engine& engine,
    TypedCall<wf::ListActivityExecutionsRequest, wf::ListActivityExecutionsResponse> call) {
  const auto& request = call.request();
  return list_executions(engine, call, question(engine, request.namespace_(), request.query()),
                         request.page_size());
}

absl::Status count(
    Engine& engine,
    TypedCall<wf::CountActivityExecutionsRequest, wf::CountActivityExecutionsResponse> call) {
  const auto& request = call.request();
  return count_executions(engine, call, question(engine, request.namespace_(), request.query()));
}

}  // namespace

void register_activity_lists(MethodTable& table) {
  table.add("ListActivityExecutions", list);
  table.add("CountActivityExecutions", count);
}

}  // namespace chimera::server
