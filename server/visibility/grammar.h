// The grammar of a list filter: what may follow WHERE in MySQL, as the genuine server reads it.
// What of it a filter may use is decided after it (parser.cc), so that refusals are the same. Pure.
#ifndef CHIMERA_SERVER_VISIBILITY_GRAMMAR_H_
#define CHIMERA_SERVER_VISIBILITY_GRAMMAR_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace chimera::server::visibility {

// An expression, as it was written.
struct Expr {
  enum class Kind {
    kAnd,         // Of two or more.
    kOr,          // Likewise.
    kNot,         // Of one.
    kComparison,  // `text`: the operator; left, right, perhaps what escapes.
    kRange,       // `text`: between, or not between; of what, from, to.
    kIs,          // `text`: null, not null, true, ...
    kParen,
    kTuple,
    kUnary,   // `text`: the operator.
    kBinary,  // Likewise.
    kColumn,
    kString,
    kInteger,  // With its sign.
    kFloat,    // Without.
    kBits,
    kArgument,
    kListArgument,
    kBool,  // `text`: true or false.
    kNull,
    kFunction,
    kGroupConcat,
    kConvert,
    kSubstring,
    kValuesOf,
    kMatch,
    kCase,
    kCollate,
    kInterval,
    kSubquery,
    kExists,
    kDefault,
  };
  Kind kind;
  std::string text;
  std::vector<std::unique_ptr<Expr>> of;
};
using ExprPtr = std::unique_ptr<Expr>;

struct Clauses {
  ExprPtr where;  // Null: everything.
  std::vector<ExprPtr> group_by;
  // There is such a clause; what it says is well formed.
  bool having = false, order_by = false, limit = false, lock = false, set_operation = false;
};

// How refusals begin.
inline constexpr char kMalformed[] = "invalid query: malformed SQL query: ";
// kInvalidArgument, "invalid query: malformed SQL query: syntax error at position 35 near 'x'":
// counted in the statement that the genuine server makes of the filter, over a table of that name.
absl::StatusOr<Clauses> parse_clauses(std::string_view text, std::string_view table = "table1");
// Refusals likewise, of a text that has to begin with an expression; its blanks count.
absl::Status check_where(std::string_view text, std::string_view table);

// As refusals show it.
std::string to_string(const Expr& expr);
// The genuine server's word for the kind: "*sqlparser.ParenExpr".
const char* kind_name(Expr::Kind kind);

}  // namespace chimera::server::visibility

#endif  // CHIMERA_SERVER_VISIBILITY_GRAMMAR_H_
