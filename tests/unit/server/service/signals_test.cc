// Signals and cancels where a limit, a namespace or a closing run stands in their way: what the
// conformance suite cannot set up on both servers.
#include <future>

#include "temporal/api/operatorservice/v1/request_response.pb.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/base/api.h"
#include "server/server.h"

namespace chimera::server {
namespace {

namespace wf = api::workflowservice::v1;
namespace enums = api::enums::v1;
using api::command::v1::Command;
using api::history::v1::HistoryEvent;
using Task = wf::PollWorkflowTaskQueueResponse;

// A server, its client and its worker; every workflow has a task queue of its own name.
class SignalsTest : public testing::Test {
 protected:
  void start_server(ServerOptions options = {}) {
    options.dynamic_config["history.maximumSignalsPerExecution"] = "2";
    options.namespaces = {"other"};
    auto started = Server::start(std::move(options));
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    transport_ = server_->local_transport();
  }

  template <class Reply, class Request>
  absl::StatusOr<Reply> rpc(const Request& request) {
    const std::string name = request.GetDescriptor()->name();
    const std::string method = absl::StrCat("/temporal.api.workflowservice.v1.WorkflowService/",
                                            name.substr(0, name.size() - 7));
    Reply reply;
    std::promise<absl::Status> done;
    base::RpcCall call;
    call.method = method;
    call.request = &request;
    call.response = &reply;
    call.timeout = std::chrono::seconds(30);
    call.done = [&done](absl::Status status) { done.set_value(std::move(status)); };
    transport_->start(std::move(call));
    if (absl::Status status = done.get_future().get(); !status.ok()) return status;
    return reply;
  }

  std::string start(const std::string& id, const std::string& ns = "default") {
    wf::StartWorkflowExecutionRequest request;
    request.set_namespace_(ns);
    request.set_workflow_id(id);
    request.mutable_workflow_type()->set_name("Case");
    request.mutable_task_queue()->set_name(id);
    auto reply = rpc<wf::StartWorkflowExecutionResponse>(request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->run_id() : "";
  }

  absl::Status signal(const std::string& id) {
    wf::SignalWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id(id);
    request.set_signal_name("ping");
    return rpc<wf::SignalWorkflowExecutionResponse>(request).status();
  }

  Task poll(const std::string& id) {
    wf::PollWorkflowTaskQueueRequest request;
    request.set_namespace_("default");
    request.mutable_task_queue()->set_name(id);
    auto task = rpc<Task>(request);
    EXPECT_TRUE(task.ok()) << task.status();
    return task.ok() ? *task : Task();
  }

  absl::Status respond(const Task& task, const std::vector<Command>& commands,
                       const std::string& ns = "default") {
    wf::RespondWorkflowTaskCompletedRequest request;
    request.set_namespace_(ns);
    request.set_task_token(task.task_token());
    for (const Command& command : commands) *request.add_commands() = command;
    return rpc<wf::RespondWorkflowTaskCompletedResponse>(request).status();
  }

  static Command signal_to(const std::string& id, const std::string& run_id = "") {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION);
    auto& a = *command.mutable_signal_external_workflow_execution_command_attributes();
    a.set_namespace_("default");
    a.mutable_execution()->set_workflow_id(id);
    a.mutable_execution()->set_run_id(run_id);
    a.set_signal_name("ping");
    return command;
  }

  static Command complete() {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
    command.mutable_complete_workflow_execution_command_attributes();
    return command;
  }

  int count(const std::string& id, enums::EventType type, const std::string& ns = "default") {
    int found = 0;
    for (const HistoryEvent& event : history(id, ns)) found += event.event_type() == type ? 1 : 0;
    return found;
  }

  // The cause of the first failed external signal.
  int failure_of(const std::string& id) {
    for (const HistoryEvent& event : history(id)) {
      if (event.has_signal_external_workflow_execution_failed_event_attributes())
        return event.signal_external_workflow_execution_failed_event_attributes().cause();
    }
    return 0;
  }

  std::vector<HistoryEvent> history(const std::string& id, const std::string& ns = "default") {
    wf::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_(ns);
    request.mutable_execution()->set_workflow_id(id);
    auto reply = rpc<wf::GetWorkflowExecutionHistoryResponse>(request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    if (!reply.ok()) return {};
    return {reply->history().events().begin(), reply->history().events().end()};
  }

  // Brings `id` to a started task after a close that was refused.
  Task refuse_close(const std::string& id) {
    const Task task = poll(id);
    EXPECT_TRUE(signal(id).ok());
    EXPECT_FALSE(respond(task, {complete()}).ok());
    return poll(id);
  }

  void stop_server() {
    transport_.reset();
    server_.reset();
  }

 private:
  std::unique_ptr<Server> server_;
  std::shared_ptr<base::Transport> transport_;
};

TEST_F(SignalsTest, TheLimitIsOneForClients) {
  start_server();
  start("target");
  ASSERT_TRUE(signal("target").ok());
  ASSERT_TRUE(signal("target").ok());
  wf::SignalWithStartWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.set_workflow_id("target");
  request.mutable_workflow_type()->set_name("Case");
  request.mutable_task_queue()->set_name("target");
  request.set_signal_name("ping");

  for (const absl::Status& refused :
       {signal("target"), rpc<wf::SignalWithStartWorkflowExecutionResponse>(request).status()}) {
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << refused;
    EXPECT_EQ(refused.message(), "exceeded workflow execution limit for signal events");
  }
}

TEST_F(SignalsTest, TheLimitIsTheSameForWorkflows) {
  start_server();
  start("target");
  start("sender");
  ASSERT_TRUE(signal("target").ok());
  ASSERT_TRUE(signal("target").ok());

  ASSERT_TRUE(respond(poll("sender"), {signal_to("target")}).ok());

  EXPECT_EQ(failure_of("sender"),
            enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED);
  EXPECT_EQ(count("target", enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED), 2);
}

// A run id names a run of any namespace.
TEST_F(SignalsTest, ARunIdOfAnotherNamespaceIsNotFound) {
  start_server();
  const std::string run_id = start("target", "other");
  start("sender");

  ASSERT_TRUE(respond(poll("sender"), {signal_to("target", run_id)}).ok());

  EXPECT_EQ(
      failure_of("sender"),
      enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND);
  EXPECT_EQ(count("target", enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, "other"), 0);
}

TEST_F(SignalsTest, ATokenIsOfItsNamespace) {
  start_server();
  start("case");
  const Task task = poll("case");

  const absl::Status refused = respond(task, {complete()}, "other");

  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused.message(), "Operation requested with a token from a different namespace.");
  EXPECT_EQ(respond(task, {}, "nowhere").code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(respond(task, {complete()}, "").ok());
}

// The genuine server's queue keeps such a signal and tries again.
TEST_F(SignalsTest, AWorkflowsSignalWaitsForARunThatTriesToClose) {
  start_server();
  start("target");
  start("sender");
  const Task closing = refuse_close("target");
  ASSERT_TRUE(respond(poll("sender"), {signal_to("target")}).ok());
  EXPECT_EQ(count("sender", enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED), 0);

  ASSERT_TRUE(respond(closing, {}).ok());

  EXPECT_EQ(count("sender", enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED), 1);
  EXPECT_EQ(count("target", enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED), 2);
}

TEST_F(SignalsTest, AWaitingSignalOfAWorkflowOutlivesTheServer) {
  ServerOptions options;
  options.database_filename = absl::StrCat(testing::TempDir(), "chimera_signals_", getpid(), ".db");
  start_server(options);
  start("target");
  start("sender");
  refuse_close("target");
  ASSERT_TRUE(respond(poll("sender"), {signal_to("target")}).ok());
  stop_server();

  start_server(options);

  EXPECT_EQ(count("sender", enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED), 1);
}

}  // namespace
}  // namespace chimera::server
