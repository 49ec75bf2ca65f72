// What has closed leaves memory and is still there: for describe, history, id policies, deletion
// and retention, in memory and in a file.
#include "server/store/sqlite_store.h"
#include "tests/unit/server/service/engine_fixture.h"
#include "tests/unit/server/service/server_calls.h"

namespace chimera::server {
namespace {

using testing::HasSubstr;

constexpr int kMany = 600;  // More than memory keeps.

std::unique_ptr<Store> store_of(bool file) {
  if (!file) return make_memory_store();
  auto store = open_sqlite_store(temporary_file("chimera_closed_runs.db"));
  EXPECT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE((*store)->load().ok());
  return *std::move(store);
}

class ClosedRunsTest : public EngineFixture, public testing::WithParamInterface<bool> {
 protected:
  ClosedRunsTest() : EngineFixture(store_of(GetParam())) {}

  // "w0", "w1", ...: started, signalled and terminated; their run ids.
  std::vector<std::string> close_many() {
    std::vector<std::string> runs;
    for (int i = 0; i < kMany; ++i) {
      const std::string id = absl::StrCat("w", i);
      runs.push_back(start(id));
      EXPECT_TRUE(signal(id, "r").ok());
      EXPECT_TRUE(terminate(id).ok());
    }
    return runs;
  }
  std::size_t in_memory() {
    return peek([](Engine& e) { return e.runs().in_memory().size(); });
  }
  absl::StatusOr<wf::DescribeWorkflowExecutionResponse> describe(const std::string& id,
                                                                 const std::string& run = "") {
    wf::DescribeWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_execution()->set_workflow_id(id);
    request.mutable_execution()->set_run_id(run);
    return call<wf::DescribeWorkflowExecutionResponse>(method("DescribeWorkflowExecution"),
                                                       request);
  }
  absl::Status remove(const std::string& id) {
    wf::DeleteWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id(id);
    return call<wf::DeleteWorkflowExecutionResponse>(method("DeleteWorkflowExecution"), request)
        .status();
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, ClosedRunsTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "File" : "Memory"; });

TEST_P(ClosedRunsTest, TheyLeaveMemoryAndAreReadBack) {
  const auto runs = close_many();

  // A file's commits end a little later than their answers.
  while (in_memory() > kMany / 2) std::this_thread::yield();

  for (int i : {0, 1, kMany / 2, kMany - 1}) {
    const auto reply = describe(absl::StrCat("w", i));
    ASSERT_TRUE(reply.ok()) << reply.status();
    const auto& info = reply->workflow_execution_info();
    EXPECT_EQ(info.execution().run_id(), runs[i]);
    EXPECT_EQ(info.status(), enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
    EXPECT_EQ(info.history_length(), 4);
    EXPECT_TRUE(describe(absl::StrCat("w", i), runs[i]).ok());
    wf::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_("default");
    request.mutable_execution()->set_workflow_id(absl::StrCat("w", i));
    const auto history = call<wf::GetWorkflowExecutionHistoryResponse>(
        method("GetWorkflowExecutionHistory"), request);
    ASSERT_TRUE(history.ok()) << history.status();
    EXPECT_EQ(history->history().events_size(), 4);
  }
  EXPECT_EQ(signal("w0", "late").code(), absl::StatusCode::kNotFound);
}

TEST_P(ClosedRunsTest, TheirIdsStillCount) {
  const auto runs = close_many();
  wf::StartWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.set_workflow_id("w0");
  request.mutable_workflow_type()->set_name("Case");
  request.mutable_task_queue()->set_name("queue");
  request.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE);

  const auto refused =
      call<wf::StartWorkflowExecutionResponse>(method("StartWorkflowExecution"), request);

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kAlreadyExists) << refused.status();
  const std::string second = start("w0");
  EXPECT_EQ(describe("w0")->workflow_execution_info().execution().run_id(), second);
  EXPECT_EQ(describe("w0", runs[0])->workflow_execution_info().status(),
            enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
  ASSERT_TRUE(remove("w0").ok());
  EXPECT_EQ(describe("w0").status().code(), absl::StatusCode::kNotFound)
      << "the one before does not take its place";
  EXPECT_TRUE(describe("w0", runs[0]).ok());
}

TEST_P(ClosedRunsTest, WhatIsDeletedIsGoneAtOnce) {
  close_many();

  ASSERT_TRUE(remove("w0").ok());

  EXPECT_EQ(describe("w0").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(remove("w0").code(), absl::StatusCode::kNotFound);
  EXPECT_NE(start("w0"), "");
}

TEST_P(ClosedRunsTest, RetentionDeletesThemFromTheStoreToo) {
  close_many();
  start("open");
  const auto left = [this] {
    return peek([](Engine& e) {
      return e.store().first_closed(e.namespaces().find("default")->id, kMany).size();
    });
  };
  while (left() < kMany) std::this_thread::yield();

  clock.move(std::chrono::hours{23});
  EXPECT_TRUE(describe("w0").ok());
  clock.move(std::chrono::hours{2});

  // So many at once, and a rest between.
  while (left() > 0) clock.move(std::chrono::milliseconds{200});
  EXPECT_EQ(describe("w0").status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(describe("open").ok());
  EXPECT_EQ(in_memory(), 1u);
}

TEST_P(ClosedRunsTest, AQueryHoldsItsRun) {
  const std::string run_id = start("first", "queried");
  wf::PollWorkflowTaskQueueRequest poll;
  poll.set_namespace_("default");
  poll.mutable_task_queue()->set_name("queried");
  const auto task = call<wf::PollWorkflowTaskQueueResponse>(method("PollWorkflowTaskQueue"), poll);
  ASSERT_TRUE(task.ok()) << task.status();
  wf::RespondWorkflowTaskCompletedRequest done;
  done.set_namespace_("default");
  done.set_task_token(task->task_token());
  auto& command = *done.add_commands();
  command.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
  command.mutable_complete_workflow_execution_command_attributes();
  ASSERT_TRUE(
      call<wf::RespondWorkflowTaskCompletedResponse>(method("RespondWorkflowTaskCompleted"), done)
          .ok());
  Open<wf::QueryWorkflowRequest, wf::QueryWorkflowResponse> query;
  query.request.set_namespace_("default");
  query.request.mutable_execution()->set_workflow_id("first");
  query.request.mutable_query()->set_query_type("q");
  begin(query, method("QueryWorkflow"));

  close_many();
  while (in_memory() > kMany / 2) std::this_thread::yield();

  EXPECT_TRUE(peek([&](Engine& e) { return e.runs().in_memory().contains(run_id); }));
  const auto asked = call<wf::PollWorkflowTaskQueueResponse>(method("PollWorkflowTaskQueue"), poll);
  ASSERT_TRUE(asked.ok()) << asked.status();
  EXPECT_EQ(asked->query().query_type(), "q");
  EXPECT_EQ(asked->history().events_size(), 5);
  query.in_flight->cancel();
  EXPECT_FALSE(query.status().ok());
}

}  // namespace
}  // namespace chimera::server
