// Runs of versioned workers: where their tasks go, what of a version children and next runs have,
// overrides, what is shown.
#include <gmock/gmock.h>

#include "server/engine/deployments/routing.h"
#include "tests/conformance/deployment_session.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;

class VersionsTest : public DeploymentSession {
 protected:
  void make_two() {
    make_version("1.0");
    set_current("1.0");
    make_version("2.0");
  }
  HistoryEvent last_of(enums::EventType type) {
    HistoryEvent last;
    for (const HistoryEvent& event : history()) {
      if (event.event_type() == type) last = event;
    }
    return last;
  }
  std::string attribute(const std::string& name, const std::string& run_id = "") {
    const auto info = describe(run_id).workflow_execution_info();
    const auto& fields = info.search_attributes().indexed_fields();
    const auto found = fields.find(name);
    return found == fields.end() ? "" : found->second.data();
  }
  // An id of this case whose place on the ramp is below or above the half.
  std::string id_on_ramp(bool below) {
    for (int i = 0;; ++i) {
      std::string candidate = absl::StrCat(id, "-", i);
      if ((server::ramp_threshold(candidate) <= 50) == below) return candidate;
    }
  }
};

TEST_F(VersionsTest, pinned_stays) {
  make_two();
  start();
  respond_as(poll_as("1.0"), "1.0", kPinned, {});
  const auto info = versioning();
  EXPECT_EQ(info.behavior(), kPinned);
  EXPECT_EQ(info.deployment_version().build_id(), "1.0");
  EXPECT_EQ(info.version(), deployment + ".1.0");
  const auto completed = event_of(enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
                             .workflow_task_completed_event_attributes();
  EXPECT_EQ(completed.deployment_version().build_id(), "1.0");
  EXPECT_EQ(completed.worker_deployment_name(), deployment);
  EXPECT_EQ(completed.versioning_behavior(), kPinned);
  set_current("2.0");
  ASSERT_TRUE(signal("go").ok());
  EXPECT_TRUE(gets_nothing("2.0"));
  const Task task = poll_as("1.0");
  respond_as(task, "1.0", kPinned, {complete_workflow()});
}

TEST_F(VersionsTest, auto_upgrade_moves) {
  make_two();
  start();
  respond_as(poll_as("1.0"), "1.0", kAutoUpgrade, {});
  EXPECT_EQ(versioning().behavior(), kAutoUpgrade);
  set_current("2.0");
  ASSERT_TRUE(signal("go").ok());
  EXPECT_TRUE(gets_nothing("1.0"));
  const Task task = poll_as("2.0");
  EXPECT_EQ(versioning().version_transition().deployment_version().build_id(), "2.0");
  respond_as(task, "2.0", kAutoUpgrade, {});
  EXPECT_FALSE(versioning().has_version_transition());
  EXPECT_EQ(versioning().deployment_version().build_id(), "2.0");
}

TEST_F(VersionsTest, unversioned_moves) {
  start();
  respond(poll(), {});
  EXPECT_FALSE(describe().workflow_execution_info().has_versioning_info());
  make_version("1.0");
  set_current("1.0");
  ASSERT_TRUE(signal("go").ok());
  respond_as(poll_as("1.0"), "1.0", kPinned, {});
  EXPECT_EQ(versioning().deployment_version().build_id(), "1.0");
}

TEST_F(VersionsTest, back_to_unversioned) {
  make_version("1.0");
  set_current("1.0");
  start();
  respond_as(poll_as("1.0"), "1.0", kAutoUpgrade, {});
  set_current("");
  ASSERT_TRUE(signal("go").ok());
  EXPECT_TRUE(gets_nothing("1.0"));
  respond(poll(), {});
  EXPECT_EQ(versioning().behavior(), enums::VERSIONING_BEHAVIOR_UNSPECIFIED);
  EXPECT_FALSE(versioning().has_deployment_version());
}

TEST_F(VersionsTest, waiting_task_follows_the_current_version) {
  make_two();
  start();
  set_current("2.0");
  const Task task = poll_as("2.0");
  respond_as(task, "2.0", kPinned, {complete_workflow()});
}

TEST_F(VersionsTest, ramp_zero_and_all) {
  make_two();
  set_ramping("2.0", 0);
  start();
  respond_as(poll_as("1.0"), "1.0", kAutoUpgrade, {});
  set_ramping("2.0", 100);
  ASSERT_TRUE(signal("go").ok());
  respond_as(poll_as("2.0"), "2.0", kAutoUpgrade, {});
}

TEST_F(VersionsTest, ramp_by_id) {
  make_two();
  set_ramping("2.0", 50);
  const std::string below = id_on_ramp(true), above = id_on_ramp(false);
  start([&](Start& request) { request.set_workflow_id(below); });
  EXPECT_EQ(poll_as("2.0").workflow_execution().workflow_id(), below);
  start([&](Start& request) { request.set_workflow_id(above); });
  EXPECT_EQ(poll_as("1.0").workflow_execution().workflow_id(), above);
}

TEST_F(VersionsTest, ramp_to_unversioned) {
  make_version("1.0");
  set_current("1.0");
  set_ramping("", 100);
  start();
  respond(poll(), {complete_workflow()});
}

TEST_F(VersionsTest, activity_of_pinned_run) {
  make_two();
  try_poll_activity("1.0");
  try_poll_activity("2.0");
  start();
  respond_as(poll_as("1.0"), "1.0", kPinned, {});
  set_current("2.0");
  ASSERT_TRUE(signal("go").ok());
  respond_as(poll_as("1.0"), "1.0", kPinned, {schedule_activity("a")});
  EXPECT_EQ(try_poll_activity("2.0").task_token(), "");
  const ActivityTask task = try_poll_activity("1.0", std::chrono::seconds(10));
  EXPECT_EQ(task.activity_id(), "a");
  const auto pending = describe().pending_activities(0);
  EXPECT_EQ(pending.last_deployment_version().build_id(), "1.0");
}

// Its queue is of no version of the run's deployment: by itself.
TEST_F(VersionsTest, activity_elsewhere) {
  make_version("1.0");
  set_current("1.0");
  start();
  const std::string other = queue + "-other";
  Command command =
      schedule_activity("a", [&](auto& a) { a.mutable_task_queue()->set_name(other); });
  respond_as(poll_as("1.0"), "1.0", kPinned, {std::move(command)});
  EXPECT_EQ(try_poll_activity("", std::chrono::seconds(10), other).activity_id(), "a");
}

// An activity that the new version's workers take brings the run there first.
TEST_F(VersionsTest, activity_moves_run) {
  make_two();
  try_poll_activity("1.0");
  try_poll_activity("2.0");
  start();
  respond_as(poll_as("1.0"), "1.0", kAutoUpgrade, {schedule_activity("a")});
  set_current("2.0");
  EXPECT_EQ(try_poll_activity("2.0").task_token(), "");
  EXPECT_EQ(versioning().version_transition().deployment_version().build_id(), "2.0");
  respond_as(poll_as("2.0"), "2.0", kAutoUpgrade, {});
  EXPECT_EQ(try_poll_activity("2.0", std::chrono::seconds(10)).activity_id(), "a");
}

TEST_F(VersionsTest, sticky_stays_and_leaves) {
  make_two();
  start();
  const auto stick = [&](Respond& request, const std::string& build) {
    of_version(build, request);
    request.set_versioning_behavior(kAutoUpgrade);
    auto& attributes = *request.mutable_sticky_attributes();
    attributes.mutable_worker_task_queue()->set_name(sticky);
    attributes.mutable_worker_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
    attributes.mutable_worker_task_queue()->set_normal_name(queue);
    attributes.mutable_schedule_to_start_timeout()->set_seconds(5);
  };
  const auto poll_sticky_as = [&](const std::string& build) {
    auto request = poll_request(build, sticky);
    request.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
    request.mutable_task_queue()->set_normal_name(queue);
    auto task = rpc<Task>(request, kShortPoll);
    EXPECT_TRUE(task.ok()) << task.status();
    return task.ok() ? *task : Task();
  };
  poll_sticky_as("1.0");
  respond(poll_as("1.0"), {}, [&](Respond& request) { stick(request, "1.0"); });
  ASSERT_TRUE(signal("one").ok());
  const Task at_home = poll_sticky_as("1.0");
  ASSERT_FALSE(at_home.task_token().empty());
  respond(at_home, {}, [&](Respond& request) { stick(request, "1.0"); });
  set_current("2.0");
  ASSERT_TRUE(signal("two").ok());
  EXPECT_EQ(poll_sticky_as("1.0").task_token(), "");
  EXPECT_GT(poll_as("2.0").history().events_size(), 5);  // All of it.
}

TEST_F(VersionsTest, child_of_pinned) {
  make_two();
  start();
  const Task task = poll_as("1.0");
  set_current("2.0");
  respond_as(task, "1.0", kPinned, {start_child(id + "-child")});
  const Task first = poll_as("1.0");
  const Task second = poll_as("1.0");
  const Task& child = first.workflow_execution().workflow_id() == id ? second : first;
  EXPECT_EQ(child.workflow_execution().workflow_id(), id + "-child");
  EXPECT_EQ(child.history()
                .events(0)
                .workflow_execution_started_event_attributes()
                .inherited_pinned_version()
                .build_id(),
            "1.0");
}

TEST_F(VersionsTest, continue_as_new_of_pinned) {
  make_two();
  start();
  respond_as(poll_as("1.0"), "1.0", kPinned, {continue_as_new()});
  set_current("2.0");
  const Task next = poll_as("1.0");
  EXPECT_EQ(next.history()
                .events(0)
                .workflow_execution_started_event_attributes()
                .inherited_pinned_version()
                .build_id(),
            "1.0");
  EXPECT_EQ(versioning().behavior(), kPinned);
}

TEST_F(VersionsTest, continue_as_new_upgrades) {
  if (server_is("1.29")) GTEST_SKIP() << "it cannot";
  make_two();
  start();
  Command again = continue_as_new();
  again.mutable_continue_as_new_workflow_execution_command_attributes()
      ->set_initial_versioning_behavior(enums::CONTINUE_AS_NEW_VERSIONING_BEHAVIOR_AUTO_UPGRADE);
  respond_as(poll_as("1.0"), "1.0", kPinned, {std::move(again)});
  set_current("2.0");
  respond_as(poll_as("2.0"), "2.0", kPinned, {});
  EXPECT_EQ(versioning().deployment_version().build_id(), "2.0");
}

TEST_F(VersionsTest, retry_and_cron) {
  make_two();
  start([](Start& request) {
    request.mutable_retry_policy()->mutable_initial_interval()->set_nanos(1'000'000);
    request.mutable_retry_policy()->set_maximum_attempts(2);
  });
  const Task task = poll_as("1.0");
  set_current("2.0");
  respond_as(task, "1.0", kPinned, {fail_workflow("once more")});
  // It has inherited nothing, and so hands on nothing.
  respond_as(poll_as("2.0"), "2.0", kPinned, {complete_workflow()});
}

TEST_F(VersionsTest, override_at_start) {
  make_two();
  start([&](Start& request) { *request.mutable_versioning_override() = pinned_to("2.0"); });
  EXPECT_EQ(versioning().versioning_override().pinned().version().build_id(), "2.0");
  EXPECT_EQ(versioning().versioning_override().pinned_version(), deployment + ".2.0");
  EXPECT_TRUE(gets_nothing("1.0"));
  respond_as(poll_as("2.0"), "2.0", kAutoUpgrade, {});
  EXPECT_EQ(attribute("TemporalWorkflowVersioningBehavior"), "\"Pinned\"");
  EXPECT_EQ(attribute("TemporalWorkerDeploymentVersion"), absl::StrCat("\"", deployment, ":2.0\""));
}

TEST_F(VersionsTest, older_override_at_start) {
  make_two();
  start([&](Start& request) {
    request.mutable_versioning_override()->set_behavior(kPinned);
    request.mutable_versioning_override()->set_pinned_version(deployment + ".2.0");
  });
  respond_as(poll_as("2.0"), "2.0", kAutoUpgrade, {});
}

TEST_F(VersionsTest, override_at_signal_with_start) {
  make_two();
  wf::SignalWithStartWorkflowExecutionRequest request;
  const Start base = start_request();
  request.set_namespace_(ns);
  request.set_workflow_id(id);
  *request.mutable_workflow_type() = base.workflow_type();
  *request.mutable_task_queue() = base.task_queue();
  request.set_signal_name("go");
  *request.mutable_versioning_override() = pinned_to("2.0");
  const auto reply = rpc<wf::SignalWithStartWorkflowExecutionResponse>(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  respond_as(poll_as("2.0"), "2.0", kAutoUpgrade, {complete_workflow()});
}

TEST_F(VersionsTest, override_refusals) {
  if (server_is("1.29")) GTEST_SKIP() << "it checks less";
  const auto refusal = [this](const Override& override) {
    Start request = start_request();
    *request.mutable_versioning_override() = override;
    return std::string(rpc<wf::StartWorkflowExecutionResponse>(request).status().message());
  };
  make_version("1.0");
  EXPECT_EQ(refusal(pinned_to("none")),
            absl::StrCat("Pinned version '", deployment, ":none' is not present in task queue '",
                         queue, "' of type 'Workflow'"));
  Override override;
  EXPECT_EQ(refusal(override), "override behavior is required");
  override.set_auto_upgrade(false);
  EXPECT_EQ(refusal(override), "auto-upgrade override must be true");
  override.mutable_pinned();
  EXPECT_EQ(refusal(override), "must provide version if override is pinned.");
  *override.mutable_pinned()->mutable_version() = version("1.0");
  EXPECT_EQ(refusal(override), "must specify pinned override behavior if override is pinned.");
  override.Clear();
  override.set_behavior(kPinned);
  EXPECT_EQ(refusal(override),
            "must provide deployment (deprecated) or pinned version if behavior is 'PINNED'");
  override.set_pinned_version("nothing");
  EXPECT_EQ(refusal(override),
            "invalid version string \"nothing\", expected format is "
            "\"<deployment_name>.<build_id>\"");
}

// What it says is in use again.
TEST_F(VersionsTest, override_reactivates) {
  if (server_is("1.29")) GTEST_SKIP() << "it does not";
  make_version("1.0");
  start([&](Start& request) { *request.mutable_versioning_override() = pinned_to("1.0"); });
  eventually([&] {
    return describe_version("1.0").status() == enums::WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING;
  });
}

TEST_F(VersionsTest, target_changed_is_told) {
  make_two();
  start();
  respond_as(poll_as("1.0"), "1.0", kPinned, {});
  ASSERT_TRUE(signal("one").ok());
  respond_as(poll_as("1.0"), "1.0", kPinned, {});
  set_current("2.0");
  ASSERT_TRUE(signal("two").ok());
  respond_as(poll_as("1.0"), "1.0", kPinned, {});
  const auto started =
      last_of(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED).workflow_task_started_event_attributes();
  if (!server_is("1.29")) {
    EXPECT_TRUE(started.target_worker_deployment_version_changed());
  }
  EXPECT_FALSE(event_of(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED)
                   .workflow_task_started_event_attributes()
                   .target_worker_deployment_version_changed());
}

TEST_F(VersionsTest, search_attributes) {
  make_two();
  start();
  respond_as(poll_as("1.0"), "1.0", kPinned, {});
  EXPECT_EQ(attribute("TemporalWorkerDeployment"), absl::StrCat("\"", deployment, "\""));
  EXPECT_EQ(attribute("TemporalWorkerDeploymentVersion"), absl::StrCat("\"", deployment, ":1.0\""));
  EXPECT_EQ(attribute("TemporalWorkflowVersioningBehavior"), "\"Pinned\"");
  EXPECT_THAT(attribute("BuildIds"), HasSubstr(absl::StrCat("pinned:", deployment, ":1.0")));
  if (!server_is("1.29")) {
    EXPECT_EQ(attribute("TemporalUsedWorkerDeploymentVersions"),
              absl::StrCat("[\"", deployment, ":1.0\"]"));
  }
  eventually([&] {
    wf::CountWorkflowExecutionsRequest request;
    request.set_namespace_(ns);
    request.set_query(absl::StrCat("TemporalWorkerDeploymentVersion = '", deployment,
                                   ":1.0' AND TemporalWorkflowVersioningBehavior = 'Pinned'"));
    const auto count = rpc<wf::CountWorkflowExecutionsResponse>(request);
    return count.ok() && count->count() == 1;
  });
}

TEST_F(VersionsTest, described_queue) {
  make_two();
  set_ramping("2.0", 20);
  wf::DescribeTaskQueueRequest request;
  request.set_namespace_(ns);
  request.mutable_task_queue()->set_name(queue);
  eventually([&] {
    const auto reply = rpc<wf::DescribeTaskQueueResponse>(request);
    return reply.ok() && reply->versioning_info().current_version() == deployment + ".1.0" &&
           reply->versioning_info().ramping_version() == deployment + ".2.0" &&
           reply->versioning_info().ramping_version_percentage() == 20 &&
           reply->versioning_info().has_update_time() && reply->pollers_size() == 2;
  });
}

TEST_F(VersionsTest, query_of_pinned) {
  make_two();
  start();
  respond_as(poll_as("1.0"), "1.0", kPinned, {});
  set_current("2.0");
  std::thread worker([&] {
    const Task task = poll_as("1.0");
    wf::RespondQueryTaskCompletedRequest answer;
    answer.set_namespace_(ns);
    answer.set_task_token(task.task_token());
    answer.set_completed_type(enums::QUERY_RESULT_TYPE_ANSWERED);
    *answer.mutable_query_result() = payloads("\"here\"");
    EXPECT_TRUE(rpc<wf::RespondQueryTaskCompletedResponse>(answer).ok());
  });
  wf::QueryWorkflowRequest query;
  query.set_namespace_(ns);
  *query.mutable_execution() = execution();
  query.mutable_query()->set_query_type("where");
  const auto reply = rpc<wf::QueryWorkflowResponse>(query);
  worker.join();
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->query_result().payloads(0).data(), "\"here\"");
}

// A failed task of the new version leaves the run on its way there.
TEST_F(VersionsTest, failed_task_while_moving) {
  make_two();
  start();
  respond_as(poll_as("1.0"), "1.0", kAutoUpgrade, {});
  set_current("2.0");
  ASSERT_TRUE(signal("go").ok());
  wf::RespondWorkflowTaskFailedRequest failed;
  failed.set_namespace_(ns);
  failed.set_task_token(poll_as("2.0").task_token());
  failed.set_identity("worker");
  failed.mutable_failure()->set_message("a bug");
  of_version("2.0", failed);
  ASSERT_TRUE(rpc<wf::RespondWorkflowTaskFailedResponse>(failed).ok());
  EXPECT_EQ(versioning().version_transition().deployment_version().build_id(), "2.0");
  respond_as(poll_as("2.0"), "2.0", kAutoUpgrade, {complete_workflow()});
}

TEST_F(VersionsTest, reset_keeps_version) {
  make_two();
  start();
  respond_as(poll_as("1.0"), "1.0", kPinned, {});
  ASSERT_TRUE(signal("go").ok());
  respond_as(poll_as("1.0"), "1.0", kPinned, {});
  set_current("2.0");
  wf::ResetWorkflowExecutionRequest request;
  request.set_namespace_(ns);
  *request.mutable_workflow_execution() = execution();
  request.set_workflow_task_finish_event_id(8);
  request.set_request_id("reset");
  const auto reply = rpc<wf::ResetWorkflowExecutionResponse>(request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(versioning().deployment_version().build_id(), "1.0");
  respond_as(poll_as("1.0"), "1.0", kPinned, {complete_workflow()});
}

}  // namespace
}  // namespace chimera::conformance
