// NexusSession, a case about Nexus operations: an endpoint of its own, whose worker it plays, and
// the workflows that call it.
#ifndef CHIMERA_TESTS_CONFORMANCE_NEXUS_SESSION_H_
#define CHIMERA_TESTS_CONFORMANCE_NEXUS_SESSION_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"

#include "tests/conformance/session.h"

namespace chimera::conformance {

namespace operatorservice = api::operatorservice::v1;
namespace nexus = api::nexus::v1;
using NexusTask = wf::PollNexusTaskQueueResponse;

class NexusSession : public Session {
 protected:
  using Schedule = api::command::v1::ScheduleNexusOperationCommandAttributes;
  using Failure = api::failure::v1::Failure;
  using Links = google::protobuf::RepeatedPtrField<api::common::v1::Link>;

  NexusSession()
      : endpoint(absl::StrReplaceAll(absl::StrCat("e-", id), {{"_", "-"}})),
        nexus_queue("n-" + id) {}

  // --- The operator.
  nexus::EndpointSpec spec(const std::string& name) const {
    nexus::EndpointSpec spec;
    spec.set_name(name);
    spec.mutable_target()->mutable_worker()->set_namespace_(ns);
    spec.mutable_target()->mutable_worker()->set_task_queue(nexus_queue);
    return spec;
  }
  absl::StatusOr<nexus::Endpoint> try_create(const nexus::EndpointSpec& wanted) {
    operatorservice::CreateNexusEndpointRequest request;
    *request.mutable_spec() = wanted;
    auto reply = rpc<operatorservice::CreateNexusEndpointResponse>(request);
    if (!reply.ok()) return reply.status();
    return reply->endpoint();
  }
  nexus::Endpoint create_endpoint() {
    auto made = try_create(spec(endpoint));
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? *made : nexus::Endpoint();
  }

  // --- The caller.
  static void set_seconds(google::protobuf::Duration* duration, int seconds) {
    duration->set_seconds(seconds);
  }
  Command schedule(const std::function<void(Schedule&)>& change = {}) const {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION);
    auto& a = *command.mutable_schedule_nexus_operation_command_attributes();
    a.set_endpoint(endpoint);
    a.set_service("service");
    a.set_operation("operation");
    *a.mutable_input() = payload("\"in\"");
    if (change) change(a);
    return command;
  }
  static Command cancel_operation(std::int64_t scheduled_event_id) {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION);
    command.mutable_request_cancel_nexus_operation_command_attributes()->set_scheduled_event_id(
        scheduled_event_id);
    return command;
  }
  // The endpoint, and a workflow whose first task schedules an operation there: event 5.
  NexusTask call(const std::function<void(Schedule&)>& change = {}) {
    create_endpoint();
    start();
    respond(poll(), {schedule(change)});
    return poll_nexus();
  }
  api::workflow::v1::PendingNexusOperationInfo pending() {
    const auto described = describe();
    EXPECT_EQ(described.pending_nexus_operations_size(), 1);
    return described.pending_nexus_operations_size() == 1
               ? described.pending_nexus_operations(0)
               : api::workflow::v1::PendingNexusOperationInfo();
  }
  // The genuine server does by and by what its answer to a worker brings about.
  void eventually(const std::function<bool()>& so) {
    for (int i = 0; i < 800; ++i) {
      if (so()) return;
      absl::SleepFor(absl::Milliseconds(25));
    }
    ADD_FAILURE() << "did not come";
  }
  void finish() {
    respond(poll(), {complete_workflow()});
    wait_closed();
  }

  // --- The handler.
  absl::StatusOr<NexusTask> try_poll_nexus(milliseconds patience) {
    wf::PollNexusTaskQueueRequest request;
    request.set_namespace_(ns);
    request.mutable_task_queue()->set_name(nexus_queue);
    request.set_identity("handler");
    return rpc<NexusTask>(request, patience);
  }
  NexusTask poll_nexus(milliseconds patience = std::chrono::seconds(15)) {
    auto task = try_poll_nexus(patience);
    EXPECT_TRUE(task.ok()) << task.status();
    if (!task.ok()) return {};
    EXPECT_FALSE(task->task_token().empty()) << "no Nexus task came";
    return *task;
  }
  absl::Status answer(const NexusTask& task, const nexus::Response& response) {
    wf::RespondNexusTaskCompletedRequest request;
    request.set_namespace_(ns);
    request.set_task_token(task.task_token());
    request.set_identity("handler");
    *request.mutable_response() = response;
    return rpc<wf::RespondNexusTaskCompletedResponse>(request).status();
  }
  absl::Status refuse(const NexusTask& task,
                      const std::function<void(wf::RespondNexusTaskFailedRequest&)>& change) {
    wf::RespondNexusTaskFailedRequest request;
    request.set_namespace_(ns);
    request.set_task_token(task.task_token());
    request.set_identity("handler");
    change(request);
    return rpc<wf::RespondNexusTaskFailedResponse>(request).status();
  }
  static nexus::Response result(const std::string& json_text) {
    nexus::Response response;
    *response.mutable_start_operation()->mutable_sync_success()->mutable_payload() =
        payload(json_text);
    return response;
  }
  static nexus::Response started(const std::string& token) {
    nexus::Response response;
    response.mutable_start_operation()->mutable_async_success()->set_operation_token(token);
    return response;
  }
  static nexus::Response failed(const Failure& failure) {
    nexus::Response response;
    *response.mutable_start_operation()->mutable_failure() = failure;
    return response;
  }
  // Of workers that know no Temporal failures.
  static nexus::Response unsuccessful(const std::string& state, const nexus::Failure& failure) {
    nexus::Response response;
    auto& error = *response.mutable_start_operation()->mutable_operation_error();
    error.set_operation_state(state);
    *error.mutable_failure() = failure;
    return response;
  }
  absl::Status refuse_as(const NexusTask& task, const std::string& type,
                         enums::NexusHandlerErrorRetryBehavior behavior =
                             enums::NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_UNSPECIFIED) {
    return refuse(task, [&](wf::RespondNexusTaskFailedRequest& request) {
      request.mutable_error()->set_error_type(type);
      request.mutable_error()->set_retry_behavior(behavior);
      request.mutable_error()->mutable_failure()->set_message("not today");
    });
  }

  // --- The workflow that does an operation's work.
  std::string worker_id() const { return id + "-work"; }
  std::string worker_queue() const { return queue + "-work"; }
  api::common::v1::Callback callback_of(const NexusTask& task) const {
    api::common::v1::Callback callback;
    const auto& start = task.request().start_operation();
    callback.mutable_nexus()->set_url(start.callback());
    *callback.mutable_nexus()->mutable_header() = start.callback_header();
    return callback;
  }
  std::string start_work(const NexusTask& task, const std::function<void(Start&)>& change = {}) {
    return start([&](Start& request) {
      request.set_workflow_id(worker_id());
      request.mutable_task_queue()->set_name(worker_queue());
      *request.add_completion_callbacks() = callback_of(task);
      if (change) change(request);
    });
  }
  Task poll_work() { return poll_queue(worker_queue(), false, std::chrono::seconds(10)); }
  // The session's calls about it instead of the caller.
  template <class Action>
  auto of_work(Action action) {
    const std::string before = std::exchange(id, worker_id());
    auto result = action();
    id = before;
    return result;
  }
  api::workflow::v1::CallbackInfo callback_info(const std::string& run_id = "") {
    const auto described = of_work([&] { return describe(run_id); });
    EXPECT_EQ(described.callbacks_size(), 1);
    return described.callbacks_size() == 1 ? described.callbacks(0)
                                           : api::workflow::v1::CallbackInfo();
  }

  const std::string endpoint, nexus_queue;
};

}  // namespace chimera::conformance

#endif  // CHIMERA_TESTS_CONFORMANCE_NEXUS_SESSION_H_
