// Activities that stand alone, in memory and in a file, on a clock that the test moves: when they
// time out and are deleted, what leaves memory, what is written of them.
#include "core/base/proto_time.h"
#include "server/engine/standalone/activity_executions.h"
#include "server/store/sqlite_store.h"
#include "tests/unit/server/service/engine_fixture.h"
#include "tests/unit/server/service/server_calls.h"

namespace chimera::server {
namespace {

using std::chrono::hours;
using testing::HasSubstr;

std::unique_ptr<Store> store_of(bool file) {
  if (!file) return make_memory_store();
  auto store = open_sqlite_store(temporary_file("chimera_standalone.db"));
  EXPECT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE((*store)->load().ok());
  return *std::move(store);
}

class StandaloneFixture : public EngineFixture {
 protected:
  explicit StandaloneFixture(std::unique_ptr<Store> kept) : EngineFixture(std::move(kept)) {}

  template <class Request>
  Request about(const std::string& id, const std::string& run_id = "") const {
    Request request;
    request.set_namespace_("default");
    request.set_activity_id(id);
    request.set_run_id(run_id);
    return request;
  }
  std::string start_activity(const std::string& id, const std::string& input = "") {
    wf::StartActivityExecutionRequest request;
    request.set_namespace_("default");
    request.set_activity_id(id);
    request.mutable_activity_type()->set_name("act");
    request.mutable_task_queue()->set_name("queue");
    request.mutable_schedule_to_close_timeout()->set_seconds(600);
    if (!input.empty()) request.mutable_input()->add_payloads()->set_data(input);
    const auto reply =
        call<wf::StartActivityExecutionResponse>(method("StartActivityExecution"), request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->run_id() : "";
  }
  absl::Status end_activity(const std::string& id) {
    return call<wf::TerminateActivityExecutionResponse>(
               method("TerminateActivityExecution"),
               about<wf::TerminateActivityExecutionRequest>(id))
        .status();
  }
  absl::StatusOr<wf::DescribeActivityExecutionResponse> describe_activity(
      const std::string& id, const std::string& run_id = "") {
    auto request = about<wf::DescribeActivityExecutionRequest>(id, run_id);
    request.set_include_input(true);
    request.set_include_outcome(true);
    return call<wf::DescribeActivityExecutionResponse>(method("DescribeActivityExecution"),
                                                       request);
  }
  std::int64_t count() {
    wf::CountActivityExecutionsRequest request;
    request.set_namespace_("default");
    const auto reply =
        call<wf::CountActivityExecutionsResponse>(method("CountActivityExecutions"), request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->count() : -1;
  }
  wf::PollActivityTaskQueueResponse poll_task() {
    wf::PollActivityTaskQueueRequest request;
    request.set_namespace_("default");
    request.mutable_task_queue()->set_name("queue");
    const auto reply =
        call<wf::PollActivityTaskQueueResponse>(method("PollActivityTaskQueue"), request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? *reply : wf::PollActivityTaskQueueResponse();
  }
};

class StandaloneActivityTest : public StandaloneFixture, public testing::WithParamInterface<bool> {
 protected:
  StandaloneActivityTest() : StandaloneFixture(store_of(GetParam())) {}
};
INSTANTIATE_TEST_SUITE_P(Stores, StandaloneActivityTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "File" : "Memory"; });

TEST_P(StandaloneActivityTest, ItTimesOutByItsClock) {
  start_activity("a");
  clock.move(std::chrono::seconds{601});
  const auto polled = call<wf::PollActivityExecutionResponse>(
      method("PollActivityExecution"), about<wf::PollActivityExecutionRequest>("a"));
  ASSERT_TRUE(polled.ok()) << polled.status();
  EXPECT_EQ(polled->outcome().failure().message(), "activity ScheduleToStart timeout");
}

TEST_P(StandaloneActivityTest, WhatHasEndedLeavesMemoryAndIsReadBack) {
  constexpr int kMany = 600;
  std::vector<std::string> runs;
  for (int i = 0; i < kMany; ++i) {
    runs.push_back(start_activity(absl::StrCat("a", i), "in"));
    ASSERT_TRUE(end_activity(absl::StrCat("a", i)).ok());
  }
  EXPECT_LT(peek([](Engine& e) { return e.activity_executions->live(); }), 300U);
  EXPECT_EQ(count(), kMany);
  for (const int i : {0, 1, kMany - 1}) {
    const auto described = describe_activity(absl::StrCat("a", i));
    ASSERT_TRUE(described.ok()) << described.status();
    EXPECT_EQ(described->run_id(), runs[static_cast<std::size_t>(i)]);
    EXPECT_EQ(described->info().status(), api::enums::v1::ACTIVITY_EXECUTION_STATUS_TERMINATED);
    EXPECT_EQ(described->input().payloads(0).data(), "in");
    EXPECT_TRUE(described->outcome().failure().has_terminated_failure_info());
  }
  const std::string again = start_activity("a2");
  EXPECT_NE(again, runs[2]);
  EXPECT_TRUE(describe_activity("a2", runs[2]).ok());
}

TEST_P(StandaloneActivityTest, RetentionDeletesWhatHasEnded) {
  const std::string run = start_activity("old");
  ASSERT_TRUE(end_activity("old").ok());
  clock.move(hours{23});
  start_activity("young");
  ASSERT_TRUE(end_activity("young").ok());
  EXPECT_TRUE(describe_activity("old").ok());
  clock.move(hours{2});
  while (describe_activity("old").ok()) {
  }
  EXPECT_EQ(describe_activity("old", run).status().message(), "activity not found for ID: old");
  EXPECT_TRUE(describe_activity("young").ok());
  while (count() != 1) {
  }
}

TEST_P(StandaloneActivityTest, ADeletedNamespaceTakesThemAlong) {
  start_activity("open");
  start_activity("ended");
  ASSERT_TRUE(end_activity("ended").ok());
  peek([](Engine& e) {
    while (e.activity_executions->erase_some(*e.namespaces().find("default"), 1)) {
    }
    return 0;
  });
  EXPECT_FALSE(describe_activity("open").ok());
  EXPECT_FALSE(describe_activity("ended").ok());
  EXPECT_EQ(count(), 0);
}

TEST_P(StandaloneActivityTest, OperatorsAreSwitchedOffByDefault) {
  start_activity("a");
  const absl::Status status =
      call<wf::PauseActivityExecutionResponse>(method("PauseActivityExecution"),
                                               about<wf::PauseActivityExecutionRequest>("a"))
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(status.message(), "Standalone activity operator commands are disabled");
}

class StandaloneRowsTest : public StandaloneFixture {
 protected:
  StandaloneRowsTest() : StandaloneFixture(std::make_unique<CountingStore>()) {}
  // The tables of the last batch that changed something; none may have all of the input.
  std::vector<std::string> written() {
    return peek([](Engine& e) {
      std::vector<std::string> tables;
      for (const auto& value : static_cast<CountingStore&>(e.store()).last.values)
        tables.push_back(absl::StrCat(value.table, value.value.size() > 10000 ? " large" : ""));
      return tables;
    });
  }
};

TEST_F(StandaloneRowsTest, AHeartbeatDoesNotWriteTheInputAgain) {
  start_activity("a", std::string(100'000, 'x'));
  EXPECT_THAT(written(), testing::ElementsAre("activity_start large", "activity_state"));
  const auto task = poll_task();
  wf::RecordActivityTaskHeartbeatRequest beat;
  beat.set_namespace_("default");
  beat.set_task_token(task.task_token());
  ASSERT_TRUE(
      call<wf::RecordActivityTaskHeartbeatResponse>(method("RecordActivityTaskHeartbeat"), beat)
          .ok());
  EXPECT_THAT(written(), testing::ElementsAre("activity_state"));
}

}  // namespace
}  // namespace chimera::server
