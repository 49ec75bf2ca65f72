// Nexus operations that stand alone, in memory and in a file, on a clock that the test moves: when
// they time out and are deleted, what leaves memory; and that they are switched off by default.
#include "server/engine/nexus/endpoints.h"
#include "server/engine/standalone/operation_executions.h"
#include "server/store/sqlite_store.h"
#include "tests/unit/server/service/engine_fixture.h"
#include "tests/unit/server/service/server_calls.h"

namespace chimera::server {
namespace {

using std::chrono::hours;
namespace enums = api::enums::v1;

std::unique_ptr<Store> store_of(bool file) {
  if (!file) return make_memory_store();
  auto store = open_sqlite_store(temporary_file("chimera_standalone_nexus.db"));
  EXPECT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE((*store)->load().ok());
  return *std::move(store);
}

class StandaloneNexusTest : public EngineFixture, public testing::WithParamInterface<bool> {
 protected:
  StandaloneNexusTest() : EngineFixture(store_of(GetParam())) {
    peek([](Engine& e) {
      e.configure({.standalone_nexus = true});
      nexus::EndpointSpec spec;
      spec.set_name("endpoint");
      spec.mutable_target()->mutable_worker()->set_namespace_("default");
      spec.mutable_target()->mutable_worker()->set_task_queue("queue");
      return e.nexus_endpoints->create(spec).ok();
    });
  }

  template <class Request>
  Request about(const std::string& id, const std::string& run_id = "") const {
    Request request;
    request.set_namespace_("default");
    request.set_operation_id(id);
    request.set_run_id(run_id);
    return request;
  }
  absl::StatusOr<wf::StartNexusOperationExecutionResponse> try_start(const std::string& id) {
    auto request = wf::StartNexusOperationExecutionRequest();
    request.set_namespace_("default");
    request.set_operation_id(id);
    request.set_endpoint("endpoint");
    request.set_service("service");
    request.set_operation("operation");
    request.mutable_input()->set_data("in");
    request.mutable_schedule_to_close_timeout()->set_seconds(600);
    return call<wf::StartNexusOperationExecutionResponse>(method("StartNexusOperationExecution"),
                                                          request);
  }
  std::string start_operation(const std::string& id) {
    const auto reply = try_start(id);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->run_id() : "";
  }
  absl::Status end_operation(const std::string& id) {
    return call<wf::TerminateNexusOperationExecutionResponse>(
               method("TerminateNexusOperationExecution"),
               about<wf::TerminateNexusOperationExecutionRequest>(id))
        .status();
  }
  absl::StatusOr<wf::DescribeNexusOperationExecutionResponse> describe_operation(
      const std::string& id, const std::string& run_id = "") {
    auto request = about<wf::DescribeNexusOperationExecutionRequest>(id, run_id);
    request.set_include_input(true);
    request.set_include_outcome(true);
    return call<wf::DescribeNexusOperationExecutionResponse>(
        method("DescribeNexusOperationExecution"), request);
  }
  std::int64_t count() {
    wf::CountNexusOperationExecutionsRequest request;
    request.set_namespace_("default");
    const auto reply = call<wf::CountNexusOperationExecutionsResponse>(
        method("CountNexusOperationExecutions"), request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->count() : -1;
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, StandaloneNexusTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "File" : "Memory"; });

TEST_P(StandaloneNexusTest, ItTimesOutByItsClock) {
  start_operation("a");
  clock.move(std::chrono::seconds{601});
  const auto polled = call<wf::PollNexusOperationExecutionResponse>(
      method("PollNexusOperationExecution"), about<wf::PollNexusOperationExecutionRequest>("a"));
  ASSERT_TRUE(polled.ok()) << polled.status();
  EXPECT_EQ(polled->failure().timeout_failure_info().timeout_type(),
            enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
}

TEST_P(StandaloneNexusTest, WhatHasEndedLeavesMemoryAndIsReadBack) {
  constexpr int kMany = 600;
  std::vector<std::string> runs;
  for (int i = 0; i < kMany; ++i) {
    runs.push_back(start_operation(absl::StrCat("a", i)));
    ASSERT_TRUE(end_operation(absl::StrCat("a", i)).ok());
  }
  EXPECT_LT(peek([](Engine& e) { return e.operation_executions->live(); }), 300U);
  EXPECT_EQ(count(), kMany);
  for (const int i : {0, 1, kMany - 1}) {
    const auto described = describe_operation(absl::StrCat("a", i));
    ASSERT_TRUE(described.ok()) << described.status();
    EXPECT_EQ(described->run_id(), runs[static_cast<std::size_t>(i)]);
    EXPECT_EQ(described->info().status(), enums::NEXUS_OPERATION_EXECUTION_STATUS_TERMINATED);
    EXPECT_EQ(described->info().endpoint(), "endpoint");
    EXPECT_EQ(described->input().data(), "in");
    EXPECT_TRUE(described->failure().has_terminated_failure_info());
  }
}

TEST_P(StandaloneNexusTest, RetentionDeletesWhatHasEnded) {
  const std::string run = start_operation("old");
  ASSERT_TRUE(end_operation("old").ok());
  clock.move(hours{23});
  start_operation("young");
  ASSERT_TRUE(end_operation("young").ok());
  EXPECT_TRUE(describe_operation("old").ok());
  clock.move(hours{2});
  while (describe_operation("old").ok()) {
  }
  EXPECT_EQ(describe_operation("old", run).status().message(), "operation not found for ID: old");
  EXPECT_TRUE(describe_operation("young").ok());
  while (count() != 1) {
  }
}

TEST_P(StandaloneNexusTest, ADeletedNamespaceTakesThemAlong) {
  start_operation("open");
  start_operation("ended");
  ASSERT_TRUE(end_operation("ended").ok());
  peek([](Engine& e) {
    while (e.operation_executions->erase_some(*e.namespaces().find("default"), 1)) {
    }
    return 0;
  });
  EXPECT_FALSE(describe_operation("open").ok());
  EXPECT_FALSE(describe_operation("ended").ok());
  EXPECT_EQ(count(), 0);
}

TEST_P(StandaloneNexusTest, TheyAreSwitchedOffByDefault) {
  peek([](Engine& e) {
    e.configure({});
    return 0;
  });
  const absl::Status status = try_start("a").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(status.message(), "Standalone Nexus operation is disabled");
}

}  // namespace
}  // namespace chimera::server
