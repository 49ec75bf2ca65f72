// L: what filters find, over rows with and without values of each type. Every line holds on the
// genuine servers 1.29 and 1.32, too.
#include <initializer_list>
#include <span>
#include <utility>

#include "tests/conformance/visibility_session.h"

namespace chimera::conformance {
namespace {

struct Expectation {
  const char* query;
  const char* found;
};

const Expectation kKeywords[] = {
    {"GoldKw = 'apple'", "a k"},
    {"GoldKw = 'APPLE'", ""},
    {"GoldKw = \"apple\"", "a k"},
    {"`GoldKw` = 'apple'", "a k"},
    {"GoldKw='apple'", "a k"},
    {"GoldKw != 'apple'", "b c e f g i j"},
    {"GoldKw <> 'apple'", "b c e f g i j"},
    {"NOT GoldKw = 'apple'", "b c e f g i j"},
    {"NOT GoldKw != 'apple'", "a k"},
    {"NOT GoldKw IS NOT NULL", "d h l m"},
    {"GoldKw IN ('apple', 'cherry')", "a c k"},
    {"GoldKw NOT IN ('apple', 'cherry')", "b e f g i j"},
    {"NOT GoldKw IN ('apple')", "b c e f g i j"},
    {"GoldKw IN ('apple')", "a k"},
    {"GoldKw < 'banana'", "a e f i j k"},
    {"GoldKw <= 'banana'", "a b e f i j k"},
    {"GoldKw > 'banana'", "c g"},
    {"GoldKw >= 'banana'", "b c g"},
    {"GoldKw BETWEEN 'a' AND 'bz'", "a b j k"},
    {"GoldKw NOT BETWEEN 'a' AND 'bz'", "c e f g i"},
    {"GoldKw STARTS_WITH 'app'", "a e k"},
    {"GoldKw STARTS_WITH 'APP'", "a e k"},
    {"GoldKw STARTS_WITH 'Apple'", "a e k"},
    {"GoldKw STARTS_WITH '50%_'", "f"},
    {"GoldKw STARTS_WITH '50%x'", ""},
    {"GoldKw STARTS_WITH '%'", ""},
    {"GoldKw STARTS_WITH ''", "a b c e f g i j k"},
    {"GoldKw NOT STARTS_WITH 'app'", "b c f g i j"},
    {"NOT GoldKw STARTS_WITH 'app'", "b c f g i j"},
    {"GoldKw starts_with 'app'", "a e k"},
    {"GoldKw IS NULL", "d h l m"},
    {"GoldKw IS NOT NULL", "a b c e f g i j k"},
    {"GoldKw = ''", "i"},
    {"GoldKw = 'it''s'", "g"},
    {"GoldKw = \"it's\"", "g"},
    {"GoldKw = 'it\\'s'", "g"},
    {"BatcherUser = 'k2'", "h"},
    {"NOT (BatcherUser = 'k2')", ""},
    {"BatcherUser IS NULL", "a b c d e f g i j k l m"},
};

const Expectation kNumbersAndBooleans[] = {
    {"NOT (GoldKw = 'apple' OR GoldInt = 2)", "c f g"},
    {"NOT (GoldKw = 'apple' AND GoldInt = 2)", "a b c e f g i j k l"},
    {"GoldInt = 1", "a"},
    {"GoldInt = 1.0", "a"},
    {"GoldInt = 1.5", ""},
    {"GoldInt > 1.5", "b c g k l"},
    {"GoldInt = -7", "f"},
    {"GoldInt = - 7", "f"},
    {"GoldInt = +2", "b"},
    {"GoldInt < 0", "f"},
    {"GoldInt != 2", "a c f g k l"},
    {"GoldInt <> 2", "a c f g k l"},
    {"NOT GoldInt = 2", "a c f g k l"},
    {"GoldInt NOT IN (1, 2)", "c f g k l"},
    {"GoldInt IN (1, 2.5)", "a"},
    {"GoldInt BETWEEN 1 AND 3", "a b c"},
    {"GoldInt BETWEEN 3 AND 1", ""},
    {"GoldInt NOT BETWEEN 1 AND 3", "f g k l"},
    {"GoldInt BETWEEN 1 AND 2 AND GoldInt = 2", "b"},
    {"GoldInt = 1e0", "a"},
    {"GoldInt = 99999999999999999999", ""},
    {"GoldInt = 9223372036854775807", ""},
    {"GoldInt IS NULL", "d e h i j m"},
    {"GoldInt IS NOT NULL", "a b c f g k l"},
    {"GoldInt = 1 OR GoldInt = 2 AND GoldKw = 'apple'", "a"},
    {"GoldInt = 1 and not GoldInt = 2", "a"},
    {"GoldInt = 1 && GoldKw = 'apple'", "a"},
    {"GoldInt = 1 || GoldInt = 2", "a b"},
    {"GoldInt = .5", ""},
    {"GoldInt in (1,2,3)", "a b c"},
    {"FilterDbl = 1.5", "a"},
    {"FilterDbl = 2", "b"},
    {"FilterDbl < 0", "c"},
    {"FilterDbl BETWEEN -1 AND 2", "a b c"},
    {"FilterDbl BETWEEN 0 AND 1.75", "a"},
    {"FilterDbl IN (1.5, 2)", "a b"},
    {"FilterDbl != 1.5", "b c"},
    {"FilterDbl = 1.5e0", "a"},
    {"FilterFlag = true", "a m"},
    {"FilterFlag = false", "b"},
    {"FilterFlag = TRUE", "a m"},
    {"FilterFlag != true", "b"},
    {"NOT FilterFlag = true", "b"},
    {"FilterFlag IN (true, false)", "a b m"},
    {"FilterFlag IN (true)", "a m"},
    {"FilterFlag NOT IN (true)", "b"},
    {"FilterFlag > false", "a m"},
    {"FilterFlag IS NULL", "c d e f g h i j k l"},
};

const Expectation kTimesAndDurations[] = {
    {"FilterAt = '2026-01-02T01:04:05.123456789Z'", ""},
    {"FilterAt = '2026-01-02T01:04:05.123456Z'", ""},
    {"FilterAt = '2026-01-02T01:04:05.123Z'", "b"},
    {"FilterAt = '2026-01-02T03:04:05.123+02:00'", "b"},
    {"FilterAt >= '2026-01-01T00:00:00Z'", "a b"},
    {"FilterAt < '2026-01-02T01:04:05.123Z'", "a"},
    {"FilterAt > '2026-01-02T01:04:05Z'", "b"},
    {"FilterAt < '2026-01-02T01:04:06Z'", "a b"},
    {"FilterAt BETWEEN '2026-01-01T00:00:00Z' AND '2026-01-01T12:00:00Z'", "a"},
    {"FilterAt NOT BETWEEN '2026-01-01T00:00:00Z' AND '2026-01-01T12:00:00Z'", "b"},
    {"FilterAt = 2026", ""},
    {"FilterAt IS NULL", "c d e f g h i j k l m"},
    {"FilterAt = '2026-01-01T00:00:00,5Z'", ""},
    {"StartTime > '2020-01-01T00:00:00Z'", "a b c d e f g h i j k l m"},
    {"StartTime < '2020-01-01T00:00:00Z'", ""},
    {"StartTime > 0", "a b c d e f g h i j k l m"},
    {"StartTime IS NULL", ""},
    {"StartTime BETWEEN '2020-01-01T00:00:00Z' AND '2120-01-01T00:00:00Z'",
     "a b c d e f g h i j k l m"},
    {"CloseTime < '2120-01-01T00:00:00Z'", "k l m"},
    {"CloseTime IS NULL", "a b c d e f g h i j"},
    {"CloseTime IS NOT NULL", "k l m"},
    {"CloseTime BETWEEN '2020-01-01T00:00:00Z' AND '2120-01-01T00:00:00Z'", "k l m"},
    {"ExecutionTime > '2020-01-01T00:00:00Z'", "a b c d e f g h i j k l m"},
    {"ExecutionTime IS NULL", ""},
    {"ExecutionDuration > 0", "k l m"},
    {"ExecutionDuration < '1h'", "k l m"},
    {"ExecutionDuration < '1h30m'", "k l m"},
    {"ExecutionDuration < '01:00:00'", "k l m"},
    {"ExecutionDuration < '1:2:3'", "k l m"},
    {"ExecutionDuration < '1d'", "k l m"},
    {"ExecutionDuration < '1.5d2h'", "k l m"},
    {"ExecutionDuration > '-1h'", "k l m"},
    {"ExecutionDuration < '5'", ""},
    {"ExecutionDuration < 3600000000000", "k l m"},
    {"ExecutionDuration BETWEEN '0s' AND '1h'", "k l m"},
    {"ExecutionDuration IN ('1h')", ""},
    {"ExecutionDuration IS NULL", "a b c d e f g h i j"},
    {"ExecutionDuration < '1:2:3:4'", "k l m"},
    {"ExecutionDuration < '1:2:3x'", "k l m"},
    {"TemporalScheduledStartTime IS NULL", "a b c d e f g h i j k l m"},
    {"TemporalScheduledStartTime > '2020-01-01T00:00:00Z'", ""},
};

const Expectation kLists[] = {
    {"FilterList = 'a'", "a c"},
    {"FilterList = 'A'", "a c"},
    {"FilterList = 'b'", "a b"},
    {"FilterList = 'x y'", "c"},
    {"FilterList = 'x'", ""},
    {"FilterList = 'b-1'", "h"},
    {"FilterList = 'ПРИВЕТ'", "e"},
    {"FilterList = 'It''s'", "e"},
    {"FilterList = 'it''s'", "e"},
    {"FilterList = ''", ""},
    {"FilterList != 'a'", "b d e f g h i j k l m"},
    {"FilterList != 'zzz'", "a b c d e f g h i j k l m"},
    {"NOT FilterList = 'a'", "b d e f g h i j k l m"},
    {"NOT FilterList != 'a'", "a c"},
    {"NOT (FilterList = 'a' OR FilterList = 'b')", "d e f g h i j k l m"},
    {"FilterList IN ('a', 'x y')", "a c"},
    {"FilterList NOT IN ('a', 'x y')", "b d e f g h i j k l m"},
    {"NOT FilterList IN ('a')", "b d e f g h i j k l m"},
    {"FilterList IS NULL", "d f g i j k l m"},
    {"FilterList IS NOT NULL", "a b c e h"},
    {"TemporalChangeVersion = 'v-1'", "j"},
    {"TemporalChangeVersion = 'v-2'", "j"},
    {"BuildIds = 'x'", ""},
    {"BuildIds IS NULL", "a b c d e f g h i j m"},
    {"BuildIds IS NOT NULL", "k l"},
    {"BuildIds = 'unversioned'", "k l"},
    {"BuildIds IN ('unversioned')", "k l"},
    {"BuildIds != 'unversioned'", "a b c d e f g h i j m"},
};

const Expectation kTexts[] = {
    {"GoldText = 'fox'", "a"},
    {"GoldText = 'FOX'", "a"},
    {"GoldText = 'Fox Dog'", "a b"},
    {"GoldText = 'qui'", ""},
    {"GoldText = 'quick brown'", "a"},
    {"GoldText = 'brown-fox'", "a"},
    {"GoldText = 'fox-brown'", ""},
    {"GoldText = 'lazy-dog'", "b"},
    {"GoldText = 'lazy'", "b"},
    {"GoldText = 'snake_case'", "c"},
    {"GoldText = 'snake'", "c"},
    {"GoldText = 'case'", "c"},
    {"GoldText = 'ete'", "c"},
    {"GoldText = 'été'", "c"},
    {"GoldText = 'ÉTÉ'", "c"},
    {"GoldText = 'strasse'", ""},
    {"GoldText = 'straße'", "c"},
    {"GoldText = 'STRASSE'", ""},
    {"GoldText = 'привет'", "e"},
    {"GoldText = 'ПРИВЕТ'", "e"},
    {"GoldText = 'мир'", "e"},
    {"GoldText = 'елка'", ""},
    {"GoldText = 'ёлка'", "e"},
    {"GoldText = '日本語'", "f"},
    {"GoldText = '日本'", ""},
    {"GoldText = '東京'", "f"},
    {"GoldText = 'テキスト'", "f"},
    {"GoldText = 'c'", "g"},
    {"GoldText = 'C++'", "g"},
    {"GoldText = 'don'", "g"},
    {"GoldText = 'don''t'", "g"},
    {"GoldText = 'foo@example.com'", "g"},
    {"GoldText = 'example'", "g"},
    {"GoldText = 'v1.2.3'", "g"},
    {"GoldText = 'v1'", "g"},
    {"GoldText = '1.2'", ""},
    {"GoldText = '!!!'", ""},
    {"GoldText = '!!! fox'", "a"},
    {"GoldText = ' fox '", "a"},
    {"GoldText = 'fo*'", ""},
    {"GoldText = 'NOT fox'", "a"},
    {"GoldText = 'quick AND lazy'", "a b c"},
    {"GoldText != 'fox'", "b c d e f g h i j k l m"},
    {"GoldText != 'zzz'", "a b c d e f g h i j k l m"},
    {"NOT GoldText = 'fox'", "b c d e f g h i j k l m"},
    {"NOT GoldText != 'fox'", "a"},
    {"NOT (GoldText = 'fox' OR GoldText = 'lazy')", "c d e f g h i j k l m"},
    {"GoldText IS NULL", "d h j k l m"},
    {"GoldText IS NOT NULL", "a b c e f g i"},
};

const Expectation kSystemAttributes[] = {
    {"ExecutionStatus = 'Running'", "a b c d e f g h i j"},
    {"ExecutionStatus = 'WORKFLOW_EXECUTION_STATUS_RUNNING'", "a b c d e f g h i j"},
    {"ExecutionStatus = 'Unspecified'", ""},
    {"ExecutionStatus = 1", "a b c d e f g h i j"},
    {"ExecutionStatus = 2", "k"},
    {"ExecutionStatus = 0", ""},
    {"ExecutionStatus != 'Running'", "k l m"},
    {"NOT ExecutionStatus = 'Running'", "k l m"},
    {"ExecutionStatus IN ('Completed', 'Failed')", "k l"},
    {"ExecutionStatus NOT IN ('Completed', 'Failed')", "a b c d e f g h i j m"},
    {"ExecutionStatus IN (2, 3)", "k l"},
    {"ExecutionStatus > 'Running'", "k l m"},
    {"ExecutionStatus < 'Failed'", "a b c d e f g h i j k"},
    {"ExecutionStatus BETWEEN 'Running' AND 'Completed'", "a b c d e f g h i j k"},
    {"ExecutionStatus BETWEEN 1 AND 2", "a b c d e f g h i j k"},
    {"ExecutionStatus IS NULL", ""},
    {"WorkflowType = 'Pay'", "k l"},
    {"WorkflowType = 'pay'", "m"},
    {"WorkflowType != 'Pay'", "a b c d e f g h i j m"},
    {"WorkflowType STARTS_WITH 'P'", "k l m"},
    {"WorkflowType STARTS_WITH 'p'", "k l m"},
    {"WorkflowType IN ('Pay', 'Order')", "a b c d e f g h i j k l"},
    {"ScheduleId = 'x'", ""},
    {"ScheduleId STARTS_WITH 'x'", ""},
    {"ScheduleId IN ('x', 'y')", ""},
    {"ScheduleId IS NULL", ""},
    {"ParentWorkflowId IS NULL", "a b c d e f g h i j k l m"},
    {"ParentWorkflowId = 'x'", ""},
    {"ParentWorkflowId != 'x'", ""},
    {"NOT ParentWorkflowId = 'x'", ""},
    {"ParentRunId IS NULL", "a b c d e f g h i j k l m"},
    {"RootWorkflowId IS NULL", ""},
    {"HistoryLength = 5", "k l"},
    {"HistoryLength > 0", "k l m"},
    {"HistoryLength >= 5", "k l"},
    {"HistoryLength < 5", "m"},
    {"HistoryLength IS NULL", "a b c d e f g h i j"},
    {"HistoryLength != 5", "m"},
    {"NOT HistoryLength > 5", "k l m"},
    {"StateTransitionCount > 0", "k l m"},
    {"StateTransitionCount IS NULL", "a b c d e f g h i j"},
    {"TemporalNamespaceDivision = 'div'", "n"},
    {"TemporalNamespaceDivision IS NOT NULL", "n"},
    {"TemporalNamespaceDivision IS NULL", "a b c d e f g h i j k l m"},
    {"TemporalNamespaceDivision != 'div'", ""},
    {"NOT TemporalNamespaceDivision = 'x'", "n"},
    {"TemporalNamespaceDivision = 'div' OR GoldKw = 'apple'", "a k n"},
    {"TemporalNamespaceDivision STARTS_WITH 'd'", "n"},
    {"NOT TemporalNamespaceDivision IS NULL", "n"},
    {"BinaryChecksums = 'x'", ""},
    {"TemporalScheduledById = 'x'", ""},
    {"TemporalScheduledById != 'x'", ""},
    {"TemporalSchedulePaused = true", ""},
    {"TemporalSchedulePaused IS NULL", "a b c d e f g h i j k l m"},
    {"TemporalPauseInfo IS NULL", "a b c d e f g h i j k l m"},
    {"TemporalPauseInfo = 'x'", ""},
    {"TemporalWorkerDeployment = 'x'", ""},
    {"TemporalWorkerDeploymentVersion = 'x'", ""},
    {"TemporalWorkflowVersioningBehavior = 'Pinned'", ""},
};

class FilterTest : public VisibilitySession {
 protected:
  void SetUp() override {
    add_attributes();
    const std::initializer_list<std::pair<const char*, Attributes>> open = {
        {"a",
         {{"GoldKw", R"("apple")"},
          {"GoldInt", "1"},
          {"FilterDbl", "1.5"},
          {"FilterFlag", "true"},
          {"FilterAt", R"("2026-01-01T00:00:00Z")"},
          {"GoldText", R"("The quick brown fox")"},
          {"FilterList", R"(["a","b"])"}}},
        {"b",
         {{"GoldKw", R"("banana")"},
          {"GoldInt", "2"},
          {"FilterDbl", "2.0"},
          {"FilterFlag", "false"},
          {"FilterAt", R"("2026-01-02T03:04:05.123456789+02:00")"},
          {"GoldText", R"("a lazy-dog")"},
          {"FilterList", R"(["b"])"}}},
        {"c",
         {{"GoldKw", R"("cherry")"},
          {"GoldInt", "3"},
          {"FilterDbl", "-0.25"},
          {"GoldText", R"("snake_case and Été straße")"},
          {"FilterList", R"(["A","x y"])"}}},
        {"d", {}},
        {"e",
         {{"GoldKw", R"("Apple pie")"},
          {"GoldText", R"("Привет, мир! Ёлка")"},
          {"FilterList", R"(["привет","It's"])"}}},
        {"f",
         {{"GoldKw", R"("50%_off!")"},
          {"GoldInt", "-7"},
          {"GoldText", R"("日本語 テキスト 東京")"}}},
        {"g",
         {{"GoldKw", R"("it's")"},
          {"GoldInt", "100"},
          {"GoldText", R"("C++ don't foo@example.com v1.2.3")"}}},
        {"h", {{"BatcherUser", R"("k2")"}, {"FilterList", R"(["b-1","b-1:x"])"}}},
        {"i", {{"GoldKw", R"("")"}, {"GoldText", R"("")"}}},
        {"j", {{"GoldKw", R"("back")"}, {"TemporalChangeVersion", R"(["v-1","V-2"])"}}},
    };
    for (const auto& [suffix, attributes] : open) start_row(suffix, "Order", attributes);
    start_row("k", "Pay", {{"GoldKw", R"("apple")"}, {"GoldInt", "5"}}, "-1");
    respond_at("-1", complete_workflow());
    start_row("l", "Pay", {{"GoldInt", "6"}}, "-2");
    respond_at("-2", fail_workflow("no"));
    start_row("m", "pay", {{"FilterFlag", "true"}}, "-3");
    wf::TerminateWorkflowExecutionRequest terminate;
    terminate.set_namespace_(ns);
    terminate.mutable_workflow_execution()->set_workflow_id(id + "-m");
    ASSERT_TRUE(rpc<wf::TerminateWorkflowExecutionResponse>(terminate).ok());
    start_row("n", "Order", {{"TemporalNamespaceDivision", R"("div")"}}, "-4");
    own = absl::StrCat("WorkflowId STARTS_WITH '", id, "-'");
    wait_until_found("ExecutionStatus != 'Running'", "k l m");
    wait_until_found("", "a b c d e f g h i j k l m");
    wait_until_found("TemporalNamespaceDivision IS NOT NULL", "n");
  }

  // On a queue of its own, if it has one, so that its task is found.
  void start_row(const std::string& suffix, const std::string& type, const Attributes& attributes,
                 const std::string& queue_suffix = "") {
    start_as(suffix, [&](Start& request) {
      with(attributes)(request);
      request.mutable_workflow_type()->set_name(type);
      request.mutable_task_queue()->set_name(queue + queue_suffix);
    });
  }

  void respond_at(const std::string& queue_suffix, Command command) {
    const std::string queue_of_all = std::exchange(queue, queue + queue_suffix);
    respond(poll(), {std::move(command)});
    queue = queue_of_all;
  }

  void expect(std::span<const Expectation> expectations) {
    for (const auto& [query, expected] : expectations) EXPECT_EQ(found(query), expected) << query;
  }
};

TEST_F(FilterTest, keywords) { expect(kKeywords); }
TEST_F(FilterTest, numbers_and_booleans) { expect(kNumbersAndBooleans); }
TEST_F(FilterTest, times_and_durations) { expect(kTimesAndDurations); }
TEST_F(FilterTest, lists) { expect(kLists); }
TEST_F(FilterTest, texts) { expect(kTexts); }
TEST_F(FilterTest, system_attributes) { expect(kSystemAttributes); }

}  // namespace
}  // namespace chimera::conformance
