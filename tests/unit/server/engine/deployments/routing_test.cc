#include "server/engine/deployments/routing.h"

#include <gtest/gtest.h>

#include "server/schedule/fingerprint.h"

namespace chimera::server {
namespace {

const DeploymentVersion kOne{"d", "1.0"}, kTwo{"d", "2.0"};

deployment::RoutingConfig config(const DeploymentVersion& current, WallTime changed) {
  deployment::RoutingConfig config;
  if (!current.unversioned()) *config.mutable_current_deployment_version() = message_of(current);
  set(config.mutable_current_version_changed_time(), changed);
  config.set_revision_number(3);
  return config;
}
WallTime at(int second) { return WallTime{seconds{1'700'000'000 + second}}; }

TEST(DeploymentVersionTest, Texts) {
  EXPECT_EQ(kOne.text(), "d:1.0");
  EXPECT_EQ(kOne.old_text(), "d.1.0");
  EXPECT_EQ(DeploymentVersion().text(), "");
  EXPECT_EQ(DeploymentVersion().old_text(), "__unversioned__");
  EXPECT_EQ(parse_version("d.1.0").value(), kOne);
  EXPECT_EQ(parse_version("d:1.0").value(), kOne);
  EXPECT_EQ(parse_version("d.1:0").value(), (DeploymentVersion{"d", "1:0"}));
  EXPECT_TRUE(parse_version("__unversioned__").value().unversioned());
  EXPECT_EQ(parse_version(".1").status().message(),
            "deployment name is empty in version string .1");
  EXPECT_EQ(parse_version("d.").status().message(), "build id is empty in version string d.");
  EXPECT_FALSE(parse_version("d").ok());
}

// go-farm's Fingerprint32.
TEST(RampTest, FingerprintsOfShortIds) {
  EXPECT_EQ(schedule::fingerprint(""), 3696677242U);
  EXPECT_EQ(schedule::fingerprint("a"), 1016544589U);
  EXPECT_EQ(schedule::fingerprint("wf"), 3761055192U);
  EXPECT_EQ(schedule::fingerprint("abcd"), 2562006677U);
  EXPECT_EQ(schedule::fingerprint("\xff\xfe"), 3879007958U);
  EXPECT_EQ(schedule::fingerprint("order"), 1747953151U);
  EXPECT_EQ(schedule::fingerprint("workflow-1"), 1758892097U);
  EXPECT_EQ(schedule::fingerprint("twelve-chars"), 587854777U);
  EXPECT_EQ(schedule::fingerprint("order-17-long"), 3917424231U);
}

TEST(RampTest, ThresholdOfAnId) {
  EXPECT_NEAR(ramp_threshold("order"), 100 * 1747953151.0 / 4294967296.0, 1e-9);
}

TEST(QueueRoutingTest, NothingSaid) {
  const QueueRouting routing;
  EXPECT_TRUE(target_of(routing, "w").version.unversioned());
  EXPECT_EQ(target_of(routing, "w").revision, 0);
}

TEST(QueueRoutingTest, CurrentVersionMustHaveTheQueue) {
  QueueRouting routing;
  routing.hear(config(kOne, at(1)), /*has_current=*/false, false);
  EXPECT_TRUE(target_of(routing, "w").version.unversioned());
  routing.hear(config(kOne, at(1)), /*has_current=*/true, false);
  EXPECT_EQ(target_of(routing, "w").version, kOne);
  EXPECT_EQ(target_of(routing, "w").revision, 3);
}

TEST(QueueRoutingTest, LaterDeploymentWinsAndVersionsComeBeforeNone) {
  const DeploymentVersion other{"other", "1"};
  for (const bool first : {true, false}) {
    QueueRouting routing;
    if (first) routing.hear(config(kOne, at(1)), true, false);
    routing.hear(config(other, at(2)), true, false);
    if (!first) routing.hear(config(kOne, at(1)), true, false);
    routing.hear(config({}, at(3)), false, false);
    EXPECT_EQ(routing.current.version, other);
  }
}

TEST(QueueRoutingTest, Ramp) {
  deployment::RoutingConfig ramping = config(kOne, at(1));
  *ramping.mutable_ramping_deployment_version() = message_of(kTwo);
  set(ramping.mutable_ramping_version_percentage_changed_time(), at(2));
  const auto target = [&](float percentage, const std::string& id, bool to_ramping = false) {
    ramping.set_ramping_version_percentage(percentage);
    QueueRouting routing;
    routing.hear(ramping, true, true);
    EXPECT_TRUE(routing.is_ramping);
    return target_of(routing, id, to_ramping).version;
  };
  EXPECT_EQ(target(0, "order"), kOne);
  EXPECT_EQ(target(0, "order", /*to_ramping=*/true), kTwo);
  EXPECT_EQ(target(100, "order"), kTwo);
  const float place = static_cast<float>(ramp_threshold("order"));
  EXPECT_EQ(target(place - 0.1F, "order"), kOne);
  EXPECT_EQ(target(place + 0.1F, "order"), kTwo);
}

TEST(QueueRoutingTest, RampToWorkersWithoutAVersion) {
  deployment::RoutingConfig ramping = config(kOne, at(1));
  ramping.set_ramping_version_percentage(100);
  set(ramping.mutable_ramping_version_percentage_changed_time(), at(2));
  QueueRouting routing;
  routing.hear(ramping, true, false);
  EXPECT_TRUE(routing.is_ramping);
  EXPECT_TRUE(target_of(routing, "w").version.unversioned());
}

TEST(ChooseTest, RunDoesNotGoBack) {
  const RunBinding run{enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE, kTwo, 5};
  EXPECT_EQ(choose(run, {kOne, 4}).version, kTwo);
  EXPECT_EQ(choose(run, {kOne, 5}).version, kOne);
  EXPECT_EQ(choose(run, {{"other", "1"}, 1}).version.deployment, "other");
  EXPECT_TRUE(choose(run, {}).version.unversioned());
}

}  // namespace
}  // namespace chimera::server
