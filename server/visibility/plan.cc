#include "server/visibility/plan.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "server/visibility/packed.h"
#include "server/visibility/sql.h"

namespace chimera::server::visibility {
namespace {

constexpr char kDivision[] = "TemporalNamespaceDivision";
// Of one list of values, or of one OR: more are looked for row by row.
constexpr std::size_t kMostSources = 50;

using Found = std::optional<std::vector<Source>>;

bool is_list(AttributeType type) {
  return type == AttributeType::kKeywordList || type == AttributeType::kText;
}

Source row_source(const char* index, Sql seek, bool ordered = true) {
  return {absl::StrCat("visible x INDEXED BY ", index), "x", std::move(seek), true, ordered};
}

Source value_source(const std::string& name, Sql seek, bool ordered = true) {
  seek.text = absl::StrCat("v.name = ", quoted(name), " AND ", seek.text);
  return {"visible_value v", "v", std::move(seek), /*has_row=*/false, ordered};
}

// Those of an index by one of the system's attributes; `column`s without one are in no index.
Found equal_system(const Node& node, const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (node.name == "ExecutionStatus")
    return {{row_source("visible_status", {"x.status = ?", {value}})}};
  if (node.name == "WorkflowType")
    return {{row_source("visible_type", {"x.workflow_type = ?", {value}})}};
  if (node.name == "WorkflowId")
    return {{row_source("visible_id", {"x.workflow_id = ? COLLATE NOCASE", {value}})}};
  if (node.name == "RunId" && text != nullptr) {
    return {{Source{"visible_info i",
                    "i",
                    {absl::StrCat("i.run_id = ", literal_of(packed_run_id(*text))), {}},
                    /*has_row=*/false,
                    true}}};
  }
  return std::nullopt;
}

bool is_system(const Node& node) {
  return column_of(node.name, node.type).rfind("attribute(", 0) != 0;
}

Found equal(const Node& node, const Value& value, const Folding& folding) {
  if (is_system(node)) return equal_system(node, value);
  if (!is_list(node.type)) return {{value_source(node.name, {"v.value = ?", {value}})}};
  std::vector<Source> all;
  for (const std::string& phrase : phrases_of(node, value, folding)) {
    // Of a phrase its first word.
    std::vector<std::string> words = absl::StrSplit(phrase, kBetweenParts, absl::SkipEmpty());
    all.push_back(value_source(node.name, {"v.value = ?", {Value(std::move(words[0]))}}));
  }
  return all;
}

// As a collation without case sees it, what begins with `prefix` is from `prefix` on and before
// this.
std::string behind(std::string prefix) {
  absl::AsciiStrToLower(&prefix);
  ++prefix.back();
  return prefix;
}

Found begins(const Node& node) {
  const auto& prefix = std::get<std::string>(node.operands[0]);
  if (prefix.empty() || static_cast<unsigned char>(prefix.back()) >= 0x7f) return std::nullopt;
  const std::vector<Value> ends = {Value(prefix), Value(behind(prefix))};
  if (node.name == "WorkflowId") {
    return {{row_source(
        "visible_id",
        {"x.workflow_id >= ? COLLATE NOCASE AND x.workflow_id < ? COLLATE NOCASE", ends},
        /*ordered=*/false)}};
  }
  if (is_system(node) || node.type != AttributeType::kKeyword) return std::nullopt;
  return {{value_source(node.name, {"v.value >= ? AND v.value < ?", ends}, /*ordered=*/false)}};
}

// A range of numbers: texts stand in another order than they compare in.
Found in_range(const Node& node) {
  const auto is_text = [](const Value& value) {
    return std::holds_alternative<std::string>(value);
  };
  if (is_system(node) || std::any_of(node.operands.begin(), node.operands.end(), is_text))
    return std::nullopt;
  std::string seek;
  switch (node.op) {
    case Operator::kLess:
      seek = "v.value < ?";
      break;
    case Operator::kLessEqual:
      seek = "v.value <= ?";
      break;
    case Operator::kGreater:
      seek = "v.value > ?";
      break;
    case Operator::kGreaterEqual:
      seek = "v.value >= ?";
      break;
    default:
      seek = "v.value BETWEEN ? AND ?";
  }
  return {{value_source(node.name, {seek, node.operands}, /*ordered=*/false)}};
}

Found sources_of(const Node& node, const Folding& folding);

bool add(Found more, std::vector<Source>& to) {
  if (!more || to.size() + more->size() > kMostSources) return false;
  std::move(more->begin(), more->end(), std::back_inserter(to));
  return true;
}

Found compared(const Node& node, const Folding& folding) {
  switch (node.op) {
    case Operator::kEqual:
      return equal(node, node.operands[0], folding);
    case Operator::kIn: {
      std::vector<Source> all;
      for (const Value& value : node.operands) {
        if (!add(equal(node, value, folding), all)) return std::nullopt;
      }
      return all;
    }
    case Operator::kStartsWith:
      return begins(node);
    case Operator::kLess:
    case Operator::kLessEqual:
    case Operator::kGreater:
    case Operator::kGreaterEqual:
    case Operator::kBetween:
      return is_list(node.type) ? std::nullopt : in_range(node);
    default:
      return std::nullopt;
  }
}

Found sources_of(const Node& node, const Folding& folding) {
  if (node.kind == Node::Kind::kCompare) return compared(node, folding);
  if (node.kind == Node::Kind::kAnd) {
    for (const auto& child : node.children) {
      Found found = sources_of(*child, folding);
      if (found) return found;
    }
    return std::nullopt;
  }
  if (node.kind == Node::Kind::kNot) return std::nullopt;
  std::vector<Source> all;
  for (const auto& child : node.children) {
    if (!add(sources_of(*child, folding), all)) return std::nullopt;
  }
  return all;
}

void flatten(const Node& node, std::vector<const Node*>& into) {
  if (node.kind != Node::Kind::kAnd) return into.push_back(&node);
  for (const auto& child : node.children) flatten(*child, into);
}

// What a comparison of the close or start time says of the close time. Nothing closes before it
// starts.
void bound(const Node& node, Plan& plan) {
  const bool close = node.name == "CloseTime";
  if (node.kind != Node::Kind::kCompare || (!close && node.name != "StartTime")) return;
  std::vector<std::int64_t> times;
  for (const Value& value : node.operands) {
    const auto* time = std::get_if<std::int64_t>(&value);
    if (time == nullptr) return;
    times.push_back(*time);
  }
  switch (node.op) {
    case Operator::kBetween:
    case Operator::kEqual:
      plan.lowest = std::max(plan.lowest, times.front());
      if (close) plan.highest = std::min(plan.highest, times.back());
      break;
    case Operator::kGreater:
    case Operator::kGreaterEqual:
      plan.lowest = std::max(plan.lowest, times[0]);
      break;
    case Operator::kLess:
    case Operator::kLessEqual:
      if (close) plan.highest = std::min(plan.highest, times[0]);
      break;
    case Operator::kIsNull:
      if (close) plan.lowest = kOpen;
      return;
    case Operator::kIsNotNull:
      break;
    default:
      return;
  }
  if (close) plan.highest = std::min(plan.highest, kOpen - 1);
}

// Its source has the rows that satisfy it, and no others.
bool is_exact(const Node& node) {
  return node.kind == Node::Kind::kCompare && node.op == Operator::kEqual &&
         (node.name == "ExecutionStatus" || node.name == "WorkflowType");
}

}  // namespace

bool Sources::ordered() const {
  return std::all_of(all.begin(), all.end(), [](const Source& source) { return source.ordered; });
}

const char* index_schema() {
  return R"(
CREATE TABLE IF NOT EXISTS visible_namespace(number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL);
CREATE TABLE IF NOT EXISTS visible(
  namespace INTEGER, close_time INTEGER, start_time INTEGER, run_id BLOB,
  status INTEGER, workflow_id TEXT, workflow_type TEXT, task_queue TEXT, execution_time INTEGER,
  duration INTEGER, history_length INTEGER, history_size INTEGER, transitions INTEGER,
  parent_workflow_id TEXT, parent_run_id TEXT, root_workflow_id TEXT, root_run_id TEXT,
  attributes BLOB, PRIMARY KEY(namespace, close_time, start_time, run_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS visible_status
  ON visible(namespace, status, close_time, start_time, run_id);
CREATE INDEX IF NOT EXISTS visible_type
  ON visible(namespace, workflow_type, close_time, start_time, run_id, status);
CREATE INDEX IF NOT EXISTS visible_id
  ON visible(namespace, workflow_id COLLATE NOCASE, close_time, start_time, run_id);
CREATE TABLE IF NOT EXISTS visible_value(
  namespace INTEGER, name TEXT, value COLLATE NOCASE, close_time INTEGER, start_time INTEGER,
  run_id BLOB, PRIMARY KEY(namespace, name, value, close_time, start_time, run_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS visible_info(
  run_id BLOB PRIMARY KEY, namespace INTEGER, close_time INTEGER, start_time INTEGER, info BLOB)
  WITHOUT ROWID;
)";
}

Plan make_plan(const Query& query, const Folding& folding) {
  Plan plan;
  plan.scan.all.push_back({"visible x", "x", {}, true, true});
  if (!query.group_by.empty()) {
    plan.group =
        query.group_by == kDivision ? column_of(kDivision, AttributeType::kKeyword) : "x.status";
  }
  if (query.where == nullptr) return plan;
  std::vector<const Node*> parts;
  flatten(*query.where, parts);
  std::vector<Sql> conditions;
  conditions.reserve(parts.size());
  for (const Node* part : parts) conditions.push_back(condition_of(*part, folding));
  plan.scan.rest = all_of(conditions);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    bound(*parts[i], plan);
    Found found = sources_of(*parts[i], folding);
    if (!found) continue;
    std::vector<Sql> rest = conditions;
    if (is_exact(*parts[i])) rest[i] = {};
    plan.choices.push_back({*std::move(found), all_of(std::move(rest))});
  }
  return plan;
}

}  // namespace chimera::server::visibility
