// What a filter may say of the grammar: names of attributes left, values that fit them right.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

#include "server/visibility/grammar.h"
#include "server/visibility/query.h"

namespace chimera::server::visibility {
namespace {

using Kind = Expr::Kind;
using NodeOr = absl::StatusOr<std::unique_ptr<Node>>;

constexpr char kStatus[] = "ExecutionStatus", kDuration[] = "ExecutionDuration",
               kDivision[] = "TemporalNamespaceDivision";

template <class... Parts>
absl::Status invalid(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat("invalid query: ", parts...));
}
template <class... Parts>
absl::Status bad_expression(const Parts&... parts) {
  return invalid("invalid expression: ", parts...);
}
template <class... Parts>
absl::Status not_supported(const Parts&... parts) {
  return invalid("operation is not supported: ", parts...);
}

const std::pair<absl::string_view, std::int64_t> kStatuses[] = {
    {"Unspecified", 0}, {"Running", 1},        {"Completed", 2}, {"Failed", 3}, {"Canceled", 4},
    {"Terminated", 5},  {"ContinuedAsNew", 6}, {"TimedOut", 7},  {"Paused", 8}};

std::string type_text(AttributeType type) {
  static constexpr const char* kNames[] = {"",       "Text", "Keyword",  "Int",
                                           "Double", "Bool", "Datetime", "KeywordList"};
  return kNames[static_cast<int>(type)];
}

std::string decimal(double number) {
  char text[400];
  const auto end =
      std::to_chars(std::begin(text), std::end(text), number, std::chars_format::fixed);
  return {text, end.ptr};
}

// As refusals show a value.
std::string shown(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return absl::StrCat(*number);
  if (const auto* number = std::get_if<double>(&value)) return decimal(*number);
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  std::string result;
  for (char c : std::get<std::string>(value)) {
    static constexpr std::pair<char, std::string_view> kEscapes[] = {
        {'\'', "''"},  {'"', "\\\""}, {'\b', "\\b"}, {'\n', "\\n"},
        {'\r', "\\r"}, {'\t', "\\t"}, {'\\', "\\\\"}};
    std::string_view as(&c, 1);
    for (const auto& [from, to] : kEscapes) as = c == from ? to : as;
    absl::StrAppend(&result, absl::string_view(as.data(), as.size()));
  }
  return absl::StrCat("'", result, "'");
}

// The right side of a comparison: one value, or a tuple of them.
struct Operand {
  bool tuple = false;
  std::vector<Value> values;

  std::string text() const {
    std::string all;
    for (const Value& value : values) absl::StrAppend(&all, all.empty() ? "" : ", ", shown(value));
    return tuple ? absl::StrCat("(", all, ")") : all;
  }
};

struct Column {
  std::string alias, name;
  AttributeType type = AttributeType::kKeyword;
};

class Converter {
 public:
  explicit Converter(const TypeOf& type_of) : type_of_(type_of) {}

  NodeOr where(const Expr& expr) const {
    switch (expr.kind) {
      case Kind::kParen:
        return where(*expr.of[0]);
      case Kind::kNot:
        return join(Node::Kind::kNot, expr);
      case Kind::kAnd:
        return join(Node::Kind::kAnd, expr);
      case Kind::kOr:
        return join(Node::Kind::kOr, expr);
      case Kind::kComparison:
        return comparison(expr);
      case Kind::kRange:
        return range(expr);
      case Kind::kIs:
        return is(expr);
      case Kind::kFunction:
        return not_supported("function expression");
      case Kind::kColumn:
        return bad_expression("incomplete expression");
      default:
        return not_supported("expression of type ", kind_name(expr.kind));
    }
  }

  absl::StatusOr<Column> column(const Expr& expr) const {
    if (expr.kind != Kind::kColumn)
      return bad_expression("must be a column name but was ", kind_name(expr.kind));
    for (std::string& name : names_of(expr.text)) {
      if (const auto type = type_of_(name)) return Column{expr.text, std::move(name), *type};
    }
    return bad_expression("column name '", expr.text, "' is not a valid search attribute");
  }

 private:
  // The name itself, then what it may be short or long for.
  static std::vector<std::string> names_of(const std::string& alias) {
    constexpr absl::string_view kPrefix = "Temporal";
    absl::string_view rest = alias;
    const bool prefixed = absl::ConsumePrefix(&rest, kPrefix);
    return {alias, rest == "ScheduleId" ? "WorkflowId"
                   : prefixed           ? std::string(rest)
                                        : absl::StrCat(kPrefix, alias)};
  }

  NodeOr join(Node::Kind kind, const Expr& expr) const {
    auto node = std::make_unique<Node>();
    node->kind = kind;
    for (const ExprPtr& each : expr.of) {
      NodeOr child = where(*each);
      if (!child.ok()) return child;
      node->children.push_back(*std::move(child));
    }
    return node;
  }

  static std::unique_ptr<Node> compare(const Column& column, Operator op,
                                       std::vector<Value> operands) {
    auto node = std::make_unique<Node>();
    node->name = column.name;
    node->type = column.type;
    node->op = op;
    node->operands = std::move(operands);
    return node;
  }

  NodeOr is(const Expr& expr) const {
    const absl::StatusOr<Column> left = column(*expr.of[0]);
    if (!left.ok()) return left.status();
    if (expr.text == "null") return compare(*left, Operator::kIsNull, {});
    if (expr.text == "not null") return compare(*left, Operator::kIsNotNull, {});
    return bad_expression("'IS' operator can only be used with 'NULL' or 'NOT NULL'");
  }

  NodeOr range(const Expr& expr) const {
    const absl::StatusOr<Column> left = column(*expr.of[0]);
    if (!left.ok()) return left.status();
    if (left->type == AttributeType::kBool || left->type == AttributeType::kText ||
        left->type == AttributeType::kKeywordList) {
      return bad_expression("cannot do range condition on search attribute '", left->alias,
                            "' of type ", type_text(left->type));
    }
    std::vector<Value> ends;
    for (const auto* end : {expr.of[1].get(), expr.of[2].get()}) {
      absl::StatusOr<Operand> value = operand(*left, *end);
      if (!value.ok()) return value.status();
      if (value->tuple) return bad_expression("unexpected value type ", kind_name(Kind::kTuple));
      if (absl::Status status = fit(*left, value->values[0]); !status.ok()) return status;
      ends.push_back(std::move(value->values[0]));
    }
    return compare(*left, expr.text == "between" ? Operator::kBetween : Operator::kNotBetween,
                   std::move(ends));
  }

  NodeOr comparison(const Expr& expr) const {
    static constexpr std::pair<absl::string_view, Operator> kOperators[] = {
        {"=", Operator::kEqual},
        {"!=", Operator::kNotEqual},
        {"<", Operator::kLess},
        {"<=", Operator::kLessEqual},
        {">", Operator::kGreater},
        {">=", Operator::kGreaterEqual},
        {"in", Operator::kIn},
        {"not in", Operator::kNotIn},
        {"starts_with", Operator::kStartsWith},
        {"not starts_with", Operator::kNotStartsWith}};
    const auto* found = std::find_if(std::begin(kOperators), std::end(kOperators),
                                     [&](const auto& each) { return each.first == expr.text; });
    if (found == std::end(kOperators))
      return bad_expression("invalid operator '", expr.text, "' in `", to_string(expr), "`");
    const absl::StatusOr<Column> left = column(*expr.of[0]);
    if (!left.ok()) return left.status();
    absl::StatusOr<Operand> right = operand(*left, *expr.of[1]);
    if (!right.ok()) return right.status();
    if (absl::Status status = check(*left, expr.text, found->second, *right); !status.ok())
      return status;
    const bool prefix =
        found->second == Operator::kStartsWith || found->second == Operator::kNotStartsWith;
    for (Value& value : right->values) {
      absl::Status status = prefix ? absl::OkStatus() : fit(*left, value);
      if (!status.ok()) return status;
    }
    return compare(*left, found->second, std::move(right->values));
  }

  static absl::Status check(const Column& left, absl::string_view text, Operator op,
                            const Operand& right) {
    const bool list = op == Operator::kIn || op == Operator::kNotIn;
    const bool equality = op == Operator::kEqual || op == Operator::kNotEqual;
    const bool words = left.type == AttributeType::kText;
    if (words || left.type == AttributeType::kKeywordList) {
      if (!equality && (words || !list)) {
        return bad_expression("operator '", text, "' not supported for ", type_text(left.type),
                              " type search attribute in `", left.alias, " ", text, " ",
                              right.text(), "`");
      }
      return check_texts(words, list, right);
    }
    if (op == Operator::kStartsWith || op == Operator::kNotStartsWith) {
      if (right.tuple || !std::holds_alternative<std::string>(right.values[0])) {
        return bad_expression("right-hand side of '", text,
                              "' must be a literal string (got: ", right.text(), ")");
      }
      if (left.type == AttributeType::kDatetime) {
        return not_supported(
            "operator 'STARTS_WITH' not supported for Datetime type search "
            "attribute '",
            left.alias, "'");
      }
    }
    if (right.tuple != list)
      return bad_expression("unexpected value type ", kind_name(Kind::kTuple));
    return absl::OkStatus();
  }

  static absl::Status check_texts(bool words, bool list, const Operand& right) {
    if (right.tuple != list)
      return bad_expression("unexpected value type (expected string, got ", right.text(), ")");
    for (const Value& value : right.values) {
      if (std::holds_alternative<std::string>(value)) continue;
      return bad_expression("unexpected value type ", list ? "in tuple " : "",
                            "(expected string, got ", shown(value), ")");
    }
    if (words &&
        std::get<std::string>(right.values[0]).find_first_not_of(' ') == std::string::npos) {
      return bad_expression("unexpected value for Text type search attribute (no tokens found in ",
                            right.text(), ")");
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Operand> operand(const Column& left, const Expr& expr) const {
    Operand all;
    if (expr.kind == Kind::kTuple) {
      all.tuple = true;
      for (const ExprPtr& each : expr.of) {
        absl::StatusOr<Operand> one = operand(left, *each);
        if (!one.ok()) return one;
        if (one->tuple) return bad_expression("unexpected value type ", kind_name(Kind::kTuple));
        all.values.push_back(std::move(one->values[0]));
      }
      return all;
    }
    absl::StatusOr<Value> value = literal(expr);
    if (value.ok() && expr.kind != Kind::kBool) value = converted(left, *std::move(value));
    if (!value.ok()) return value.status();
    all.values.push_back(*std::move(value));
    return all;
  }

  static absl::StatusOr<Value> literal(const Expr& expr) {
    switch (expr.kind) {
      case Kind::kString:
        return Value(expr.text);
      case Kind::kBool:
        return Value(expr.text == "true");
      case Kind::kInteger:
      case Kind::kFloat:
      case Kind::kBits:
      case Kind::kArgument:
        return number(expr.text);
      case Kind::kUnary:
        if (expr.of[0]->kind == Kind::kFloat && (expr.text == "-" || expr.text == "+"))
          return number(absl::StrCat(expr.text, expr.of[0]->text));
        return bad_expression("unexpected value type ", kind_name(expr.kind));
      case Kind::kGroupConcat:
        return not_supported("'group_concat'");
      case Kind::kFunction:
        return not_supported("nested func");
      case Kind::kColumn:
        return not_supported(
            "column name on the right side of comparison expression (did you forget to quote '",
            to_string(expr), "'?)");
      default:
        return bad_expression("unexpected value type ", kind_name(expr.kind));
    }
  }

  static absl::StatusOr<Value> number(const std::string& text) {
    std::int64_t whole;
    if (absl::SimpleAtoi(text, &whole)) return Value(whole);
    double real;
    const bool hexadecimal = text.find_first_of("xX") != std::string::npos;
    if (!hexadecimal && absl::SimpleAtod(text, &real) && std::isfinite(real)) return Value(real);
    return absl::InvalidArgumentError(absl::StrCat("invalid expression: unable to parse ", text));
  }

  // Times, statuses and durations, which have forms of their own.
  static absl::StatusOr<Value> converted(const Column& left, Value value) {
    const auto* text = std::get_if<std::string>(&value);
    const bool real = std::holds_alternative<double>(value);
    if (real && (left.type == AttributeType::kDatetime || left.name == kStatus)) {
      return bad_expression("unexpected value type float64 for search attribute ", left.alias);
    }
    if (text == nullptr) return value;
    if (left.type == AttributeType::kDatetime) {
      const auto time = parse_time(*text);
      if (!time) return bad_expression("unable to parse datetime '", *text, "'");
      return Value(*time);
    }
    if (left.name == kStatus) {
      absl::string_view given = *text;
      absl::ConsumePrefix(&given, "WORKFLOW_EXECUTION_STATUS_");
      for (const auto& [name, code] : kStatuses) {
        if (*text == name || (given.size() < text->size() && is_shouted(given, name)))
          return Value(code);
      }
      return bad_expression("invalid ExecutionStatus value '", *text, "'");
    }
    if (left.name == kDuration) {
      const absl::StatusOr<std::int64_t> duration = parse_duration(*text);
      if (duration.ok()) return Value(*duration);
      return invalid("invalid value for search attribute ", left.alias, ": ", *text, " (",
                     duration.status().message(), ")");
    }
    return value;
  }

  // "TIMED_OUT" of "TimedOut".
  static bool is_shouted(absl::string_view given, absl::string_view name) {
    std::string bare;
    for (char c : given) {
      if (c != '_') bare += c;
    }
    return bare == absl::AsciiStrToUpper(name);
  }

  // As the columns of the genuine server's tables take it: texts of numbers compare as numbers, and
  // numbers as texts where texts are kept. A text that is no number would be found nowhere: it is
  // refused, as by 1.32.
  static absl::Status fit(const Column& left, Value& value) {
    if (const auto* truth = std::get_if<bool>(&value)) value = std::int64_t{*truth};
    if (left.name == kStatus) return absl::OkStatus();
    const auto* text = std::get_if<std::string>(&value);
    if (left.type == AttributeType::kKeyword && text == nullptr) value = shown(value);
    if (left.type != AttributeType::kInt && left.type != AttributeType::kDouble &&
        left.type != AttributeType::kBool)
      return absl::OkStatus();
    if (text == nullptr) return absl::OkStatus();
    absl::StatusOr<Value> as_number = number(*text);
    if (!as_number.ok()) {
      return bad_expression("invalid value type for search attribute ", left.alias, " of type ",
                            type_text(left.type), ": \"", *text, "\" (type: string)");
    }
    value = *std::move(as_number);
    return absl::OkStatus();
  }

  const TypeOf& type_of_;
};

absl::Status refused_clause(const Clauses& clauses) {
  if (clauses.set_operation) return not_supported("'union' clause");
  if (clauses.order_by) return not_supported("'order by' clause");
  if (clauses.limit) return not_supported("'limit' clause");
  // The genuine server takes these and does nothing.
  if (clauses.having) return not_supported("'having' clause");
  return clauses.lock ? not_supported("'for update' or 'lock' clause") : absl::OkStatus();
}

bool names_in(const Node& node, std::string_view attribute) {
  if (node.kind == Node::Kind::kCompare) return node.name == attribute;
  return std::any_of(node.children.begin(), node.children.end(),
                     [&](const auto& child) { return names_in(*child, attribute); });
}

}  // namespace

bool Query::names(std::string_view attribute) const {
  return group_by == attribute || (where != nullptr && names_in(*where, attribute));
}

absl::StatusOr<Query> parse_query(std::string_view text, const TypeOf& type_of) {
  const absl::StatusOr<Clauses> clauses = parse_clauses(text);
  if (!clauses.ok()) return clauses.status();
  if (absl::Status status = refused_clause(*clauses); !status.ok()) return status;
  const Converter converter(type_of);
  Query query;
  if (clauses->where != nullptr) {
    NodeOr where = converter.where(*clauses->where);
    if (!where.ok()) return where.status();
    query.where = *std::move(where);
  }
  if (clauses->group_by.size() > 1)
    return not_supported("'group by' clause supports only a single field");
  for (const ExprPtr& field : clauses->group_by) {
    absl::StatusOr<Column> column = converter.column(*field);
    if (!column.ok()) return column.status();
    if (column->name != kStatus && column->name != kDivision) {
      return not_supported(
          "'group by' clause is only supported for ExecutionStatus search attribute");
    }
    query.group_by = std::move(column->name);
  }
  return query;
}

}  // namespace chimera::server::visibility
