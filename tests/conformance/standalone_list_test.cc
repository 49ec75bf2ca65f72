// R: lists and counts of activities that stand alone.
#include <map>
#include <set>

#include "absl/strings/str_join.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"

#include "tests/conformance/standalone_session.h"

namespace chimera::conformance {
namespace {

class StandaloneListTest : public StandaloneSession {
 protected:
  void SetUp() override {
    StandaloneSession::SetUp();
    if (IsSkipped()) return;
    api::operatorservice::v1::AddSearchAttributesRequest add;
    add.set_namespace_(ns);
    (*add.mutable_search_attributes())["AloneKeyword"] = enums::INDEXED_VALUE_TYPE_KEYWORD;
    static_cast<void>(rpc<api::operatorservice::v1::AddSearchAttributesResponse>(add));
  }

  // `id`-NAME, with that as an attribute.
  void start_as(const std::string& name, const std::string& type) {
    const auto started = [&] {
      return try_start([&](StartActivity& request) {
        request.set_activity_id(absl::StrCat(id, "-", name));
        request.mutable_activity_type()->set_name(type);
        (*request.mutable_search_attributes()->mutable_indexed_fields())["AloneKeyword"] =
            payload(absl::StrCat("\"", name, "\""));
      });
    };
    auto done = started();
    // The genuine server learns of an attribute after a while.
    for (int i = 0; i < 50 && !done.ok(); ++i) {
      no_task_within(milliseconds(1));
      done = started();
    }
    ASSERT_TRUE(done.ok()) << done.status();
  }

  absl::StatusOr<wf::ListActivityExecutionsResponse> list(const std::string& query, int size = 0,
                                                          const std::string& token = "") {
    wf::ListActivityExecutionsRequest request;
    request.set_namespace_(ns);
    request.set_query(query);
    request.set_page_size(size);
    request.set_next_page_token(token);
    return patient_rpc<wf::ListActivityExecutionsResponse>(request);
  }
  absl::StatusOr<wf::CountActivityExecutionsResponse> count(const std::string& query) {
    wf::CountActivityExecutionsRequest request;
    request.set_namespace_(ns);
    request.set_query(query);
    return patient_rpc<wf::CountActivityExecutionsResponse>(request);
  }
  // The sorted names of this case's activities that the query finds.
  std::string found(const std::string& query) {
    const auto reply = list(query.empty() ? own : absl::StrCat(own, " AND ", query));
    EXPECT_TRUE(reply.ok()) << query << ": " << reply.status();
    std::set<std::string> names;
    if (reply.ok()) {
      for (const auto& each : reply->executions())
        names.insert(each.activity_id().substr(id.size() + 1));
    }
    return absl::StrJoin(names, " ");
  }
  void wait_until_found(const std::string& query, const std::string& names) {
    for (int i = 0; i < 50 && found(query) != names; ++i) no_task_within(milliseconds(1));
    ASSERT_EQ(found(query), names) << query;
  }
  void four() {
    start_as("a", "First");
    start_as("b", "Second");
    start_as("c", "First");
    start_as("d", "Second");
    wf::TerminateActivityExecutionRequest end;
    end.set_namespace_(ns);
    end.set_activity_id(absl::StrCat(id, "-a"));
    ASSERT_TRUE(rpc<wf::TerminateActivityExecutionResponse>(end).ok());
    wait_until_found("ExecutionStatus = 'Terminated'", "a");
    wait_until_found("", "a b c d");
  }

  const std::string own = absl::StrCat("TaskQueue = '", queue, "'");
};

TEST_F(StandaloneListTest, filters) {
  four();
  EXPECT_EQ(found("ExecutionStatus = 'Running'"), "b c d");
  EXPECT_EQ(found("ExecutionStatus IN ('Terminated', 'Completed')"), "a");
  EXPECT_EQ(found("ActivityType = 'First'"), "a c");
  EXPECT_EQ(found("ActivityType STARTS_WITH 'Sec' AND AloneKeyword = 'd'"), "d");
  EXPECT_EQ(found(absl::StrCat("ActivityId = '", id, "-b'")), "b");
  EXPECT_EQ(found(absl::StrCat("ActivityId STARTS_WITH '", id, "'")), "a b c d");
  EXPECT_EQ(found("AloneKeyword != 'c'"), "a b d");
  EXPECT_EQ(found("CloseTime IS NULL AND StartTime > '2020-01-01T00:00:00Z'"), "b c d");
  EXPECT_EQ(found("ExecutionTime > '2020-01-01T00:00:00Z' AND ExecutionDuration >= 0"), "a");
  EXPECT_EQ(found("WorkflowType = 'First'"), "");
}

TEST_F(StandaloneListTest, what_a_list_shows) {
  four();
  const auto listed = list(absl::StrCat(own, " AND ExecutionStatus = 'Terminated'"));
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->executions_size(), 1);
  const auto& info = listed->executions(0);
  EXPECT_EQ(info.activity_type().name(), "First");
  EXPECT_EQ(info.task_queue(), queue);
  EXPECT_EQ(info.status(), enums::ACTIVITY_EXECUTION_STATUS_TERMINATED);
  EXPECT_FALSE(info.run_id().empty());
  EXPECT_TRUE(info.has_schedule_time());
  EXPECT_TRUE(info.has_close_time());
  EXPECT_TRUE(info.has_execution_time());
  EXPECT_TRUE(info.has_execution_duration());
  EXPECT_GT(info.state_transition_count(), 0);
  EXPECT_EQ(info.search_attributes().indexed_fields().at("AloneKeyword").data(), "\"a\"");
  EXPECT_EQ(info.search_attributes().indexed_fields().at("TemporalNamespaceDivision").data(),
            "\"3332429922\"");
}

TEST_F(StandaloneListTest, pages_go_on) {
  four();
  std::vector<std::string> ids;
  std::string token;
  do {
    const auto page = list(own, 1, token);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const auto& each : page->executions())
      ids.push_back(each.activity_id().substr(id.size() + 1));
    token = page->next_page_token();
    ASSERT_LE(ids.size(), 4U);
  } while (!token.empty());
  EXPECT_EQ(absl::StrJoin(ids, " "), "d c b a") << "those that are open first, the youngest first";
}

TEST_F(StandaloneListTest, counts) {
  four();
  EXPECT_EQ(count(own)->count(), 4);
  const auto grouped = count(absl::StrCat(own, " GROUP BY ExecutionStatus"));
  ASSERT_TRUE(grouped.ok()) << grouped.status();
  EXPECT_EQ(grouped->count(), 4);
  std::map<std::string, std::int64_t> groups;
  for (const auto& group : grouped->groups()) groups[group.group_values(0).data()] = group.count();
  EXPECT_EQ(groups,
            (std::map<std::string, std::int64_t>{{"\"Running\"", 3}, {"\"Terminated\"", 1}}));
}

TEST_F(StandaloneListTest, workflows_and_activities_are_apart) {
  four();
  wf::CountWorkflowExecutionsRequest request;
  request.set_namespace_(ns);
  request.set_query(own);
  EXPECT_EQ(patient_rpc<wf::CountWorkflowExecutionsResponse>(request)->count(), 0);
  wf::ListWorkflowExecutionsRequest both;
  both.set_namespace_(ns);
  both.set_query(absl::StrCat(own, " AND TemporalNamespaceDivision = '3332429922'"));
  const auto listed = patient_rpc<wf::ListWorkflowExecutionsResponse>(both);
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->executions_size(), 4) << "to those who ask for the division";
  EXPECT_EQ(listed->executions(3).execution().workflow_id(), absl::StrCat(id, "-a"));
  EXPECT_NE(listed->executions(3).status(), enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  start();
  for (int i = 0; i < 50; ++i) {
    if (patient_rpc<wf::CountWorkflowExecutionsResponse>(request)->count() == 1) break;
    no_task_within(milliseconds(1));
  }
  EXPECT_EQ(count(own)->count(), 4);
  EXPECT_TRUE(terminate().ok());
}

TEST_F(StandaloneListTest, refused) {
  const auto refusal = [this](const std::string& query) {
    const absl::Status status = list(query).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << query << ": " << status;
    return std::string(status.message());
  };
  for (const char* query : {"StateSizeBytes > 0", "bad bad", "garbage"})
    EXPECT_NE(refusal(query), "") << query;
  // The genuine server passes it over.
  if (!target().genuine) {
    EXPECT_NE(refusal("GROUP BY ExecutionStatus"), "");
  }
  EXPECT_EQ(count("GROUP BY ActivityType").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace chimera::conformance
