// StandaloneSession, a session whose client starts activities that no workflow has, and which is
// their worker, too. The genuine server 1.29 has none.
#ifndef CHIMERA_TESTS_CONFORMANCE_STANDALONE_SESSION_H_
#define CHIMERA_TESTS_CONFORMANCE_STANDALONE_SESSION_H_

#include <functional>
#include <string>

#include "core/base/proto_time.h"
#include "tests/conformance/session.h"

namespace chimera::conformance {

using ActivityInfo = api::activity::v1::ActivityExecutionInfo;
using ActivityOutcome = api::activity::v1::ActivityExecutionOutcome;
using api::failure::v1::Failure;

class StandaloneSession : public Session {
 protected:
  void SetUp() override {
    if (server_is("1.29")) GTEST_SKIP() << "has no activities that stand alone";
  }

  using StartActivity = wf::StartActivityExecutionRequest;
  // Of `id`, on the session's queue.
  StartActivity activity_request() const {
    StartActivity request;
    request.set_namespace_(ns);
    request.set_activity_id(id);
    request.mutable_activity_type()->set_name("act");
    request.mutable_task_queue()->set_name(queue);
    request.set_identity("client");
    request.mutable_start_to_close_timeout()->set_seconds(30);
    *request.mutable_input() = payloads("\"in\"");
    return request;
  }
  absl::StatusOr<wf::StartActivityExecutionResponse> try_start(
      const std::function<void(StartActivity&)>& change = {}) {
    StartActivity request = activity_request();
    if (change) change(request);
    return rpc<wf::StartActivityExecutionResponse>(request);
  }
  // The run id. Fails the case on an error.
  std::string start_activity(const std::function<void(StartActivity&)>& change = {}) {
    auto started = try_start(change);
    EXPECT_TRUE(started.ok()) << started.status();
    if (!started.ok()) return "";
    EXPECT_TRUE(started->started());
    return started->run_id();
  }

  template <class Request>
  Request about(const std::string& run_id = "") const {
    Request request;
    request.set_namespace_(ns);
    request.set_activity_id(id);
    request.set_run_id(run_id);
    if constexpr (requires { request.set_identity(""); }) request.set_identity("operator");
    return request;
  }
  absl::StatusOr<wf::DescribeActivityExecutionResponse> try_describe(
      const std::string& run_id = "") {
    auto request = about<wf::DescribeActivityExecutionRequest>(run_id);
    request.set_include_input(true);
    request.set_include_outcome(true);
    request.set_include_heartbeat_details(true);
    request.set_include_last_failure(true);
    return rpc<wf::DescribeActivityExecutionResponse>(request);
  }
  wf::DescribeActivityExecutionResponse describe_activity(const std::string& run_id = "") {
    auto described = try_describe(run_id);
    EXPECT_TRUE(described.ok()) << described.status();
    return described.ok() ? *described : wf::DescribeActivityExecutionResponse();
  }
  ActivityInfo info(const std::string& run_id = "") { return describe_activity(run_id).info(); }
  // Waits for it.
  ActivityOutcome outcome(const std::string& run_id = "") {
    for (;;) {
      auto polled =
          rpc<wf::PollActivityExecutionResponse>(about<wf::PollActivityExecutionRequest>(run_id));
      EXPECT_TRUE(polled.ok()) << polled.status();
      if (!polled.ok()) return {};
      if (polled->has_outcome()) return polled->outcome();
    }
  }
  absl::Status cancel(const std::string& request_id = "") {
    auto request = about<wf::RequestCancelActivityExecutionRequest>();
    request.set_reason("because");
    request.set_request_id(request_id);
    return rpc<wf::RequestCancelActivityExecutionResponse>(request).status();
  }
  absl::Status terminate_activity(const std::string& request_id = "") {
    auto request = about<wf::TerminateActivityExecutionRequest>();
    request.set_reason("because");
    request.set_request_id(request_id);
    return rpc<wf::TerminateActivityExecutionResponse>(request).status();
  }
  absl::StatusOr<wf::RecordActivityTaskHeartbeatResponse> heartbeat(const ActivityTask& task,
                                                                    const std::string& details) {
    wf::RecordActivityTaskHeartbeatRequest request;
    request.set_namespace_(ns);
    request.set_task_token(task.task_token());
    *request.mutable_details() = payloads(details);
    return rpc<wf::RecordActivityTaskHeartbeatResponse>(request);
  }
  absl::Status report_canceled(const ActivityTask& task) {
    wf::RespondActivityTaskCanceledRequest request;
    request.set_namespace_(ns);
    request.set_task_token(task.task_token());
    *request.mutable_details() = payloads("\"stopped\"");
    return rpc<wf::RespondActivityTaskCanceledResponse>(request).status();
  }
  // Retries after that, at most so often; 0: for ever.
  static std::function<void(StartActivity&)> retrying(milliseconds after, int attempts = 0) {
    return [=](StartActivity& request) {
      base::set_duration(after, *request.mutable_retry_policy()->mutable_initial_interval());
      request.mutable_retry_policy()->set_maximum_attempts(attempts);
    };
  }

  const std::string missing = absl::StrCat("activity not found for ID: ", id);
};

}  // namespace chimera::conformance

#endif  // CHIMERA_TESTS_CONFORMANCE_STANDALONE_SESSION_H_
