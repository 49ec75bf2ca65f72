// L: the calls that list executions, and what they show.
#include <ctime>

#include "tests/conformance/visibility_session.h"

namespace chimera::conformance {
namespace {

using api::workflow::v1::WorkflowExecutionInfo;

class ListTest : public VisibilitySession {
 protected:
  WorkflowExecutionInfo only(const std::string& query) {
    auto reply = list(absl::StrCat("WorkflowId = '", id, "' AND ", query));
    for (int i = 0; i < 50 && reply.ok() && reply->executions_size() == 0; ++i) {
      no_task_within(milliseconds(1));
      reply = list(absl::StrCat("WorkflowId = '", id, "' AND ", query));
    }
    EXPECT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->executions_size(), 1) << query;
    return reply->executions_size() == 1 ? reply->executions(0) : WorkflowExecutionInfo();
  }

  template <class Reply, class Request>
  std::string refused(const Request& request) {
    const auto reply = patient_rpc<Reply>(request);
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kInvalidArgument) << reply.status();
    return std::string(reply.status().message());
  }
};

TEST_F(ListTest, shows_of_an_open_run_what_its_start_says) {
  const std::string run_id = start([](Start& request) {
    with({{"GoldKw", "\"x\""}})(request);
    (*request.mutable_memo()->mutable_fields())["note"] = payload("\"m\"");
    request.mutable_priority()->set_priority_key(2);
  });
  respond(poll(), {start_timer("t", std::chrono::hours(1))});

  const WorkflowExecutionInfo info = only("BuildIds IS NOT NULL");

  EXPECT_EQ(info.execution().workflow_id(), id);
  EXPECT_EQ(info.execution().run_id(), run_id);
  EXPECT_EQ(info.type().name(), "Case");
  EXPECT_EQ(info.task_queue(), queue);
  EXPECT_EQ(info.status(), enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  EXPECT_EQ(info.root_execution().run_id(), run_id);
  EXPECT_EQ(info.memo().fields().at("note").data(), "\"m\"");
  EXPECT_EQ(info.search_attributes().indexed_fields().at("GoldKw").data(), "\"x\"");
  EXPECT_THAT(info.search_attributes().indexed_fields().at("BuildIds").data(),
              testing::StartsWith("[\"unversioned\""));
  EXPECT_TRUE(info.has_start_time());
  EXPECT_TRUE(info.has_execution_time());
  EXPECT_FALSE(info.has_close_time());
  EXPECT_FALSE(info.has_execution_duration());
  EXPECT_EQ(info.history_length(), 0) << "its length is known when it has closed";
  EXPECT_EQ(info.history_size_bytes(), 0);
  EXPECT_EQ(info.state_transition_count(), 0);
  EXPECT_EQ(info.first_run_id(), "");
  EXPECT_FALSE(info.has_priority());
}

TEST_F(ListTest, shows_of_a_closed_run_its_length) {
  start();
  respond(poll(), {complete_workflow()});

  const WorkflowExecutionInfo info = only("ExecutionStatus = 'Completed'");

  EXPECT_EQ(info.history_length(), 5);
  EXPECT_GT(info.history_size_bytes(), 0);
  EXPECT_EQ(info.state_transition_count(), 3);
  EXPECT_TRUE(info.has_close_time());
  EXPECT_TRUE(info.has_execution_duration());
  EXPECT_TRUE(info.has_memo());
}

// A page that is full has a token, even if nothing is behind it.
TEST_F(ListTest, last_page_that_is_full) {
  for (const char* suffix : {"1", "2", "3", "4"}) start_as(suffix);
  wait_until_found("", "1 2 3 4");
  wf::ScanWorkflowExecutionsRequest request;
  request.set_namespace_(ns);
  request.set_query(own);
  request.set_page_size(2);

  std::vector<int> sizes;
  do {
    const auto page = patient_rpc<wf::ScanWorkflowExecutionsResponse>(request);
    ASSERT_TRUE(page.ok()) << page.status();
    sizes.push_back(page->executions_size());
    request.set_next_page_token(page->next_page_token());
  } while (!request.next_page_token().empty());

  EXPECT_THAT(sizes, testing::ElementsAre(2, 2, 0));
}

// Of closed runs the time filter is about the close time, whatever its name.
TEST_F(ListTest, old_list_of_closed_runs) {
  const std::int64_t now = time(nullptr);
  wf::ListClosedWorkflowExecutionsRequest request;
  request.set_namespace_(ns);
  request.mutable_type_filter()->set_name(id);
  start([this](Start& it) {
    it.mutable_workflow_type()->set_name(id);
    it.mutable_workflow_start_delay()->set_seconds(1);  // So that it closes later than it starts.
  });
  respond(poll(), {complete_workflow()});
  const HistoryEvent closed = last_event();
  const auto count = [&] {
    const auto reply = patient_rpc<wf::ListClosedWorkflowExecutionsResponse>(request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->executions_size() : -1;
  };
  for (int i = 0; i < 50 && count() == 0; ++i) no_task_within(milliseconds(1));
  EXPECT_EQ(count(), 1);

  *request.mutable_start_time_filter()->mutable_earliest_time() = closed.event_time();
  EXPECT_EQ(count(), 1);
  request.mutable_start_time_filter()->mutable_earliest_time()->set_seconds(now + 600);
  EXPECT_EQ(count(), 0);
  request.mutable_start_time_filter()->mutable_earliest_time()->set_seconds(now - 600);
  // Of several filters the first counts.
  request.mutable_execution_filter()->set_workflow_id(id);
  EXPECT_EQ(count(), 1);
  request.clear_execution_filter();
  request.mutable_status_filter()->set_status(enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
  EXPECT_GE(count(), 1);
}

TEST_F(ListTest, status_filter_of_closed_runs) {
  wf::ListClosedWorkflowExecutionsRequest request;
  request.set_namespace_(ns);
  for (const auto status :
       {enums::WORKFLOW_EXECUTION_STATUS_UNSPECIFIED, enums::WORKFLOW_EXECUTION_STATUS_RUNNING}) {
    request.mutable_status_filter()->set_status(status);
    EXPECT_EQ(refused<wf::ListClosedWorkflowExecutionsResponse>(request),
              "StatusFilter must be specified and must be not Running.");
  }
}

TEST_F(ListTest, no_archive) {
  wf::ListArchivedWorkflowExecutionsRequest request;
  request.set_namespace_(ns);
  EXPECT_EQ(refused<wf::ListArchivedWorkflowExecutionsResponse>(request),
            "Cluster is not configured for visibility archival.");
  request.set_page_size(10'001);
  EXPECT_EQ(refused<wf::ListArchivedWorkflowExecutionsResponse>(request),
            "PageSize is larger than allowed 10000.");
}

}  // namespace
}  // namespace chimera::conformance
