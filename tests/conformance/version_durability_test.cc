// What is kept of worker deployments, and of runs that are bound to a version, when the server is
// killed.
#include "tests/conformance/deployment_session.h"
#include "tests/conformance/own_server.h"

namespace chimera::conformance {
namespace {

using VersionDurabilityTest = OnOwnServer<DeploymentSession>;

TEST_F(VersionDurabilityTest, kill9_deployments) {
  make_version("1.0");
  set_current("1.0");
  make_version("2.0");
  set_ramping("2.0", 25);
  const Info before = describe_deployment();
  const std::string token = conflict_token();
  die_and_come_back();
  EXPECT_EQ(describe_deployment().DebugString(), before.DebugString());
  EXPECT_EQ(conflict_token(), token);
  set_ramping("2.0", 100);
  start();
  respond_as(poll_as("2.0"), "2.0", kPinned, {complete_workflow()});
}

TEST_F(VersionDurabilityTest, kill9_pinned_run) {
  make_version("1.0");
  set_current("1.0");
  make_version("2.0");
  start();
  respond_as(poll_as("1.0"), "1.0", kPinned, {});
  set_current("2.0");
  ASSERT_TRUE(signal("go").ok());
  die_and_come_back();
  EXPECT_EQ(versioning().behavior(), kPinned);
  EXPECT_TRUE(gets_nothing("2.0"));
  respond_as(poll_as("1.0"), "1.0", kPinned, {complete_workflow()});
  eventually([&] {
    return describe_version("1.0").status() == enums::WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED;
  });
}

// No event tells that the run has begun to move.
TEST_F(VersionDurabilityTest, kill9_while_moving) {
  make_version("1.0");
  set_current("1.0");
  make_version("2.0");
  start();
  respond_as(poll_as("1.0"), "1.0", kAutoUpgrade, {});
  set_current("2.0");
  ASSERT_TRUE(signal("go").ok());
  const Task task = poll_as("2.0");
  die_and_come_back();
  EXPECT_EQ(versioning().version_transition().deployment_version().build_id(), "2.0");
  respond_as(task, "2.0", kAutoUpgrade, {complete_workflow()});
}

}  // namespace
}  // namespace chimera::conformance
