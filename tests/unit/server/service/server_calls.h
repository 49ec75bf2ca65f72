// Calls of a server through its local transport, as the tests of whole servers make them.
#ifndef CHIMERA_TESTS_UNIT_SERVER_SERVICE_SERVER_CALLS_H_
#define CHIMERA_TESTS_UNIT_SERVER_SERVICE_SERVER_CALLS_H_

#include <chrono>
#include <filesystem>
#include <future>
#include <string>

#include <gtest/gtest.h>

#include "core/base/api.h"
#include "core/base/transport.h"

namespace chimera::server {

namespace wf = api::workflowservice::v1;

#define CHIMERA_METHOD(name) "/temporal.api.workflowservice.v1.WorkflowService/" #name

template <class Request, class Response>
absl::Status call(base::Transport& transport, std::string_view method, const Request& request,
                  Response& response,
                  std::chrono::milliseconds timeout = std::chrono::seconds{30}) {
  std::promise<absl::Status> done;
  base::RpcCall rpc;
  rpc.method = method;
  rpc.request = &request;
  rpc.response = &response;
  rpc.timeout = timeout;
  rpc.done = [&done](absl::Status status) { done.set_value(std::move(status)); };
  transport.start(std::move(rpc));
  return done.get_future().get();
}

inline absl::Status start_workflow(base::Transport& transport, const std::string& id,
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

inline wf::PollWorkflowTaskQueueResponse poll(base::Transport& transport) {
  wf::PollWorkflowTaskQueueRequest request;
  request.set_namespace_("default");
  request.mutable_task_queue()->set_name("queue");
  wf::PollWorkflowTaskQueueResponse response;
  EXPECT_TRUE(call(transport, CHIMERA_METHOD(PollWorkflowTaskQueue), request, response).ok());
  return response;
}

inline std::string temporary_file(const std::string& name) {
  const std::string path = testing::TempDir() + name;
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  return path;
}

inline absl::Status describe(base::Transport& transport, const std::string& id) {
  wf::DescribeWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id(id);
  wf::DescribeWorkflowExecutionResponse response;
  return call(transport, CHIMERA_METHOD(DescribeWorkflowExecution), request, response);
}

inline absl::Status terminate(base::Transport& transport, const std::string& id) {
  wf::TerminateWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id(id);
  wf::TerminateWorkflowExecutionResponse response;
  return call(transport, CHIMERA_METHOD(TerminateWorkflowExecution), request, response);
}

}  // namespace chimera::server

#endif  // CHIMERA_TESTS_UNIT_SERVER_SERVICE_SERVER_CALLS_H_
