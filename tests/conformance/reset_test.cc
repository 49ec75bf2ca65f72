// J: reset, and what it applies again.
#include "tests/conformance/reset_session.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;

class ResetTest : public ResetSession {};

TEST_F(ResetTest, reset_first_wft) {
  const std::string base = start();
  respond(poll(), {schedule_activity("a")});

  const std::string run_id = reset(base, 4);

  EXPECT_EQ(events(run_id), "Started TaskScheduled TaskStarted TaskFailed TaskScheduled");
  const auto failed = event_of(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED, run_id)
                          .workflow_task_failed_event_attributes();
  EXPECT_EQ(failed.cause(), enums::WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW);
  EXPECT_EQ(failed.failure().message(), "again");
  EXPECT_TRUE(failed.failure().has_reset_workflow_failure_info());
  EXPECT_EQ(failed.base_run_id(), base);
  EXPECT_EQ(failed.new_run_id(), run_id);
  EXPECT_EQ(last_event(base).event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
  const auto described = describe();
  EXPECT_EQ(described.workflow_execution_info().execution().run_id(), run_id);
  EXPECT_EQ(described.workflow_execution_info().first_run_id(), base);
  EXPECT_TRUE(described.workflow_extended_info().has_last_reset_time());
}

TEST_F(ResetTest, reset_start_time_is_the_reset) {
  const std::string base = start();
  respond(poll(), {});
  const auto before = describe(base).workflow_execution_info().start_time();

  reset(base, 4);

  const auto described = describe();
  EXPECT_NE(described.workflow_execution_info().start_time().ShortDebugString(),
            before.ShortDebugString());
  EXPECT_EQ(described.workflow_extended_info().original_start_time().ShortDebugString(),
            before.ShortDebugString());
}

TEST_F(ResetTest, reset_reapply_signal) {
  const std::string base = start();
  respond(poll(), {});
  ASSERT_TRUE(signal("one").ok());
  ASSERT_TRUE(signal("two").ok());

  EXPECT_EQ(signals(reset(base, 4)), "one two ");
}

// Resetting a stuck workflow is what one does while its task runs.
TEST_F(ResetTest, reset_reapplies_signals_that_a_started_task_held_back) {
  const std::string base = start();
  respond(poll(), {});
  ASSERT_TRUE(signal("one").ok());
  poll();
  ASSERT_TRUE(signal("two").ok());

  EXPECT_EQ(signals(reset(base, 4)), "one two ");
}

TEST_F(ResetTest, reset_reapply_signals_of_later_runs) {
  const std::string base = start();
  ASSERT_TRUE(signal("before").ok());
  respond(poll(), {});
  ASSERT_TRUE(signal("first").ok());
  respond(poll(), {continue_as_new()});
  ASSERT_TRUE(signal("second").ok());

  const std::string run_id = reset(base, 5);

  EXPECT_EQ(signals(run_id), "before first second ");
}

TEST_F(ResetTest, reset_exclude) {
  const std::string base = start();
  respond(poll(), {});
  ASSERT_TRUE(signal("one").ok());
  auto exclude = [](enums::ResetReapplyExcludeType type) {
    return [type](Request& request) { request.add_reset_reapply_exclude_types(type); };
  };

  EXPECT_EQ(signals(reset(base, 4, exclude(enums::RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL))), "");
  EXPECT_EQ(signals(reset(base, 4, exclude(enums::RESET_REAPPLY_EXCLUDE_TYPE_UPDATE))), "one ");
  EXPECT_EQ(
      signals(reset(base, 4,
                    [](Request& r) { r.set_reset_reapply_type(enums::RESET_REAPPLY_TYPE_NONE); })),
      "");
  EXPECT_EQ(
      signals(reset(
          base, 4, [](Request& r) { r.set_reset_reapply_type(enums::RESET_REAPPLY_TYPE_SIGNAL); })),
      "one ");
}

TEST_F(ResetTest, reset_drops_cancel_request) {
  const std::string base = start();
  respond(poll(), {});
  ASSERT_TRUE(request_cancel().ok());

  EXPECT_EQ(events(reset(base, 4)), "Started TaskScheduled TaskStarted TaskFailed TaskScheduled");
}

TEST_F(ResetTest, reset_restarts_pending_activities) {
  const std::string base = start();
  respond(poll(), {schedule_activity("a"), start_timer("t", std::chrono::hours(1))});
  const ActivityTask old = poll_activity();
  ASSERT_TRUE(signal("go").ok());
  respond(poll(), {});

  reset(base, 9);

  EXPECT_EQ(poll_activity().activity_id(), "a");
  EXPECT_EQ(complete_activity(old).code(), absl::StatusCode::kNotFound);
}

TEST_F(ResetTest, reset_dedup) {
  const std::string base = start();
  respond(poll(), {});
  auto same = [](Request& request) { request.set_request_id("same"); };

  const std::string first = reset(base, 4, same), second = reset(base, 4, same);

  // Expected deviation: the genuine server 1.32 resets again.
  const auto info = rpc<wf::GetSystemInfoResponse>(wf::GetSystemInfoRequest());
  ASSERT_TRUE(info.ok()) << info.status();
  if (target().genuine && info->server_version().starts_with("1.32"))
    EXPECT_NE(first, second);
  else
    EXPECT_EQ(first, second);
}

TEST_F(ResetTest, reset_bad_id) {
  const std::string base = start();
  respond(poll(), {});
  auto refusal = [&](std::int64_t finish_id) {
    return rpc<wf::ResetWorkflowExecutionResponse>(reset_request(base, finish_id)).status();
  };

  for (std::int64_t finish : {0, 1, 99}) {
    EXPECT_EQ(refusal(finish).code(), absl::StatusCode::kInvalidArgument) << finish;
    EXPECT_EQ(refusal(finish).message(),
              "Workflow task finish ID must be > 1 && <= workflow last event ID.");
  }
  EXPECT_THAT(std::string(refusal(2).message()), HasSubstr("must be at the boundary"));
}

TEST_F(ResetTest, reset_needs_request_id) {
  const std::string base = start();
  respond(poll(), {});
  Request request = reset_request(base, 4);
  request.clear_request_id();

  const absl::Status refused = rpc<wf::ResetWorkflowExecutionResponse>(request).status();

  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused.message(), "RequestId is not set on request.");
}

TEST_F(ResetTest, reset_closed_run) {
  const std::string base = start();
  respond(poll(), {complete_workflow()});

  const std::string run_id = reset(base, 4);

  EXPECT_EQ(describe(base).workflow_execution_info().status(),
            enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
  EXPECT_EQ(describe(run_id).workflow_execution_info().status(),
            enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  respond(poll(), {complete_workflow("second")});
  EXPECT_EQ(wait_closed(run_id)
                .workflow_execution_completed_event_attributes()
                .result()
                .payloads(0)
                .data(),
            "\"second\"");
}

}  // namespace
}  // namespace chimera::conformance
