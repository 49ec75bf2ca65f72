// L: filters that are refused, and with which words. Server 1.32 has other words for some.
#include <span>

#include "tests/conformance/visibility_session.h"

namespace chimera::conformance {
namespace {

struct Refusal {
  const char* query;
  const char* text;             // Behind what all of a case have in common.
  const char* newer = nullptr;  // That of 1.32, if another.
};

const Refusal kSyntax[] = {
    {"LIMIT 5", "33 near 'limit'"},
    {"Kw = 'x' GROUP BY", "45"},
    {"Kw = 'x'; drop table x", "42 near 'drop'"},
    {"Kw = 'x' /* open", "44 near '/* open'"},
    {"Kw = 'x')", "37"},
    {"()", "30"},
    {")", "29"},
    {"Kw = ", "32"},
    {"AND", "31 near 'and'"},
    {"Kw = 'x' OR", "39"},
    {"Kw = 'x' Num = 1", "40 near 'Num'"},
    {"Kw NOT", "34"},
    {"Kw IS", "33"},
    {"Kw IN", "33"},
    {"Kw IN ('x'", "38"},
    {"Kw IN ('x',)", "40"},
    {"Kw = 'x' WHERE Num = 1", "42 near 'where'"},
    {"select * from x", "34 near 'select'"},
    {"Kw = $$", "34 near '$'"},
    {"Kw = 'x", "35 near 'x'"},
    {"`Kw = 'x'", "37 near 'Kw = 'x''"},
    {"`` = 'x'", "30"},
    {"Kw = 'a' 'b'", "40 near 'b'"},
    {"Kw = {1}", "34 near '{'"},
    {"Kw => 'x'", "33"},
    {"Kw >< 'x'", "33"},
    {"Kw ~ 'x'", "32"},
    {"select = 'x'", "34 near 'select'"},
    {"Order = 'x'", "33 near 'order'"},
    {"Kw = 'x' AND NOT", "44"},
    {"Kw ISNULL", "37 near 'ISNULL'"},
    {"select", "34 near 'select'"},
    {"GROUP BY", "30"},
    {"StartTime > 2026-01-01T00:00:00Z", "50 near '01'"},
    {"WorkflowId = \"a\"b\"", "45 near 'b'"},
    {"WorkflowId = 'x' & WorkflowType = 'y'", "61"},
    {"WorkflowId : 'x'", "40 near ':'"},
    {"WorkflowId MATCHES 'x'", "46 near 'MATCHES'"},
    {"Kw BETWEEN 'a' OR 'b'", "45 near 'or'"},
    {"EXISTS (Kw)", "38 near 'Kw'"},
    {"Kw - > 'x'", "34"},
    {"Kw = 'x' OFFSET 5", "43 near 'offset'"},
    {"Kw = 'x' ORDER Kw", "45 near 'Kw'"},
    {"Kw = 'x' ;; ", "39"},
    {"Kw = distinct", "41 near 'distinct'"},
    {"a = b = c", "35"},
    {"Kw = 'x' XOR 1", "40 near 'xor'"},
    {"Kw = '\\'", "36 near '''"},
    {"a..b = 1", "31"},
    {"/* x */", "35"},
    {"Kw = 5 -", "36"},
    {"Kw = +", "34"},
    {"*", "29"},
    {"f(,) = 1", "31"},
};

const Refusal kUnsupported[] = {
    {"GoldKw STARTS_WITH app",
     "operation is not supported: column name on the right side of comparison expression (did you "
     "forget to quote 'app'?)",
     "operation is not supported: column name on the right side of comparison expression (did you "
     "forget to quote \"app\"?)"},
    {"GoldKw = apple",
     "operation is not supported: column name on the right side of comparison expression (did you "
     "forget to quote 'apple'?)",
     "operation is not supported: column name on the right side of comparison expression (did you "
     "forget to quote \"apple\"?)"},
    {"GoldKw = lower('APPLE')", "operation is not supported: nested func"},
    {"count(*)", "operation is not supported: function expression"},
    {"'apple'", "operation is not supported: expression of type *sqlparser.SQLVal"},
    {"1", "operation is not supported: expression of type *sqlparser.SQLVal"},
    {"true", "operation is not supported: expression of type sqlparser.BoolVal"},
    {"null", "operation is not supported: expression of type *sqlparser.NullVal"},
    {"StartTime > now()", "operation is not supported: nested func"},
    {"GoldKw = 'x' ORDER BY StartTime", "operation is not supported: 'order by' clause",
     "operation is not supported: 'ORDER BY' clause"},
    {"GoldKw = 'x' order by StartTime desc", "operation is not supported: 'order by' clause",
     "operation is not supported: 'ORDER BY' clause"},
    {"GoldKw = 'x' GROUP BY GoldKw",
     "operation is not supported: 'group by' clause is only supported for ExecutionStatus search "
     "attribute",
     "operation is not supported: 'GROUP BY' clause is not supported for search attribute GoldKw"},
    {"GoldKw = group_concat(GoldInt)", "operation is not supported: 'group_concat'"},
    {"true", "operation is not supported: expression of type sqlparser.BoolVal"},
    {"(1, 2)", "operation is not supported: expression of type sqlparser.ValTuple"},
    {"GROUP BY ExecutionStatus, GoldKw",
     "operation is not supported: 'group by' clause supports only a single field",
     "operation is not supported: 'GROUP BY' clause supports only a single field"},
    {"GoldKw + 1", "operation is not supported: expression of type *sqlparser.BinaryExpr"},
    {"-GoldKw", "operation is not supported: expression of type *sqlparser.UnaryExpr"},
    {"- 1.5", "operation is not supported: expression of type *sqlparser.UnaryExpr"},
    {"GoldKw ^ 'x'", "operation is not supported: expression of type *sqlparser.BinaryExpr"},
};

const Refusal kNamesAndValues[] = {
    {"GoldKw = ('apple')", "invalid expression: unexpected value type *sqlparser.ParenExpr"},
    {"GoldKw STARTS_WITH 5",
     "invalid expression: right-hand side of 'starts_with' must be a literal string (got: 5)",
     "invalid expression: invalid value type for search attribute GoldKw of type Keyword: 5 (type: "
     "int64)"},
    {"GoldKw STARTS_WITH ('a')", "invalid expression: unexpected value type *sqlparser.ParenExpr"},
    {"GoldKw IS TRUE",
     "invalid expression: 'IS' operator can only be used with 'NULL' or 'NOT NULL'",
     "invalid expression: 'IS' operator can only be used as 'IS NULL' or 'IS NOT NULL'"},
    {"GoldKw IS NOT FALSE",
     "invalid expression: 'IS' operator can only be used with 'NULL' or 'NOT NULL'",
     "invalid expression: 'IS' operator can only be used as 'IS NULL' or 'IS NOT NULL'"},
    {"GoldKw = null", "invalid expression: unexpected value type *sqlparser.NullVal"},
    {"GoldKw LIKE 'app%'", "invalid expression: invalid operator 'like' in `GoldKw like 'app%'`",
     "operation is not supported: operator 'LIKE' not supported for Keyword type search attribute "
     "'GoldKw'"},
    {"GoldKw NOT LIKE 'app%'",
     "invalid expression: invalid operator 'not like' in `GoldKw not like 'app%'`",
     "operation is not supported: operator 'NOT LIKE' not supported for Keyword type search "
     "attribute 'GoldKw'"},
    {"GoldKw + 1 = 2", "invalid expression: must be a column name but was *sqlparser.BinaryExpr"},
    {"GoldKw = 'a' + 'b'", "invalid expression: unexpected value type *sqlparser.BinaryExpr"},
    {"'apple' = GoldKw", "invalid expression: must be a column name but was *sqlparser.SQLVal"},
    {"5 = GoldInt", "invalid expression: must be a column name but was *sqlparser.SQLVal"},
    {"lower(GoldKw) = 'apple'",
     "invalid expression: must be a column name but was *sqlparser.FuncExpr"},
    {"GoldKw IN (select GoldKw from x)",
     "invalid expression: unexpected value type *sqlparser.Subquery"},
    {"GoldKw", "invalid expression: incomplete expression"},
    {"(GoldKw)", "invalid expression: incomplete expression"},
    {"kw = 'apple'", "invalid expression: column name 'kw' is not a valid search attribute",
     "invalid search attribute: kw"},
    {"KW = 'apple'", "invalid expression: column name 'KW' is not a valid search attribute",
     "invalid search attribute: KW"},
    {"GoldInt = -(7)", "invalid expression: unexpected value type *sqlparser.UnaryExpr",
     "invalid expression: unary operator not supported in \"-(7)\""},
    {"! GoldInt = 1", "invalid expression: must be a column name but was *sqlparser.UnaryExpr"},
    {"GoldInt = ~1", "invalid expression: unexpected value type *sqlparser.UnaryExpr",
     "operation is not supported: unary operator \"~\""},
    {"GoldInt % 2 = 0", "invalid expression: must be a column name but was *sqlparser.BinaryExpr"},
    {"FilterFlag BETWEEN false AND true",
     "invalid expression: cannot do range condition on search attribute 'FilterFlag' of type Bool"},
    {"FilterAt = '1767225600000000000'",
     "invalid expression: unable to parse datetime '1767225600000000000'"},
    {"FilterAt = 'yesterday'", "invalid expression: unable to parse datetime 'yesterday'"},
    {"FilterAt = 1.5",
     "invalid expression: unexpected value type float64 for search attribute FilterAt",
     "invalid expression: invalid value type for search attribute FilterAt of type Datetime: 1.5 "
     "(type: float64)"},
    {"FilterList = 5", "invalid expression: unexpected value type (expected string, got 5)",
     "invalid expression: invalid value type for search attribute FilterList of type KeywordList: "
     "5 (type: int64)"},
    {"FilterList = true", "invalid expression: unexpected value type (expected string, got true)",
     "invalid expression: invalid value type for search attribute FilterList of type KeywordList: "
     "true (type: bool)"},
    {"FilterList IN (1, 2)",
     "invalid expression: unexpected value type in tuple (expected string, got 1)",
     "invalid expression: invalid value type for search attribute FilterList of type KeywordList: "
     "1 (type: int64)"},
    {"FilterList IN ('a', 5)",
     "invalid expression: unexpected value type in tuple (expected string, got 5)",
     "invalid expression: invalid value type for search attribute FilterList of type KeywordList: "
     "5 (type: int64)"},
    {"FilterList > 'a'",
     "invalid expression: operator '>' not supported for KeywordList type search attribute in "
     "`FilterList > 'a'`",
     "operation is not supported: operator '>' not supported for KeywordList type search attribute "
     "'FilterList'"},
    {"FilterList BETWEEN 'a' AND 'b'",
     "invalid expression: cannot do range condition on search attribute 'FilterList' of type "
     "KeywordList"},
    {"FilterList STARTS_WITH 'a'",
     "invalid expression: operator 'starts_with' not supported for KeywordList type search "
     "attribute in `FilterList starts_with 'a'`",
     "operation is not supported: operator 'STARTS_WITH' not supported for KeywordList type search "
     "attribute 'FilterList'"},
    {"BuildIds BETWEEN 'a' AND 'b'",
     "invalid expression: cannot do range condition on search attribute 'BuildIds' of type "
     "KeywordList"},
    {"GoldText = ''",
     "invalid expression: unexpected value for Text type search attribute (no tokens found in '')",
     "invalid expression: no tokens found filtering on Text type search attribute GoldText"},
    {"GoldText = '  '",
     "invalid expression: unexpected value for Text type search attribute (no tokens found in '  "
     "')",
     "invalid expression: no tokens found filtering on Text type search attribute GoldText"},
    {"GoldText IN ('fox')",
     "invalid expression: operator 'in' not supported for Text type search attribute in `GoldText "
     "in ('fox')`",
     "operation is not supported: operator 'IN' not supported for Text type search attribute "
     "'GoldText'"},
    {"GoldText NOT IN ('fox')",
     "invalid expression: operator 'not in' not supported for Text type search attribute in "
     "`GoldText not in ('fox')`",
     "operation is not supported: operator 'NOT IN' not supported for Text type search attribute "
     "'GoldText'"},
    {"GoldText BETWEEN 'a' AND 'b'",
     "invalid expression: cannot do range condition on search attribute 'GoldText' of type Text"},
    {"GoldText = 5", "invalid expression: unexpected value type (expected string, got 5)",
     "invalid expression: invalid value type for search attribute GoldText of type Text: 5 (type: "
     "int64)"},
    {"GoldText = true", "invalid expression: unexpected value type (expected string, got true)",
     "invalid expression: invalid value type for search attribute GoldText of type Text: true "
     "(type: bool)"},
    {"ExecutionStatus = 'running'", "invalid expression: invalid ExecutionStatus value 'running'"},
    {"ExecutionStatus = 'RUNNING'", "invalid expression: invalid ExecutionStatus value 'RUNNING'"},
    {"ExecutionStatus = 1.5",
     "invalid expression: unexpected value type float64 for search attribute ExecutionStatus"},
    {"ExecutionStatus STARTS_WITH 'Running'",
     "invalid expression: right-hand side of 'starts_with' must be a literal string (got: 1)",
     "invalid expression: right-hand side of \"starts_with\" operator must be a literal string "
     "(got: Running)"},
    {"ExecutionDuration < '00:61:00'",
     "invalid value for search attribute ExecutionDuration: 00:61:00 (invalid duration: minutes "
     "must be from 0 to 59)",
     "invalid expression: invalid duration value for search attribute ExecutionDuration: 00:61:00"},
    {"ExecutionDuration < '00:00:61'",
     "invalid value for search attribute ExecutionDuration: 00:00:61 (invalid duration: seconds "
     "must be from 0 to 59)",
     "invalid expression: invalid duration value for search attribute ExecutionDuration: 00:00:61"},
    {"ExecutionDuration < '-1:00:00'",
     "invalid value for search attribute ExecutionDuration: -1:00:00 (invalid duration: hours must "
     "be a positive number)",
     "invalid expression: invalid duration value for search attribute ExecutionDuration: -1:00:00"},
    {"ExecutionDuration < 'x'",
     "invalid value for search attribute ExecutionDuration: x (invalid duration)",
     "invalid expression: invalid duration value for search attribute ExecutionDuration: x"},
    {"ExecutionDuration < ''",
     "invalid value for search attribute ExecutionDuration:  (invalid duration)",
     "invalid expression: invalid duration value for search attribute ExecutionDuration: "},
    {"ExecutionDuration < '5 s'",
     "invalid value for search attribute ExecutionDuration: 5 s (invalid duration)",
     "invalid expression: invalid duration value for search attribute ExecutionDuration: 5 s"},
    {"ExecutionDuration < '1 h'",
     "invalid value for search attribute ExecutionDuration: 1 h (invalid duration)",
     "invalid expression: invalid duration value for search attribute ExecutionDuration: 1 h"},
    {"ExecutionDuration < '1w'",
     "invalid value for search attribute ExecutionDuration: 1w (invalid duration)",
     "invalid expression: invalid duration value for search attribute ExecutionDuration: 1w"},
    {"ExecutionDuration < '10:00'",
     "invalid value for search attribute ExecutionDuration: 10:00 (invalid duration)",
     "invalid expression: invalid duration value for search attribute ExecutionDuration: 10:00"},
    {"GoldKw = interval 1 day",
     "invalid expression: unexpected value type *sqlparser.IntervalExpr"},
    {"GoldKw = case when 1 then 2 end",
     "invalid expression: unexpected value type *sqlparser.CaseExpr"},
    {"GoldKw = 'x' collate utf8",
     "invalid expression: unexpected value type *sqlparser.CollateExpr"},
    {"current_timestamp = 5",
     "invalid expression: must be a column name but was *sqlparser.FuncExpr"},
    {"group_concat(GoldKw) = 'x'",
     "invalid expression: must be a column name but was *sqlparser.GroupConcatExpr"},
    {"true = true", "invalid expression: must be a column name but was sqlparser.BoolVal"},
    {"(GoldKw, GoldInt) = ('x', 1)",
     "invalid expression: must be a column name but was sqlparser.ValTuple"},
    {"(GoldKw, GoldInt) IN (('x', 1))",
     "invalid expression: must be a column name but was sqlparser.ValTuple"},
    {"GoldKw = (select 1)", "invalid expression: unexpected value type *sqlparser.Subquery"},
    {"GoldInt = 1 + 1", "invalid expression: unexpected value type *sqlparser.BinaryExpr"},
    {"GoldKw = NULL", "invalid expression: unexpected value type *sqlparser.NullVal"},
    {"`order` LIKE 'x'", "invalid expression: invalid operator 'like' in ``order` like 'x'`",
     "invalid search attribute: order"},
    {"GoldKw STARTS_WITH 1.5",
     "invalid expression: right-hand side of 'starts_with' must be a literal string (got: 1.5)",
     "invalid expression: invalid value type for search attribute GoldKw of type Keyword: 1.5 "
     "(type: float64)"},
    {"GoldKw STARTS_WITH true",
     "invalid expression: right-hand side of 'starts_with' must be a literal string (got: true)",
     "invalid expression: invalid value type for search attribute GoldKw of type Keyword: true "
     "(type: bool)"},
    {"GoldKw STARTS_WITH ('a', 'b')",
     "invalid expression: right-hand side of 'starts_with' must be a literal string (got: ('a', "
     "'b'))",
     "invalid expression: right-hand side of \"starts_with\" operator must be a literal string "
     "(got: [a b])"},
    {"GoldKw STARTS_WITH -5",
     "invalid expression: right-hand side of 'starts_with' must be a literal string (got: -5)",
     "invalid expression: invalid value type for search attribute GoldKw of type Keyword: -5 "
     "(type: int64)"},
    {"GoldKw = 'a' IS NULL",
     "invalid expression: must be a column name but was *sqlparser.ComparisonExpr"},
    {"(GoldKw = 'a') IS NULL",
     "invalid expression: must be a column name but was *sqlparser.ParenExpr"},
    {"(GoldKw) IS NULL", "invalid expression: must be a column name but was *sqlparser.ParenExpr"},
    {"FilterAt = 1e3",
     "invalid expression: unexpected value type float64 for search attribute FilterAt",
     "invalid expression: invalid value type for search attribute FilterAt of type Datetime: 1000 "
     "(type: float64)"},
    {"ExecutionStatus IN ('Running', 1.5)",
     "invalid expression: unexpected value type float64 for search attribute ExecutionStatus"},
    {"ExecutionDuration = '1.5'",
     "invalid value for search attribute ExecutionDuration: 1.5 (invalid duration)",
     "invalid expression: invalid duration value for search attribute ExecutionDuration: 1.5"},
    {"ExecutionDuration = '1h 30m'",
     "invalid value for search attribute ExecutionDuration: 1h 30m (invalid duration)",
     "invalid expression: invalid duration value for search attribute ExecutionDuration: 1h 30m"},
    {"ExecutionDuration = 'h'",
     "invalid value for search attribute ExecutionDuration: h (invalid duration)",
     "invalid expression: invalid duration value for search attribute ExecutionDuration: h"},
    {"ExecutionDuration = '.h'",
     "invalid value for search attribute ExecutionDuration: .h (invalid duration)",
     "invalid expression: invalid duration value for search attribute ExecutionDuration: .h"},
    {"ExecutionDuration = '1h2'",
     "invalid value for search attribute ExecutionDuration: 1h2 (invalid duration)",
     "invalid expression: invalid duration value for search attribute ExecutionDuration: 1h2"},
    {"ExecutionDuration = '9999999h'",
     "invalid value for search attribute ExecutionDuration: 9999999h (invalid duration)",
     "invalid expression: invalid duration value for search attribute ExecutionDuration: 9999999h"},
    {"ExecutionDuration = '1 :00:00'",
     "invalid value for search attribute ExecutionDuration: 1 :00:00 (invalid duration)",
     "invalid expression: invalid duration value for search attribute ExecutionDuration: 1 :00:00"},
    {"ExecutionDuration = '1:00:60'",
     "invalid value for search attribute ExecutionDuration: 1:00:60 (invalid duration: seconds "
     "must be from 0 to 59)",
     "invalid expression: invalid duration value for search attribute ExecutionDuration: 1:00:60"},
    {"ExecutionDuration = '1:-1:00'",
     "invalid value for search attribute ExecutionDuration: 1:-1:00 (invalid duration: minutes "
     "must be from 0 to 59)",
     "invalid expression: invalid duration value for search attribute ExecutionDuration: 1:-1:00"},
    {"CONVERT(GoldKw, CHAR) = 'x'",
     "invalid expression: must be a column name but was *sqlparser.ConvertExpr"},
    {"CAST(GoldKw AS CHAR) = 'x'",
     "invalid expression: must be a column name but was *sqlparser.ConvertExpr"},
    {"SUBSTR(GoldKw, 1) = 'x'",
     "invalid expression: must be a column name but was *sqlparser.SubstrExpr"},
    {"VALUES(GoldKw) = 'x'",
     "invalid expression: must be a column name but was *sqlparser.ValuesFuncExpr"},
    {"GoldKw IN ::list", "invalid expression: unexpected value type sqlparser.ListArg"},
    {"null = 1", "invalid expression: must be a column name but was *sqlparser.NullVal"},
};

class FilterRefusalTest : public VisibilitySession {
 protected:
  void expect(const std::string& prefix, std::span<const Refusal> refusals) {
    add_attributes();
    for (const auto& [query, text, newer] : refusals) {
      EXPECT_THAT(refusal(query),
                  testing::AnyOf(prefix + text, prefix + (newer != nullptr ? newer : text)))
          << query;
    }
  }
};

// The position is that in the statement which the genuine server makes of the filter.
TEST_F(FilterRefusalTest, syntax) {
  expect("invalid query: malformed SQL query: syntax error at position ", kSyntax);
}
TEST_F(FilterRefusalTest, what_filters_have_not) { expect("invalid query: ", kUnsupported); }
TEST_F(FilterRefusalTest, names_and_values) { expect("invalid query: ", kNamesAndValues); }

}  // namespace
}  // namespace chimera::conformance
