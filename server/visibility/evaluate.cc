// Evaluation of a list filter over one row, and the values that both sides of a comparison are made
// of.
#include <algorithm>
#include <cctype>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

#include "server/visibility/query.h"

namespace chimera::server::visibility {
namespace {

// Words of a Text attribute, as its tokenizer sees them.
std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> result;
  std::string word;
  for (char c : text + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_') {
      word += absl::ascii_tolower(static_cast<unsigned char>(c));
    } else if (!word.empty()) {
      result.push_back(std::move(word));
      word.clear();
    }
  }
  return result;
}

bool any_word(const std::string& text, const std::string& wanted) {
  std::vector<std::string> have = words(text);
  for (const std::string& word : words(wanted)) {
    if (std::find(have.begin(), have.end(), word) != have.end()) return true;
  }
  return false;
}

double as_double(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<double>(*number);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return 0;
}

// -1, 0 or 1 for values of one type; numbers compare across int and double.
int compare(const Value& a, const Value& b) {
  if (a.index() == b.index()) return a < b ? -1 : b < a ? 1 : 0;
  double x = as_double(a), y = as_double(b);
  return x < y ? -1 : y < x ? 1 : 0;
}

bool equal(const Node& node, const Value& have, const Value& wanted) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&have)) {
    const auto* text = std::get_if<std::string>(&wanted);
    return text != nullptr && std::find(list->begin(), list->end(), *text) != list->end();
  }
  const auto* text = std::get_if<std::string>(&have);
  const auto* sought = std::get_if<std::string>(&wanted);
  if ((text == nullptr) != (sought == nullptr)) return false;
  if (node.type == AttributeType::kText && text != nullptr) return any_word(*text, *sought);
  return compare(have, wanted) == 0;
}

bool starts_with(const Value& have, const Value& wanted) {
  const auto* text = std::get_if<std::string>(&have);
  const auto* prefix = std::get_if<std::string>(&wanted);
  return text != nullptr && prefix != nullptr && absl::StartsWith(*text, *prefix);
}

bool holds(const Node& node, const std::optional<Value>& have) {
  if (node.op == Operator::kIsNull) return !have.has_value();
  if (node.op == Operator::kIsNotNull) return have.has_value();
  if (!have.has_value()) return false;  // As in SQL, nothing is true of a missing value.
  auto in = [&] {
    return std::any_of(node.operands.begin(), node.operands.end(),
                       [&](const Value& wanted) { return equal(node, *have, wanted); });
  };
  auto between = [&] {
    return compare(*have, node.operands[0]) >= 0 && compare(*have, node.operands[1]) <= 0;
  };
  switch (node.op) {
    case Operator::kEqual:
      return equal(node, *have, node.operands[0]);
    case Operator::kNotEqual:
      return !equal(node, *have, node.operands[0]);
    case Operator::kLess:
      return compare(*have, node.operands[0]) < 0;
    case Operator::kLessEqual:
      return compare(*have, node.operands[0]) <= 0;
    case Operator::kGreater:
      return compare(*have, node.operands[0]) > 0;
    case Operator::kGreaterEqual:
      return compare(*have, node.operands[0]) >= 0;
    case Operator::kIn:
      return in();
    case Operator::kNotIn:
      return !in();
    case Operator::kBetween:
      return between();
    case Operator::kNotBetween:
      return !between();
    case Operator::kStartsWith:
      return starts_with(*have, node.operands[0]);
    case Operator::kNotStartsWith:
      return !starts_with(*have, node.operands[0]);
    default:
      return false;
  }
}

bool evaluate(const Node& node, const ValueOf& value_of) {
  auto inner = [&](const std::unique_ptr<Node>& child) { return evaluate(*child, value_of); };
  switch (node.kind) {
    case Node::Kind::kAnd:
      return std::all_of(node.children.begin(), node.children.end(), inner);
    case Node::Kind::kOr:
      return std::any_of(node.children.begin(), node.children.end(), inner);
    case Node::Kind::kNot:
      return !inner(node.children[0]);
    case Node::Kind::kCompare:
      return holds(node, value_of(node.name));
  }
  return false;
}

struct SystemAttribute {
  std::string_view name;
  AttributeType type;
};

constexpr SystemAttribute kSystem[] = {
    {"WorkflowId", AttributeType::kKeyword},
    {"RunId", AttributeType::kKeyword},
    {"WorkflowType", AttributeType::kKeyword},
    {"TaskQueue", AttributeType::kKeyword},
    {"ExecutionStatus", AttributeType::kInt},
    {"StartTime", AttributeType::kDatetime},
    {"ExecutionTime", AttributeType::kDatetime},
    {"CloseTime", AttributeType::kDatetime},
    {"ExecutionDuration", AttributeType::kInt},
    {"HistoryLength", AttributeType::kInt},
    {"HistorySizeBytes", AttributeType::kInt},
    {"StateTransitionCount", AttributeType::kInt},
    {"ParentWorkflowId", AttributeType::kKeyword},
    {"ParentRunId", AttributeType::kKeyword},
    {"RootWorkflowId", AttributeType::kKeyword},
    {"RootRunId", AttributeType::kKeyword},
    {"BuildIds", AttributeType::kKeywordList},
    {"TemporalChangeVersion", AttributeType::kKeywordList},
    {"BinaryChecksums", AttributeType::kKeywordList},
    {"BatcherUser", AttributeType::kKeyword},
    {"TemporalScheduledStartTime", AttributeType::kDatetime},
    {"TemporalScheduledById", AttributeType::kKeyword},
    {"TemporalSchedulePaused", AttributeType::kBool},
    {"TemporalNamespaceDivision", AttributeType::kKeyword},
    {"TemporalPauseInfo", AttributeType::kKeywordList},
    {"TemporalReportedProblems", AttributeType::kKeywordList},
    {"TemporalWorkerDeployment", AttributeType::kKeyword},
    {"TemporalWorkerDeploymentVersion", AttributeType::kKeyword},
    {"TemporalWorkflowVersioningBehavior", AttributeType::kKeyword},
    {"TemporalUsedWorkerDeploymentVersions", AttributeType::kKeywordList},
};

}  // namespace

bool matches(const Query& query, const ValueOf& value_of) {
  return query.where == nullptr || evaluate(*query.where, value_of);
}

std::optional<AttributeType> system_attribute(std::string_view name) {
  for (const SystemAttribute& attribute : kSystem) {
    if (attribute.name == name) return attribute.type;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, {text.data(), text.size()}, &time, &error))
    return std::nullopt;
  return absl::ToUnixNanos(time);
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  absl::string_view view(text.data(), text.size());
  std::int64_t number;
  if (absl::SimpleAtoi(view, &number)) return number;
  absl::Duration duration;
  if (absl::ParseDuration(view, &duration)) return absl::ToInt64Nanoseconds(duration);
  std::vector<std::string> parts = absl::StrSplit(view, ':');
  std::int64_t hours, minutes, seconds;
  if (parts.size() == 3 && absl::SimpleAtoi(parts[0], &hours) &&
      absl::SimpleAtoi(parts[1], &minutes) && absl::SimpleAtoi(parts[2], &seconds))
    return ((hours * 60 + minutes) * 60 + seconds) * 1'000'000'000;
  return std::nullopt;
}

}  // namespace chimera::server::visibility
