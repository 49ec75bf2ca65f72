#include "server/visibility/query.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/visibility/values.h"

namespace chimera::server::visibility {
namespace {

using testing::HasSubstr;

std::optional<AttributeType> custom(std::string_view name) {
  if (name == "Kw") return AttributeType::kKeyword;
  if (name == "Num") return AttributeType::kInt;
  if (name == "Words") return AttributeType::kText;
  if (name == "List") return AttributeType::kKeywordList;
  if (name == "Flag") return AttributeType::kBool;
  if (name == "Ratio") return AttributeType::kDouble;
  if (name == "At") return AttributeType::kDatetime;
  return server::attribute_types({})(name);
}

std::optional<Value> row(std::string_view name) {
  if (name == "WorkflowId") return Value(std::string("order-17"));
  if (name == "WorkflowType") return Value(std::string("Order"));
  if (name == "ExecutionStatus") return Value(std::int64_t{1});
  if (name == "StartTime") return Value(*parse_time("2026-05-01T12:00:00Z"));
  if (name == "ExecutionDuration") return Value(std::int64_t{90'000'000'000});
  if (name == "Kw") return Value(std::string("it's"));
  if (name == "Num") return Value(std::int64_t{5});
  if (name == "Words") return Value(std::string("The quick fox"));
  if (name == "List") return Value(std::vector<std::string>{"a", "b"});
  if (name == "Flag") return Value(true);
  if (name == "Ratio") return Value(0.5);
  return std::nullopt;
}

bool holds(const char* text) {
  auto query = parse_query(text, custom);
  EXPECT_TRUE(query.ok()) << text << ": " << query.status();
  return query.ok() && matches(*query, row);
}

std::string refusal(const char* text) {
  auto query = parse_query(text, custom);
  EXPECT_EQ(query.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(query.status().message());
}

struct Case {
  const char* text;
  bool holds;
};

TEST(QueryTest, Comparisons) {
  for (const Case& c : std::initializer_list<Case>{
           {"", true},
           {"WorkflowId = 'order-17'", true},
           {"WorkflowId != 'order-17'", false},
           {"`WorkflowId` = \"order-17\"", true},
           {"WorkflowId STARTS_WITH 'order'", true},
           {"WorkflowId NOT STARTS_WITH 'order'", false},
           {"WorkflowType IN ('Order', 'Shipping')", true},
           {"WorkflowType NOT IN ('Order')", false},
           {"ExecutionStatus = 'Running'", true},
           {"ExecutionStatus = 1", true},
           {"ExecutionStatus IN ('Completed', 'Running')", true},
           {"ExecutionStatus = 'WORKFLOW_EXECUTION_STATUS_RUNNING'", true},
           {"StartTime > '2026-01-01T00:00:00Z'", true},
           {"StartTime BETWEEN '2026-01-01T00:00:00Z' AND '2026-02-01T00:00:00Z'", false},
           {"ExecutionDuration > '1m'", true},
           {"ExecutionDuration >= '00:01:30'", true},
           {"ExecutionDuration < 90000000000", false},
           {"CloseTime IS NULL", true},
           {"CloseTime IS NOT NULL", false},
           {"CloseTime < '2030-01-01T00:00:00Z'", false},
           {"Kw = 'it''s'", true},
           {"Num >= 5 AND Num < 6", true},
           {"Ratio < 1", true},
           {"Words = 'fox'", true},
           {"Words = 'wolf Quick'", true},
           {"Words = 'quick-fox'", true},
           {"Words = 'fox-quick'", false},
           {"Words != 'fox'", false},
           {"List = 'a'", true},
           {"List != 'c'", true},
           {"List IN ('c', 'b')", true},
           {"List = 'A'", true},
           {"List NOT IN ('c')", true},
           {"Num = '5'", true},
           {"Num = 5.0", true},
           {"Ratio > -1.5", true},
           {"Kw STARTS_WITH 'IT'", true},
           {"TemporalWorkflowId = 'order-17'", true},
           {"ScheduleId = 'order-17'", true},
           {"Flag = true", true}}) {
    EXPECT_EQ(holds(c.text), c.holds) << c.text;
  }
}

TEST(QueryTest, AndBindsTighterThanOr) {
  EXPECT_TRUE(holds("Num = 5 OR Num = 6 AND Num = 7"));
  EXPECT_FALSE(holds("(Num = 5 OR Num = 6) AND Num = 7"));
  EXPECT_TRUE(holds("NOT Num = 6 and not (Num = 7 or Num = 8)"));
}

// As in SQL: a comparison with nothing is neither true nor false.
TEST(QueryTest, MissingValues) {
  const auto nothing = [](std::string_view) { return std::optional<Value>(); };
  for (const Case& c : std::initializer_list<Case>{
           {"Kw = 'x'", false},
           {"Kw != 'x'", false},
           {"NOT Kw = 'x'", false},
           {"NOT (Kw = 'x' OR Num = 5)", false},
           {"NOT (Kw = 'x' AND Num IS NOT NULL)", true},
           {"Kw = 'x' OR Num IS NULL", true},
           {"Kw NOT IN ('x')", false},
           {"Num NOT BETWEEN 1 AND 2", false},
           {"Kw NOT STARTS_WITH 'x'", false},
           // A list and a text that are missing hold nothing.
           {"List != 'x'", true},
           {"List NOT IN ('x')", true},
           {"NOT List = 'x'", true},
           {"Words != 'x'", true},
           {"NOT Words = 'x'", true},
           {"NOT Words != 'x'", false},
       }) {
    const auto query = parse_query(c.text, custom);
    ASSERT_TRUE(query.ok()) << query.status();
    EXPECT_EQ(matches(*query, nothing), c.holds) << c.text;
  }
}

struct Refusal {
  const char* text;
  const char* why;  // Behind "invalid query: ".
};

TEST(QueryTest, NamesWhatIsWrong) {
  for (const Refusal& r : std::initializer_list<Refusal>{
           {"Nope = 'x'", "invalid expression: column name 'Nope' is not a valid search attribute"},
           {"Num = 1 ORDER BY Num", "operation is not supported: 'order by' clause"},
           {"Num = 1 LIMIT 5", "operation is not supported: 'limit' clause"},
           {"Num = 1 HAVING Num = 2", "operation is not supported: 'having' clause"},
           {"Num =", "malformed SQL query: syntax error at position 33"},
           {"Num = 5)", "malformed SQL query: syntax error at position 36"},
           {"Kw = 'open", "malformed SQL query: syntax error at position 38 near 'open'"},
           {"Kw = 'x' Num", "malformed SQL query: syntax error at position 40 near 'Num'"},
           {"WorkflowId \xE2\x82\xAC 'x'",
            "malformed SQL query: syntax error at position 40 near '\xEF\xBF\xBD'"},
           {"Kw = apple",
            "operation is not supported: column name on the right side of comparison expression "
            "(did you forget to quote 'apple'?)"},
           {"Kw LIKE 'a%'", "invalid expression: invalid operator 'like' in `Kw like 'a%'`"},
           {"lower(Kw) = 'x'",
            "invalid expression: must be a column name but was *sqlparser.FuncExpr"},
           {"At = 'soon'", "invalid expression: unable to parse datetime 'soon'"},
           {"ExecutionStatus = 'running'",
            "invalid expression: invalid ExecutionStatus value 'running'"},
           {"List > 'a'",
            "invalid expression: operator '>' not supported for KeywordList type search attribute "
            "in `List > 'a'`"},
           {"Words IN ('a', 'b')",
            "invalid expression: operator 'in' not supported for Text type search attribute in "
            "`Words in ('a', 'b')`"},
           {"List BETWEEN 'a' AND 'b'",
            "invalid expression: cannot do range condition on search attribute 'List' of type "
            "KeywordList"},
           {"Words = ' '",
            "invalid expression: unexpected value for Text type search attribute (no tokens found "
            "in ' ')"},
           {"Num = 'five'",
            "invalid expression: invalid value type for search attribute Num of type Int: "
            "\"five\" (type: string)"},
           {"ExecutionDuration < '1:60:00'",
            "invalid value for search attribute ExecutionDuration: 1:60:00 (invalid duration: "
            "minutes must be from 0 to 59)"},
       }) {
    EXPECT_EQ(refusal(r.text), absl::StrCat("invalid query: ", r.why)) << r.text;
  }
}

TEST(QueryTest, NoDepthExhaustsTheStack) {
  std::string nots;
  for (int i = 0; i < 1'000'000; ++i) nots += "NOT ";

  EXPECT_THAT(refusal(std::string(200, '(').c_str()), HasSubstr("max nesting level reached"));
  EXPECT_THAT(refusal(nots.c_str()), HasSubstr("max nesting level reached at position 827"));
  EXPECT_TRUE(holds("NOT NOT NOT NOT Num = 5"));
}

// As after the attribute was removed and added with another type.
TEST(QueryTest, AValueOfAnotherTypeThanTheQuerysIsNoMatch) {
  const auto number = [](std::string_view) { return std::optional<Value>(std::int64_t{5}); };
  for (const char* text : {"Words = 'fox'", "Kw = 'fox'", "List = 'fox'", "Kw STARTS_WITH 'f'",
                           "List IN ('a', 'b')"}) {
    const auto query = parse_query(text, custom);
    ASSERT_TRUE(query.ok()) << query.status();
    EXPECT_FALSE(matches(*query, number)) << text;
  }
}

TEST(QueryTest, CountsMayGroup) {
  auto query = parse_query("WorkflowType = 'Order' GROUP BY ExecutionStatus", custom);

  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_EQ(query->group_by, "ExecutionStatus");
  EXPECT_TRUE(query->names("WorkflowType"));
  EXPECT_FALSE(query->names("TemporalNamespaceDivision"));
}

TEST(QueryTest, CountsGroupByFewAttributes) {
  EXPECT_THAT(refusal("GROUP BY WorkflowType"),
              HasSubstr("only supported for ExecutionStatus search attribute"));
  EXPECT_THAT(refusal("GROUP BY ExecutionStatus, Kw"), HasSubstr("only a single field"));
  const auto query = parse_query("GROUP BY TemporalNamespaceDivision", custom);
  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_TRUE(query->names("TemporalNamespaceDivision"));
}

// No text, however odd, does worse than be refused.
TEST(QueryTest, RandomTextsAreAnswered) {
  static const char* const kParts[] = {"NOT",
                                       "AND",
                                       "OR",
                                       "(",
                                       ")",
                                       "Num",
                                       "Kw",
                                       "Words",
                                       "List",
                                       "Flag",
                                       "=",
                                       "!=",
                                       "<",
                                       ">=",
                                       "'x'",
                                       "\"y\"",
                                       "`Kw`",
                                       "5",
                                       "-1.5e9",
                                       ",",
                                       "IN",
                                       "IS",
                                       "NULL",
                                       "BETWEEN",
                                       "STARTS_WITH",
                                       "GROUP",
                                       "BY",
                                       "ORDER",
                                       "LIMIT",
                                       "\\",
                                       "'",
                                       "`",
                                       "\xFF",
                                       "\xE2\x82",
                                       "ExecutionStatus",
                                       "StartTime",
                                       "'2026-05-01T12:00:00Z'",
                                       "true",
                                       "99999999999999999999",
                                       "ExecutionDuration",
                                       "'1h'"};
  std::mt19937 random(20260501);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (unsigned n = random() % 24; n > 0; --n) {
      text += kParts[random() % std::size(kParts)];
      if (random() % 4 != 0) text += ' ';
      if (random() % 32 == 0) text += static_cast<char>(random());
    }
    const auto query = parse_query(text, custom);
    if (query.ok()) matches(*query, row);
  }
}

}  // namespace
}  // namespace chimera::server::visibility
