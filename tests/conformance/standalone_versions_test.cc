// R: activities that stand alone, where workers have versions.
#include "tests/conformance/deployment_session.h"

namespace chimera::conformance {
namespace {

class StandaloneVersionsTest : public DeploymentSession {
 protected:
  void SetUp() override {
    if (server_is("1.29")) GTEST_SKIP() << "has no activities that stand alone";
  }
};

TEST_F(StandaloneVersionsTest, goes_to_the_current_version) {
  make_version("b1");
  try_poll_activity("b1");  // The version has the queue for activities, too.
  set_current("b1");
  wf::StartActivityExecutionRequest request;
  request.set_namespace_(ns);
  request.set_activity_id(id);
  request.mutable_activity_type()->set_name("act");
  request.mutable_task_queue()->set_name(queue);
  request.mutable_start_to_close_timeout()->set_seconds(30);
  const auto started = rpc<wf::StartActivityExecutionResponse>(request);
  ASSERT_TRUE(started.ok()) << started.status();

  EXPECT_EQ(try_poll_activity("").task_token(), "") << "of a worker without a version";
  const ActivityTask task = try_poll_activity("b1", std::chrono::seconds(10));
  EXPECT_EQ(task.activity_run_id(), started->run_id());
  EXPECT_TRUE(complete_activity(task).ok());
}

}  // namespace
}  // namespace chimera::conformance
