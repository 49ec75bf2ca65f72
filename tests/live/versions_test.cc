// Versions of a worker deployment: pinned runs stay, auto-upgrade runs move, ramps.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "core/rpc/connection.h"
#include "tests/live/live.h"

namespace chimera::live {
namespace {

namespace wf = api::workflowservice::v1;

CHIMERA_LIVE(VersionsLive);

// Ends with the build that its code is of.
template <int kBuild, VersioningBehavior kBehavior>
struct Waits {
  bool done = false;
  void finish() { done = true; }
  std::string run() {
    workflow::wait_condition([this] { return done; });
    return absl::StrCat(kBuild);
  }
};
template <int kBuild, VersioningBehavior kBehavior>
const auto kWaits = define_workflow<&Waits<kBuild, kBehavior>::run>("Waits")
                        .template signal<&Waits<kBuild, kBehavior>::finish>("finish")
                        .versioning_behavior(kBehavior);

// Its name has no dots.
std::string deployment_of(const WorkflowOptions& with) {
  return absl::StrReplaceAll(with.id, {{".", "-"}});
}

class Operator {
 public:
  explicit Operator(std::string deployment) : deployment_(std::move(deployment)) {
    core::ConnectionOptions options;
    options.target_host = target().address;
    auto connection = core::Connection::connect(std::move(options));
    if (connection.ok()) connection_ = *std::move(connection);
  }
  bool make_current(const std::string& build) {
    wf::SetWorkerDeploymentCurrentVersionRequest request;
    request.set_namespace_("default");
    request.set_deployment_name(deployment_);
    request.set_build_id(build);
    request.set_ignore_missing_task_queues(true);
    wf::SetWorkerDeploymentCurrentVersionResponse reply;
    return connection_
        ->call_blocking(CHIMERA_WORKFLOW_SERVICE(SetWorkerDeploymentCurrentVersion), request, reply)
        .ok();
  }
  bool ramp(const std::string& build, float percentage) {
    wf::SetWorkerDeploymentRampingVersionRequest request;
    request.set_namespace_("default");
    request.set_deployment_name(deployment_);
    request.set_build_id(build);
    request.set_percentage(percentage);
    request.set_ignore_missing_task_queues(true);
    wf::SetWorkerDeploymentRampingVersionResponse reply;
    return connection_
        ->call_blocking(CHIMERA_WORKFLOW_SERVICE(SetWorkerDeploymentRampingVersion), request, reply)
        .ok();
  }
  std::string version_of(const std::string& workflow_id) {
    wf::DescribeWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_execution()->set_workflow_id(workflow_id);
    wf::DescribeWorkflowExecutionResponse reply;
    connection_->call_blocking(CHIMERA_WORKFLOW_SERVICE(DescribeWorkflowExecution), request, reply)
        .IgnoreError();
    return reply.workflow_execution_info().versioning_info().deployment_version().build_id();
  }

 private:
  const std::string deployment_;
  std::shared_ptr<core::Connection> connection_;
};

// A worker of its own beside the fixture's.
template <int kBuild, VersioningBehavior kBehavior>
std::unique_ptr<Worker> worker_of(Client& client, const std::string& queue,
                                  const std::string& deployment, std::size_t cache) {
  WorkerOptions options{
      .task_queue = queue,
      .deployment = WorkerDeploymentConfig{
          .version = {.deployment_name = deployment, .build_id = absl::StrCat(kBuild)}}};
  options.max_cached_workflows = cache;
  auto worker = std::make_unique<Worker>(client, std::move(options));
  worker->add(kWaits<kBuild, kBehavior>);
  worker->start();
  return worker;
}

template <VersioningBehavior kBehavior>
void run_over_a_change(Client& client, const WorkflowOptions& with, std::size_t cache,
                       const std::string& expected) {
  const std::string deployment = deployment_of(with);
  Operator op(deployment);
  const auto one = worker_of<1, kBehavior>(client, with.task_queue, deployment, cache);
  const auto two = worker_of<2, kBehavior>(client, with.task_queue, deployment, cache);
  while (!op.make_current("1")) {
  }
  auto handle = client.start_workflow<std::string>("Waits", with);
  while (op.version_of(with.id) != "1") {
  }
  while (!op.make_current("2")) {
  }
  handle.signal("finish");
  EXPECT_EQ(handle.result(), expected);
}

TEST_P(VersionsLive, PinnedRunStays) {
  do_not_replay();  // Its code is another one's.
  run_over_a_change<VersioningBehavior::kPinned>(client(), options(), GetParam(), "1");
}

TEST_P(VersionsLive, AutoUpgradeRunMoves) {
  do_not_replay();
  run_over_a_change<VersioningBehavior::kAutoUpgrade>(client(), options(), GetParam(), "2");
}

TEST_P(VersionsLive, RampTakesNoneOrAll) {
  do_not_replay();
  const WorkflowOptions with = options();
  const std::string deployment = deployment_of(with);
  Operator op(deployment);
  constexpr auto kPinned = VersioningBehavior::kPinned;
  const auto one = worker_of<1, kPinned>(client(), with.task_queue, deployment, GetParam());
  const auto two = worker_of<2, kPinned>(client(), with.task_queue, deployment, GetParam());
  while (!op.make_current("1")) {
  }
  for (const auto& [percentage, expected] : {std::pair(0.0F, "1"), std::pair(100.0F, "2")}) {
    while (!op.ramp("2", percentage)) {
    }
    WorkflowOptions again = with;
    again.id = absl::StrCat(with.id, "-", percentage);
    auto handle = client().start_workflow<std::string>("Waits", again);
    handle.signal("finish");
    EXPECT_EQ(handle.result(), expected);
  }
}

TEST_P(VersionsLive, WrongDeploymentsAreRefused) {
  const auto refusal = [this](WorkerOptions options, const auto& definition) -> std::string {
    options.task_queue = queue();
    Worker worker(client(), std::move(options));
    worker.add(definition);
    try {
      worker.start();
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "started";
  };
  const auto& pinned = kWaits<1, VersioningBehavior::kPinned>;
  const auto& silent = kWaits<1, VersioningBehavior::kUnspecified>;
  const WorkerDeploymentConfig good{.version = {.deployment_name = "d", .build_id = "1"}};
  EXPECT_EQ(refusal({.build_id = "2", .deployment = good}, pinned),
            "WorkerOptions::deployment: leave WorkerOptions::build_id empty; the build is the "
            "deployment's version.build_id");
  WorkerDeploymentConfig nameless = good;
  nameless.version.deployment_name.clear();
  EXPECT_EQ(refusal({.deployment = nameless}, pinned),
            "WorkerOptions::deployment: version needs a deployment_name and a build_id");
  EXPECT_EQ(refusal({.deployment = good}, silent),
            "WorkerOptions::deployment: the workflow 'Waits' has no versioning behavior: give its "
            "definition one (.versioning_behavior(...)), or set default_versioning_behavior");
  WorkerDeploymentConfig off = good;
  off.use_worker_versioning = false;
  off.default_versioning_behavior = VersioningBehavior::kPinned;
  EXPECT_EQ(refusal({.deployment = off}, silent),
            "WorkerOptions::deployment: default_versioning_behavior has no effect without "
            "use_worker_versioning");
}

}  // namespace
}  // namespace chimera::live
