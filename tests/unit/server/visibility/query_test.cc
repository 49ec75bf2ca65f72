#include "server/visibility/query.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  return std::nullopt;
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
           {"ExecutionStatus IN ('Completed', 'running')", true},
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
           {"Words != 'fox'", false},
           {"List = 'a'", true},
           {"List != 'c'", true},
           {"List IN ('c', 'b')", true},
           {"Flag = true", true}}) {
    EXPECT_EQ(holds(c.text), c.holds) << c.text;
  }
}

TEST(QueryTest, AndBindsTighterThanOr) {
  EXPECT_TRUE(holds("Num = 5 OR Num = 6 AND Num = 7"));
  EXPECT_FALSE(holds("(Num = 5 OR Num = 6) AND Num = 7"));
  EXPECT_TRUE(holds("NOT Num = 6 and not (Num = 7 or Num = 8)"));
}

TEST(QueryTest, NamesWhatIsWrong) {
  EXPECT_EQ(refusal("Nope = 'x'"), "invalid query: invalid search attribute: Nope");
  EXPECT_EQ(refusal("Num = 1 ORDER BY Num"),
            "invalid query: operation is not supported: 'ORDER BY' clause");
  EXPECT_THAT(refusal("Num = 'five'"), HasSubstr("Num of type Int: five"));
  EXPECT_THAT(refusal("Num ="), HasSubstr("ends where more was expected"));
  EXPECT_THAT(refusal("Num = 5)"), HasSubstr("unexpected ')' at position 8"));
  EXPECT_THAT(refusal("Kw = 'open"), HasSubstr("unterminated quote at position 6"));
  EXPECT_THAT(refusal("Num LIKE 5"), HasSubstr("'LIKE'"));
  EXPECT_THAT(refusal("Num STARTS_WITH 5"), HasSubstr("needs a Keyword"));
  EXPECT_THAT(refusal("ExecutionStatus = 'Sleeping'"), HasSubstr("Sleeping"));
  EXPECT_THAT(refusal("WorkflowId \xE2\x82\xAC 'x'"), HasSubstr("unexpected '\xE2\x82\xAC'"));
}

TEST(QueryTest, NoDepthExhaustsTheStack) {
  std::string nots;
  for (int i = 0; i < 1'000'000; ++i) nots += "NOT ";

  EXPECT_THAT(refusal(std::string(200, '(').c_str()), HasSubstr("nested parentheses"));
  EXPECT_THAT(refusal(nots.c_str()), HasSubstr("nested parentheses and NOTs"));
  EXPECT_TRUE(holds("NOT NOT NOT NOT Num = 5"));
}

// As after the attribute was removed and added with another type.
TEST(QueryTest, AValueOfAnotherTypeThanTheQuerysIsNoMatch) {
  const auto number = [](std::string_view) { return std::optional<Value>(std::int64_t{5}); };
  for (const char* text : {"Words = 'fox'", "Kw = 'fox'", "List = 'fox'", "Kw STARTS_WITH 'f'",
                           "Words IN ('a', 'b')"}) {
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

TEST(QueryTest, CountsGroupByTheStatusOnly) {
  EXPECT_THAT(refusal("GROUP BY WorkflowType"), HasSubstr("not supported for search attribute"));
  EXPECT_THAT(refusal("GROUP BY ExecutionStatus, Kw"), HasSubstr("only a single field"));
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
