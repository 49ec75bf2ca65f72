// Query, a list filter ("WorkflowType = 'Order' AND StartTime > '2026-01-01T00:00:00Z'") as a tree,
// and its evaluation over one row. Pure. Meaning and error texts follow the genuine server's SQLite
// store, texts those of 1.29.
#ifndef CHIMERA_SERVER_VISIBILITY_QUERY_H_
#define CHIMERA_SERVER_VISIBILITY_QUERY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

namespace chimera::server::visibility {

// The protocol's, as the static_asserts of values.cc hold them.
enum class AttributeType { kText = 1, kKeyword, kInt, kDouble, kBool, kDatetime, kKeywordList };

// A value of a row or of a query; Datetime is nanoseconds since 1970.
using Value = std::variant<std::string, std::int64_t, double, bool, std::vector<std::string>>;

// Finds an attribute's type by name; nullopt when the namespace has no such attribute.
using TypeOf = std::function<std::optional<AttributeType>(std::string_view name)>;
// A row's value; nullopt when it has none.
using ValueOf = std::function<std::optional<Value>(std::string_view name)>;

enum class Operator {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kNotIn,
  kBetween,
  kNotBetween,
  kStartsWith,
  kNotStartsWith,
  kIsNull,
  kIsNotNull,
};

struct Node {
  enum class Kind { kAnd, kOr, kNot, kCompare };
  Kind kind = Kind::kCompare;
  std::vector<std::unique_ptr<Node>> children;  // Of and, or, not.
  std::string name;                             // Of a comparison.
  AttributeType type = AttributeType::kKeyword;
  Operator op = Operator::kEqual;
  // Texts for Keyword, KeywordList and Text; numbers for the rest, or texts that are none.
  std::vector<Value> operands;
};

struct Query {
  std::unique_ptr<Node> where;  // Null: everything.
  std::string group_by;         // Empty: none.
  // Whether the query names an attribute; rows of a namespace division are hidden unless it does.
  bool names(std::string_view attribute) const;
};

// kInvalidArgument, beginning with "invalid query: ", for what the grammar or the attributes do not
// allow. `type_of` is asked for every name, the system's too.
absl::StatusOr<Query> parse_query(std::string_view text, const TypeOf& type_of);

// As in SQL: a comparison with a missing value is neither true nor false, and only what is true
// matches. But a KeywordList or Text that is missing holds nothing. Words of a Text are those of
// ASCII here.
bool matches(const Query& query, const ValueOf& value_of);

// RFC 3339 -> nanoseconds since 1970.
std::optional<std::int64_t> parse_time(std::string_view text);
// "1h30m", "1.5d", "01:30:00" or integer nanoseconds. kInvalidArgument says what is wrong.
absl::StatusOr<std::int64_t> parse_duration(std::string_view text);

}  // namespace chimera::server::visibility

#endif  // CHIMERA_SERVER_VISIBILITY_QUERY_H_
