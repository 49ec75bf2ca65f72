// Versions of workers and overrides to the API's messages and back, and what workflow code hears
// and says of them.
#include "sdk-cpp/src/version_wire.h"

#include <stdexcept>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/sdk-cpp/driver.h"

namespace chimera::sdk {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;
namespace enums = api::enums::v1;
using ProtoOverride = api::workflow::v1::VersioningOverride;

const WorkerDeploymentVersion kTwo{.deployment_name = "billing", .build_id = "2.0"};

TEST(VersionWireTest, OverridesArriveAndComeBack) {
  for (const VersioningOverride& override : {VersioningOverride(PinnedVersioningOverride{kTwo}),
                                             VersioningOverride(AutoUpgradeVersioningOverride{}),
                                             VersioningOverride(OneTimeVersioningOverride{kTwo})}) {
    EXPECT_EQ(to_public(to_proto(override)), override) << override.index();
  }
  EXPECT_EQ(to_public(ProtoOverride()), std::nullopt);
}

TEST(VersionWireTest, OlderServersReadThem) {
  const ProtoOverride pinned = to_proto(VersioningOverride(PinnedVersioningOverride{kTwo}));
  EXPECT_EQ(pinned.behavior(), enums::VERSIONING_BEHAVIOR_PINNED);
  EXPECT_EQ(pinned.pinned_version(), "billing.2.0");
  EXPECT_EQ(pinned.pinned().behavior(), ProtoOverride::PINNED_OVERRIDE_BEHAVIOR_PINNED);
  EXPECT_EQ(to_proto(VersioningOverride(AutoUpgradeVersioningOverride{})).behavior(),
            enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE);
}

TEST(VersionWireTest, AVersionNeedsBothParts) {
  const auto refusal = [](const VersioningOverride& override) -> std::string {
    try {
      to_proto(override);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "taken";
  };
  EXPECT_EQ(refusal(PinnedVersioningOverride{{.deployment_name = "billing"}}),
            "PinnedVersioningOverride::version needs a deployment_name and a build_id; it has "
            "'billing' and ''");
  EXPECT_THAT(refusal(OneTimeVersioningOverride{}),
              StartsWith("OneTimeVersioningOverride::target_version needs"));
}

std::vector<workflow::Info> told;
struct Tells {
  bool renewed = false;
  void renew() { renewed = true; }
  void run() {
    told.push_back(workflow::info());
    workflow::wait_condition([this] { return renewed; });
    told.push_back(workflow::info());
    workflow::continue_as_new(ContinueAsNewOptions{
        .initial_versioning_behavior = ContinueAsNewVersioningBehavior::kUseRampingVersion});
  }
};

TEST(VersionWireTest, WorkflowCodeHearsOfVersionsTaskByTask) {
  told.clear();
  Driver driver(define_workflow<&Tells::run>("Tells").signal<&Tells::renew>("renew"));
  core::Activation first;
  first.jobs = {driver.init()};
  driver.activate(std::move(first));
  core::Activation second;
  second.jobs = {driver.signal("renew")};
  second.continue_as_new_suggested = true;
  second.suggest_continue_as_new_reasons = {
      enums::SUGGEST_CONTINUE_AS_NEW_REASON_HISTORY_SIZE_TOO_LARGE,
      enums::SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_UPDATES};
  second.target_worker_deployment_version_changed = true;
  second.deployment_version_for_current_task = to_proto(kTwo);
  const core::Completion done = driver.activate(std::move(second));

  ASSERT_EQ(told.size(), 2u);
  EXPECT_FALSE(told[0].continue_as_new_suggested);
  EXPECT_THAT(told[0].suggest_continue_as_new_reasons, IsEmpty());
  EXPECT_FALSE(told[0].target_worker_deployment_version_changed);
  EXPECT_EQ(told[0].current_deployment_version, std::nullopt);
  EXPECT_TRUE(told[1].continue_as_new_suggested);
  EXPECT_THAT(told[1].suggest_continue_as_new_reasons,
              ElementsAre(workflow::SuggestContinueAsNewReason::kHistorySizeTooLarge,
                          workflow::SuggestContinueAsNewReason::kTooManyUpdates));
  EXPECT_TRUE(told[1].target_worker_deployment_version_changed);
  EXPECT_EQ(told[1].current_deployment_version, kTwo);
  const auto* next = command<core::ContinueAsNewWorkflowExecution>(done, 0);
  ASSERT_NE(next, nullptr);
  EXPECT_EQ(next->attributes.initial_versioning_behavior(),
            enums::CONTINUE_AS_NEW_VERSIONING_BEHAVIOR_USE_RAMPING_VERSION);
}

}  // namespace
}  // namespace chimera::sdk
