// StandaloneNexusSession, a session whose client starts Nexus operations that no workflow has, and
// which is their handler, too. The genuine server 1.29 has none.
#ifndef CHIMERA_TESTS_CONFORMANCE_STANDALONE_NEXUS_SESSION_H_
#define CHIMERA_TESTS_CONFORMANCE_STANDALONE_NEXUS_SESSION_H_

#include <functional>
#include <string>

#include "tests/conformance/nexus_session.h"

namespace chimera::conformance {

using OperationInfo = nexus::NexusOperationExecutionInfo;

class StandaloneNexusSession : public NexusSession {
 protected:
  void SetUp() override {
    if (server_is("1.29")) GTEST_SKIP() << "has no Nexus operations that stand alone";
  }

  using StartOperation = wf::StartNexusOperationExecutionRequest;
  using Described = wf::DescribeNexusOperationExecutionResponse;
  using Polled = wf::PollNexusOperationExecutionResponse;
  using Change = std::function<void(StartOperation&)>;

  // Of `id`, at the session's endpoint.
  absl::StatusOr<wf::StartNexusOperationExecutionResponse> try_start(const Change& change = {}) {
    StartOperation request;
    request.set_namespace_(ns);
    request.set_operation_id(id);
    request.set_identity("client");
    request.set_endpoint(endpoint);
    request.set_service("service");
    request.set_operation("operation");
    *request.mutable_input() = payload("\"in\"");
    if (change) change(request);
    return rpc<wf::StartNexusOperationExecutionResponse>(request);
  }
  // The run id. Fails the case on an error.
  std::string start_operation(const Change& change = {}) {
    auto started = try_start(change);
    // The genuine server knows a new endpoint by and by.
    for (int i = 0; i < 100 && started.status().code() == absl::StatusCode::kNotFound; ++i) {
      absl::SleepFor(absl::Milliseconds(50));
      started = try_start(change);
    }
    EXPECT_TRUE(started.ok()) << started.status();
    if (!started.ok()) return "";
    EXPECT_TRUE(started->started());
    return started->run_id();
  }
  // The endpoint, the operation, and what its handler is asked.
  NexusTask begin(const Change& change = {}) {
    create_endpoint();
    start_operation(change);
    return poll_nexus();
  }
  // Likewise; the handler has begun it as "token".
  void begin_async(const Change& change = {}) {
    EXPECT_TRUE(answer(begin(change), started("token")).ok());
    eventually([&] { return info().state() == enums::PENDING_NEXUS_OPERATION_STATE_STARTED; });
  }

  template <class Request>
  Request about(const std::string& run_id = "") const {
    Request request;
    request.set_namespace_(ns);
    request.set_operation_id(id);
    request.set_run_id(run_id);
    if constexpr (requires { request.set_identity(""); }) request.set_identity("operator");
    return request;
  }
  absl::StatusOr<Described> try_describe(const std::string& run_id = "") {
    auto request = about<wf::DescribeNexusOperationExecutionRequest>(run_id);
    request.set_include_input(true);
    request.set_include_outcome(true);
    return rpc<Described>(request);
  }
  Described describe_operation(const std::string& run_id = "") {
    auto described = try_describe(run_id);
    EXPECT_TRUE(described.ok()) << described.status();
    return described.ok() ? *described : Described();
  }
  OperationInfo info(const std::string& run_id = "") { return describe_operation(run_id).info(); }
  // Waits for the stage.
  Polled reached(enums::NexusOperationWaitStage stage, const std::string& run_id = "") {
    auto request = about<wf::PollNexusOperationExecutionRequest>(run_id);
    request.set_wait_stage(stage);
    for (;;) {
      auto polled = rpc<Polled>(request);
      EXPECT_TRUE(polled.ok()) << polled.status();
      if (!polled.ok()) return {};
      if (!polled->run_id().empty()) return *polled;
    }
  }
  Polled outcome(const std::string& run_id = "") {
    return reached(enums::NEXUS_OPERATION_WAIT_STAGE_CLOSED, run_id);
  }
  absl::Status cancel(const std::string& request_id = "") {
    auto request = about<wf::RequestCancelNexusOperationExecutionRequest>();
    request.set_reason("because");
    request.set_request_id(request_id);
    return rpc<wf::RequestCancelNexusOperationExecutionResponse>(request).status();
  }
  absl::Status terminate_operation(const std::string& request_id = "") {
    auto request = about<wf::TerminateNexusOperationExecutionRequest>();
    request.set_reason("because");
    request.set_request_id(request_id);
    return rpc<wf::TerminateNexusOperationExecutionResponse>(request).status();
  }
  absl::Status delete_operation() {
    return rpc<wf::DeleteNexusOperationExecutionResponse>(
               about<wf::DeleteNexusOperationExecutionRequest>())
        .status();
  }
  absl::StatusOr<wf::CountNexusOperationExecutionsResponse> count(const std::string& query) {
    wf::CountNexusOperationExecutionsRequest request;
    request.set_namespace_(ns);
    request.set_query(query);
    return patient_rpc<wf::CountNexusOperationExecutionsResponse>(request);
  }
  static nexus::Response cancel_taken() {
    nexus::Response response;
    response.mutable_cancel_operation();
    return response;
  }

  const std::string missing = absl::StrCat("operation not found for ID: ", id);
};

}  // namespace chimera::conformance

#endif  // CHIMERA_TESTS_CONFORMANCE_STANDALONE_NEXUS_SESSION_H_
