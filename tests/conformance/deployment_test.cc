// Worker deployments: their versions, which one is current and which one ramps, how they drain.
#include <gmock/gmock.h>

#include "tests/conformance/deployment_session.h"

namespace chimera::conformance {
namespace {

using testing::SizeIs;

class DeploymentTest : public DeploymentSession {
 protected:
  std::string refusal(const SetCurrent& request, absl::StatusCode code) {
    const auto reply = rpc<wf::SetWorkerDeploymentCurrentVersionResponse>(request);
    EXPECT_EQ(reply.status().code(), code) << reply.status();
    return std::string(reply.status().message());
  }
  std::string refusal(const SetRamping& request, absl::StatusCode code) {
    const auto reply = rpc<wf::SetWorkerDeploymentRampingVersionResponse>(request);
    EXPECT_EQ(reply.status().code(), code) << reply.status();
    return std::string(reply.status().message());
  }
  Info::WorkerDeploymentVersionSummary summary(const std::string& build) {
    const Info info = describe_deployment();
    for (const auto& each : info.version_summaries()) {
      if (each.deployment_version().build_id() == build) return each;
    }
    ADD_FAILURE() << "no version " << build;
    return {};
  }
  absl::StatusOr<wf::SetWorkerDeploymentManagerResponse> set_manager(const std::string& manager,
                                                                     const std::string& token) {
    wf::SetWorkerDeploymentManagerRequest request;
    request.set_namespace_(ns);
    request.set_deployment_name(deployment);
    request.set_manager_identity(manager);
    request.set_conflict_token(token);
    request.set_identity("operator");
    return rpc<wf::SetWorkerDeploymentManagerResponse>(request);
  }
  absl::Status delete_deployment() {
    wf::DeleteWorkerDeploymentRequest request;
    request.set_namespace_(ns);
    request.set_deployment_name(deployment);
    return rpc<wf::DeleteWorkerDeploymentResponse>(request).status();
  }
};

TEST_F(DeploymentTest, worker_deployment_by_poll) {
  make_version("1.0");
  const Info info = describe_deployment();
  EXPECT_EQ(info.name(), deployment);
  EXPECT_TRUE(info.has_create_time());
  EXPECT_EQ(info.routing_config().current_version(), "__unversioned__");
  EXPECT_FALSE(info.routing_config().has_current_deployment_version());
  EXPECT_EQ(info.last_modifier_identity(), "");
  ASSERT_THAT(info.version_summaries(), SizeIs(1));
  const auto& summary = info.version_summaries(0);
  EXPECT_EQ(summary.version(), deployment + ".1.0");
  EXPECT_EQ(summary.status(), enums::WORKER_DEPLOYMENT_VERSION_STATUS_INACTIVE);
  EXPECT_FALSE(summary.has_current_since_time());
  const auto described = try_describe_version("1.0");
  ASSERT_TRUE(described.ok()) << described.status();
  const VersionInfo& version = described->worker_deployment_version_info();
  EXPECT_EQ(version.version(), deployment + ".1.0");
  EXPECT_EQ(version.deployment_version().build_id(), "1.0");
  EXPECT_EQ(version.status(), enums::WORKER_DEPLOYMENT_VERSION_STATUS_INACTIVE);
  EXPECT_FALSE(version.has_drainage_info());
  ASSERT_THAT(version.task_queue_infos(), SizeIs(1));
  EXPECT_EQ(version.task_queue_infos(0).name(), queue);
  EXPECT_EQ(version.task_queue_infos(0).type(), enums::TASK_QUEUE_TYPE_WORKFLOW);
  ASSERT_THAT(described->version_task_queues(), SizeIs(1));
  try_poll_activity("1.0");
  eventually([&] { return describe_version("1.0").task_queue_infos_size() == 2; });
}

TEST_F(DeploymentTest, worker_deployment_bad_polls) {
  const auto refusal = [this](const std::string& name, const std::string& build) {
    auto request = poll_request("x");
    request.mutable_deployment_options()->set_deployment_name(name);
    request.mutable_deployment_options()->set_build_id(build);
    const auto reply = rpc<Task>(request, kShortPoll);
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kInvalidArgument) << reply.status();
    return std::string(reply.status().message());
  };
  if (server_is("1.29")) GTEST_SKIP() << "it checks less";
  EXPECT_EQ(refusal("", "1.0"), "Deployment name and build id must be set together.");
  EXPECT_EQ(refusal("a", ""), "Deployment name and build id must be set together.");
  EXPECT_EQ(refusal("a.b", "1.0"), "worker deployment name cannot contain '.'");
  EXPECT_EQ(refusal("a:b", "1.0"), "worker deployment name cannot contain ':'");
  EXPECT_EQ(refusal("__a", "1.0"), "WorkerDeploymentName cannot start with '__'");
  EXPECT_EQ(refusal("a", std::string(600, 'b')), "size of BuildID larger than the maximum allowed");
}

TEST_F(DeploymentTest, worker_deployment_current_version) {
  make_version("1.0");
  auto reply = set_current("1.0");
  EXPECT_EQ(reply.previous_version(), "__unversioned__");
  EXPECT_FALSE(reply.has_previous_deployment_version());
  EXPECT_EQ(reply.conflict_token(), conflict_token());
  const Info info = describe_deployment();
  EXPECT_EQ(info.routing_config().current_version(), deployment + ".1.0");
  EXPECT_EQ(info.routing_config().current_deployment_version().build_id(), "1.0");
  EXPECT_TRUE(info.routing_config().has_current_version_changed_time());
  EXPECT_EQ(info.last_modifier_identity(), "operator");
  const auto first = summary("1.0");
  EXPECT_EQ(first.status(), enums::WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT);
  EXPECT_TRUE(first.has_current_since_time());
  EXPECT_TRUE(first.has_first_activation_time());
  EXPECT_FALSE(first.has_last_deactivation_time());
  EXPECT_FALSE(describe_version("1.0").has_drainage_info());
  make_version("2.0");
  reply = set_current("2.0");
  EXPECT_EQ(reply.previous_version(), deployment + ".1.0");
  EXPECT_EQ(reply.previous_deployment_version().build_id(), "1.0");
  const auto before = describe_version("1.0");
  EXPECT_EQ(before.status(), enums::WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING);
  EXPECT_EQ(before.drainage_info().status(), enums::VERSION_DRAINAGE_STATUS_DRAINING);
  EXPECT_FALSE(before.has_current_since_time());
  EXPECT_TRUE(summary("1.0").has_last_deactivation_time());
  EXPECT_THAT(set_current("").previous_version(), deployment + ".2.0");
  EXPECT_EQ(describe_deployment().routing_config().current_version(), "__unversioned__");
}

TEST_F(DeploymentTest, worker_deployment_same_again) {
  make_version("1.0");
  set_current("1.0");
  const std::string token = conflict_token();
  EXPECT_EQ(set_current("1.0").previous_version(), deployment + ".1.0");
  EXPECT_EQ(conflict_token(), token);
  auto request = current_request("1.0");
  request.set_identity("somebody else");
  EXPECT_TRUE(rpc<wf::SetWorkerDeploymentCurrentVersionResponse>(request).ok());
  EXPECT_EQ(describe_deployment().last_modifier_identity(), "somebody else");
  EXPECT_NE(conflict_token(), token);
}

TEST_F(DeploymentTest, worker_deployment_ramping_version) {
  make_version("1.0");
  set_current("1.0");
  make_version("2.0");
  auto reply = set_ramping("2.0", 30);
  EXPECT_EQ(reply.previous_percentage(), 0);
  Info info = describe_deployment();
  EXPECT_EQ(info.routing_config().ramping_version(), deployment + ".2.0");
  EXPECT_EQ(info.routing_config().ramping_deployment_version().build_id(), "2.0");
  EXPECT_EQ(info.routing_config().ramping_version_percentage(), 30);
  EXPECT_EQ(summary("2.0").status(), enums::WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING);
  const VersionInfo ramping = describe_version("2.0");
  EXPECT_EQ(ramping.ramp_percentage(), 30);
  EXPECT_TRUE(ramping.has_ramping_since_time());
  reply = set_ramping("2.0", 60);
  EXPECT_EQ(reply.previous_percentage(), 30);
  EXPECT_EQ(reply.previous_version(), deployment + ".2.0");
  EXPECT_EQ(describe_version("2.0").ramping_since_time().seconds(),
            ramping.ramping_since_time().seconds());
  set_current("2.0");  // It ramps no more.
  info = describe_deployment();
  EXPECT_FALSE(info.routing_config().has_ramping_deployment_version());
  EXPECT_EQ(info.routing_config().ramping_version(), "");
  EXPECT_EQ(info.routing_config().ramping_version_percentage(), 0);
  EXPECT_EQ(describe_version("2.0").status(), enums::WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT);
}

TEST_F(DeploymentTest, worker_deployment_ramp_ends) {
  make_version("1.0");
  set_current("1.0");
  make_version("2.0");
  set_ramping("2.0", 10);
  EXPECT_EQ(set_ramping("", 0).previous_version(), deployment + ".2.0");
  EXPECT_FALSE(describe_deployment().routing_config().has_ramping_deployment_version());
  EXPECT_EQ(describe_version("2.0").status(), enums::WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING);
  set_ramping("", 25);  // To workers without a version.
  EXPECT_EQ(describe_deployment().routing_config().ramping_version(), "__unversioned__");
  EXPECT_EQ(describe_deployment().routing_config().ramping_version_percentage(), 25);
}

TEST_F(DeploymentTest, worker_deployment_refusals) {
  const auto kInvalid = absl::StatusCode::kInvalidArgument;
  const auto kNotFound = absl::StatusCode::kNotFound;
  const auto kPrecondition = absl::StatusCode::kFailedPrecondition;
  if (server_is("1.29")) GTEST_SKIP() << "it has other words";
  EXPECT_EQ(refusal(current_request("1.0"), kNotFound),
            absl::StrCat("no Worker Deployment found with name '", deployment,
                         "'; does your Worker Deployment have pollers?"));
  make_version("1.0");
  const std::string unknown =
      absl::StrCat("build ID 'none' not found in Worker Deployment '", deployment, "'");
  EXPECT_EQ(refusal(current_request("none"), kNotFound), unknown);
  EXPECT_EQ(refusal(ramping_request("none", 5), kNotFound), unknown);
  for (const float percentage : {-1.0F, 100.5F, 1e9F}) {
    EXPECT_EQ(refusal(ramping_request("1.0", percentage), kInvalid),
              "Percentage must be between 0 and 100 (inclusive)");
  }
  SetCurrent other = current_request("");
  other.set_version("other.1.0");
  EXPECT_EQ(refusal(other, kInvalid),
            absl::StrCat("invalid version string 'other.1.0' does not match deployment name '",
                         deployment, "'"));
  other.set_version("nothing");
  EXPECT_EQ(refusal(other, kInvalid),
            "invalid version string: expected delimiter ':' or '.' not found in version string "
            "nothing");
  SetCurrent nameless = current_request("1.0");
  nameless.clear_deployment_name();
  EXPECT_EQ(refusal(nameless, kInvalid), "deployment name cannot be empty");
  SetRamping nameless_ramp = ramping_request("1.0", 5);
  nameless_ramp.clear_deployment_name();
  EXPECT_EQ(refusal(nameless_ramp, kInvalid),
            "invalid version string: deployment name is empty in version string .1.0");
  SetRamping stale = ramping_request("1.0", 5);
  stale.set_conflict_token("stale");
  EXPECT_EQ(refusal(stale, kPrecondition), "conflict token mismatch");
  set_current("1.0");
  EXPECT_EQ(refusal(ramping_request("1.0", 5), kPrecondition),
            absl::StrCat("requested ramping version ", deployment, ".1.0 is already current"));
  EXPECT_EQ(delete_version("1.0").message(),
            absl::StrCat("version '", deployment,
                         ":1.0' cannot be deleted since it is current or ramping"));
  EXPECT_EQ(try_describe_version("none").status().message(), "Worker Deployment Version not found");
}

TEST_F(DeploymentTest, worker_deployment_missing_queues) {
  if (server_is("1.29")) GTEST_SKIP() << "it has other words";
  make_version("1.0");
  const std::string second = queue + "-2";
  make_version("1.0", second);
  set_current("1.0");
  make_version("2.0");
  // Nothing is missed at a queue that nobody uses.
  start([&](Start& request) { request.mutable_task_queue()->set_name(second); });
  const std::string text = absl::StrCat(
      "proposed current version '", deployment,
      ":2.0' is missing active task queues from the current version; these would become "
      "unversioned if it is set as the current version");
  eventually([&] {
    return rpc<wf::SetWorkerDeploymentCurrentVersionResponse>(current_request("2.0"))
               .status()
               .message() == text;
  });
  SetCurrent anyway = current_request("2.0");
  anyway.set_ignore_missing_task_queues(true);
  EXPECT_TRUE(rpc<wf::SetWorkerDeploymentCurrentVersionResponse>(anyway).ok());
}

TEST_F(DeploymentTest, worker_deployment_without_pollers) {
  SetCurrent request = current_request("1.0");
  request.set_allow_no_pollers(true);
  const auto reply = rpc<wf::SetWorkerDeploymentCurrentVersionResponse>(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(describe_version("1.0").status(), enums::WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT);
  EXPECT_THAT(describe_version("1.0").task_queue_infos(), SizeIs(0));
}

TEST_F(DeploymentTest, worker_deployment_managers) {
  make_version("1.0");
  auto reply = set_manager("manager", conflict_token());
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->previous_manager_identity(), "");
  EXPECT_EQ(describe_deployment().manager_identity(), "manager");
  EXPECT_EQ(refusal(current_request("1.0"), absl::StatusCode::kFailedPrecondition),
            "ManagerIdentity 'manager' is set and does not match user identity 'operator'; to "
            "proceed, set your own identity as the ManagerIdentity, remove the ManagerIdentity, or "
            "wait for the other client to do so");
  EXPECT_EQ(set_manager("x", "stale").status().message(), "conflict token mismatch");
  reply = set_manager("", reply->conflict_token());
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->previous_manager_identity(), "manager");
  set_current("1.0");
  wf::SetWorkerDeploymentManagerRequest self;
  self.set_namespace_(ns);
  self.set_deployment_name(deployment);
  self.set_self(true);
  EXPECT_EQ(rpc<wf::SetWorkerDeploymentManagerResponse>(self).status().message(),
            "Identity is required");
  self.set_identity("me");
  EXPECT_TRUE(rpc<wf::SetWorkerDeploymentManagerResponse>(self).ok());
  EXPECT_EQ(describe_deployment().manager_identity(), "me");
}

TEST_F(DeploymentTest, worker_deployment_version_metadata) {
  make_version("1.0");
  wf::UpdateWorkerDeploymentVersionMetadataRequest request;
  request.set_namespace_(ns);
  *request.mutable_deployment_version() = version("1.0");
  EXPECT_EQ(rpc<wf::UpdateWorkerDeploymentVersionMetadataResponse>(request).status().message(),
            "At least one of remove_entries or upsert_entries must be provided");
  (*request.mutable_upsert_entries())["commit"] = payload("\"abc\"");
  (*request.mutable_upsert_entries())["owner"] = payload("\"ann\"");
  auto reply = rpc<wf::UpdateWorkerDeploymentVersionMetadataResponse>(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_THAT(reply->metadata().entries(), SizeIs(2));
  request.clear_upsert_entries();
  request.add_remove_entries("owner");
  reply = rpc<wf::UpdateWorkerDeploymentVersionMetadataResponse>(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_THAT(reply->metadata().entries(), SizeIs(1));
  EXPECT_EQ(describe_version("1.0").metadata().entries().at("commit").data(), "\"abc\"");
}

TEST_F(DeploymentTest, worker_deployment_list) {
  make_version("1.0");
  set_current("1.0");
  make_version("2.0");
  set_ramping("2.0", 5);
  eventually([&] {
    wf::ListWorkerDeploymentsRequest request;
    request.set_namespace_(ns);
    auto reply = rpc<wf::ListWorkerDeploymentsResponse>(request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    for (const auto& each : reply->worker_deployments()) {
      if (each.name() != deployment) continue;
      return each.routing_config().ramping_version() == deployment + ".2.0" &&
             each.current_version_summary().version() == deployment + ".1.0" &&
             each.ramping_version_summary().status() ==
                 enums::WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING &&
             each.latest_version_summary().version() == deployment + ".2.0" &&
             each.has_create_time();
    }
    return false;
  });
}

TEST_F(DeploymentTest, worker_deployment_drains) {
  make_version("1.0");
  set_current("1.0");
  make_version("2.0");
  start();
  respond_as(poll_as("1.0"), "1.0", kPinned, {});
  set_current("2.0");
  if (!server_is("1.29")) {
    EXPECT_EQ(
        delete_version("1.0").message(),
        absl::StrCat("version '", deployment, ":1.0' cannot be deleted since it is draining"));
  }
  // It is looked at again and again while the run is open.
  const auto begun = describe_version("1.0").drainage_info();
  eventually([&] {
    const auto now = describe_version("1.0").drainage_info();
    return now.last_checked_time().seconds() > begun.last_changed_time().seconds();
  });
  EXPECT_EQ(describe_version("1.0").status(), enums::WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING);
  EXPECT_TRUE(terminate().ok());
  eventually([&] {
    return describe_version("1.0").status() == enums::WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED;
  });
  EXPECT_EQ(describe_version("1.0").drainage_info().status(),
            enums::VERSION_DRAINAGE_STATUS_DRAINED);
  if (!server_is("1.29")) {
    EXPECT_EQ(delete_version("1.0").message(),
              absl::StrCat("version '", deployment,
                           ":1.0' cannot be deleted since it has active pollers"));
    EXPECT_EQ(summary("1.0").status(), enums::WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED);
  }
  set_current("1.0");  // Back again.
  EXPECT_FALSE(describe_version("1.0").has_drainage_info());
}

TEST_F(DeploymentTest, worker_deployment_version_without_a_build) {
  make_version("1.0");
  const auto refused = [](const absl::Status& status, const std::string& text) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_EQ(status.message(),
              absl::StrCat("invalid version string \"", text,
                           "\", expected format is \"<deployment_name>.<build_id>\""));
  };
  refused(delete_version(""), deployment + ".");
  refused(try_describe_version("").status(), deployment + ".");
  wf::DescribeWorkerDeploymentVersionRequest nameless;
  nameless.set_namespace_(ns);
  nameless.mutable_deployment_version()->set_build_id("1.0");
  refused(rpc<wf::DescribeWorkerDeploymentVersionResponse>(nameless).status(), ".1.0");
  EXPECT_TRUE(try_describe_version("1.0").ok());
}

TEST_F(DeploymentTest, worker_deployment_deleted) {
  SetCurrent request = current_request("1.0");
  request.set_allow_no_pollers(true);
  ASSERT_TRUE(rpc<wf::SetWorkerDeploymentCurrentVersionResponse>(request).ok());
  EXPECT_FALSE(delete_deployment().ok());
  if (!server_is("1.29")) {
    EXPECT_EQ(delete_deployment(),
              absl::FailedPreconditionError("deployment has versions, can't be deleted"));
  }
  // Of one without queues the genuine server never says that it has told them.
  EXPECT_TRUE(rpc<wf::SetWorkerDeploymentCurrentVersionResponse>(current_request("")).ok());
  EXPECT_TRUE(delete_version("1.0", /*skip_drainage=*/true).ok());
  EXPECT_EQ(try_describe_version("1.0").status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(delete_version("1.0").ok());  // It is not there.
  EXPECT_THAT(describe_deployment().version_summaries(), SizeIs(0));
  EXPECT_TRUE(delete_deployment().ok());
  eventually(
      [&] { return try_describe_deployment().status().code() == absl::StatusCode::kNotFound; });
  EXPECT_TRUE(delete_deployment().ok());
}

}  // namespace
}  // namespace chimera::conformance
