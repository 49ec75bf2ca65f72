// Recursive descent over the list filter's grammar: OR < AND < NOT < comparison.
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "server/visibility/lexer.h"
#include "server/visibility/query.h"

namespace chimera::server::visibility {
namespace {

using NodeOr = absl::StatusOr<std::unique_ptr<Node>>;

absl::Status invalid(const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("invalid query: ", what));
}

const std::pair<std::string_view, std::int64_t> kStatuses[] = {
    {"Running", 1},    {"Completed", 2},      {"Failed", 3},   {"Canceled", 4},
    {"Terminated", 5}, {"ContinuedAsNew", 6}, {"TimedOut", 7}, {"Paused", 8}};

// So that a hostile filter cannot exhaust the stack.
constexpr int kDeepest = 100;

class Parser {
 public:
  Parser(std::vector<Token> tokens, const TypeOf& type_of)
      : tokens_(std::move(tokens)), type_of_(type_of) {}

  absl::StatusOr<Query> parse() {
    Query query;
    if (!at_end() && !at_word("GROUP") && !at_word("ORDER") && !at_word("LIMIT")) {
      NodeOr where = disjunction();
      if (!where.ok()) return where.status();
      query.where = *std::move(where);
    }
    if (take_word("ORDER")) return invalid("operation is not supported: 'ORDER BY' clause");
    if (take_word("LIMIT")) return invalid("operation is not supported: 'LIMIT' clause");
    if (take_word("GROUP")) {
      if (!take_word("BY")) return unexpected();
      absl::StatusOr<std::string> name = attribute_name();
      if (!name.ok()) return name.status();
      if (take_symbol(","))
        return invalid(
            "operation is not supported: 'GROUP BY' clause supports only a single field");
      if (*name != "ExecutionStatus") {
        return invalid(absl::StrCat(
            "operation is not supported: 'GROUP BY' clause is not supported for search attribute ",
            *name));
      }
      query.group_by = *std::move(name);
    }
    if (!at_end()) return unexpected();
    return query;
  }

 private:
  const Token& token() const { return tokens_[at_]; }
  bool at_end() const { return token().kind == Token::Kind::kEnd; }
  bool at_word(std::string_view word) const {
    return token().kind == Token::Kind::kWord &&
           absl::EqualsIgnoreCase(token().text, {word.data(), word.size()});
  }
  bool take_word(std::string_view word) {
    bool there = at_word(word);
    if (there) ++at_;
    return there;
  }
  bool take_symbol(std::string_view symbol) {
    bool there = token().kind == Token::Kind::kSymbol && token().text == symbol;
    if (there) ++at_;
    return there;
  }
  absl::Status unexpected() const {
    if (at_end()) return invalid("the filter ends where more was expected");
    return invalid(
        absl::StrCat("unexpected '", token().text, "' at position ", token().position + 1));
  }

  static absl::Status too_deep() {
    return invalid(absl::StrCat("more than ", kDeepest, " nested parentheses and NOTs"));
  }

  NodeOr disjunction() { return chain(Node::Kind::kOr, "OR", &Parser::conjunction); }
  NodeOr conjunction() { return chain(Node::Kind::kAnd, "AND", &Parser::negation); }

  NodeOr chain(Node::Kind kind, std::string_view word, NodeOr (Parser::*inner)()) {
    NodeOr first = (this->*inner)();
    if (!first.ok() || !at_word(word)) return first;
    auto node = std::make_unique<Node>();
    node->kind = kind;
    node->children.push_back(*std::move(first));
    while (take_word(word)) {
      NodeOr next = (this->*inner)();
      if (!next.ok()) return next;
      node->children.push_back(*std::move(next));
    }
    return node;
  }

  NodeOr negation() {
    if (take_word("NOT")) {
      if (++depth_ > kDeepest) return too_deep();
      NodeOr inner = negation();
      --depth_;
      if (!inner.ok()) return inner;
      auto node = std::make_unique<Node>();
      node->kind = Node::Kind::kNot;
      node->children.push_back(*std::move(inner));
      return node;
    }
    if (take_symbol("(")) {
      if (++depth_ > kDeepest) return too_deep();
      NodeOr inner = disjunction();
      --depth_;
      if (!inner.ok()) return inner;
      if (!take_symbol(")")) return unexpected();
      return inner;
    }
    return comparison();
  }

  absl::StatusOr<std::string> attribute_name() {
    if (token().kind != Token::Kind::kWord && token().kind != Token::Kind::kName)
      return unexpected();
    std::string name = tokens_[at_++].text;
    if (name == "ScheduleId") name = "WorkflowId";
    if (!system_attribute(name) && !type_of_(name))
      return invalid(absl::StrCat("invalid search attribute: ", name));
    return name;
  }

  NodeOr comparison() {
    auto node = std::make_unique<Node>();
    absl::StatusOr<std::string> name = attribute_name();
    if (!name.ok()) return name.status();
    node->name = *std::move(name);
    std::optional<AttributeType> type = system_attribute(node->name);
    node->type = type ? *type : *type_of_(node->name);
    absl::Status status = finish(*node);
    if (!status.ok()) return status;
    return node;
  }

  absl::Status finish(Node& node) {
    static const std::pair<std::string_view, Operator> kSymbols[] = {
        {"=", Operator::kEqual},      {"!=", Operator::kNotEqual}, {"<", Operator::kLess},
        {"<=", Operator::kLessEqual}, {">", Operator::kGreater},   {">=", Operator::kGreaterEqual}};
    for (auto [symbol, op] : kSymbols) {
      if (take_symbol(symbol)) {
        node.op = op;
        return operand(node);
      }
    }
    if (take_word("IS")) {
      node.op = take_word("NOT") ? Operator::kIsNotNull : Operator::kIsNull;
      return take_word("NULL") ? absl::OkStatus() : unexpected();
    }
    bool negated = take_word("NOT");
    if (take_word("IN")) {
      node.op = negated ? Operator::kNotIn : Operator::kIn;
      return list(node);
    }
    if (take_word("BETWEEN")) {
      node.op = negated ? Operator::kNotBetween : Operator::kBetween;
      absl::Status low = operand(node);
      if (!low.ok()) return low;
      return take_word("AND") ? operand(node) : unexpected();
    }
    if (take_word("STARTS_WITH")) {
      node.op = negated ? Operator::kNotStartsWith : Operator::kStartsWith;
      if (node.type != AttributeType::kKeyword)
        return invalid(
            absl::StrCat("operator 'STARTS_WITH' needs a Keyword, and ", node.name, " is none"));
      return operand(node);
    }
    if (at_word("LIKE")) return invalid("operation is not supported: 'LIKE'");
    return unexpected();
  }

  absl::Status list(Node& node) {
    if (!take_symbol("(")) return unexpected();
    do {
      absl::Status status = operand(node);
      if (!status.ok()) return status;
    } while (take_symbol(","));
    return take_symbol(")") ? absl::OkStatus() : unexpected();
  }

  absl::Status operand(Node& node) {
    if (at_end() || token().kind == Token::Kind::kSymbol || token().kind == Token::Kind::kName)
      return unexpected();
    const Token& given = tokens_[at_++];
    absl::StatusOr<Value> value = convert(node, given);
    if (!value.ok()) return value.status();
    node.operands.push_back(*std::move(value));
    return absl::OkStatus();
  }

  absl::StatusOr<Value> convert(const Node& node, const Token& given) {
    if (node.name == "ExecutionStatus") return status_value(given);
    switch (node.type) {
      case AttributeType::kInt:
        if (node.name == "ExecutionDuration") return duration_value(given);
        return int_value(node, given);
      case AttributeType::kDouble: {
        double number;
        if (!absl::SimpleAtod(given.text, &number)) return wrong(node, given, "Double");
        return Value(number);
      }
      case AttributeType::kBool:
        if (absl::EqualsIgnoreCase(given.text, "true")) return Value(true);
        if (absl::EqualsIgnoreCase(given.text, "false")) return Value(false);
        return wrong(node, given, "Bool");
      case AttributeType::kDatetime: {
        std::int64_t number;
        if (given.kind == Token::Kind::kNumber && absl::SimpleAtoi(given.text, &number))
          return Value(number);
        std::optional<std::int64_t> time = parse_time(given.text);
        if (!time) return wrong(node, given, "Datetime");
        return Value(*time);
      }
      default:
        if (given.kind != Token::Kind::kString) return wrong(node, given, "string");
        return Value(given.text);
    }
  }

  static absl::Status wrong(const Node& node, const Token& given, const char* type) {
    return invalid(absl::StrCat("invalid value for search attribute ", node.name, " of type ", type,
                                ": ", given.text));
  }

  static absl::StatusOr<Value> int_value(const Node& node, const Token& given) {
    std::int64_t number;
    if (!absl::SimpleAtoi(given.text, &number)) return wrong(node, given, "Int");
    return Value(number);
  }

  static absl::StatusOr<Value> duration_value(const Token& given) {
    std::optional<std::int64_t> duration = parse_duration(given.text);
    if (!duration)
      return invalid(
          absl::StrCat("invalid value for search attribute ExecutionDuration: ", given.text));
    return Value(*duration);
  }

  static absl::StatusOr<Value> status_value(const Token& given) {
    std::int64_t number;
    for (auto [name, code] : kStatuses) {
      if (absl::EqualsIgnoreCase(given.text, {name.data(), name.size()})) return Value(code);
    }
    if (absl::SimpleAtoi(given.text, &number)) return Value(number);
    return invalid(absl::StrCat("invalid ExecutionStatus value: ", given.text));
  }

  std::vector<Token> tokens_;
  const TypeOf& type_of_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

bool names_in(const Node& node, std::string_view attribute) {
  if (node.kind == Node::Kind::kCompare) return node.name == attribute;
  for (const auto& child : node.children) {
    if (names_in(*child, attribute)) return true;
  }
  return false;
}

}  // namespace

bool Query::names(std::string_view attribute) const {
  return where != nullptr && names_in(*where, attribute);
}

absl::StatusOr<Query> parse_query(std::string_view text, const TypeOf& type_of) {
  absl::StatusOr<std::vector<Token>> tokens = tokenize(text);
  if (!tokens.ok()) return tokens.status();
  return Parser(*std::move(tokens), type_of).parse();
}

}  // namespace chimera::server::visibility
