// L: list and count by a query.
#include <ctime>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"
#include <unistd.h>

#include "tests/conformance/visibility_session.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;

class VisibilityTest : public VisibilitySession {};

struct Expectation {
  const char* query;
  const char* found;
};

TEST_F(VisibilityTest, list_by_id_type_and_status) {
  start();
  wf::ListWorkflowExecutionsRequest request;
  request.set_namespace_(ns);
  request.set_query("WorkflowId = '" + id +
                    "' AND WorkflowType = 'Case' AND ExecutionStatus = 'Running'");

  // The genuine server's visibility store lags a little.
  int found = 0;
  for (int i = 0; i < 50 && found == 0; ++i) {
    auto reply = patient_rpc<wf::ListWorkflowExecutionsResponse>(request);
    ASSERT_TRUE(reply.ok()) << reply.status();
    found = reply->executions_size();
    if (found == 0) no_task_within(milliseconds(1));
  }

  EXPECT_EQ(found, 1);
}

TEST_F(VisibilityTest, unknown_attr_text) {
  wf::ListWorkflowExecutionsRequest request;
  request.set_namespace_(ns);
  request.set_query("Nope = 'x'");

  auto refused = patient_rpc<wf::ListWorkflowExecutionsResponse>(request);

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("Nope"));
}

TEST_F(VisibilityTest, each_operator) {
  start_as("a", with({{"GoldKw", "\"apple\""}, {"GoldInt", "1"}}));
  start_as("b", with({{"GoldKw", "\"banana\""}, {"GoldInt", "2"}}));
  start_as("c", with({{"GoldKw", "\"cherry\""}, {"GoldInt", "3"}}));
  wait_until_found("", "a b c");

  for (const auto& [query, expected] : std::initializer_list<Expectation>{
           {"GoldInt = 2", "b"},
           {"GoldInt != 2", "a c"},
           {"GoldInt < 2", "a"},
           {"GoldInt <= 2", "a b"},
           {"GoldInt > 2", "c"},
           {"GoldInt >= 2", "b c"},
           {"GoldInt IN (1, 3)", "a c"},
           {"GoldInt NOT IN (1, 3)", "b"},
           {"GoldInt BETWEEN 2 AND 3", "b c"},
           {"GoldInt NOT BETWEEN 2 AND 3", "a"},
           {"GoldKw = 'banana'", "b"},
           {"GoldKw != 'banana'", "a c"},
           {"GoldKw > 'apple'", "b c"},
           {"GoldKw IN ('apple', 'cherry')", "a c"},
           {"GoldKw BETWEEN 'a' AND 'bz'", "a b"},
           {"ExecutionStatus = 'Running'", "a b c"},
           {"ExecutionStatus = 1", "a b c"},
           {"ExecutionStatus != 'Running'", ""},
           {"ExecutionStatus IN ('Completed', 'Failed')", ""},
           {"StartTime > '2020-01-01T00:00:00Z'", "a b c"},
           {"StartTime BETWEEN '2020-01-01T00:00:00Z' AND '2020-01-02T00:00:00Z'", ""},
       }) {
    EXPECT_EQ(found(query), expected) << query;
  }
}

TEST_F(VisibilityTest, and_or_not) {
  start_as("a", with({{"GoldKw", "\"x\""}, {"GoldInt", "1"}}));
  start_as("b", with({{"GoldKw", "\"x\""}, {"GoldInt", "2"}}));
  start_as("c", with({{"GoldKw", "\"y\""}, {"GoldInt", "2"}}));
  wait_until_found("", "a b c");

  for (const auto& [query, expected] : std::initializer_list<Expectation>{
           {"GoldKw = 'x' AND GoldInt = 2", "b"},
           {"GoldKw = 'y' OR GoldInt = 1", "a c"},
           {"GoldKw = 'y' OR GoldKw = 'x' AND GoldInt = 1", "a c"},
           {"(GoldKw = 'y' OR GoldKw = 'x') AND GoldInt = 1", "a"},
           {"NOT GoldKw = 'x'", "c"},
           {"NOT (GoldKw = 'y' OR GoldInt = 1)", "b"},
           {"not GoldKw = 'x' or GoldInt = 1", "a c"},
       }) {
    EXPECT_EQ(found(query), expected) << query;
  }
}

TEST_F(VisibilityTest, starts_with) {
  start_as("a1", with({{"GoldKw", "\"tea pot\""}}));
  start_as("a2", with({{"GoldKw", "\"tea%\""}}));
  start_as("b");
  wait_until_found("", "a1 a2 b");

  EXPECT_EQ(found("GoldKw STARTS_WITH 'tea '"), "a1");
  EXPECT_EQ(found("GoldKw STARTS_WITH 'tea%'"), "a2") << "nothing stands for anything else";
  EXPECT_EQ(found("WorkflowId STARTS_WITH '" + id + "-a'"), "a1 a2");
  EXPECT_EQ(found("WorkflowId NOT STARTS_WITH '" + id + "-a'"), "b");
}

TEST_F(VisibilityTest, is_null) {
  start_as("with", with({{"GoldKw", "\"x\""}}));
  start_as("without");
  wait_until_found("", "with without");

  EXPECT_EQ(found("GoldKw IS NULL"), "without");
  EXPECT_EQ(found("GoldKw IS NOT NULL"), "with");
  EXPECT_EQ(found("CloseTime IS NULL"), "with without");
  EXPECT_EQ(found("CloseTime IS NOT NULL"), "");
}

TEST_F(VisibilityTest, keyword_list) {
  start_as("ab", with({{"TemporalChangeVersion", "[\"a-1\", \"b-1\"]"}}));
  start_as("b", with({{"TemporalChangeVersion", "[\"b-1\"]"}}));
  start_as("none");
  wait_until_found("", "ab b none");

  EXPECT_EQ(found("TemporalChangeVersion = 'a-1'"), "ab");
  EXPECT_EQ(found("TemporalChangeVersion = 'b-1'"), "ab b");
  EXPECT_EQ(found("TemporalChangeVersion = 'b'"), "");
  EXPECT_EQ(found("TemporalChangeVersion IN ('a-1', 'c-1')"), "ab");
  EXPECT_EQ(found("TemporalChangeVersion IS NULL"), "none");
}

TEST_F(VisibilityTest, closed_workflows) {
  start();
  respond(poll(), {marker("m"), complete_workflow()});
  const std::string own = "WorkflowId = '" + id + "' AND ";
  wf::ListWorkflowExecutionsResponse closed;
  for (int i = 0; i < 50 && closed.executions_size() == 0; ++i) {
    auto reply = list(own + "ExecutionStatus = 'Completed'");
    ASSERT_TRUE(reply.ok()) << reply.status();
    closed = *reply;
    if (closed.executions_size() == 0) no_task_within(milliseconds(1));
  }

  ASSERT_EQ(closed.executions_size(), 1);
  EXPECT_EQ(closed.executions(0).status(), enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
  EXPECT_EQ(closed.executions(0).history_length(), 6);
  EXPECT_TRUE(closed.executions(0).has_close_time());
  for (const auto& [query, size] : std::map<std::string, int>{
           {"HistoryLength = 6", 1},
           {"HistoryLength > 6", 0},
           {"CloseTime > '2020-01-01T00:00:00Z'", 1},
           {"CloseTime IS NULL", 0},
           {"ExecutionDuration < '1h'", 1},
       }) {
    auto reply = list(own + query);
    ASSERT_TRUE(reply.ok()) << query << ": " << reply.status();
    EXPECT_EQ(reply->executions_size(), size) << query;
  }
}

TEST_F(VisibilityTest, text_tokens) {
  start_as("fox", with({{"GoldText", "\"The quick brown fox\""}}));
  start_as("dog", with({{"GoldText", "\"a lazy-dog\""}}));
  start_as("none");
  wait_until_found("", "dog fox none");

  EXPECT_EQ(found("GoldText = 'fox'"), "fox");
  EXPECT_EQ(found("GoldText = 'QUICK'"), "fox");
  EXPECT_EQ(found("GoldText = 'wolf lazy'"), "dog") << "any word";
  EXPECT_EQ(found("GoldText = 'fox dog'"), "dog fox");
  EXPECT_EQ(found("GoldText = 'qui'"), "") << "whole words";
  EXPECT_EQ(found("GoldText IS NULL"), "none");
}

TEST_F(VisibilityTest, duration_formats) {
  start_as("a");
  respond(poll(), {complete_workflow()});
  start_as("b");
  wait_until_found("ExecutionStatus = 'Completed'", "a");

  for (const auto& [query, expected] : std::initializer_list<Expectation>{
           {"ExecutionDuration < '1h'", "a"},
           {"ExecutionDuration < '1h30m'", "a"},
           {"ExecutionDuration < '30s'", "a"},
           {"ExecutionDuration < '01:00:00'", "a"},
           {"ExecutionDuration < 3600000000000", "a"},
           {"ExecutionDuration > '1h'", ""},
           {"ExecutionDuration > '00:00:30'", ""},
           {"ExecutionDuration BETWEEN '0s' AND '1m'", "a"},
           {"ExecutionDuration IS NULL", "b"},
       }) {
    EXPECT_EQ(found(query), expected) << query;
  }
}

TEST_F(VisibilityTest, custom_sa_lifecycle) {
  namespace op = operatorservice;
  const std::string name = absl::StrCat("Own", getpid());
  op::AddSearchAttributesRequest add;
  add.set_namespace_(ns);
  (*add.mutable_search_attributes())[name] = enums::INDEXED_VALUE_TYPE_BOOL;
  op::ListSearchAttributesRequest list_all;
  list_all.set_namespace_(ns);
  op::RemoveSearchAttributesRequest remove;
  remove.set_namespace_(ns);
  remove.add_search_attributes(name);
  EXPECT_THAT(refusal(name + " = true"), HasSubstr(name));

  const absl::Status added = rpc<op::AddSearchAttributesResponse>(add).status();
  const auto listed = rpc<op::ListSearchAttributesResponse>(list_all);
  ASSERT_TRUE(added.ok()) << added;
  ASSERT_TRUE(listed.ok()) << listed.status();
  EXPECT_EQ(listed->custom_attributes().at(name), enums::INDEXED_VALUE_TYPE_BOOL);
  EXPECT_EQ(listed->system_attributes().at("WorkflowId"), enums::INDEXED_VALUE_TYPE_KEYWORD);
  EXPECT_TRUE(rpc<op::AddSearchAttributesResponse>(add).ok()) << "once more";

  EXPECT_TRUE(rpc<op::RemoveSearchAttributesResponse>(remove).ok());
  EXPECT_TRUE(rpc<op::RemoveSearchAttributesResponse>(remove).ok()) << "once more";
  const auto after = rpc<op::ListSearchAttributesResponse>(list_all);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_FALSE(after->custom_attributes().contains(name));
  op::AddSearchAttributesRequest reserved;
  reserved.set_namespace_(ns);
  (*reserved.mutable_search_attributes())["WorkflowId"] = enums::INDEXED_VALUE_TYPE_KEYWORD;
  const absl::Status refused = rpc<op::AddSearchAttributesResponse>(reserved).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << refused;
  EXPECT_EQ(std::string(refused.message()), "Search attribute WorkflowId is reserved by system.");
}

TEST_F(VisibilityTest, paging_stable) {
  for (const char* suffix : {"1", "2", "3", "4", "5"}) start_as(suffix);
  wait_until_found("", "1 2 3 4 5");
  wf::ListWorkflowExecutionsRequest request;
  request.set_namespace_(ns);
  request.set_page_size(2);
  request.set_query("TaskQueue = '" + queue + "'");

  std::vector<int> sizes;
  std::string suffixes;
  do {
    auto page = patient_rpc<wf::ListWorkflowExecutionsResponse>(request);
    ASSERT_TRUE(page.ok()) << page.status();
    sizes.push_back(page->executions_size());
    for (const auto& info : page->executions()) suffixes += info.execution().workflow_id().back();
    request.set_next_page_token(page->next_page_token());
    start_as(absl::StrCat("later", sizes.size()));  // Before all pages that follow.
  } while (!request.next_page_token().empty() && sizes.size() < 9);

  EXPECT_THAT(sizes, testing::ElementsAre(2, 2, 1));
  EXPECT_EQ(suffixes, "54321") << "the latest first";
}

// Rows that a page has shown close, or go altogether, before the next page is asked for.
TEST_F(VisibilityTest, paging_while_rows_change) {
  for (const char* suffix : {"1", "2", "3", "4", "5", "6"}) start_as(suffix);
  wait_until_found("", "1 2 3 4 5 6");
  wf::ListWorkflowExecutionsRequest request;
  request.set_namespace_(ns);
  request.set_page_size(2);
  request.set_query("TaskQueue = '" + queue + "' AND ExecutionStatus = 'Running'");

  std::string suffixes;
  int pages = 0;
  do {
    auto page = patient_rpc<wf::ListWorkflowExecutionsResponse>(request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const auto& info : page->executions()) {
      suffixes += info.execution().workflow_id().back();
      wf::TerminateWorkflowExecutionRequest end;
      end.set_namespace_(ns);
      *end.mutable_workflow_execution() = info.execution();
      ASSERT_TRUE(rpc<wf::TerminateWorkflowExecutionResponse>(end).ok());
      wf::DeleteWorkflowExecutionRequest remove;
      remove.set_namespace_(ns);
      *remove.mutable_workflow_execution() = info.execution();
      if (pages == 1) {
        ASSERT_TRUE(rpc<wf::DeleteWorkflowExecutionResponse>(remove).ok());
      }
    }
    if (page->executions_size() > 0) {
      const std::string last(1, suffixes.back());
      for (int i = 0; i < 50 && absl::StrContains(found("ExecutionStatus = 'Running'"), last); ++i)
        no_task_within(milliseconds(1));
    }
    request.set_next_page_token(page->next_page_token());
  } while (!request.next_page_token().empty() && ++pages < 9);

  EXPECT_EQ(suffixes, "654321");
}

TEST_F(VisibilityTest, group_by_status_only) {
  wf::CountWorkflowExecutionsRequest request;
  request.set_namespace_(ns);
  for (const char* fields : {"WorkflowType", "TaskQueue", "ExecutionStatus, WorkflowType"}) {
    request.set_query(absl::StrCat("WorkflowId = 'x' GROUP BY ", fields));

    const auto refused = patient_rpc<wf::CountWorkflowExecutionsResponse>(request);

    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << fields;
    EXPECT_THAT(absl::AsciiStrToLower(refused.status().message()),
                HasSubstr("operation is not supported: 'group by' clause"));
  }
}

template <class Request>
Request list_of(const std::string& ns, const std::string& id) {
  Request request;
  request.set_namespace_(ns);
  request.mutable_execution_filter()->set_workflow_id(id);
  return request;
}

// The earliest and latest start time, in seconds from now.
struct TimeFilter {
  std::int64_t earliest, latest;
  int found;
};

TEST_F(VisibilityTest, old_lists_by_start_time) {
  const std::int64_t now = time(nullptr);
  start();
  auto open = list_of<wf::ListOpenWorkflowExecutionsRequest>(ns, id);
  auto closed = list_of<wf::ListClosedWorkflowExecutionsRequest>(ns, id);
  const auto set_filter = [now](auto& request, const TimeFilter& filter) {
    auto& times = *request.mutable_start_time_filter();
    times.mutable_earliest_time()->set_seconds(now + filter.earliest);
    times.mutable_latest_time()->set_seconds(now + filter.latest);
  };
  const auto count = [](const auto& reply) {
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->executions_size() : -1;
  };
  const auto count_open = [&] {
    return count(patient_rpc<wf::ListOpenWorkflowExecutionsResponse>(open));
  };
  const auto count_closed = [&] {
    return count(patient_rpc<wf::ListClosedWorkflowExecutionsResponse>(closed));
  };
  const TimeFilter filters[] = {{-60, 60, 1}, {-120, -60, 0}, {60, 120, 0}};
  set_filter(open, filters[0]);
  for (int i = 0; i < 50 && count_open() == 0; ++i) no_task_within(milliseconds(1));

  for (const TimeFilter& filter : filters) {
    set_filter(open, filter);
    EXPECT_EQ(count_open(), filter.found) << "open, from " << filter.earliest;
  }
  ASSERT_TRUE(terminate().ok());
  set_filter(closed, filters[0]);
  for (int i = 0; i < 50 && count_closed() == 0; ++i) no_task_within(milliseconds(1));
  for (const TimeFilter& filter : filters) {
    set_filter(closed, filter);
    EXPECT_EQ(count_closed(), filter.found) << "closed, from " << filter.earliest;
  }
  set_filter(open, {60, -60, 0});
  const auto refused = patient_rpc<wf::ListOpenWorkflowExecutionsResponse>(open);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  EXPECT_EQ(refused.status().message(),
            "EarliestTime in StartTimeFilter should not be larger than LatestTime.");
}

TEST_F(VisibilityTest, count_group) {
  start_as("a");
  respond(poll(), {complete_workflow()});
  start_as("b");
  start_as("c");
  wait_until_found("ExecutionStatus = 'Completed'", "a");
  wait_until_found("ExecutionStatus = 'Running'", "b c");
  wf::CountWorkflowExecutionsRequest request;
  request.set_namespace_(ns);
  request.set_query("TaskQueue = '" + queue + "'");
  auto all = patient_rpc<wf::CountWorkflowExecutionsResponse>(request);
  request.set_query(request.query() + " GROUP BY ExecutionStatus");

  auto grouped = patient_rpc<wf::CountWorkflowExecutionsResponse>(request);

  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->count(), 3);
  EXPECT_EQ(all->groups_size(), 0);
  ASSERT_TRUE(grouped.ok()) << grouped.status();
  EXPECT_EQ(grouped->count(), 3);
  std::map<std::string, std::int64_t> counts;
  for (const auto& group : grouped->groups()) counts[group.group_values(0).data()] = group.count();
  EXPECT_THAT(counts, testing::UnorderedElementsAre(testing::Pair("\"Running\"", 2),
                                                    testing::Pair("\"Completed\"", 1)));
}

TEST_F(VisibilityTest, order_by_refused) {
  // Server 1.29 writes the words small, 1.32 large.
  EXPECT_EQ(absl::AsciiStrToLower(refusal("WorkflowId = 'x' ORDER BY StartTime")),
            "invalid query: operation is not supported: 'order by' clause");
}

TEST_F(VisibilityTest, bad_queries) {
  for (const char* query :
       {"WorkflowId =", "WorkflowId = 'x", "(WorkflowId = 'x'", "WorkflowId LIKE 'x%'",
        "StartTime > 'yesterday'", "ExecutionStatus = 'Sleeping'", "WorkflowId"}) {
    EXPECT_THAT(refusal(query), HasSubstr("invalid query")) << query;
  }
}

TEST_F(VisibilityTest, backquote_doublequote) {
  start_as("a", with({{"GoldKw", "\"it's\""}}));
  start_as("b", with({{"GoldKw", "\"so\""}}));
  wait_until_found("", "a b");

  EXPECT_EQ(found("`GoldKw` = \"so\""), "b");
  EXPECT_EQ(found("`GoldKw`=\"it's\""), "a");
  EXPECT_EQ(found("GoldKw = 'it''s'"), "a");
}

}  // namespace
}  // namespace chimera::conformance
