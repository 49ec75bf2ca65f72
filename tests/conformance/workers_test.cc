// N: workers and their heartbeats. On the genuine server 1.29 they are switched on by the settings
// of target.h, and it cannot count them.
#include "absl/strings/str_join.h"

#include "tests/conformance/session.h"

namespace chimera::conformance {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;
using Heartbeat = api::worker::v1::WorkerHeartbeat;

class WorkersTest : public Session {
 protected:
  Heartbeat heartbeat(const std::string& key) const {
    Heartbeat heartbeat;
    heartbeat.set_worker_instance_key(key + id);
    heartbeat.set_worker_identity("worker-" + key);
    heartbeat.mutable_host_info()->set_host_name("host");
    heartbeat.mutable_host_info()->set_process_id("7");
    heartbeat.set_task_queue(queue);
    heartbeat.mutable_deployment_version()->set_deployment_name("deployment");
    heartbeat.mutable_deployment_version()->set_build_id("build");
    heartbeat.set_sdk_name("sdk");
    heartbeat.set_sdk_version("1.0");
    heartbeat.set_status(enums::WORKER_STATUS_RUNNING);
    heartbeat.mutable_start_time()->set_seconds(1'700'000'000);
    heartbeat.mutable_heartbeat_time()->set_seconds(1'700'000'100);
    return heartbeat;
  }
  void record(std::vector<Heartbeat> heartbeats) {
    wf::RecordWorkerHeartbeatRequest request;
    request.set_namespace_(ns);
    for (Heartbeat& one : heartbeats) *request.add_worker_heartbeat() = std::move(one);
    auto reply = rpc<wf::RecordWorkerHeartbeatResponse>(request);
    EXPECT_TRUE(reply.ok()) << reply.status();
  }
  // Of the case's workers.
  wf::ListWorkersRequest list_request(const std::string& query = "") const {
    wf::ListWorkersRequest request;
    request.set_namespace_(ns);
    request.set_query(
        absl::StrCat("TaskQueue = '", queue, "'", query.empty() ? "" : " AND ", query));
    return request;
  }
  std::vector<std::string> keys(const wf::ListWorkersResponse& reply) const {
    std::vector<std::string> keys;
    for (const auto& worker : reply.workers_info()) {
      const std::string& key = worker.worker_heartbeat().worker_instance_key();
      keys.push_back(key.substr(0, key.size() - id.size()));
    }
    return keys;
  }
  std::vector<std::string> list(const std::string& query) {
    auto reply = rpc<wf::ListWorkersResponse>(list_request(query));
    EXPECT_TRUE(reply.ok()) << query << ": " << reply.status();
    std::vector<std::string> found = reply.ok() ? keys(*reply) : std::vector<std::string>();
    std::sort(found.begin(), found.end());
    return found;
  }
};

TEST_F(WorkersTest, worker_list) {
  Heartbeat leaving = heartbeat("b");
  leaving.set_status(enums::WORKER_STATUS_SHUTTING_DOWN);
  leaving.set_sdk_name("other");
  leaving.mutable_start_time()->set_seconds(1'800'000'000);
  record({heartbeat("a"), leaving});

  EXPECT_THAT(list(""), ElementsAre("a", "b"));
  EXPECT_THAT(list("WorkerStatus = \"Running\""), ElementsAre("a"));
  EXPECT_THAT(list("WorkerStatus = 'ShuttingDown'"), ElementsAre("b"));
  EXPECT_THAT(list("SdkName != 'sdk'"), ElementsAre("b"));
  EXPECT_THAT(list("SdkName STARTS_WITH 'oth'"), ElementsAre("b"));
  EXPECT_THAT(list("HostName = 'host' AND SdkVersion = '1.0'"), ElementsAre("a", "b"));
  EXPECT_THAT(list("(WorkerIdentity = 'worker-a' OR WorkerIdentity = 'worker-b')"),
              ElementsAre("a", "b"));
  EXPECT_THAT(list("DeploymentName = 'deployment'"), ElementsAre("a", "b"));
  EXPECT_THAT(list("StartTime > '2024-01-01T00:00:00Z'"), ElementsAre("b"));
  EXPECT_THAT(list("HeartbeatTime BETWEEN '2023-01-01T00:00:00Z' AND '2024-01-01T00:00:00Z'"),
              ElementsAre("a", "b"));
}

// Server 1.29 has neither the short form of a worker nor these fields of a query.
TEST_F(WorkersTest, worker_list_newer) {
  if (server_is("1.29")) return;
  Heartbeat bare = heartbeat("b");
  bare.clear_host_info();
  bare.clear_start_time();
  record({heartbeat("a"), bare});

  EXPECT_THAT(list("BuildId = 'build'"), ElementsAre("a", "b"));
  EXPECT_THAT(list("Status = 'Running'"), ElementsAre("a", "b"));
  EXPECT_THAT(list("HostName IS NULL"), ElementsAre("b"));
  EXPECT_THAT(list("HostName IS NOT NULL"), ElementsAre("a"));
  EXPECT_THAT(list("HostName != 'host'"), ElementsAre("b"));
  EXPECT_THAT(list("StartTime IS NULL"), ElementsAre("b"));
  auto reply = rpc<wf::ListWorkersResponse>(list_request("HostName = 'host'"));
  ASSERT_TRUE(reply.ok()) << reply.status();
  ASSERT_EQ(reply->workers_size(), 1);
  const auto& worker = reply->workers(0);
  EXPECT_EQ(worker.worker_identity(), "worker-a");
  EXPECT_EQ(worker.host_name(), "host");
  EXPECT_EQ(worker.process_id(), "7");
  EXPECT_EQ(worker.task_queue(), queue);
  EXPECT_EQ(worker.deployment_version().build_id(), "build");
  EXPECT_EQ(worker.status(), enums::WORKER_STATUS_RUNNING);
  EXPECT_EQ(worker.start_time().seconds(), 1'700'000'000);
}

// Server 1.29 gives all at once.
TEST_F(WorkersTest, worker_list_pages) {
  if (server_is("1.29")) return;
  record({heartbeat("c"), heartbeat("a"), heartbeat("b")});
  wf::ListWorkersRequest request = list_request();
  request.set_page_size(2);

  auto first = rpc<wf::ListWorkersResponse>(request);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_THAT(keys(*first), ElementsAre("a", "b"));
  ASSERT_NE(first->next_page_token(), "");
  request.set_next_page_token(first->next_page_token());
  auto second = rpc<wf::ListWorkersResponse>(request);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_THAT(keys(*second), ElementsAre("c"));
  EXPECT_EQ(second->next_page_token(), "");
  request.set_next_page_token("no token");
  EXPECT_EQ(std::string(rpc<wf::ListWorkersResponse>(request).status().message()),
            "invalid next_page_token");
}

TEST_F(WorkersTest, worker_count) {
  record({heartbeat("a"), heartbeat("b")});
  wf::CountWorkersRequest request;
  request.set_namespace_(ns);
  request.set_query(list_request().query());

  auto reply = rpc<wf::CountWorkersResponse>(request);

  if (server_is("1.29")) {
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnimplemented) << reply.status();
    return;
  }
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->count(), 2);
}

TEST_F(WorkersTest, worker_describe) {
  record({heartbeat("a")});
  wf::DescribeWorkerRequest request;
  request.set_namespace_(ns);
  request.set_worker_instance_key("a" + id);

  auto reply = rpc<wf::DescribeWorkerResponse>(request);

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->worker_info().worker_heartbeat().SerializeAsString(),
            heartbeat("a").SerializeAsString());
  request.set_worker_instance_key("nobody");
  const absl::Status unknown = rpc<wf::DescribeWorkerResponse>(request).status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound) << unknown;
  EXPECT_EQ(std::string(unknown.message()), "Worker nobody not found");
}

// Server 1.29 keeps those that have shut down.
TEST_F(WorkersTest, worker_shutdown) {
  record({heartbeat("a"), heartbeat("b")});
  wf::ShutdownWorkerRequest request;
  request.set_namespace_(ns);
  request.set_sticky_task_queue(sticky);
  *request.mutable_worker_heartbeat() = heartbeat("a");
  request.mutable_worker_heartbeat()->set_status(enums::WORKER_STATUS_SHUTDOWN);
  ASSERT_TRUE(rpc<wf::ShutdownWorkerResponse>(request).ok());

  if (server_is("1.29"))
    EXPECT_THAT(list("WorkerStatus = 'Shutdown'"), ElementsAre("a"));
  else
    EXPECT_THAT(list(""), ElementsAre("b"));
}

TEST_F(WorkersTest, worker_query_refusals) {
  for (const char* query : {"TaskQueue =", "TaskQueue = 'a' LIMIT 5"}) {
    wf::ListWorkersRequest request;
    request.set_namespace_(ns);
    request.set_query(query);
    EXPECT_EQ(rpc<wf::ListWorkersResponse>(request).status().code(),
              absl::StatusCode::kInvalidArgument)
        << query;
  }
}

}  // namespace
}  // namespace chimera::conformance
