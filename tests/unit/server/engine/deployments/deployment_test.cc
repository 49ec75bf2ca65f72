#include "server/engine/deployments/deployment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chimera::server {
namespace {

using Status = enums::WorkerDeploymentVersionStatus;
constexpr auto kWorkflow = enums::TASK_QUEUE_TYPE_WORKFLOW;

class DeploymentStateTest : public testing::Test {
 protected:
  WallTime at(int second) const { return WallTime{seconds{1'700'000'000 + second}}; }
  DeploymentVersion version(const std::string& build) const {
    return build.empty() ? DeploymentVersion() : DeploymentVersion{"d", build};
  }
  absl::Status add(const std::string& build, const std::string& queue = "q", int second = 0) {
    return d.add_queue(build, queue, kWorkflow, limits, pollers, at(second));
  }
  auto set_current(const std::string& build, int second, Deployment::Change change = {"ann"}) {
    return d.set_current(version(build), change, limits, pollers, missed, at(second));
  }
  auto set_ramping(const std::string& build, float percentage, int second) {
    const DeploymentVersion next = version(build);
    return d.set_ramping(&next, percentage, {"ann"}, limits, pollers, missed, at(second));
  }
  absl::Status remove(const std::string& build, bool skip = false) {
    bool changed = false;
    return d.delete_version(build, "ann", skip, pollers, at(99), changed);
  }
  Status status(const std::string& build) const { return d.find(build)->status(); }
  bool look(bool has_runs, int second) {
    return d.look(limits, [&](const DeploymentVersion&) { return has_runs; }, at(second));
  }

  bool has_pollers = false, is_missed = false;
  const std::function<bool(const Deployment::VersionInfo&)> pollers = [this](const auto&) {
    return has_pollers;
  };
  const std::function<bool(const Deployment::VersionInfo::VersionTaskQueueInfo&,
                           const DeploymentVersion&)>
      missed = [this](const auto&, const auto&) { return is_missed; };
  DeploymentLimits limits;
  Deployment d{"d", at(0)};
};

TEST_F(DeploymentStateTest, LifeOfAVersion) {
  ASSERT_TRUE(add("1").ok());
  EXPECT_EQ(status("1"), enums::WORKER_DEPLOYMENT_VERSION_STATUS_INACTIVE);
  ASSERT_TRUE(set_current("1", 1).ok());
  EXPECT_EQ(status("1"), enums::WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT);
  ASSERT_TRUE(add("2").ok());
  ASSERT_TRUE(set_ramping("2", 10, 2).ok());
  EXPECT_EQ(status("2"), enums::WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING);
  ASSERT_TRUE(set_current("2", 3).ok());
  EXPECT_EQ(status("1"), enums::WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING);
  EXPECT_EQ(status("2"), enums::WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT);
  EXPECT_EQ(d.routing().revision_number(), 3);
  EXPECT_EQ(d.routing().ramping_version(), "");
  EXPECT_EQ(to_wall(d.find("2")->first_activation_time()), at(2));
  EXPECT_EQ(to_wall(d.find("1")->last_deactivation_time()), at(3));
}

TEST_F(DeploymentStateTest, DrainsAtItsIntervals) {
  limits.drain_grace = seconds{180};
  limits.drain_interval = seconds{60};
  ASSERT_TRUE(add("1").ok());
  EXPECT_EQ(d.next_look(limits), kNever);
  ASSERT_TRUE(set_current("1", 0).ok());
  ASSERT_TRUE(set_current("", 10).ok());
  EXPECT_EQ(d.next_look(limits), at(190));
  EXPECT_FALSE(look(false, 189));
  EXPECT_TRUE(look(true, 190));
  EXPECT_EQ(d.next_look(limits), at(250));
  EXPECT_EQ(status("1"), enums::WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING);
  EXPECT_TRUE(look(false, 250));
  EXPECT_EQ(status("1"), enums::WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED);
  EXPECT_EQ(d.next_look(limits), kNever);
  EXPECT_TRUE(d.reactivate("1", at(300)));
  EXPECT_EQ(status("1"), enums::WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING);
  EXPECT_FALSE(d.reactivate("1", at(301)));
}

TEST_F(DeploymentStateTest, SameAgainChangesNothing) {
  ASSERT_TRUE(add("1").ok());
  ASSERT_TRUE(set_current("1", 1).ok());
  const std::string token = d.token();
  EXPECT_FALSE(set_current("1", 2)->changed);
  EXPECT_EQ(d.token(), token);
  EXPECT_TRUE(set_current("1", 2, {"bob"})->changed);
  EXPECT_NE(d.token(), token);
  EXPECT_EQ(d.routing().revision_number(), 1);
  EXPECT_EQ(set_current("", 3, {"bob", token}).status().message(), "conflict token mismatch");
  EXPECT_TRUE(set_current("", 3, {"bob", d.token()}).ok());
}

TEST_F(DeploymentStateTest, QueuesThatWouldBeMissed) {
  ASSERT_TRUE(add("1", "q").ok());
  ASSERT_TRUE(add("2", "other").ok());
  ASSERT_TRUE(set_current("1", 1).ok());
  is_missed = true;
  EXPECT_EQ(set_current("2", 2).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(set_ramping("2", 5, 2).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(set_current("2", 2, {"ann", "", /*ignore_missing_queues=*/true}).ok());
}

TEST_F(DeploymentStateTest, Deletion) {
  ASSERT_TRUE(add("1").ok());
  ASSERT_TRUE(set_current("1", 1).ok());
  EXPECT_EQ(remove("1").message(),
            "version 'd:1' cannot be deleted since it is current or ramping");
  ASSERT_TRUE(set_current("", 2).ok());
  EXPECT_EQ(remove("1").message(), "version 'd:1' cannot be deleted since it is draining");
  has_pollers = true;
  EXPECT_EQ(remove("1", /*skip=*/true).message(),
            "version 'd:1' cannot be deleted since it has active pollers");
  has_pollers = false;
  EXPECT_TRUE(remove("1", /*skip=*/true).ok());
  EXPECT_TRUE(d.versions().empty());
  EXPECT_TRUE(remove("1").ok());
}

TEST_F(DeploymentStateTest, LimitsOfVersionsAndQueues) {
  limits.versions = 2;
  limits.queues = 1;
  has_pollers = true;
  ASSERT_TRUE(add("1", "q", 1).ok());
  ASSERT_TRUE(add("2", "q", 2).ok());
  EXPECT_EQ(add("3", "q", 3).message(),
            "cannot add version d.3 since maximum number of versions (2) have been registered in "
            "the deployment");
  EXPECT_EQ(add("1", "more", 3).message(),
            "cannot add task queue more since maximum number of task queues (1) have been "
            "registered in deployment");
  has_pollers = false;
  EXPECT_TRUE(add("3", "q", 3).ok());  // In the place of the oldest.
  EXPECT_EQ(d.find("1"), nullptr);
}

TEST_F(DeploymentStateTest, ManagerAloneMayChangeIt) {
  ASSERT_TRUE(add("1").ok());
  EXPECT_EQ(d.set_manager("bob", {"ann"}, at(1)).value(), "");
  EXPECT_EQ(set_current("1", 2).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(remove("1").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(set_current("1", 2, {"bob"}).ok());
  EXPECT_EQ(d.set_manager("", {"ann"}, at(3)).value(), "bob");
}

TEST_F(DeploymentStateTest, Kept) {
  ASSERT_TRUE(add("1").ok());
  ASSERT_TRUE(set_current("1", 1).ok());
  Deployment read;
  ASSERT_TRUE(read.decode(d.encode()));
  EXPECT_EQ(read.name(), "d");
  EXPECT_EQ(read.token(), d.token());
  EXPECT_TRUE(has_queue(*read.find("1"), "q", kWorkflow));
  EXPECT_EQ(read.find("1")->status(), enums::WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT);
  EXPECT_FALSE(Deployment().decode("\x09"));
}

}  // namespace
}  // namespace chimera::server
