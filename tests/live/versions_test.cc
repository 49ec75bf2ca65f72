// Runs of versioned workers: pinned ones stay, auto-upgrade ones move, ramps, overrides, and where
// a run goes that continues as new.
#include "tests/live/versions.h"

namespace chimera::live {
namespace {

constexpr auto kPinned = VersioningBehavior::kPinned;
constexpr auto kAutoUpgrade = VersioningBehavior::kAutoUpgrade;

class VersionsLive : public Versions {
 protected:
  template <VersioningBehavior kBehavior>
  void run_over_a_change(const std::string& expected) {
    const auto one = worker_of("1", kWaits<kBehavior>), two = worker_of("2", kWaits<kBehavior>);
    make_current("1");
    const auto handle = start<&Waits<kBehavior>::run>();
    wait_for_build(handle.id(), "1");
    make_current("2");
    handle.signal("finish");
    EXPECT_EQ(handle.result(), expected);
  }
  WorkflowOptions on(VersioningOverride override) {
    WorkflowOptions with = options();
    with.versioning_override = std::move(override);
    return with;
  }
};
INSTANTIATE_TEST_SUITE_P(, VersionsLive, testing::Values(std::size_t{1000}, std::size_t{0}),
                         cache_name);

TEST_P(VersionsLive, PinnedRunStays) { run_over_a_change<kPinned>("1"); }

TEST_P(VersionsLive, AutoUpgradeRunMoves) { run_over_a_change<kAutoUpgrade>("2"); }

TEST_P(VersionsLive, RampTakesNoneOrAll) {
  const auto one = worker_of("1", kWaits<kPinned>), two = worker_of("2", kWaits<kPinned>);
  make_current("1");
  for (const auto& [percentage, expected] : {std::pair(0.0F, "1"), std::pair(100.0F, "2")}) {
    ramp("2", percentage);
    const auto handle = start<&Waits<kPinned>::run>();
    handle.signal("finish");
    EXPECT_EQ(handle.result(), expected);
  }
}

TEST_P(VersionsLive, AStartGoesToTheVersionThatItNames) {
  const auto one = worker_of("1", kWaits<kAutoUpgrade>), two = worker_of("2", kWaits<kAutoUpgrade>);
  make_current("1");
  const PinnedVersioningOverride to_two{version("2")};

  const auto started = client().start_workflow<&Waits<kAutoUpgrade>::run>(on(to_two));
  started.signal("finish");
  EXPECT_EQ(started.result(), "2");
  const auto versioning = started.describe().versioning_info;
  ASSERT_TRUE(versioning.has_value());
  EXPECT_EQ(versioning->deployment_version, version("2"));
  EXPECT_EQ(versioning->versioning_override, VersioningOverride(to_two));

  const auto signalled =
      client().signal_with_start<std::string>("Waits", on(to_two), "finish", std::tuple<>());
  EXPECT_EQ(signalled.result(), "2");

  WorkflowOptions with = on(to_two);
  with.id_conflict_policy = WorkflowIdConflictPolicy::kFail;
  client()
      .start_update_with_start_workflow<void>("Waits", with, "finish_by_update", {}, std::tuple<>())
      .result();
  EXPECT_EQ(client().get_workflow_handle<std::string>(with.id).result(), "2");
}

TEST_P(VersionsLive, AnAutoUpgradeOverrideMovesWhatIsPinned) {
  const auto one = worker_of("1", kWaits<kPinned>), two = worker_of("2", kWaits<kPinned>);
  make_current("1");
  const auto handle =
      client().start_workflow<&Waits<kPinned>::run>(on(AutoUpgradeVersioningOverride{}));
  wait_for_build(handle.id(), "1");
  make_current("2");
  handle.signal("finish");
  EXPECT_EQ(handle.result(), "2");
}

TEST_P(VersionsLive, AnOpenWorkflowIsMovedAndReleased) {
  const auto one = worker_of("1", kWaits<kPinned>), two = worker_of("2", kWaits<kPinned>);
  make_current("1");
  const auto handle = start<&Waits<kPinned>::run>();
  wait_for_build(handle.id(), "1");

  const PinnedVersioningOverride to_two{version("2")};
  EXPECT_EQ(
      handle.update_workflow_execution_options({.versioning_override = to_two}).versioning_override,
      VersioningOverride(to_two));
  EXPECT_EQ(handle.describe().versioning_info->versioning_override, VersioningOverride(to_two));
  const auto cleared =
      handle.update_workflow_execution_options({.clear_versioning_override = true});
  EXPECT_EQ(cleared.versioning_override, std::nullopt);
  EXPECT_EQ(handle.describe().versioning_info->versioning_override, std::nullopt);

  handle.update_workflow_execution_options({.versioning_override = to_two});
  handle.signal("finish");
  EXPECT_EQ(handle.result(), "2");
}

TEST_P(VersionsLive, WrongOptionsOfAnOpenWorkflowAreRefused) {
  const auto handle = client().get_workflow_handle<void>("no-such");
  const auto refusal = [&](const WorkflowExecutionOptionsUpdate& update) -> std::string {
    try {
      handle.update_workflow_execution_options(update);
    } catch (const std::invalid_argument& error) {
      return error.what();
    } catch (const RpcError& error) {
      return absl::StrCat(static_cast<int>(error.code()), " ", error.what());
    }
    return "done";
  };
  EXPECT_EQ(refusal({}), "cannot update options of workflow 'no-such': none is given");
  EXPECT_EQ(refusal({.versioning_override = AutoUpgradeVersioningOverride{},
                     .clear_versioning_override = true}),
            "cannot update options of workflow 'no-such': versioning_override is given, and "
            "clear_versioning_override too");
  EXPECT_EQ(refusal({.versioning_override = PinnedVersioningOverride{{.build_id = "1"}}}),
            "PinnedVersioningOverride::version needs a deployment_name and a build_id; it has '' "
            "and '1'");
  EXPECT_THAT(refusal({.versioning_override = AutoUpgradeVersioningOverride{}}),
              testing::StartsWith("5 cannot update options of workflow 'no-such': "));
}

TEST_P(VersionsLive, ScheduledWorkflowsGoToTheVersionThatTheActionNames) {
  const auto one = worker_of("1", kWaits<kPinned>), two = worker_of("2", kWaits<kPinned>);
  make_current("1");
  const PinnedVersioningOverride to_two{version("2")};
  const auto schedule = client().create_schedule(
      queue(), {.action = start_workflow_action<&Waits<kPinned>::run>(
                    {.id = queue(), .task_queue = queue(), .versioning_override = to_two}),
                .policy = {.keep_original_workflow_id = true}});
  EXPECT_EQ(schedule.describe().schedule.action.versioning_override, VersioningOverride(to_two));
  const char* const expected = target().genuine ? "1" : "2";  // Which keeps it, and no more.
  schedule.trigger();
  eventually([&] { return !schedule.describe().info.running_actions.empty(); }, "the action");
  const auto action = schedule.describe().info.running_actions.at(0);
  const auto handle = client().get_workflow_handle<&Waits<kPinned>::run>(action.workflow_id);
  handle.signal("finish");
  EXPECT_EQ(handle.result(), expected);
  schedule.update([](const ScheduleDescription& was) {
    Schedule next = was.schedule;
    next.action.versioning_override = std::nullopt;
    return next;
  });
  EXPECT_EQ(schedule.describe().schedule.action.versioning_override, std::nullopt);
  schedule.delete_();
}

struct Renews {
  bool asked = false;
  void renew() { asked = true; }
  std::string run(std::string trail) {
    trail += workflow::info().current_deployment_version->build_id;
    if (trail.size() > 1) return trail;
    workflow::wait_condition([this] { return asked; });
    if (workflow::info().target_worker_deployment_version_changed) trail += " to ";
    workflow::continue_as_new(
        ContinueAsNewOptions{.initial_versioning_behavior =
                                 ContinueAsNewVersioningBehavior::kAutoUpgrade},
        trail);
  }
};
const auto kRenews =
    define_workflow<&Renews::run>("Renews").signal<&Renews::renew>("renew").versioning_behavior(
        kPinned);

TEST_P(VersionsLive, APinnedRunHearsOfANewVersionAndContinuesThere) {
  const auto one = worker_of("1", kRenews), two = worker_of("2", kRenews);
  make_current("1");
  const auto handle = start<&Renews::run>("");
  wait_for_build(handle.id(), "1");
  make_current("2");
  handle.signal("renew");
  EXPECT_EQ(handle.result(), server_is("1.29") ? "11" : "1 to 2");
}

struct Sends {
  std::string run(std::string build) {
    const auto own = *workflow::info().current_deployment_version;
    const PinnedVersioningOverride there{
        {.deployment_name = own.deployment_name, .build_id = build}};
    auto child =
        workflow::start_child_workflow<&Waits<kPinned>::run>({.versioning_override = there});
    child.signal("finish");
    return child.get();
  }
};
const auto kSends = define_workflow<&Sends::run>("Sends").versioning_behavior(kPinned);

TEST_P(VersionsLive, AChildGoesToTheVersionThatItsStartNames) {
  if (server_is("1.29")) GTEST_SKIP() << "it has no overrides of children";
  const auto one = worker_of("1", kSends), two = worker_of("2", kWaits<kPinned>);
  make_current("1");
  EXPECT_EQ(execute<&Sends::run>("2"), "2");
  const auto failure = failure_of(start<&Sends::run>("none"));
  EXPECT_THAT(failure.what(), testing::HasSubstr("INVALID_VERSIONING_OVERRIDE"));
}

TEST_P(VersionsLive, WrongDeploymentsAreRefused) {
  const auto refusal = [this](WorkerOptions options, const auto& definition) -> std::string {
    options.task_queue = queue();
    try {
      Worker worker(client(), std::move(options));
      worker.add(definition);
      worker.start();
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "started";
  };
  const auto& pinned = kWaits<kPinned>;
  const auto& silent = kWaits<VersioningBehavior::kUnspecified>;
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
