// R: what an operator does to an activity that stands alone, where the server is configured so.
#include <map>

#include "tests/conformance/standalone_session.h"

namespace chimera::conformance {
namespace {

class StandaloneOperatorsTest : public StandaloneSession {
 protected:
  absl::Status pause(const std::string& request_id = "") {
    auto request = about<wf::PauseActivityExecutionRequest>();
    request.set_reason("looking at it");
    request.set_request_id(request_id);
    return rpc<wf::PauseActivityExecutionResponse>(request).status();
  }
  absl::Status unpause(const std::string& request_id = "") {
    auto request = about<wf::UnpauseActivityExecutionRequest>();
    request.set_request_id(request_id);
    return rpc<wf::UnpauseActivityExecutionResponse>(request).status();
  }
  absl::Status reset(const std::function<void(wf::ResetActivityExecutionRequest&)>& change = {}) {
    auto request = about<wf::ResetActivityExecutionRequest>();
    if (change) change(request);
    return rpc<wf::ResetActivityExecutionResponse>(request).status();
  }
  using Update = wf::UpdateActivityExecutionOptionsRequest;
  absl::StatusOr<api::activity::v1::ActivityOptions> update(
      const std::function<void(api::activity::v1::ActivityOptions&)>& change,
      std::initializer_list<const char*> paths) {
    auto request = about<Update>();
    change(*request.mutable_activity_options());
    for (const char* path : paths) request.mutable_update_mask()->add_paths(path);
    auto reply = rpc<wf::UpdateActivityExecutionOptionsResponse>(request);
    if (!reply.ok()) return reply.status();
    return reply->activity_options();
  }
  absl::StatusOr<wf::UpdateActivityExecutionOptionsResponse> restore() {
    auto request = about<Update>();
    request.set_restore_original(true);
    return rpc<wf::UpdateActivityExecutionOptionsResponse>(request);
  }
};

TEST_F(StandaloneOperatorsTest, pause_and_unpause) {
  start_activity();
  ASSERT_TRUE(pause("p1").ok());
  ASSERT_TRUE(pause("p1").ok()) << "the same request";
  EXPECT_EQ(pause("p2").message(), "activity is in non-pausable state Paused");
  EXPECT_EQ(info().status(), enums::ACTIVITY_EXECUTION_STATUS_PAUSED);
  EXPECT_EQ(info().run_state(), enums::PENDING_ACTIVITY_STATE_PAUSED);
  ASSERT_TRUE(unpause("u1").ok());
  ASSERT_TRUE(unpause("u1").ok());
  EXPECT_EQ(unpause("u2").message(), "activity is in non-unpausable state Scheduled");
  EXPECT_EQ(pause("p1").code(), absl::StatusCode::kOk) << "late, and no pause any more";
  EXPECT_EQ(info().status(), enums::ACTIVITY_EXECUTION_STATUS_RUNNING);

  const ActivityTask task = poll_activity();
  ASSERT_TRUE(pause().ok());
  EXPECT_EQ(info().run_state(), enums::PENDING_ACTIVITY_STATE_PAUSE_REQUESTED);
  EXPECT_EQ(info().status(), enums::ACTIVITY_EXECUTION_STATUS_RUNNING);
  EXPECT_TRUE(heartbeat(task, "1")->activity_paused());
  ASSERT_TRUE(fail_activity(task, "boom", "X").ok());
  EXPECT_EQ(info().status(), enums::ACTIVITY_EXECUTION_STATUS_PAUSED);
  EXPECT_EQ(info().attempt(), 2);
  ASSERT_TRUE(unpause().ok());
  EXPECT_EQ(poll_activity().attempt(), 2);
}

TEST_F(StandaloneOperatorsTest, reset_while_an_attempt_runs) {
  start_activity();
  ActivityTask task = poll_activity();
  ASSERT_TRUE(pause().ok());
  ASSERT_TRUE(reset([](auto& request) { request.set_keep_paused(true); }).ok());
  EXPECT_EQ(reset().message(), "cannot reset an activity with a pending reset");
  const auto told = heartbeat(task, "1");
  EXPECT_TRUE(told->activity_reset());
  EXPECT_FALSE(told->activity_paused());
  EXPECT_EQ(info().run_state(), enums::PENDING_ACTIVITY_STATE_PAUSE_REQUESTED);
  EXPECT_EQ(restore().status().message(),
            "Cannot update options for activity in state ResetRequested");
  ASSERT_TRUE(fail_activity(task, "boom", "X", /*non_retryable=*/true).ok());
  EXPECT_EQ(info().status(), enums::ACTIVITY_EXECUTION_STATUS_PAUSED);
  EXPECT_EQ(info().attempt(), 1) << "and not failed for good";
  EXPECT_EQ(info().last_failure().message(), "boom");
  ASSERT_TRUE(unpause().ok());
  task = poll_activity();
  EXPECT_EQ(task.attempt(), 1);

  ASSERT_TRUE(reset([](auto& request) { request.set_reset_heartbeat(true); }).ok());
  ASSERT_TRUE(cancel("c1").ok());
  EXPECT_EQ(reset().message(), "cannot reset an activity with a pending cancellation");
  EXPECT_EQ(pause().message(), "activity is in non-pausable state CancelRequested");
  EXPECT_TRUE(heartbeat(task, "2")->cancel_requested());
  ASSERT_TRUE(report_canceled(task).ok());
  EXPECT_EQ(reset().message(), "activity execution is not running");
  EXPECT_EQ(unpause().message(), "activity is in terminal state Canceled");
}

TEST_F(StandaloneOperatorsTest, reset_of_what_backs_off) {
  start_activity(retrying(milliseconds(600'000)));
  ActivityTask task = poll_activity();
  ASSERT_TRUE(heartbeat(task, "1").ok());
  ASSERT_TRUE(fail_activity(task, "boom", "X").ok());
  ASSERT_TRUE(reset([](auto& request) { request.set_reset_heartbeat(true); }).ok());
  EXPECT_FALSE(info().has_heartbeat_details());
  task = poll_activity();
  EXPECT_EQ(task.attempt(), 1);
  EXPECT_EQ(task.heartbeat_details().payloads_size(), 0);
}

TEST_F(StandaloneOperatorsTest, options) {
  start_activity(retrying(milliseconds(600'000)));
  ASSERT_TRUE(fail_activity(poll_activity(), "boom", "X").ok());
  auto changed = update(
      [](auto& options) {
        options.mutable_start_to_close_timeout()->set_seconds(77);
        options.mutable_heartbeat_timeout()->set_seconds(100);
        options.mutable_retry_policy()->mutable_initial_interval()->set_seconds(1);
      },
      {"start_to_close_timeout", "heartbeatTimeout", "retry_policy.initial_interval"});
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ(changed->task_queue().name(), queue);
  EXPECT_EQ(changed->start_to_close_timeout().seconds(), 77);
  EXPECT_EQ(changed->heartbeat_timeout().seconds(), 77) << "no longer than the attempt";
  EXPECT_EQ(poll_activity().attempt(), 2) << "after the new interval";
  EXPECT_EQ(info().heartbeat_timeout().seconds(), 77);
  const auto restored = restore();
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->activity_options().start_to_close_timeout().seconds(), 30);

  const auto refusal = [this](const auto& change, const char* path) {
    return std::string(update(change, {path}).status().message());
  };
  EXPECT_EQ(
      refusal([](auto& o) { o.mutable_task_queue()->set_name("/_sys/x"); }, "task_queue.name"),
      "task queue name cannot start with reserved prefix /_sys/");
  EXPECT_EQ(refusal([](auto& o) { o.mutable_start_delay()->set_seconds(7); }, "start_delay"),
            "cannot update start_delay: the first activity attempt has already been dispatched");
  EXPECT_EQ(refusal([](auto&) {}, "nonsense"), "unsupported update_mask path: \"nonsense\"");
  EXPECT_EQ(
      refusal([](auto& o) { o.mutable_heartbeat_timeout()->set_seconds(-1); }, "heartbeat_timeout"),
      "invalid HeartbeatTimeout: negative duration");
  ASSERT_TRUE(terminate_activity().ok());
  EXPECT_EQ(restore().status().message(), "Cannot update options for activity in state Terminated");
}

TEST_F(StandaloneOperatorsTest, another_queue_and_delay) {
  start_activity([](StartActivity& request) {
    request.mutable_start_delay()->set_seconds(600);
    request.mutable_task_queue()->set_name(request.task_queue().name() + "-first");
  });
  const auto changed = update(
      [this](auto& options) {
        options.mutable_task_queue()->set_name(queue);
        options.mutable_start_delay()->set_seconds(1);
      },
      {"task_queue.name", "start_delay"});
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ(changed->start_delay().seconds(), 1);
  EXPECT_EQ(poll_activity().attempt(), 1);
  EXPECT_EQ(info().task_queue(), queue);
}

}  // namespace
}  // namespace chimera::conformance
