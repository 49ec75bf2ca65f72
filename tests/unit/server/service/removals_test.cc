// Namespaces that are deleted with all that is in them, also over a restart.
#include "server/engine/removals.h"

#include "temporal/api/operatorservice/v1/request_response.pb.h"

#include "server/engine/deployments/deployments.h"
#include "server/server.h"
#include "tests/unit/server/service/engine_fixture.h"
#include "tests/unit/server/service/server_calls.h"

namespace chimera::server {
namespace {

namespace op = api::operatorservice::v1;

constexpr char kName[] = "going";

class RemovalsTest : public testing::Test {
 protected:
  RemovalsTest() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    options.database_filename = temporary_file(absl::StrCat("chimera_", info->name(), ".db"));
    options.clock = &clock;
    options.namespaces = {kName};
    start();
  }

  void start() {
    auto started = Server::start(options);
    ASSERT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
    transport = server->local_transport();
  }
  void restart() {
    transport.reset();
    server.reset();
    options.namespaces.clear();
    start();
  }

  absl::Status create_schedule() {
    wf::CreateScheduleRequest request;
    request.set_namespace_(kName);
    request.set_schedule_id("schedule");
    request.set_request_id("request");
    request.mutable_schedule()->mutable_spec()->add_interval()->mutable_interval()->set_seconds(1);
    auto& action = *request.mutable_schedule()->mutable_action()->mutable_start_workflow();
    action.set_workflow_id("scheduled");
    action.mutable_workflow_type()->set_name("Echo");
    action.mutable_task_queue()->set_name("queue");
    wf::CreateScheduleResponse response;
    return call(*transport, CHIMERA_METHOD(CreateSchedule), request, response);
  }
  absl::Status start_here(const std::string& id) {
    wf::StartWorkflowExecutionRequest request;
    request.set_namespace_(kName);
    request.set_workflow_id(id);
    request.mutable_workflow_type()->set_name("Echo");
    request.mutable_task_queue()->set_name("queue");
    wf::StartWorkflowExecutionResponse response;
    return call(*transport, CHIMERA_METHOD(StartWorkflowExecution), request, response);
  }
  // Returns its new name.
  std::string remove(std::int64_t delay_seconds) {
    op::DeleteNamespaceRequest request;
    request.set_namespace_(kName);
    request.mutable_namespace_delete_delay()->set_seconds(delay_seconds);
    op::DeleteNamespaceResponse response;
    const absl::Status status =
        call(*transport, "/temporal.api.operatorservice.v1.OperatorService/DeleteNamespace",
             request, response);
    EXPECT_TRUE(status.ok()) << status;
    return response.deleted_namespace();
  }
  absl::StatusOr<wf::DescribeNamespaceResponse> described(const std::string& name) {
    wf::DescribeNamespaceRequest request;
    request.set_namespace_(name);
    wf::DescribeNamespaceResponse response;
    absl::Status status = call(*transport, CHIMERA_METHOD(DescribeNamespace), request, response);
    if (!status.ok()) return status;
    return response;
  }
  // Asks until it is gone.
  absl::Status end_of(const std::string& name) {
    auto reply = described(name);
    while (reply.ok()) reply = described(name);
    return reply.status();
  }

  MovedClock clock;
  ServerOptions options;
  std::unique_ptr<Server> server;
  std::shared_ptr<base::Transport> transport;
};

TEST_F(RemovalsTest, SchedulesAndRunsGoWithTheirNamespace) {
  ASSERT_TRUE(create_schedule().ok());
  ASSERT_TRUE(start_here("open").ok());

  const std::string renamed = remove(/*delay_seconds=*/0);

  EXPECT_TRUE(renamed.starts_with("going-deleted-")) << renamed;
  EXPECT_EQ(start_here("late").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(end_of(renamed).code(), absl::StatusCode::kNotFound);
  restart();  // Nothing in the file is of a namespace that is not there.
  EXPECT_EQ(described(renamed).status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(start_workflow(*transport, "other").ok());
}

TEST_F(RemovalsTest, ARemovalGoesOnAfterARestart) {
  ASSERT_TRUE(create_schedule().ok());
  const std::string renamed = remove(/*delay_seconds=*/3600);

  restart();

  const auto kept = described(renamed);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->namespace_info().state(), api::enums::v1::NAMESPACE_STATE_DELETED);
  EXPECT_EQ(start_here("late").code(), absl::StatusCode::kNotFound);
  clock.move(std::chrono::hours{2});
  EXPECT_EQ(end_of(renamed).code(), absl::StatusCode::kNotFound);
}

TEST_F(RemovalsTest, ItsNameIsFreeAtOnce) {
  const std::string renamed = remove(/*delay_seconds=*/3600);
  wf::RegisterNamespaceRequest request;
  request.set_namespace_(kName);
  request.mutable_workflow_execution_retention_period()->set_seconds(86400);
  wf::RegisterNamespaceResponse response;

  ASSERT_TRUE(call(*transport, CHIMERA_METHOD(RegisterNamespace), request, response).ok());

  EXPECT_TRUE(start_here("first").ok());
  EXPECT_TRUE(described(renamed).ok());
}

using DeploymentsOfRemovedTest = EngineFixture;

TEST_F(DeploymentsOfRemovedTest, GoWithTheirNamespaceAndItsQueues) {
  const std::string id = peek([](Engine& engine) {
    Namespace& ns = engine.namespaces().add(kName, engine.ids().uuid(), std::chrono::hours{24});
    EXPECT_TRUE(
        engine.deployments->polled(ns, {"d", "1"}, "queue", enums::TASK_QUEUE_TYPE_WORKFLOW).ok());
    engine.removals->begin(ns, Nanos{0});
    return ns.id;
  });

  while (peek([&id](Engine& engine) { return engine.namespaces().find_by_id(id) != nullptr; })) {
  }

  const bool is_empty = peek([](Engine& engine) { return engine.deployments->empty(); });
  EXPECT_TRUE(is_empty);
  // Asks what the queue's deployments say: there is none.
  const bool is_plain = peek([&id](Engine& engine) {
    const QueueRouting routing =
        engine.deployments->routing({id, "queue", enums::TASK_QUEUE_TYPE_WORKFLOW});
    return target_of(routing, "workflow").version.unversioned();
  });
  EXPECT_TRUE(is_plain);
}

}  // namespace
}  // namespace chimera::server
