#include "server/engine/deployments/run_versioning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chimera::server {
namespace {

const DeploymentVersion kOne{"d", "1.0"}, kTwo{"d", "2.0"};
constexpr auto kPinned = enums::VERSIONING_BEHAVIOR_PINNED;
constexpr auto kAutoUpgrade = enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE;
constexpr auto kNone = enums::VERSIONING_BEHAVIOR_UNSPECIFIED;

history::WorkflowTaskCompletedEventAttributes completed(const DeploymentVersion& by,
                                                        enums::VersioningBehavior behavior) {
  history::WorkflowTaskCompletedEventAttributes a;
  if (!by.unversioned()) *a.mutable_deployment_version() = message_of(by);
  a.set_versioning_behavior(behavior);
  return a;
}
VersioningOverride pinned_to(const DeploymentVersion& version) {
  VersioningOverride override;
  override.mutable_pinned()->set_behavior(VersioningOverride::PINNED_OVERRIDE_BEHAVIOR_PINNED);
  *override.mutable_pinned()->mutable_version() = message_of(version);
  return override;
}

TEST(RunVersioningTest, CompletedTaskSaysBehaviorAndVersion) {
  RunVersioning run;
  EXPECT_EQ(run.behavior(), kNone);
  run.completed(completed(kOne, kPinned));
  EXPECT_EQ(run.behavior(), kPinned);
  EXPECT_EQ(run.version(), kOne);
  EXPECT_EQ(run.info->version(), "d.1.0");
  EXPECT_THAT(run.used, testing::ElementsAre("d:1.0"));
  run.completed(completed({}, kNone));  // A worker without a version.
  EXPECT_EQ(run.behavior(), kNone);
  EXPECT_TRUE(run.version().unversioned());
  EXPECT_THAT(run.used, testing::ElementsAre("d:1.0"));
}

TEST(RunVersioningTest, TransitionUntilTheNewVersionCompletesATask) {
  RunVersioning run;
  run.completed(completed(kOne, kAutoUpgrade));
  run.begin_transition({kTwo, 7});
  EXPECT_TRUE(run.in_transition());
  EXPECT_EQ(run.behavior(), kAutoUpgrade);
  EXPECT_EQ(run.version(), kTwo);
  EXPECT_EQ(run.shown_version(), kOne);
  run.completed(completed(kOne, kAutoUpgrade));  // Of a task that was started before.
  EXPECT_TRUE(run.in_transition());
  run.completed(completed(kTwo, kPinned));
  EXPECT_FALSE(run.in_transition());
  EXPECT_EQ(run.behavior(), kPinned);
  EXPECT_EQ(run.version(), kTwo);
  EXPECT_EQ(run.info->revision_number(), 7);
}

TEST(RunVersioningTest, TransitionToWorkersWithoutAVersion) {
  RunVersioning run;
  run.completed(completed(kOne, kAutoUpgrade));
  run.begin_transition({{}, 0});
  EXPECT_TRUE(run.in_transition());
  EXPECT_TRUE(run.version().unversioned());
  EXPECT_EQ(run.described().version_transition().version(), "__unversioned__");
  run.completed(completed({}, kNone));
  EXPECT_FALSE(run.in_transition());
}

TEST(RunVersioningTest, OverrideComesFirst) {
  RunVersioning run;
  run.completed(completed(kOne, kAutoUpgrade));
  const VersioningOverride override = pinned_to(kTwo);
  run.override_by(&override);
  EXPECT_EQ(run.behavior(), kPinned);
  EXPECT_EQ(run.version(), kTwo);
  run.completed(completed(kTwo, kAutoUpgrade));
  EXPECT_EQ(run.behavior(), kPinned);
  run.override_by(nullptr);
  EXPECT_EQ(run.behavior(), kAutoUpgrade);
}

TEST(RunVersioningTest, OneTimeOverrideEndsAtItsTarget) {
  VersioningOverride override;
  *override.mutable_one_time()->mutable_target_deployment_version() = message_of(kTwo);
  RunVersioning run;
  run.completed(completed(kOne, kAutoUpgrade));
  run.override_by(&override);
  EXPECT_EQ(run.behavior(), kPinned);
  run.completed(completed(kTwo, kAutoUpgrade));
  EXPECT_EQ(run.override(), nullptr);
  EXPECT_EQ(run.behavior(), kAutoUpgrade);
}

TEST(RunVersioningTest, OlderOverrides) {
  VersioningOverride older;
  older.set_behavior(kPinned);
  older.set_pinned_version("d.2.0");
  EXPECT_EQ(target_of(modern(older)), kTwo);
  older.Clear();
  older.set_behavior(kAutoUpgrade);
  EXPECT_TRUE(modern(older).auto_upgrade());
}

TEST(RunVersioningTest, Inherited) {
  history::WorkflowExecutionStartedEventAttributes a;
  *a.mutable_inherited_pinned_version() = message_of(kOne);
  RunVersioning pinned;
  pinned.started(a);
  EXPECT_EQ(pinned.behavior(), kPinned);
  EXPECT_EQ(pinned.version(), kOne);
  a.Clear();
  auto& info = *a.mutable_inherited_auto_upgrade_info();
  *info.mutable_source_deployment_version() = message_of(kTwo);
  info.set_source_deployment_revision_number(9);
  RunVersioning upgrading;
  upgrading.started(a);
  EXPECT_EQ(upgrading.behavior(), kAutoUpgrade);
  EXPECT_EQ(upgrading.info->revision_number(), 9);
}

TEST(RunVersioningTest, NewerTargetIsToldUntilItIsDeclined) {
  RunVersioning run;
  run.completed(completed(kOne, kPinned));
  run.note_target({kOne, 1}, 1);
  EXPECT_FALSE(run.target_changed());
  run.note_target({kTwo, 2}, 2);
  EXPECT_TRUE(run.target_changed());
  run.note_target({}, std::nullopt);  // Nobody looked: what was said holds.
  EXPECT_TRUE(run.target_changed());
  run.note_target({kOne, 3}, 3);  // Back again.
  EXPECT_FALSE(run.target_changed());
  RunVersioning next;
  history::WorkflowExecutionStartedEventAttributes a;
  a.set_continued_execution_run_id("before");
  *a.mutable_inherited_pinned_version() = message_of(kOne);
  a.mutable_declined_target_version_upgrade()->set_revision_number(2);
  next.started(a);
  next.note_target({kTwo, 2}, 2);
  EXPECT_FALSE(next.target_changed());
  next.note_target({{"d", "3.0"}, 3}, 3);
  EXPECT_TRUE(next.target_changed());
}

TEST(RunVersioningTest, Kept) {
  RunVersioning run;
  run.completed(completed(kOne, kPinned));
  run.note_target({kTwo, 2}, 2);
  RunVersioning read;
  ASSERT_TRUE(read.decode(run.encode()));
  EXPECT_EQ(read.version(), kOne);
  EXPECT_TRUE(read.target_changed());
  EXPECT_FALSE(read.decode("\x07"));
  EXPECT_FALSE(read.decode(""));
}

}  // namespace
}  // namespace chimera::server
