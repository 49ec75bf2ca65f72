#include "server/visibility/sql.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

#include "server/visibility/packed.h"

namespace chimera::server::visibility {
namespace {

// Columns of the row. The sign keeps SQLite from choosing an index for them.
constexpr std::pair<std::string_view, std::string_view> kColumns[] = {
    {"WorkflowId", "+x.workflow_id"},
    {"RunId", "run_id_text(x.run_id)"},
    {"WorkflowType", "+x.workflow_type"},
    {"TaskQueue", "x.task_queue"},
    {"ExecutionStatus", "+x.status"},
    {"StartTime", "x.start_time"},
    {"ExecutionTime", "x.execution_time"},
    {"CloseTime", "nullif(x.close_time, 9223372036854775807)"},
    {"ExecutionDuration", "x.duration"},
    {"HistoryLength", "x.history_length"},
    {"HistorySizeBytes", "x.history_size"},
    {"StateTransitionCount", "x.transitions"},
    {"ParentWorkflowId", "x.parent_workflow_id"},
    {"ParentRunId", "x.parent_run_id"},
    {"RootWorkflowId", "x.root_workflow_id"},
    {"RootRunId", "x.root_run_id"}};

bool is_list(AttributeType type) {
  return type == AttributeType::kKeywordList || type == AttributeType::kText;
}

bool is_negative(Operator op) {
  return op == Operator::kNotEqual || op == Operator::kNotIn || op == Operator::kNotBetween ||
         op == Operator::kNotStartsWith;
}

void append(Sql& to, Sql from) {
  to.text += from.text;
  std::move(from.values.begin(), from.values.end(), std::back_inserter(to.values));
}

// Halved again and again, for SQLite limits how deep an expression may be.
Sql joined(std::span<Sql> parts, const char* word) {
  if (parts.size() == 1) return std::move(parts[0]);
  const std::size_t half = parts.size() / 2;
  Sql all{"(", {}};
  append(all, joined(parts.first(half), word));
  all.text += word;
  append(all, joined(parts.subspan(half), word));
  all.text += ")";
  return all;
}

// A KeywordList or Text that is missing has nothing; other missing values make NULL.
Sql list_condition(const Node& node, const Folding& folding) {
  std::vector<std::string> phrases;
  for (const Value& operand : node.operands) {
    for (std::string& phrase : phrases_of(node, operand, folding))
      phrases.push_back(std::move(phrase));
  }
  return {absl::StrCat(is_negative(node.op) ? "NOT " : "", "has_any(x.attributes, ",
                       quoted(node.name), ", ", static_cast<int>(node.type), ", ?)"),
          {Value(absl::StrJoin(phrases, std::string(1, kBetweenPhrases)))}};
}

std::string_view operator_text(Operator op) {
  switch (op) {
    case Operator::kEqual:
      return " = ?";
    case Operator::kNotEqual:
      return " <> ?";
    case Operator::kLess:
      return " < ?";
    case Operator::kLessEqual:
      return " <= ?";
    case Operator::kGreater:
      return " > ?";
    case Operator::kGreaterEqual:
      return " >= ?";
    case Operator::kBetween:
      return " BETWEEN ? AND ?";
    case Operator::kNotBetween:
      return " NOT BETWEEN ? AND ?";
    case Operator::kStartsWith:
      return " LIKE ? ESCAPE '!'";
    case Operator::kNotStartsWith:
      return " NOT LIKE ? ESCAPE '!'";
    case Operator::kIsNull:
      return " IS NULL";
    default:
      return " IS NOT NULL";
  }
}

Sql comparison(const Node& node, const Folding& folding) {
  const bool null_test = node.op == Operator::kIsNull || node.op == Operator::kIsNotNull;
  if (is_list(node.type) && !null_test) return list_condition(node, folding);
  std::string column = column_of(node.name, node.type);
  if (node.op == Operator::kIn || node.op == Operator::kNotIn) {
    std::string marks = "?";
    for (std::size_t i = 1; i < node.operands.size(); ++i) marks += ",?";
    return {absl::StrCat(column, is_negative(node.op) ? " NOT IN (" : " IN (", marks, ")"),
            node.operands};
  }
  Sql sql{absl::StrCat(column, std::string(operator_text(node.op))), node.operands};
  if (node.op == Operator::kStartsWith || node.op == Operator::kNotStartsWith) {
    auto& prefix = std::get<std::string>(sql.values[0]);
    prefix = absl::StrReplaceAll(prefix, {{"!", "!!"}, {"%", "!%"}, {"_", "!_"}}) + "%";
  }
  return sql;
}

}  // namespace

std::string quoted(std::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll({text.data(), text.size()}, {{"'", "''"}}), "'");
}

std::string literal_of(std::string_view bytes) {
  return absl::StrCat("x'", absl::BytesToHexString({bytes.data(), bytes.size()}), "'");
}

std::string column_of(std::string_view name, AttributeType type) {
  for (const auto& [known, column] : kColumns) {
    if (known == name) return std::string(column);
  }
  return absl::StrCat("attribute(x.attributes, ", quoted(name), ", ", static_cast<int>(type), ")");
}

std::vector<std::string> phrases_of(const Node& node, const Value& operand,
                                    const Folding& folding) {
  const auto& text = std::get<std::string>(operand);
  std::vector<std::string> phrases;
  if (node.type == AttributeType::kKeywordList) {
    phrases.push_back(joined_parts({folding.item(text)}));
  } else {
    for (absl::string_view part : absl::StrSplit(text, ' ', absl::SkipEmpty()))
      phrases.push_back(joined_parts(folding.words(part)));
  }
  std::erase(phrases, "");
  return phrases;
}

Sql all_of(std::vector<Sql> parts) {
  std::erase_if(parts, [](const Sql& part) { return part.text.empty(); });
  return parts.empty() ? Sql{} : joined(parts, " AND ");
}

Sql condition_of(const Node& node, const Folding& folding) {
  if (node.kind == Node::Kind::kCompare) return comparison(node, folding);
  std::vector<Sql> parts;
  for (const auto& child : node.children) parts.push_back(condition_of(*child, folding));
  if (node.kind != Node::Kind::kNot)
    return joined(parts, node.kind == Node::Kind::kAnd ? " AND " : " OR ");
  return {absl::StrCat("NOT (", parts[0].text, ")"), std::move(parts[0].values)};
}

}  // namespace chimera::server::visibility
