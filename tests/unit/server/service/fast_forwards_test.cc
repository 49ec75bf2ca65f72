// Those who wait for the end of a fast-forward, and what of a run with a clock of its own goes by
// the server's.
#include "core/base/proto_time.h"
#include "tests/unit/server/service/engine_fixture.h"

namespace chimera::server {
namespace {

using Config = common::TimeSkippingConfig;

class FastForwardsTest : public EngineFixture {
 protected:
  using Wait = Open<wf::PollWorkflowExecutionTimeSkippingRequest,
                    wf::PollWorkflowExecutionTimeSkippingResponse>;

  FastForwardsTest() {
    peek([](Engine& engine) {
      engine.configure({.time_skipping = true});
      return 0;
    });
  }

  static Config forward(const std::string& id, std::chrono::nanoseconds by) {
    Config config;
    config.set_enabled(true);
    config.mutable_fast_forward_config()->set_id(id);
    base::set_duration(by, *config.mutable_fast_forward_config()->mutable_duration());
    return config;
  }

  // Its workflow task, which nobody polls for, holds its time.
  std::string start_with(const Config& config, std::chrono::nanoseconds delay = {}) {
    wf::StartWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.set_workflow_id("ahead");
    request.mutable_workflow_type()->set_name("Case");
    request.mutable_task_queue()->set_name("queue");
    *request.mutable_time_skipping_config() = config;
    if (delay.count() > 0) base::set_duration(delay, *request.mutable_workflow_start_delay());
    const auto reply =
        call<wf::StartWorkflowExecutionResponse>(method("StartWorkflowExecution"), request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->run_id() : "";
  }

  void configure(const Config& config) {
    wf::UpdateWorkflowExecutionOptionsRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id("ahead");
    request.mutable_update_mask()->add_paths("time_skipping_config");
    *request.mutable_workflow_execution_options()->mutable_time_skipping_config() = config;
    const auto reply = call<wf::UpdateWorkflowExecutionOptionsResponse>(
        method("UpdateWorkflowExecutionOptions"), request);
    EXPECT_TRUE(reply.ok()) << reply.status();
  }

  void begin_wait(Wait& wait) {
    wait.request.set_namespace_("default");
    wait.request.mutable_workflow_execution()->set_workflow_id("ahead");
    wait.request.set_fast_forward_id("f");
    begin(wait, method("PollWorkflowExecutionTimeSkipping"));
  }

  std::size_t waiters(const std::string& run_id) {
    return peek(
        [&](Engine& engine) { return engine.runs().by_id(run_id)->waiting.history.size(); });
  }

  void expect_failed(Wait& wait, const std::string& reason) {
    ASSERT_TRUE(wait.status().ok());
    EXPECT_EQ(wait.response.fast_forward_polling_result(),
              enums::FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_FAILED);
    EXPECT_EQ(wait.response.failed_reason(), reason);
  }
};

TEST_F(FastForwardsTest, OneThatTakesItsPlaceUnderItsNameIsTold) {
  const std::string run_id = start_with(forward("f", std::chrono::hours{1}));
  Wait wait;
  begin_wait(wait);
  ASSERT_EQ(waiters(run_id), 1u);

  configure(forward("f", std::chrono::hours{2}));

  expect_failed(wait, "the fast-forward was reset");
  EXPECT_EQ(waiters(run_id), 0u);
}

TEST_F(FastForwardsTest, OneThatTakesItsPlaceIsTold) {
  start_with(forward("f", std::chrono::hours{1}));
  Wait wait;
  begin_wait(wait);

  configure(forward("g", std::chrono::hours{1}));

  expect_failed(
      wait, "the requested fast_forward_id does not match the execution's current fast-forward");
}

TEST_F(FastForwardsTest, ItEndsByItselfWhileTimeIsHeld) {
  start_with(forward("f", std::chrono::seconds{10}));
  Wait wait;
  begin_wait(wait);

  clock.move(std::chrono::seconds{11});

  ASSERT_TRUE(wait.status().ok());
  EXPECT_EQ(wait.response.fast_forward_polling_result(),
            enums::FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED);
}

TEST_F(FastForwardsTest, AWaitIsOverAfterALongPollsTime) {
  const std::string run_id = start_with(forward("f", std::chrono::hours{1}));
  Wait wait;
  begin_wait(wait);
  ASSERT_EQ(waiters(run_id), 1u);

  clock.move(std::chrono::seconds{21});

  ASSERT_TRUE(wait.status().ok());
  EXPECT_EQ(wait.response.fast_forward_polling_result(),
            enums::FAST_FORWARD_POLLING_RESULT_POLL_TIMEOUT);
  EXPECT_FALSE(wait.response.fast_forward_info().has_completed());
  EXPECT_EQ(waiters(run_id), 0u);
}

TEST_F(FastForwardsTest, AWaitThatIsCancelledLeavesNothingAtItsRun) {
  const std::string run_id = start_with(forward("f", std::chrono::hours{1}));
  Wait wait;
  begin_wait(wait);
  ASSERT_EQ(waiters(run_id), 1u);

  wait.in_flight->cancel();

  EXPECT_EQ(wait.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(waiters(run_id), 0u);
}

TEST_F(FastForwardsTest, RetentionCountsTheServersTime) {
  constexpr std::chrono::hours kAhead{24 * 1000};
  Config config;
  config.set_enabled(true);
  const std::string run_id = start_with(config, kAhead);
  ASSERT_TRUE(terminate("ahead").ok());

  const auto [closed, kept, now] = peek([&](Engine& engine) {
    const auto& last = static_cast<CountingStore&>(engine.store()).last.runs.at(0);
    return std::tuple(engine.runs().by_id(run_id)->close_time, WallTime(Nanos(last.closed)),
                      engine.now());
  });
  EXPECT_GE(closed, now + kAhead - std::chrono::minutes{1});
  EXPECT_LE(kept, now);
  EXPECT_GE(kept, now - std::chrono::minutes{1});
}

}  // namespace
}  // namespace chimera::server
