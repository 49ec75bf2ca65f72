// SkippingSession, a case of a workflow that has a clock of its own which skips what it only waits
// for (TimeSkippingConfig). Server 1.29 knows none; the others have it where
// frontend.WorkflowTimeSkippingEnabled is set.
#ifndef CHIMERA_TESTS_CONFORMANCE_SKIPPING_SESSION_H_
#define CHIMERA_TESTS_CONFORMANCE_SKIPPING_SESSION_H_

#include <functional>
#include <string>

#include "core/base/proto_time.h"
#include "tests/conformance/reset_session.h"

namespace chimera::conformance {

class SkippingSession : public ResetSession {
 protected:
  using Config = api::common::v1::TimeSkippingConfig;
  using Options = wf::UpdateWorkflowExecutionOptionsRequest;
  using Polled = wf::PollWorkflowExecutionTimeSkippingResponse;
  static constexpr std::chrono::minutes kHour{60};

  void SetUp() override {
    if (server_is("1.29")) GTEST_SKIP() << "its workflows have no clocks of their own";
  }

  static Config skipping() {
    Config config;
    config.set_enabled(true);
    return config;
  }

  static Config forward(const std::string& name, std::chrono::nanoseconds by) {
    Config config = skipping();
    config.mutable_fast_forward_config()->set_id(name);
    base::set_duration(by, *config.mutable_fast_forward_config()->mutable_duration());
    return config;
  }

  std::string start_skipping(const Config& config, const std::function<void(Start&)>& change = {}) {
    return start([&](Start& request) {
      *request.mutable_time_skipping_config() = config;
      if (change) change(request);
    });
  }

  // What a call that changes the configuration (null: takes it away) is answered.
  absl::StatusOr<wf::UpdateWorkflowExecutionOptionsResponse> configure(
      const Config* config, const std::string& path = "time_skipping_config") {
    Options request;
    request.set_namespace_(ns);
    *request.mutable_workflow_execution() = execution();
    request.mutable_update_mask()->add_paths(path);
    request.mutable_workflow_execution_options();
    if (config != nullptr)
      *request.mutable_workflow_execution_options()->mutable_time_skipping_config() = *config;
    return rpc<wf::UpdateWorkflowExecutionOptionsResponse>(request);
  }
  absl::StatusOr<wf::UpdateWorkflowExecutionOptionsResponse> configure(const Config& config) {
    return configure(&config);
  }

  absl::StatusOr<Polled> poll_forward(const std::string& name, const std::string& run_id = "") {
    wf::PollWorkflowExecutionTimeSkippingRequest request;
    request.set_namespace_(ns);
    *request.mutable_workflow_execution() = execution(run_id);
    request.set_fast_forward_id(name);
    return rpc<Polled>(request);
  }

  void expect_completed(const std::string& name) {
    const auto polled = poll_forward(name);
    ASSERT_TRUE(polled.ok()) << polled.status();
    EXPECT_EQ(polled->fast_forward_polling_result(),
              enums::FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED)
        << polled->DebugString();
    EXPECT_TRUE(polled->fast_forward_info().has_completed());
    EXPECT_EQ(polled->fast_forward_info().fast_forward_id(), name);
  }

  void expect_failed(const std::string& name, const std::string& reason) {
    const auto polled = poll_forward(name);
    ASSERT_TRUE(polled.ok()) << polled.status();
    EXPECT_EQ(polled->fast_forward_polling_result(),
              enums::FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_FAILED);
    EXPECT_EQ(polled->failed_reason(), reason);
  }

  api::common::v1::TimeSkippingInfo skipping_info() {
    return describe().workflow_extended_info().time_skipping_info();
  }

  // Of the one just started; the parent has heard of it when this returns.
  Task first_task_of_child() {
    Task child;
    for (int i = 0; i < 2; ++i) {
      Task task = poll();
      if (task.workflow_execution().workflow_id() == id)
        respond(task, {});
      else
        child = std::move(task);
    }
    return child;
  }

  // Between the run's first event of the one type and its last of the other, on its clock.
  std::chrono::nanoseconds between(enums::EventType first, enums::EventType last,
                                   const std::string& run_id = "") {
    base::WallTime from{}, to{};
    for (const HistoryEvent& event : history(run_id)) {
      if (event.event_type() == first && from == base::WallTime{})
        from = base::to_wall_time(event.event_time());
      if (event.event_type() == last) to = base::to_wall_time(event.event_time());
    }
    return to - from;
  }
  // It took that long, and at most a little more.
  static void expect_about(std::chrono::nanoseconds took, std::chrono::nanoseconds wanted) {
    EXPECT_GE(took, wanted);
    EXPECT_LT(took, wanted + std::chrono::seconds{60});
  }
};

}  // namespace chimera::conformance

#endif  // CHIMERA_TESTS_CONFORMANCE_SKIPPING_SESSION_H_
