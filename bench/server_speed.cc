// What the embedded server costs without sockets: CPU of its threads per Echo workflow and per
// activity, as raw calls through the local transport see it.
//   build/release/bench/bench_server [--file PATH] [--count N]
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <future>
#include <string>

#include "absl/strings/str_cat.h"

#include "core/base/api.h"
#include "core/base/transport.h"
#include "server/server.h"

namespace chimera {
namespace {

namespace wf = ::temporal::api::workflowservice::v1;
namespace enums = ::temporal::api::enums::v1;

constexpr char kText[] = "\"0123456789012345678901234567890123456789\"";
constexpr char kQueue[] = "bench";

double cpu_us(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}
double cpu_of_others_us() {
  return cpu_us(CLOCK_PROCESS_CPUTIME_ID) - cpu_us(CLOCK_THREAD_CPUTIME_ID);
}

class Bench {
 public:
  explicit Bench(server::Server& server) : transport_(server.local_transport()) {}

  // So many workflows, each with an activity or without; CPU of the server for one, us.
  double run(int count, bool activity) {
    const double before = cpu_of_others_us();
    for (int i = 0; i < count; ++i) {
      start();
      wf::PollWorkflowTaskQueueResponse task = poll();
      if (activity) {
        schedule_activity(task.task_token());
        do_activity();
        task = poll();
      }
      complete(task.task_token());
    }
    return (cpu_of_others_us() - before) / count;
  }

 private:
  template <class Request, class Response>
  Response call(const char* name, Request request) {
    request.set_namespace_("default");
    Response response;
    std::promise<absl::Status> done;
    const std::string method =
        absl::StrCat("/temporal.api.workflowservice.v1.WorkflowService/", name);
    base::RpcCall rpc;
    rpc.method = method;
    rpc.request = &request;
    rpc.response = &response;
    rpc.timeout = std::chrono::seconds{30};
    rpc.done = [&done](absl::Status status) { done.set_value(std::move(status)); };
    const auto in_flight = transport_->start(std::move(rpc));
    if (const absl::Status status = done.get_future().get(); !status.ok()) {
      std::fprintf(stderr, "%s: %s\n", name, status.ToString().c_str());
      std::exit(1);
    }
    return response;
  }

  void start() {
    wf::StartWorkflowExecutionRequest request;
    request.set_workflow_id(absl::StrCat("echo-", started_));
    request.set_request_id(absl::StrCat("request-", started_++));
    request.mutable_workflow_type()->set_name("Echo");
    request.mutable_task_queue()->set_name(kQueue);
    request.mutable_input()->add_payloads()->set_data(kText);
    call<wf::StartWorkflowExecutionRequest, wf::StartWorkflowExecutionResponse>(
        "StartWorkflowExecution", std::move(request));
  }

  wf::PollWorkflowTaskQueueResponse poll() {
    wf::PollWorkflowTaskQueueRequest request;
    request.mutable_task_queue()->set_name(kQueue);
    request.set_identity("bench");
    return call<wf::PollWorkflowTaskQueueRequest, wf::PollWorkflowTaskQueueResponse>(
        "PollWorkflowTaskQueue", std::move(request));
  }

  void answer(const std::string& token, ::temporal::api::command::v1::Command command) {
    wf::RespondWorkflowTaskCompletedRequest request;
    request.set_task_token(token);
    request.set_identity("bench");
    *request.add_commands() = std::move(command);
    call<wf::RespondWorkflowTaskCompletedRequest, wf::RespondWorkflowTaskCompletedResponse>(
        "RespondWorkflowTaskCompleted", std::move(request));
  }

  void complete(const std::string& token) {
    ::temporal::api::command::v1::Command command;
    command.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
    command.mutable_complete_workflow_execution_command_attributes()
        ->mutable_result()
        ->add_payloads()
        ->set_data(kText);
    answer(token, std::move(command));
  }

  void schedule_activity(const std::string& token) {
    ::temporal::api::command::v1::Command command;
    command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
    auto& attributes = *command.mutable_schedule_activity_task_command_attributes();
    attributes.set_activity_id("1");
    attributes.mutable_activity_type()->set_name("noop");
    attributes.mutable_task_queue()->set_name(kQueue);
    attributes.mutable_start_to_close_timeout()->set_seconds(60);
    attributes.mutable_input()->add_payloads()->set_data(kText);
    answer(token, std::move(command));
  }

  void do_activity() {
    wf::PollActivityTaskQueueRequest poll;
    poll.mutable_task_queue()->set_name(kQueue);
    poll.set_identity("bench");
    const auto task = call<wf::PollActivityTaskQueueRequest, wf::PollActivityTaskQueueResponse>(
        "PollActivityTaskQueue", std::move(poll));
    wf::RespondActivityTaskCompletedRequest result;
    result.set_task_token(task.task_token());
    result.mutable_result()->add_payloads()->set_data(kText);
    call<wf::RespondActivityTaskCompletedRequest, wf::RespondActivityTaskCompletedResponse>(
        "RespondActivityTaskCompleted", std::move(result));
  }

  const std::shared_ptr<base::Transport> transport_;
  int started_ = 0;
};

int run(int argc, char** argv) {
  server::ServerOptions options;
  int count = 3000;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    if (name == "--file" && *value != '\0') {
      options.database_filename = value;
    } else if (name != "--count" || (count = std::atoi(value)) < 1) {
      std::fprintf(stderr, "%s %s: give --file PATH, or --count N, at least 1\n", argv[i], value);
      return 2;
    }
  }
  auto server = server::Server::start(std::move(options));
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.status().ToString().c_str());
    return 1;
  }
  Bench bench(**server);
  bench.run(500, /*activity=*/true);  // Warm.
  const double echo = bench.run(count, /*activity=*/false);
  const double with_activity = bench.run(count, /*activity=*/true);
  std::printf("server CPU, us: Echo %.0f, an activity %.0f\n", echo, with_activity - echo);
  return 0;
}

}  // namespace
}  // namespace chimera

int main(int argc, char** argv) { return chimera::run(argc, argv); }
