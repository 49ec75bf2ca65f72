// Expressions as refusals show them.
#include <algorithm>
#include <cctype>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "server/visibility/grammar.h"
#include "server/visibility/lexer.h"

namespace chimera::server::visibility {
namespace {

using Kind = Expr::Kind;

std::string escaped(std::string_view text) {
  static constexpr std::pair<char, char> kEscapes[] = {{'\0', '0'}, {'\'', '\''},  {'"', '"'},
                                                       {'\b', 'b'}, {'\n', 'n'},   {'\r', 'r'},
                                                       {'\t', 't'}, {'\x1a', 'Z'}, {'\\', '\\'}};
  std::string result = "'";
  for (char c : text) {
    const auto* escape = std::find_if(std::begin(kEscapes), std::end(kEscapes),
                                      [c](const auto& each) { return each.first == c; });
    if (escape != std::end(kEscapes)) result += '\\';
    result += escape != std::end(kEscapes) ? escape->second : c;
  }
  return result + "'";
}

std::string column(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '@' || c == '.';
  });
  if (plain && class_of(absl::AsciiStrToLower(name)) == WordClass::kFree) return name;
  return absl::StrCat("`", name, "`");
}

std::string list(const Expr& expr) {
  std::string result = "(";
  for (const ExprPtr& each : expr.of)
    absl::StrAppend(&result, result.size() > 1 ? ", " : "", to_string(*each));
  return result + ")";
}

std::string joined(const Expr& expr, absl::string_view between) {
  std::string result;
  for (const ExprPtr& each : expr.of)
    absl::StrAppend(&result, result.empty() ? "" : absl::StrCat(" ", between, " "),
                    to_string(*each));
  return result;
}

}  // namespace

std::string to_string(const Expr& expr) {
  const auto part = [&expr](std::size_t i) { return to_string(*expr.of[i]); };
  switch (expr.kind) {
    case Kind::kAnd:
      return joined(expr, "and");
    case Kind::kOr:
      return joined(expr, "or");
    case Kind::kNot:
      return absl::StrCat("not ", part(0));
    case Kind::kComparison:
      return absl::StrCat(part(0), " ", expr.text, " ", part(1),
                          expr.of.size() > 2 ? absl::StrCat(" escape ", part(2)) : "");
    case Kind::kRange:
      return absl::StrCat(part(0), " ", expr.text, " ", part(1), " and ", part(2));
    case Kind::kIs:
      return absl::StrCat(part(0), " is ", expr.text);
    case Kind::kParen:
    case Kind::kTuple:
      return list(expr);
    case Kind::kUnary:
      return absl::StrCat(expr.text, expr.of[0]->kind == Kind::kUnary ? " " : "", part(0));
    case Kind::kBinary:
      return joined(expr, expr.text);
    case Kind::kColumn:
      return column(expr.text);
    case Kind::kString:
      return escaped(expr.text);
    case Kind::kFunction:
      return absl::StrCat(expr.text, list(expr));
    default:
      return expr.text.empty() ? "..." : expr.text;
  }
}

const char* kind_name(Kind kind) {
  switch (kind) {
    case Kind::kAnd:
      return "*sqlparser.AndExpr";
    case Kind::kOr:
      return "*sqlparser.OrExpr";
    case Kind::kNot:
      return "*sqlparser.NotExpr";
    case Kind::kComparison:
      return "*sqlparser.ComparisonExpr";
    case Kind::kRange:
      return "*sqlparser.RangeCond";
    case Kind::kIs:
      return "*sqlparser.IsExpr";
    case Kind::kParen:
      return "*sqlparser.ParenExpr";
    case Kind::kTuple:
      return "sqlparser.ValTuple";
    case Kind::kUnary:
      return "*sqlparser.UnaryExpr";
    case Kind::kBinary:
      return "*sqlparser.BinaryExpr";
    case Kind::kColumn:
      return "*sqlparser.ColName";
    case Kind::kListArgument:
      return "sqlparser.ListArg";
    case Kind::kBool:
      return "sqlparser.BoolVal";
    case Kind::kNull:
      return "*sqlparser.NullVal";
    case Kind::kFunction:
      return "*sqlparser.FuncExpr";
    case Kind::kGroupConcat:
      return "*sqlparser.GroupConcatExpr";
    case Kind::kConvert:
      return "*sqlparser.ConvertExpr";
    case Kind::kSubstring:
      return "*sqlparser.SubstrExpr";
    case Kind::kValuesOf:
      return "*sqlparser.ValuesFuncExpr";
    case Kind::kMatch:
      return "*sqlparser.MatchExpr";
    case Kind::kCase:
      return "*sqlparser.CaseExpr";
    case Kind::kCollate:
      return "*sqlparser.CollateExpr";
    case Kind::kInterval:
      return "*sqlparser.IntervalExpr";
    case Kind::kSubquery:
      return "*sqlparser.Subquery";
    case Kind::kExists:
      return "*sqlparser.ExistsExpr";
    case Kind::kDefault:
      return "*sqlparser.Default";
    default:
      return "*sqlparser.SQLVal";
  }
}

}  // namespace chimera::server::visibility
