// Evaluation of a list filter over one row, in memory.
#include <algorithm>
#include <cctype>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "server/visibility/query.h"

namespace chimera::server::visibility {
namespace {

// None: unknown, as in SQL.
using Truth = std::optional<bool>;

Truth negation(Truth truth) { return truth ? Truth(!*truth) : truth; }

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> result;
  std::string word;
  for (char c : text + " ") {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || byte >= 0x80) {
      word += absl::ascii_tolower(byte);
    } else if (!word.empty()) {
      result.push_back(std::exchange(word, ""));
    }
  }
  return result;
}

// Each part between spaces is a phrase, one of which must be there.
bool any_phrase(const std::string& text, const std::string& wanted) {
  const std::vector<std::string> have = words(text);
  for (absl::string_view part : absl::StrSplit(wanted, ' ', absl::SkipEmpty())) {
    const std::vector<std::string> phrase = words(std::string(part));
    if (phrase.empty()) continue;
    if (std::search(have.begin(), have.end(), phrase.begin(), phrase.end()) != have.end())
      return true;
  }
  return false;
}

bool has(const std::vector<std::string>& list, const std::string& wanted) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& each) {
    return !each.empty() && absl::EqualsIgnoreCase(each, wanted);
  });
}

// -1, 0 or 1. Numbers and truths compare as numbers, and come before every text.
int compare(const Value& a, const Value& b) {
  const auto* text = std::get_if<std::string>(&a);
  const auto* other = std::get_if<std::string>(&b);
  if (text != nullptr && other != nullptr) return text->compare(*other);
  if (text != nullptr || other != nullptr) return text != nullptr ? 1 : -1;
  const auto* whole = std::get_if<std::int64_t>(&a);
  const auto* wanted = std::get_if<std::int64_t>(&b);
  if (whole != nullptr && wanted != nullptr) return *whole < *wanted ? -1 : *whole > *wanted;
  const auto number = [](const Value& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value))
      return static_cast<double>(*integer);
    if (const auto* truth = std::get_if<bool>(&value)) return *truth ? 1.0 : 0.0;
    const auto* real = std::get_if<double>(&value);
    return real != nullptr ? *real : 0.0;
  };
  return number(a) < number(b) ? -1 : number(a) > number(b);
}

std::string text_of(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return absl::StrCat(*number);
  if (const auto* real = std::get_if<double>(&value)) return absl::StrCat(*real);
  return std::holds_alternative<bool>(value) ? absl::StrCat(std::get<bool>(value)) : "";
}

bool positive(const Node& node, const Value& have) {
  const auto& operands = node.operands;
  switch (node.op) {
    case Operator::kNotEqual:
    case Operator::kEqual:
      return compare(have, operands[0]) == 0;
    case Operator::kLess:
      return compare(have, operands[0]) < 0;
    case Operator::kLessEqual:
      return compare(have, operands[0]) <= 0;
    case Operator::kGreater:
      return compare(have, operands[0]) > 0;
    case Operator::kGreaterEqual:
      return compare(have, operands[0]) >= 0;
    case Operator::kIn:
    case Operator::kNotIn:
      return std::any_of(operands.begin(), operands.end(),
                         [&](const Value& wanted) { return compare(have, wanted) == 0; });
    case Operator::kBetween:
    case Operator::kNotBetween:
      return compare(have, operands[0]) >= 0 && compare(have, operands[1]) <= 0;
    default:
      return absl::StartsWithIgnoreCase(text_of(have), std::get<std::string>(operands[0]));
  }
}

// Of a KeywordList or Text.
bool holds_any(const Node& node, const std::optional<Value>& have) {
  if (!have) return false;
  const auto* list = std::get_if<std::vector<std::string>>(&*have);
  const auto* text = std::get_if<std::string>(&*have);
  return std::any_of(node.operands.begin(), node.operands.end(), [&](const Value& operand) {
    const auto& wanted = std::get<std::string>(operand);
    if (node.type == AttributeType::kText) return text != nullptr && any_phrase(*text, wanted);
    return list != nullptr && has(*list, wanted);
  });
}

Truth holds(const Node& node, const std::optional<Value>& have) {
  if (node.op == Operator::kIsNull) return !have.has_value();
  if (node.op == Operator::kIsNotNull) return have.has_value();
  const bool negative = node.op == Operator::kNotEqual || node.op == Operator::kNotIn ||
                        node.op == Operator::kNotBetween || node.op == Operator::kNotStartsWith;
  if (node.type == AttributeType::kKeywordList || node.type == AttributeType::kText)
    return holds_any(node, have) != negative;
  if (!have || std::holds_alternative<std::vector<std::string>>(*have)) return std::nullopt;
  return positive(node, *have) != negative;
}

Truth evaluate(const Node& node, const ValueOf& value_of) {
  if (node.kind == Node::Kind::kCompare) return holds(node, value_of(node.name));
  if (node.kind == Node::Kind::kNot) return negation(evaluate(*node.children[0], value_of));
  // One that is true decides an OR, one that is false an AND; else one that is unknown.
  const bool decisive = node.kind == Node::Kind::kOr;
  Truth result = !decisive;
  for (const auto& child : node.children) {
    const Truth truth = evaluate(*child, value_of);
    if (truth == decisive) return truth;
    if (!truth) result = std::nullopt;
  }
  return result;
}

}  // namespace

bool matches(const Query& query, const ValueOf& value_of) {
  return query.where == nullptr || evaluate(*query.where, value_of) == true;
}

}  // namespace chimera::server::visibility
