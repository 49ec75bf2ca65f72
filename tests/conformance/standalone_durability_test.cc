// R: activities that stand alone, when the server dies by SIGKILL and starts again on its file.
#include "tests/conformance/own_server.h"
#include "tests/conformance/standalone_session.h"

namespace chimera::conformance {
namespace {

class StandaloneDurabilityTest : public OnOwnServer<StandaloneSession> {
 protected:
  void SetUp() override {
    if (server_is("1.29")) GTEST_SKIP() << "has no activities that stand alone";
    OnOwnServer<StandaloneSession>::SetUp();
  }
};

TEST_F(StandaloneDurabilityTest, kill9_while_it_waits) {
  const std::string run_id = start_activity([](StartActivity& request) {
    *request.mutable_user_metadata()->mutable_summary() = payload("\"of it\"");
  });
  die_and_come_back();
  EXPECT_EQ(info().run_id(), run_id);
  EXPECT_EQ(info().user_metadata().summary().data(), "\"of it\"");
  EXPECT_EQ(try_start([](auto& request) { request.set_request_id("other"); }).status().code(),
            absl::StatusCode::kAlreadyExists);
  const ActivityTask task = poll_activity();
  EXPECT_EQ(task.input().payloads(0).data(), "\"in\"");
  EXPECT_TRUE(complete_activity(task).ok());
}

TEST_F(StandaloneDurabilityTest, kill9_while_a_worker_has_it) {
  start_activity();
  const ActivityTask task = poll_activity();
  ASSERT_TRUE(heartbeat(task, "1").ok());
  ASSERT_TRUE(cancel("c1").ok());
  die_and_come_back();
  EXPECT_EQ(info().run_state(), enums::PENDING_ACTIVITY_STATE_CANCEL_REQUESTED);
  EXPECT_EQ(info().total_heartbeat_count(), 1);
  EXPECT_TRUE(cancel("c1").ok()) << "the same request";
  EXPECT_TRUE(heartbeat(task, "2")->cancel_requested());
  ASSERT_TRUE(report_canceled(task).ok());
  EXPECT_EQ(outcome().failure().canceled_failure_info().identity(), "operator");
}

TEST_F(StandaloneDurabilityTest, kill9_while_it_backs_off) {
  start_activity(retrying(milliseconds(2000)));
  ASSERT_TRUE(fail_activity(poll_activity(), "boom", "X").ok());
  die_and_come_back();
  EXPECT_EQ(info().current_retry_interval().seconds(), 2);
  EXPECT_EQ(info().last_failure().message(), "boom");
  const ActivityTask task = poll_activity();
  EXPECT_EQ(task.attempt(), 2);
  EXPECT_TRUE(complete_activity(task).ok());
}

TEST_F(StandaloneDurabilityTest, kill9_after_its_end) {
  const std::string first = start_activity();
  ASSERT_TRUE(complete_activity(poll_activity(), "out").ok());
  const std::string second = start_activity();
  ASSERT_TRUE(terminate_activity().ok());
  die_and_come_back();
  EXPECT_EQ(info().run_id(), second);
  EXPECT_EQ(outcome(first).result().payloads(0).data(), "\"out\"");
  auto never = [](StartActivity& request) {
    request.set_id_reuse_policy(enums::ACTIVITY_ID_REUSE_POLICY_REJECT_DUPLICATE);
  };
  EXPECT_EQ(try_start(never).status().code(), absl::StatusCode::kAlreadyExists);
  wf::CountActivityExecutionsRequest count;
  count.set_namespace_(ns);
  count.set_query(absl::StrCat("ActivityId = '", id, "'"));
  EXPECT_EQ(rpc<wf::CountActivityExecutionsResponse>(count)->count(), 2);

  ASSERT_TRUE(
      rpc<wf::DeleteActivityExecutionResponse>(about<wf::DeleteActivityExecutionRequest>()).ok());
  while (try_describe().ok()) no_task_within(milliseconds(1));
  die_and_come_back();
  EXPECT_EQ(try_describe().status().message(), missing) << "nor the older one in its place";
  EXPECT_EQ(info(first).status(), enums::ACTIVITY_EXECUTION_STATUS_COMPLETED);
  EXPECT_EQ(rpc<wf::CountActivityExecutionsResponse>(count)->count(), 1);
}

}  // namespace
}  // namespace chimera::conformance
