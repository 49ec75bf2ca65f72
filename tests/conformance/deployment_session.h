// DeploymentSession, a case about worker versions: plays the workers of several versions of one
// deployment, and the operator who moves it from one to the next.
#ifndef CHIMERA_TESTS_CONFORMANCE_DEPLOYMENT_SESSION_H_
#define CHIMERA_TESTS_CONFORMANCE_DEPLOYMENT_SESSION_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "tests/conformance/session.h"

namespace chimera::conformance {

class DeploymentSession : public Session {
 protected:
  using VersionInfo = api::deployment::v1::WorkerDeploymentVersionInfo;
  using Info = api::deployment::v1::WorkerDeploymentInfo;
  using SetCurrent = wf::SetWorkerDeploymentCurrentVersionRequest;
  using SetRamping = wf::SetWorkerDeploymentRampingVersionRequest;
  using Override = api::workflow::v1::VersioningOverride;

  static constexpr auto kPinned = enums::VERSIONING_BEHAVIOR_PINNED;
  static constexpr auto kAutoUpgrade = enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE;
  static constexpr milliseconds kShortPoll{2300};

  const std::string deployment = absl::StrCat("d-", id);

  api::deployment::v1::WorkerDeploymentVersion version(const std::string& build) const {
    api::deployment::v1::WorkerDeploymentVersion version;
    version.set_deployment_name(deployment);
    version.set_build_id(build);
    return version;
  }
  // --- Workers. An empty build: one without a version.
  template <class Request>
  void of_version(const std::string& build, Request& request) const {
    if (build.empty()) return;
    auto& options = *request.mutable_deployment_options();
    options.set_deployment_name(deployment);
    options.set_build_id(build);
    options.set_worker_versioning_mode(enums::WORKER_VERSIONING_MODE_VERSIONED);
  }
  wf::PollWorkflowTaskQueueRequest poll_request(const std::string& build,
                                                const std::string& at = "") const {
    wf::PollWorkflowTaskQueueRequest request;
    request.set_namespace_(ns);
    request.mutable_task_queue()->set_name(at.empty() ? queue : at);
    request.set_identity(absl::StrCat("worker-", build));
    of_version(build, request);
    return request;
  }
  // The genuine server answers late when a version is new to it.
  template <class AnyTask>
  static AnyTask polled(absl::StatusOr<AnyTask> task) {
    EXPECT_TRUE(task.ok() || absl::IsDeadlineExceeded(task.status())) << task.status();
    return task.ok() ? *std::move(task) : AnyTask();
  }
  Task try_poll(const std::string& build, milliseconds patience = kShortPoll,
                const std::string& at = "") {
    return polled(rpc<Task>(poll_request(build, at), patience));
  }
  Task poll_as(const std::string& build, const std::string& at = "") {
    Task task = try_poll(build, std::chrono::seconds(10), at);
    EXPECT_FALSE(task.task_token().empty()) << "no task came to version " << build;
    return task;
  }
  bool gets_nothing(const std::string& build) { return try_poll(build).task_token().empty(); }
  ActivityTask try_poll_activity(const std::string& build, milliseconds patience = kShortPoll,
                                 const std::string& at = "") {
    wf::PollActivityTaskQueueRequest request;
    request.set_namespace_(ns);
    request.mutable_task_queue()->set_name(at.empty() ? queue : at);
    request.set_identity(absl::StrCat("worker-", build));
    of_version(build, request);
    return polled(rpc<ActivityTask>(request, patience));
  }
  wf::RespondWorkflowTaskCompletedResponse respond_as(const Task& task, const std::string& build,
                                                      enums::VersioningBehavior behavior,
                                                      std::vector<Command> commands) {
    return respond(task, std::move(commands), [&](Respond& request) {
      of_version(build, request);
      if (!build.empty()) request.set_versioning_behavior(behavior);
    });
  }
  // A worker of the version comes by, once.
  void make_version(const std::string& build, const std::string& at = "") {
    EXPECT_EQ(try_poll(build, kShortPoll, at).task_token(), "");
    const std::string& name = at.empty() ? queue : at;
    eventually([&] {
      const auto found = try_describe_version(build);
      if (!found.ok()) return false;
      for (const auto& each : found->version_task_queues()) {
        if (each.name() == name) return true;
      }
      return false;
    });
  }

  // --- The operator.
  SetCurrent current_request(const std::string& build) const {
    SetCurrent request;
    request.set_namespace_(ns);
    request.set_deployment_name(deployment);
    request.set_build_id(build);
    request.set_identity("operator");
    return request;
  }
  SetRamping ramping_request(const std::string& build, float percentage) const {
    SetRamping request;
    request.set_namespace_(ns);
    request.set_deployment_name(deployment);
    request.set_build_id(build);
    request.set_percentage(percentage);
    request.set_identity("operator");
    return request;
  }
  wf::SetWorkerDeploymentCurrentVersionResponse set_current(const std::string& build) {
    auto reply = rpc<wf::SetWorkerDeploymentCurrentVersionResponse>(current_request(build));
    EXPECT_TRUE(reply.ok()) << reply.status();
    wait_for_routing();
    return reply.ok() ? *reply : wf::SetWorkerDeploymentCurrentVersionResponse();
  }
  wf::SetWorkerDeploymentRampingVersionResponse set_ramping(const std::string& build,
                                                            float percentage) {
    auto reply =
        rpc<wf::SetWorkerDeploymentRampingVersionResponse>(ramping_request(build, percentage));
    EXPECT_TRUE(reply.ok()) << reply.status();
    wait_for_routing();
    return reply.ok() ? *reply : wf::SetWorkerDeploymentRampingVersionResponse();
  }
  absl::StatusOr<wf::DescribeWorkerDeploymentResponse> try_describe_deployment() {
    wf::DescribeWorkerDeploymentRequest request;
    request.set_namespace_(ns);
    request.set_deployment_name(deployment);
    return rpc<wf::DescribeWorkerDeploymentResponse>(request);
  }
  Info describe_deployment() {
    auto reply = try_describe_deployment();
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->worker_deployment_info() : Info();
  }
  std::string conflict_token() {
    auto reply = try_describe_deployment();
    return reply.ok() ? reply->conflict_token() : std::string();
  }
  absl::StatusOr<wf::DescribeWorkerDeploymentVersionResponse> try_describe_version(
      const std::string& build) {
    wf::DescribeWorkerDeploymentVersionRequest request;
    request.set_namespace_(ns);
    *request.mutable_deployment_version() = version(build);
    return rpc<wf::DescribeWorkerDeploymentVersionResponse>(request);
  }
  VersionInfo describe_version(const std::string& build) {
    auto reply = try_describe_version(build);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->worker_deployment_version_info() : VersionInfo();
  }
  // The genuine server tells its task queues of a change by and by.
  void wait_for_routing() {
    eventually([&] {
      return describe_deployment().routing_config_update_state() !=
             enums::ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS;
    });
  }
  void eventually(const std::function<bool()>& so) {
    for (int i = 0; i < 200; ++i) {
      if (so()) return;
      absl::SleepFor(absl::Milliseconds(100));
    }
    ADD_FAILURE() << "did not come";
  }
  absl::Status delete_version(const std::string& build, bool skip_drainage = false,
                              const std::string& identity = "operator") {
    wf::DeleteWorkerDeploymentVersionRequest request;
    request.set_namespace_(ns);
    *request.mutable_deployment_version() = version(build);
    request.set_skip_drainage(skip_drainage);
    request.set_identity(identity);
    return rpc<wf::DeleteWorkerDeploymentVersionResponse>(request).status();
  }

  // --- Runs.
  api::workflow::v1::WorkflowExecutionVersioningInfo versioning(const std::string& run_id = "") {
    return describe(run_id).workflow_execution_info().versioning_info();
  }
  Override pinned_to(const std::string& build) const {
    Override override;
    override.mutable_pinned()->set_behavior(Override::PINNED_OVERRIDE_BEHAVIOR_PINNED);
    *override.mutable_pinned()->mutable_version() = version(build);
    return override;
  }
};

}  // namespace chimera::conformance

#endif  // CHIMERA_TESTS_CONFORMANCE_DEPLOYMENT_SESSION_H_
