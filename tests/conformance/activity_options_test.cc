// D: what an operator does to pending activities: pause, unpause, reset, change of options.
#include "tests/conformance/session.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;
using PendingActivity = api::workflow::v1::PendingActivityInfo;

constexpr char kNoSuchActivity[] = "Can't find pending activity with such ID";

class ActivityOptionsTest : public Session {
 protected:
  // Starts a workflow that has scheduled activity "1", with a retry after `interval`.
  void start_with_activity(milliseconds interval = milliseconds(100)) {
    start();
    respond(poll(), {schedule_activity("1", [&](auto& a) {
              auto& first = *a.mutable_retry_policy()->mutable_initial_interval();
              first.set_seconds(interval.count() / 1000);
              first.set_nanos(static_cast<int>(interval.count() % 1000) * 1'000'000);
              a.mutable_heartbeat_timeout()->set_seconds(20);
            })});
  }

  template <class Request>
  Request about(const std::string& activity_id = "1") const {
    Request request;
    request.set_namespace_(ns);
    *request.mutable_execution() = execution();
    request.set_identity("operator");
    if (!activity_id.empty()) request.set_id(activity_id);
    return request;
  }
  absl::Status pause(const std::string& activity_id = "1") {
    auto request = about<wf::PauseActivityRequest>(activity_id);
    request.set_reason("looking at it");
    return rpc<wf::PauseActivityResponse>(request).status();
  }
  absl::Status unpause(const std::function<void(wf::UnpauseActivityRequest&)>& change = {}) {
    auto request = about<wf::UnpauseActivityRequest>();
    if (change) change(request);
    return rpc<wf::UnpauseActivityResponse>(request).status();
  }
  absl::Status reset(const std::function<void(wf::ResetActivityRequest&)>& change = {}) {
    auto request = about<wf::ResetActivityRequest>();
    if (change) change(request);
    return rpc<wf::ResetActivityResponse>(request).status();
  }

  PendingActivity pending() {
    const auto all = describe().pending_activities();
    EXPECT_EQ(all.size(), 1);
    return all.empty() ? PendingActivity() : all[0];
  }

  bool no_activity_within(milliseconds time) {
    wf::PollActivityTaskQueueRequest request;
    request.set_namespace_(ns);
    request.mutable_task_queue()->set_name(queue);
    auto reply = rpc<ActivityTask>(request, time);
    return !reply.ok() || reply->task_token().empty();
  }

  wf::RecordActivityTaskHeartbeatResponse heartbeat(const ActivityTask& task,
                                                    bool details = false) {
    wf::RecordActivityTaskHeartbeatRequest request;
    request.set_namespace_(ns);
    request.set_task_token(task.task_token());
    if (details) *request.mutable_details() = payloads("1");
    auto reply = rpc<wf::RecordActivityTaskHeartbeatResponse>(request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? *reply : wf::RecordActivityTaskHeartbeatResponse();
  }
};

TEST_F(ActivityOptionsTest, pause_unpause) {
  start_with_activity();
  ASSERT_TRUE(pause().ok());
  ASSERT_TRUE(pause().ok()) << "a second time it changes nothing";
  const PendingActivity paused = pending();
  EXPECT_EQ(paused.state(), enums::PENDING_ACTIVITY_STATE_PAUSED);
  EXPECT_TRUE(paused.paused());
  EXPECT_EQ(paused.pause_info().manual().identity(), "operator");
  EXPECT_EQ(paused.pause_info().manual().reason(), "looking at it");
  EXPECT_EQ(describe()
                .workflow_execution_info()
                .search_attributes()
                .indexed_fields()
                .at("TemporalPauseInfo")
                .data(),
            "[\"property:activityType=act\"]");
  EXPECT_TRUE(no_activity_within(milliseconds(2500)));

  ASSERT_TRUE(unpause().ok());

  EXPECT_EQ(pending().state(), enums::PENDING_ACTIVITY_STATE_SCHEDULED);
  ActivityTask task = poll_activity();
  EXPECT_EQ(task.attempt(), 1);
  EXPECT_TRUE(unpause().ok()) << "what is not paused stays as it is";
  EXPECT_TRUE(complete_activity(task).ok());
  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted ActivityScheduled ActivityStarted "
            "ActivityCompleted TaskScheduled");
}

TEST_F(ActivityOptionsTest, pause_while_running) {
  start_with_activity();
  ActivityTask task = poll_activity();
  ASSERT_TRUE(pause().ok());
  EXPECT_EQ(pending().state(), enums::PENDING_ACTIVITY_STATE_PAUSE_REQUESTED);
  EXPECT_TRUE(heartbeat(task, true).activity_paused());
  ASSERT_TRUE(fail_activity(task, "boom").ok());

  EXPECT_EQ(pending().state(), enums::PENDING_ACTIVITY_STATE_PAUSED);
  EXPECT_EQ(pending().attempt(), 2);
  EXPECT_EQ(pending().heartbeat_details().payloads_size(), 1);
  EXPECT_TRUE(no_activity_within(milliseconds(2500)));
  ASSERT_TRUE(unpause([](auto& request) { request.set_reset_heartbeat(true); }).ok());

  task = poll_activity();
  EXPECT_EQ(task.attempt(), 2);
  EXPECT_EQ(task.heartbeat_details().payloads_size(), 0);
  EXPECT_FALSE(heartbeat(task).activity_paused());
}

TEST_F(ActivityOptionsTest, unpause_reset_attempts) {
  start_with_activity(std::chrono::seconds(60));
  ASSERT_TRUE(fail_activity(poll_activity(), "boom").ok());
  ASSERT_TRUE(pause().ok());

  ASSERT_TRUE(unpause([](auto& request) { request.set_reset_attempts(true); }).ok());

  EXPECT_EQ(poll_activity().attempt(), 1) << "and it does not wait for its backoff";
}

TEST_F(ActivityOptionsTest, reset_in_backoff) {
  start_with_activity(std::chrono::seconds(60));
  ASSERT_TRUE(fail_activity(poll_activity(), "boom").ok());

  ASSERT_TRUE(reset().ok());

  ActivityTask task = poll_activity();
  EXPECT_EQ(task.attempt(), 1);
  EXPECT_TRUE(complete_activity(task).ok());
}

TEST_F(ActivityOptionsTest, reset_while_running) {
  start_with_activity();
  ActivityTask task = poll_activity();
  heartbeat(task, true);
  ASSERT_TRUE(reset([](auto& request) { request.set_reset_heartbeat(true); }).ok());
  EXPECT_EQ(pending().state(), enums::PENDING_ACTIVITY_STATE_STARTED);
  EXPECT_TRUE(heartbeat(task, true).activity_reset());
  ASSERT_TRUE(fail_activity(task, "boom").ok());

  task = poll_activity();

  EXPECT_EQ(task.attempt(), 2);
  EXPECT_EQ(task.heartbeat_details().payloads_size(), 0);
  EXPECT_FALSE(heartbeat(task).activity_reset());
}

// With its number the running attempt loses its worker: what that reports finds nothing, and the
// attempt ends by its timeout.
TEST_F(ActivityOptionsTest, reset_attempts_of_a_running_retry) {
  auto by_reset = [this] { return reset(); };
  auto by_unpause = [this] {
    EXPECT_TRUE(pause().ok());
    return unpause([](auto& request) { request.set_reset_attempts(true); });
  };
  for (const std::function<absl::Status()>& restart :
       std::initializer_list<std::function<absl::Status()>>{by_reset, by_unpause}) {
    start_with_activity();
    ASSERT_TRUE(fail_activity(poll_activity(), "boom").ok());
    ActivityTask task = poll_activity();
    EXPECT_EQ(task.attempt(), 2);

    ASSERT_TRUE(restart().ok());

    EXPECT_EQ(pending().state(), enums::PENDING_ACTIVITY_STATE_STARTED);
    EXPECT_EQ(pending().attempt(), 1);
    EXPECT_EQ(complete_activity(task).code(), absl::StatusCode::kNotFound);
    ASSERT_TRUE(terminate().ok());
  }
}

TEST_F(ActivityOptionsTest, reset_keep_paused) {
  start_with_activity(std::chrono::seconds(60));
  ASSERT_TRUE(fail_activity(poll_activity(), "boom").ok());
  ASSERT_TRUE(pause().ok());

  ASSERT_TRUE(reset([](auto& request) { request.set_keep_paused(true); }).ok());
  EXPECT_EQ(pending().state(), enums::PENDING_ACTIVITY_STATE_PAUSED);
  EXPECT_EQ(pending().attempt(), 1);
  ASSERT_TRUE(reset().ok());

  EXPECT_EQ(poll_activity().attempt(), 1);
}

TEST_F(ActivityOptionsTest, reset_of_a_running_activity_that_is_paused) {
  if (server_is("1.29")) GTEST_SKIP() << "it stays paused";
  start_with_activity();
  const auto task = poll_activity();
  ASSERT_TRUE(pause().ok());
  ASSERT_TRUE(reset([](auto& request) { request.set_keep_paused(true); }).ok());
  EXPECT_TRUE(pending().paused());
  ASSERT_TRUE(reset().ok());
  EXPECT_FALSE(pending().paused());

  ASSERT_TRUE(fail_activity(task, "boom").ok());
  EXPECT_EQ(poll_activity().attempt(), 2);
}

TEST_F(ActivityOptionsTest, options_of_a_bad_queue) {
  start_with_activity();
  auto request = about<wf::UpdateActivityOptionsRequest>();
  request.mutable_update_mask()->add_paths("task_queue.name");
  for (const std::string& name : {std::string(1001, 'q'), std::string("/_sys/x")}) {
    request.mutable_activity_options()->mutable_task_queue()->set_name(name);
    EXPECT_EQ(rpc<wf::UpdateActivityOptionsResponse>(request).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(ActivityOptionsTest, update_options) {
  start_with_activity();
  auto request = about<wf::UpdateActivityOptionsRequest>();
  auto& options = *request.mutable_activity_options();
  options.mutable_task_queue()->set_name(queue + "-other");
  options.mutable_start_to_close_timeout()->set_seconds(15);
  options.mutable_retry_policy()->set_maximum_attempts(3);
  options.mutable_heartbeat_timeout()->set_seconds(1);  // Not in the mask.
  for (const char* path :
       {"task_queue.name", "startToCloseTimeout", "retry_policy.maximum_attempts", "no_such_path"})
    request.mutable_update_mask()->add_paths(path);

  auto reply = rpc<wf::UpdateActivityOptionsResponse>(request);

  ASSERT_TRUE(reply.ok()) << reply.status();
  for (const auto& now : {reply->activity_options(), pending().activity_options()}) {
    EXPECT_EQ(now.task_queue().name(), queue + "-other");
    EXPECT_EQ(now.start_to_close_timeout().seconds(), 15);
    EXPECT_EQ(now.heartbeat_timeout().seconds(), 15) << "capped by start-to-close";
    EXPECT_EQ(now.retry_policy().maximum_attempts(), 3);
    EXPECT_EQ(now.retry_policy().backoff_coefficient(), 2);
  }
  EXPECT_TRUE(no_activity_within(milliseconds(2500))) << "it left its queue";
  queue += "-other";
  EXPECT_EQ(poll_activity().retry_policy().maximum_attempts(), 3);
}

TEST_F(ActivityOptionsTest, restore_original_options) {
  start_with_activity();
  auto request = about<wf::UpdateActivityOptionsRequest>();
  request.mutable_activity_options()->mutable_start_to_close_timeout()->set_seconds(15);
  request.mutable_update_mask()->add_paths("start_to_close_timeout");
  ASSERT_TRUE(rpc<wf::UpdateActivityOptionsResponse>(request).ok());

  request = about<wf::UpdateActivityOptionsRequest>();
  request.set_restore_original(true);
  auto reply = rpc<wf::UpdateActivityOptionsResponse>(request);

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->activity_options().start_to_close_timeout().seconds(), 30);
}

// The expiration stays that of its schedule, and the last failure is forgotten.
TEST_F(ActivityOptionsTest, changed_options_of_a_retry_that_waits) {
  start_with_activity(milliseconds(100'000));
  ASSERT_TRUE(fail_activity(poll_activity(), "boom").ok());
  ASSERT_EQ(pending().last_failure().message(), "boom");
  const auto expires = pending().expiration_time().ShortDebugString();

  auto request = about<wf::UpdateActivityOptionsRequest>();
  request.mutable_activity_options()->mutable_schedule_to_close_timeout()->set_seconds(1000);
  request.mutable_update_mask()->add_paths("schedule_to_close_timeout");
  const auto reply = rpc<wf::UpdateActivityOptionsResponse>(request);

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->activity_options().schedule_to_close_timeout().seconds(), 1000);
  EXPECT_FALSE(pending().has_last_failure());
  EXPECT_EQ(pending().expiration_time().ShortDebugString(), expires);
}

TEST_F(ActivityOptionsTest, refusals) {
  start_with_activity();
  EXPECT_EQ(pause("other").code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(pause("other").message()), HasSubstr(kNoSuchActivity));
  EXPECT_EQ(pause("").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(pause("").message()),
            "Either Activity.Id or Activity.Type should be set on request.");
  auto empty_id = about<wf::PauseActivityRequest>("");
  empty_id.set_id("");
  const absl::Status empty = rpc<wf::PauseActivityResponse>(empty_id).status();
  EXPECT_EQ(empty.code(), absl::StatusCode::kNotFound) << "an empty id is set, too: " << empty;
  auto by_type = about<wf::ResetActivityRequest>("");
  by_type.set_type("act");
  EXPECT_TRUE(rpc<wf::ResetActivityResponse>(by_type).ok());
  ASSERT_TRUE(terminate().ok());

  for (const absl::Status& status : {pause(), unpause(), reset()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
    EXPECT_EQ(std::string(status.message()), "workflow execution already completed");
  }
}

// The newer RPCs, which name an activity by its ids; server 1.29 has them not.
TEST_F(ActivityOptionsTest, by_the_newer_calls) {
  if (server_is("1.29")) return;
  start_with_activity();
  auto named = [this](auto request) {
    request.set_namespace_(ns);
    request.set_workflow_id(id);
    request.set_activity_id("1");
    request.set_identity("operator");
    return request;
  };
  auto pausing = named(wf::PauseActivityExecutionRequest());
  pausing.set_reason("looking at it");
  pausing.set_request_id("first");
  ASSERT_TRUE(rpc<wf::PauseActivityExecutionResponse>(pausing).ok());
  EXPECT_TRUE(rpc<wf::PauseActivityExecutionResponse>(pausing).ok()) << "the same once more";
  EXPECT_EQ(pending().pause_info().manual().reason(), "looking at it");
  pausing.set_request_id("second");
  const absl::Status again = rpc<wf::PauseActivityExecutionResponse>(pausing).status();
  EXPECT_EQ(again.code(), absl::StatusCode::kFailedPrecondition) << again;
  EXPECT_EQ(again.message(), "activity is already paused");
  ASSERT_TRUE(
      rpc<wf::UnpauseActivityExecutionResponse>(named(wf::UnpauseActivityExecutionRequest())).ok());
  EXPECT_EQ(pending().state(), enums::PENDING_ACTIVITY_STATE_SCHEDULED);

  auto options = named(wf::UpdateActivityExecutionOptionsRequest());
  options.mutable_activity_options()->mutable_heartbeat_timeout()->set_seconds(7);
  const absl::Status no_path = rpc<wf::UpdateActivityExecutionOptionsResponse>(options).status();
  EXPECT_EQ(no_path.message(), "UpdateMask is not provided") << no_path;
  options.mutable_update_mask()->add_paths("heartbeat_timeout");
  const auto updated = rpc<wf::UpdateActivityExecutionOptionsResponse>(options);
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->activity_options().heartbeat_timeout().seconds(), 7);
  ASSERT_TRUE(
      rpc<wf::ResetActivityExecutionResponse>(named(wf::ResetActivityExecutionRequest())).ok());

  auto wrong = named(wf::ResetActivityExecutionRequest());
  wrong.set_run_id("nonsense");
  EXPECT_EQ(rpc<wf::ResetActivityExecutionResponse>(wrong).status().message(),
            "invalid run id: must be a valid UUID");
  wrong.clear_run_id();
  wrong.set_activity_id("");
  EXPECT_EQ(rpc<wf::ResetActivityExecutionResponse>(wrong).status().message(),
            "activity ID is required");
}

// The last heartbeat's details count, even if it has none.
TEST_F(ActivityOptionsTest, heartbeat_without_details) {
  start_with_activity();
  ActivityTask task = poll_activity();
  heartbeat(task, true);
  EXPECT_EQ(pending().heartbeat_details().payloads_size(), 1);

  heartbeat(task);

  EXPECT_EQ(pending().heartbeat_details().payloads_size(), 0);
}

}  // namespace
}  // namespace chimera::conformance
