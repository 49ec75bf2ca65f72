#include "server/engine/pending/activity.h"

#include "server/base/tokens.h"
#include "tests/unit/server/engine/pending/pending_fixture.h"

namespace chimera::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ActivitiesTest : public PendingFixture {
 protected:
  static command::Command schedule(const std::string& id, int start_to_close = 10) {
    command::Command command;
    command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
    auto& a = *command.mutable_schedule_activity_task_command_attributes();
    a.set_activity_id(id);
    a.mutable_activity_type()->set_name("act");
    a.mutable_task_queue()->set_name("activities");
    a.mutable_start_to_close_timeout()->set_seconds(start_to_close);
    a.mutable_retry_policy()->set_maximum_attempts(1);
    return command;
  }
  static command::Command cancel(std::int64_t scheduled_id) {
    command::Command command;
    command.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK);
    command.mutable_request_cancel_activity_task_command_attributes()->set_scheduled_event_id(
        scheduled_id);
    return command;
  }
  // A run that has scheduled one activity, "a".
  RunPtr with_activity() {
    RunPtr run = start("active");
    EXPECT_TRUE(respond(*run, {schedule("a")}).ok());
    return run;
  }
  std::int64_t scheduled_id(const OneRun& run) {
    return find_event(run, enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)->event_id();
  }
  // A worker takes the one that waits.
  ActivityRef begin(const OneRun& run) {
    MatchTask task;
    task.id = scheduled_id(run);
    task.stamp = run.open<Activities>().find(task.id)->stamp;
    Poller poller;
    poller.identity = "worker";
    poller.call = std::make_shared<Call>();
    poller.call->owned_response = std::make_unique<wf::PollActivityTaskQueueResponse>();
    poller.call->response = poller.call->owned_response.get();
    EXPECT_TRUE(run.activity_tasks.deliver(task, {}, poller));
    EXPECT_TRUE(run.activity_tasks.is_stale(task)) << "nobody else gets it";
    token = poller.response<wf::PollActivityTaskQueueResponse>().task_token();
    const auto ref = find_activity_by_token(engine, token);
    EXPECT_TRUE(ref.ok()) << ref.status();
    return ref.value_or(ActivityRef{});
  }
  void complete(const OneRun& run) {
    common::Payloads result;
    complete_activity(engine, begin(run), result, "worker");
    settle();
  }

  std::string token;
};

TEST_F(ActivitiesTest, StartsInHistoryWithItsOutcome) {
  const RunPtr run = with_activity();
  const ActivityRef ref = begin(*run);
  EXPECT_EQ(find_event(*run, enums::EVENT_TYPE_ACTIVITY_TASK_STARTED), nullptr);
  const std::int64_t before = run->next_event_id();

  common::Payloads result;
  complete_activity(engine, ref, result, "worker");
  settle();

  EXPECT_THAT(events(*run, before),
              ElementsAre("ACTIVITY_TASK_STARTED", "ACTIVITY_TASK_COMPLETED"));
  EXPECT_EQ(run->open<Activities>().find("a"), nullptr);
  EXPECT_EQ(find_activity_by_token(engine, token).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ActivitiesTest, TimesOutOnTime) {
  const RunPtr run = with_activity();
  begin(*run);
  pass(milliseconds{9999});
  EXPECT_EQ(find_event(*run, enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT), nullptr);

  pass(milliseconds{1});

  const HistoryEvent* event = find_event(*run, enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT);
  ASSERT_NE(event, nullptr);
  const auto& a = event->activity_task_timed_out_event_attributes();
  EXPECT_EQ(a.started_event_id(), event->event_id() - 1);
  EXPECT_EQ(a.retry_state(), enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);
}

TEST_F(ActivitiesTest, ACancelEndsWhatNoWorkerHas) {
  const RunPtr run = with_activity();
  Transition t(engine, *run);
  t.want_task();
  t.commit();
  const std::int64_t before = run->next_event_id();

  ASSERT_TRUE(respond(*run, {cancel(scheduled_id(*run))}).ok());

  EXPECT_THAT(events(*run, before),
              ElementsAre("ACTIVITY_TASK_CANCEL_REQUESTED", "ACTIVITY_TASK_CANCELED"));
}

TEST_F(ActivitiesTest, AWorkerHearsOfACancelAtItsHeartbeat) {
  const RunPtr run = with_activity();
  const ActivityRef ref = begin(*run);
  common::Payloads none;
  EXPECT_FALSE(heartbeat_activity(engine, ref, none, false).cancel_requested);
  EXPECT_FALSE(cancel_activity(engine, ref, none, "worker").ok()) << "nobody asked it to";
  Transition t(engine, *run);
  t.want_task();
  t.commit();
  const std::int64_t transitions = run->transitions;

  ASSERT_TRUE(respond(*run, {cancel(scheduled_id(*run))}).ok());
  EXPECT_TRUE(heartbeat_activity(engine, ref, none, false).cancel_requested);

  EXPECT_EQ(run->transitions, transitions + 3)
      << "the answered task takes two, and the heartbeat one";
  EXPECT_TRUE(cancel_activity(engine, ref, none, "worker").ok());
  EXPECT_NE(find_event(*run, enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED), nullptr);
}

TEST_F(ActivitiesTest, ATakenIdIsRefused) {
  const RunPtr run = start("active");

  EXPECT_THAT(respond(*run, {schedule("a"), schedule("a")}).message(),
              HasSubstr("activityID a already exists"));
}

TEST_F(ActivitiesTest, AnOutcomeThatWasBufferedIsLinkedToItsStart) {
  const RunPtr run = with_activity();
  Transition t(engine, *run);
  t.want_task();
  t.commit();
  begin_task(*run);
  complete(*run);
  ASSERT_EQ(run->buffered.size(), 2u);

  ASSERT_TRUE(answer(*run, {}).ok());

  const HistoryEvent* started = find_event(*run, enums::EVENT_TYPE_ACTIVITY_TASK_STARTED);
  const HistoryEvent* completed = find_event(*run, enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
  ASSERT_TRUE(started != nullptr && completed != nullptr);
  EXPECT_EQ(completed->activity_task_completed_event_attributes().started_event_id(),
            started->event_id());
}

}  // namespace
}  // namespace chimera::server
