// The server through its local transport, with raw requests: what no other suite reaches (files,
// stops).
#include "server/server.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/api.h"

namespace chimera::server {
namespace {

namespace wf = api::workflowservice::v1;
using std::chrono::seconds;
using testing::HasSubstr;

#define CHIMERA_METHOD(name) "/temporal.api.workflowservice.v1.WorkflowService/" #name

template <class Request, class Response>
absl::Status call(base::Transport& transport, std::string_view method, const Request& request,
                  Response& response) {
  std::promise<absl::Status> done;
  base::RpcCall rpc;
  rpc.method = method;
  rpc.request = &request;
  rpc.response = &response;
  rpc.timeout = seconds{30};
  rpc.done = [&done](absl::Status status) { done.set_value(std::move(status)); };
  transport.start(std::move(rpc));
  return done.get_future().get();
}

absl::Status start_workflow(base::Transport& transport, const std::string& id,
                            std::string* run_id = nullptr) {
  wf::StartWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.set_workflow_id(id);
  request.mutable_workflow_type()->set_name("Echo");
  request.mutable_task_queue()->set_name("queue");
  wf::StartWorkflowExecutionResponse response;
  absl::Status status = call(transport, CHIMERA_METHOD(StartWorkflowExecution), request, response);
  if (run_id != nullptr) *run_id = response.run_id();
  return status;
}

wf::PollWorkflowTaskQueueResponse poll(base::Transport& transport) {
  wf::PollWorkflowTaskQueueRequest request;
  request.set_namespace_("default");
  request.mutable_task_queue()->set_name("queue");
  wf::PollWorkflowTaskQueueResponse response;
  EXPECT_TRUE(call(transport, CHIMERA_METHOD(PollWorkflowTaskQueue), request, response).ok());
  return response;
}

std::string temporary_file(const std::string& name) {
  const std::string path = testing::TempDir() + name;
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  return path;
}

TEST(ServerTest, AFileKeepsRunsAndTheirTasksOverARestart) {
  ServerOptions options;
  options.database_filename = temporary_file("chimera_restart.db");
  std::string run_id;
  {
    auto first = Server::start(options);
    ASSERT_TRUE(first.ok()) << first.status();
    ASSERT_TRUE(start_workflow(*(*first)->local_transport(), "kept", &run_id).ok());
  }

  auto second = Server::start(options);

  ASSERT_TRUE(second.ok()) << second.status();
  const auto task = poll(*(*second)->local_transport());
  EXPECT_EQ(task.workflow_execution().run_id(), run_id);
  EXPECT_EQ(task.history().events_size(), 3);
}

TEST(ServerTest, AFileThatIsNoDatabaseIsRefusedWithAdvice) {
  ServerOptions options;
  options.database_filename = temporary_file("chimera_not_a_database");
  std::ofstream(options.database_filename) << std::string(4096, 'x');

  auto server = Server::start(options);

  ASSERT_FALSE(server.ok());
  EXPECT_THAT(std::string(server.status().message()), HasSubstr(options.database_filename));
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("Choose another file"));
}

TEST(ServerTest, APortInUseIsRefusedWithAdvice) {
  ServerOptions options;
  options.port = 0;
  auto first = Server::start(options);
  ASSERT_TRUE(first.ok()) << first.status();
  options.port = (*first)->port();

  auto second = Server::start(options);

  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("in use"));
}

TEST(ServerTest, ATransportThatOutlivesItsServerAnswersUnavailable) {
  auto server = Server::start({});
  ASSERT_TRUE(server.ok()) << server.status();
  auto transport = (*server)->local_transport();
  server->reset();

  EXPECT_EQ(start_workflow(*transport, "late").code(), absl::StatusCode::kUnavailable);
}

TEST(ServerTest, AMethodThatIsNotThereIsNamed) {
  auto server = Server::start({});
  ASSERT_TRUE(server.ok()) << server.status();
  wf::CreateScheduleRequest request;
  wf::CreateScheduleResponse response;

  const absl::Status status =
      call(*(*server)->local_transport(), CHIMERA_METHOD(CreateSchedule), request, response);

  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()), HasSubstr("CreateSchedule"));
}

}  // namespace
}  // namespace chimera::server
