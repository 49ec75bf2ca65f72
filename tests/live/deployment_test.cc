// Worker deployments as a C++ program shows, routes and deletes them.
#include "tests/live/versions.h"

namespace chimera::live {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;
using Status = WorkerDeploymentVersionStatus;

class DeploymentLive : public Versions {
 protected:
  // A version that no worker has; the genuine server may not tell of its queues.
  void make(const std::string& build) {
    deployment().set_current_version(build, {.allow_no_pollers = true});
  }
  WorkerDeploymentVersionSummary summary(const std::string& build) {
    for (const auto& each : deployment().describe().versions)
      if (each.version.build_id == build) return each;
    ADD_FAILURE() << "no version " << build;
    return {};
  }
  // "code words", as RpcError has them.
  static std::string refusal(const std::function<void()>& call) {
    try {
      call();
    } catch (const RpcError& error) {
      return absl::StrCat(static_cast<int>(error.code()), " ", error.what());
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "done";
  }
};
INSTANTIATE_TEST_SUITE_P(, DeploymentLive, testing::Values(std::size_t{1000}), cache_name);

TEST_P(DeploymentLive, ComesWithItsFirstWorkerAndIsShown) {
  const auto worker = worker_of("1.0", kWaits<VersioningBehavior::kPinned>);
  const auto told = deployment().describe();
  EXPECT_EQ(told.name, deployment().name());
  EXPECT_GT(told.created_at, Time{});
  EXPECT_EQ(told.routing_config.current_version, std::nullopt);
  EXPECT_EQ(told.routing_config.ramping_version, std::nullopt);
  EXPECT_EQ(told.manager_identity, "");
  ASSERT_THAT(told.versions, SizeIs(1));
  EXPECT_EQ(told.versions[0].version, version("1.0"));
  EXPECT_EQ(told.versions[0].status, Status::kInactive);
  EXPECT_EQ(told.versions[0].current_since, std::nullopt);

  const auto shown = deployment().describe_version("1.0", {.report_task_queue_stats = true});
  EXPECT_EQ(shown.info.version, version("1.0"));
  ASSERT_THAT(shown.task_queues, SizeIs(1));
  EXPECT_EQ(shown.task_queues[0].name, queue());
  EXPECT_EQ(shown.task_queues[0].type, TaskQueueType::kWorkflow);
  ASSERT_TRUE(shown.task_queues[0].stats.has_value());
  EXPECT_EQ(shown.task_queues[0].stats->approximate_backlog_count, 0);
  EXPECT_THAT(shown.metadata, IsEmpty());
}

TEST_P(DeploymentLive, IsRoutedStepByStep) {
  make("1.0");
  const auto before = deployment().describe();
  EXPECT_EQ(before.routing_config.current_version, version("1.0"));
  EXPECT_EQ(before.last_modifier_identity, client().identity());
  EXPECT_EQ(summary("1.0").status, Status::kCurrent);

  const auto ramped = deployment().set_ramping_version(
      "2.0", 12.5F, {.conflict_token = before.conflict_token, .allow_no_pollers = true});
  EXPECT_EQ(ramped.previous_version, std::nullopt);
  const auto ramping = deployment().describe();
  EXPECT_EQ(ramping.conflict_token, ramped.conflict_token);
  EXPECT_EQ(ramping.routing_config.ramping_version, version("2.0"));
  EXPECT_EQ(ramping.routing_config.ramping_version_percentage, 12.5F);
  EXPECT_EQ(summary("2.0").status, Status::kRamping);
  EXPECT_TRUE(summary("2.0").ramping_since.has_value());
  EXPECT_EQ(deployment().describe_version("2.0").ramp_percentage, 12.5F);

  EXPECT_EQ(deployment().set_ramping_version("2.0", 50).previous_percentage, 12.5F);
  const auto current = deployment().set_current_version("2.0", {.allow_no_pollers = true});
  EXPECT_EQ(current.previous_version, version("1.0"));
  const auto after = deployment().describe();
  EXPECT_EQ(after.routing_config.current_version, version("2.0"));
  EXPECT_EQ(after.routing_config.ramping_version, std::nullopt);
  EXPECT_EQ(summary("1.0").status, Status::kDraining);
  EXPECT_EQ(summary("1.0").drainage_info->status, WorkerDeploymentVersionDrainageStatus::kDraining);

  deployment().set_ramping_version("1.0", 5, {.allow_no_pollers = true});
  deployment().set_ramping_version(std::nullopt, 0);
  EXPECT_EQ(deployment().describe().routing_config.ramping_version, std::nullopt);
  EXPECT_EQ(deployment().set_current_version(std::nullopt).previous_version, version("2.0"));
  EXPECT_EQ(deployment().describe().routing_config.current_version, std::nullopt);
}

TEST_P(DeploymentLive, IsListed) {
  make("1.0");
  eventually(
      [&] {
        for (const auto& entry : client().list_worker_deployments()) {
          if (entry.name == deployment().name() && entry.current_version &&
              entry.current_version->version == version("1.0"))
            return true;
        }
        return false;
      },
      "the list");
  EXPECT_THAT(client().list_worker_deployments({.limit = 1}).all(), SizeIs(1));
}

TEST_P(DeploymentLive, BelongsToItsManager) {
  make("1.0");
  const auto taken = deployment().set_manager_identity("ann");
  EXPECT_EQ(taken.previous_manager_identity, "");
  EXPECT_EQ(deployment().describe().manager_identity, "ann");
  EXPECT_EQ(deployment().describe().conflict_token, taken.conflict_token);
  EXPECT_THAT(refusal([&] { deployment().set_current_version(std::nullopt); }),
              HasSubstr("ManagerIdentity 'ann' is set and does not match user identity"));
  deployment().set_current_version(std::nullopt, {.identity = "ann"});
  EXPECT_EQ(deployment().set_manager_identity("").previous_manager_identity, "ann");
  deployment().set_current_version("1.0", {.allow_no_pollers = true});
}

TEST_P(DeploymentLive, VersionsHaveNotes) {
  make("1.0");
  const auto noted = deployment().update_version_metadata(
      "1.0", {{"commit", make_payload("c0ffee")}, {"by", make_payload("ann")}});
  EXPECT_THAT(noted, SizeIs(2));
  const auto left = deployment().update_version_metadata("1.0", {}, {"by"});
  EXPECT_THAT(left, SizeIs(1));
  EXPECT_EQ(from_payload<std::string>(deployment().describe_version("1.0").metadata.at("commit")),
            "c0ffee");

  ClientOptions secret = client_options();
  secret.payload_codec = aes_gcm_codec("k", {{"k", std::string(32, 'k')}});
  const auto same = Client::connect(secret).get_worker_deployment_handle(deployment().name());
  const auto kept = same.update_version_metadata("1.0", {{"key", make_payload("hidden")}});
  EXPECT_EQ(from_payload<std::string>(kept.at("key")), "hidden");
  EXPECT_THAT(deployment().describe_version("1.0").metadata.at("key").data,
              testing::Not(HasSubstr("hidden")));
  EXPECT_EQ(from_payload<std::string>(same.describe_version("1.0").metadata.at("key")), "hidden");
}

TEST_P(DeploymentLive, GoesWhenItsVersionsHave) {
  make("1.0");
  EXPECT_THAT(refusal([&] { deployment().delete_(); }),
              StartsWith(absl::StrCat(server_is("1.29") ? "13" : "9",
                                      " cannot delete worker deployment '", deployment().name())));
  deployment().set_current_version(std::nullopt);
  deployment().delete_version("1.0", {.skip_drainage = true});
  EXPECT_THAT(refusal([&] { deployment().describe_version("1.0"); }),
              StartsWith(absl::StrCat("5 cannot describe build '1.0' of worker deployment '",
                                      deployment().name(), "'")));
  deployment().delete_();
  eventually([&] { return refusal([&] { deployment().describe(); }).starts_with("5 "); },
             "its end");
}

TEST_P(DeploymentLive, WhatCannotBeIsRefusedInTheServersWords) {
  EXPECT_THAT(refusal([&] { deployment().set_current_version("1.0"); }),
              StartsWith(absl::StrCat(server_is("1.29") ? "9" : "5",
                                      " cannot make build '1.0' current in worker deployment '",
                                      deployment().name(), "'")));
  make("1.0");
  const std::string stale = deployment().describe().conflict_token;
  make("2.0");
  const std::string mismatch = refusal([&] {
    deployment().set_ramping_version("1.0", 5, {.conflict_token = stale, .allow_no_pollers = true});
  });
  EXPECT_THAT(mismatch, StartsWith("9 cannot ramp build '1.0' to 5 % in worker deployment '"));
  EXPECT_THAT(mismatch, HasSubstr("conflict token"));
  EXPECT_THAT(refusal([&] { deployment().set_ramping_version("1.0", 101); }),
              HasSubstr("ercentage must be between 0 and 100 (inclusive)"));
  EXPECT_THAT(refusal([&] { deployment().describe_version("3.0"); }), StartsWith("5 "));
  EXPECT_THAT(refusal([&] { deployment().set_current_version("3.0"); }), HasSubstr("3.0"));
  EXPECT_THAT(refusal([&] { deployment().delete_version("2.0"); }),
              HasSubstr("current or ramping"));
  EXPECT_THAT(refusal([&] { deployment().update_version_metadata("2.0", {}); }),
              HasSubstr("remove_entries or upsert_entries"));
  const std::string name = deployment().name();
  EXPECT_EQ(refusal([&] { deployment().set_current_version(""); }),
            absl::StrCat("set_current_version() of worker deployment '", name,
                         "' was given an empty build id; std::nullopt means workers without "
                         "versions"));
  EXPECT_EQ(refusal([&] { deployment().describe_version(""); }),
            absl::StrCat("describe_version() of worker deployment '", name, "' needs a build id"));
}

}  // namespace
}  // namespace chimera::live
