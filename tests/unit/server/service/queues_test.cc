// What of task queues and workers no case of the conformance suite can see: what a file gives back,
// what is forgotten in time, and what is refused because it is not there yet.
#include <gmock/gmock.h>

#include "server/server.h"
#include "tests/unit/server/service/engine_fixture.h"
#include "tests/unit/server/service/server_calls.h"

namespace chimera::server {
namespace {

using testing::HasSubstr;

class QueuesTest : public EngineFixture {
 protected:
  void record(const std::string& key, enums::WorkerStatus status = enums::WORKER_STATUS_RUNNING) {
    wf::RecordWorkerHeartbeatRequest request;
    request.set_namespace_("default");
    request.add_worker_heartbeat()->set_worker_instance_key(key);
    request.mutable_worker_heartbeat(0)->set_status(status);
    ASSERT_TRUE(
        call<wf::RecordWorkerHeartbeatResponse>(method("RecordWorkerHeartbeat"), request).ok());
  }
  std::int64_t count(const std::string& query = "") {
    wf::CountWorkersRequest request;
    request.set_namespace_("default");
    request.set_query(query);
    const auto reply = call<wf::CountWorkersResponse>(method("CountWorkers"), request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->count() : -1;
  }
};

TEST_F(QueuesTest, WorkersAreForgottenFiveMinutesAfterTheirLastHeartbeat) {
  record("early");
  clock.move(std::chrono::minutes{4});
  record("late");
  EXPECT_EQ(count(), 2);
  clock.move(std::chrono::minutes{2});
  EXPECT_EQ(count(), 1);
  EXPECT_EQ(count("WorkerInstanceKey = 'late'"), 1);
  record("late", enums::WORKER_STATUS_SHUTDOWN);
  EXPECT_EQ(count(), 0);
}

TEST_F(QueuesTest, AQueryOfAnUnknownFieldIsRefused) {
  wf::ListWorkersRequest request;
  request.set_namespace_("default");
  request.set_query("Colour = 'red'");
  const auto status = call<wf::ListWorkersResponse>(method("ListWorkers"), request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("Colour"));
}

TEST_F(QueuesTest, TheServersOwnWorkersAreShownOnlyIfAskedFor) {
  wf::RecordWorkerHeartbeatRequest heartbeat;
  heartbeat.set_namespace_("default");
  heartbeat.add_worker_heartbeat()->set_task_queue("temporal-sys-own");
  ASSERT_TRUE(
      call<wf::RecordWorkerHeartbeatResponse>(method("RecordWorkerHeartbeat"), heartbeat).ok());
  wf::CountWorkersRequest request;
  request.set_namespace_("default");
  EXPECT_EQ(call<wf::CountWorkersResponse>(method("CountWorkers"), request)->count(), 0);
  request.set_include_system_workers(true);
  EXPECT_EQ(call<wf::CountWorkersResponse>(method("CountWorkers"), request)->count(), 1);
}

// Its tasks would go to workers of any build.
TEST_F(QueuesTest, APollByBuildIdAloneIsRefused) {
  wf::PollWorkflowTaskQueueRequest request;
  request.set_namespace_("default");
  request.mutable_task_queue()->set_name("queue");
  request.mutable_worker_version_capabilities()->set_build_id("build");
  request.mutable_worker_version_capabilities()->set_use_versioning(true);
  const auto status =
      call<wf::PollWorkflowTaskQueueResponse>(method("PollWorkflowTaskQueue"), request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("Give the worker deployment options instead"));
}

wf::DescribeTaskQueueResponse describe_queue(base::Transport& transport) {
  wf::DescribeTaskQueueRequest request;
  request.set_namespace_("default");
  request.mutable_task_queue()->set_name("a/b");
  request.set_task_queue_type(api::enums::v1::TASK_QUEUE_TYPE_ACTIVITY);
  request.set_report_config(true);
  wf::DescribeTaskQueueResponse response;
  EXPECT_TRUE(call(transport, CHIMERA_METHOD(DescribeTaskQueue), request, response).ok());
  return response;
}

TEST(QueueConfig, OutlivesTheServer) {
  ServerOptions options;
  options.database_filename = temporary_file("chimera_queue_config.db");
  wf::UpdateTaskQueueConfigRequest request;
  request.set_namespace_("default");
  request.set_task_queue("a/b");
  request.set_task_queue_type(api::enums::v1::TASK_QUEUE_TYPE_ACTIVITY);
  request.mutable_update_queue_rate_limit()->mutable_rate_limit()->set_requests_per_second(3);
  request.mutable_update_queue_rate_limit()->set_reason("kept");
  (*request.mutable_set_fairness_weight_overrides())["k"] = 2;
  wf::UpdateTaskQueueConfigResponse response;
  {
    auto server = Server::start(options);
    ASSERT_TRUE(server.ok()) << server.status();
    ASSERT_TRUE(call(*(*server)->local_transport(), CHIMERA_METHOD(UpdateTaskQueueConfig), request,
                     response)
                    .ok());
  }

  auto server = Server::start(options);
  ASSERT_TRUE(server.ok()) << server.status();
  const auto described = describe_queue(*(*server)->local_transport());

  EXPECT_EQ(described.config().SerializeAsString(), response.config().SerializeAsString());
  EXPECT_EQ(described.config().queue_rate_limit().metadata().reason(), "kept");
  EXPECT_EQ(described.effective_rate_limit().requests_per_second(), 3);
  EXPECT_EQ(described.effective_rate_limit().rate_limit_source(),
            api::enums::v1::RATE_LIMIT_SOURCE_API);
}

}  // namespace
}  // namespace chimera::server
