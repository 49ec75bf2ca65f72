// The attempts of an activity that belongs to no run, but to an owner of the test's own.
#include "server/engine/pending/attempt.h"

#include "tests/unit/server/engine/pending/pending_fixture.h"

namespace chimera::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class LoneOwner final : public ActivityOwner, public TaskOwner {
 public:
  explicit LoneOwner(Engine& engine) : engine_(engine) {
    scheduled.mutable_activity_type()->set_name("act");
    scheduled.mutable_task_queue()->set_name("activities");
    scheduled.mutable_retry_policy()->mutable_initial_interval()->set_seconds(1);
    scheduled.mutable_retry_policy()->set_backoff_coefficient(2);
    activity.scheduled_as = &scheduled;
    activity.id = "alone";
    activity.first_scheduled = activity.scheduled = engine.now();
  }
  Engine& engine() override { return engine_; }
  WallTime now() override { return engine_.now(); }
  std::weak_ptr<TaskOwner> tasks() override { return self; }
  const std::string& namespace_id() const override { return namespace_id_; }
  void introduce(const Activity&, wf::PollActivityTaskQueueResponse& response) const override {
    response.set_task_token("mine");
  }
  void completed(Activity&, common::Payloads&, const std::string&) override {
    ends.push_back("completed");
  }
  void failed(Activity&, failure::Failure& failure, enums::RetryState,
              const std::string&) override {
    ends.push_back("failed: " + failure.message());
  }
  void timed_out(Activity&, enums::TimeoutType, failure::Failure& failure,
                 enums::RetryState) override {
    ends.push_back(failure.message());
  }

  bool is_stale(const MatchTask& task) const override { return task.stamp != activity.stamp; }
  bool deliver(const MatchTask&, const QueueKey&, Poller&) override { return false; }
  void desert(MatchTask) override {}

  Activity::Attributes scheduled;
  Activity activity;
  std::vector<std::string> ends;
  std::weak_ptr<TaskOwner> self;

 private:
  Engine& engine_;
  const std::string namespace_id_ = "namespace-id";
};

class AttemptTest : public PendingFixture {
 protected:
  AttemptTest() { owner->self = owner; }
  std::int64_t waiting() {
    return engine.matching()
        .stats({"namespace-id", "activities", enums::TASK_QUEUE_TYPE_ACTIVITY})
        .backlog;
  }
  void begin() { attempt::start(*owner, activity, "worker", task); }
  void fail(const std::string& message) {
    failure::Failure failure;
    failure.set_message(message);
    attempt::fail(*owner, activity, failure, "worker", nullptr);
  }
  void later(Nanos time) {
    clock.wall += time;
    loop.refresh();
  }

  std::shared_ptr<LoneOwner> owner = std::make_shared<LoneOwner>(engine);
  Activity& activity = owner->activity;
  wf::PollActivityTaskQueueResponse task;
};

TEST_F(AttemptTest, WaitsAtItsQueueUntilAWorkerTakesIt) {
  attempt::dispatch(*owner, activity);
  EXPECT_EQ(waiting(), 1);

  begin();

  EXPECT_EQ(task.task_token(), "mine");
  EXPECT_EQ(task.activity_id(), "alone");
  EXPECT_EQ(task.attempt(), 1);
  EXPECT_TRUE(activity.is_started());
}

TEST_F(AttemptTest, AFailureIsTriedAgainAfterItsInterval) {
  begin();
  fail("first");

  EXPECT_THAT(owner->ends, IsEmpty());
  EXPECT_EQ(activity.attempt, 2);
  EXPECT_EQ(attempt::next_attempt(activity), clock.wall + seconds{1});
  later(seconds{1});
  attempt::dispatch(*owner, activity);
  EXPECT_EQ(attempt::next_attempt(activity), kNever);
  begin();
  fail("second");
  EXPECT_EQ(attempt::next_attempt(activity), clock.wall + seconds{2});
  EXPECT_EQ(activity.last_failure->message(), "second");
}

TEST_F(AttemptTest, TheLastFailureGoesToTheOwner) {
  owner->scheduled.mutable_retry_policy()->set_maximum_attempts(1);
  begin();

  fail("only");

  EXPECT_THAT(owner->ends, ElementsAre("failed: only"));
}

TEST_F(AttemptTest, TheNearestTimeoutCounts) {
  owner->scheduled.mutable_schedule_to_close_timeout()->set_seconds(100);
  owner->scheduled.mutable_schedule_to_start_timeout()->set_seconds(20);
  owner->scheduled.mutable_start_to_close_timeout()->set_seconds(30);
  owner->scheduled.mutable_heartbeat_timeout()->set_seconds(5);
  activity.take_timeouts();
  EXPECT_EQ(attempt::next_timeout(activity).type, enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
  EXPECT_EQ(attempt::next_timeout(activity).at, clock.wall + seconds{20});
  begin();
  EXPECT_EQ(attempt::next_timeout(activity).type, enums::TIMEOUT_TYPE_HEARTBEAT);

  later(seconds{4});
  common::Payloads details;
  attempt::heartbeat(*owner, activity, details, /*has_details=*/false);
  EXPECT_EQ(attempt::next_timeout(activity).at, clock.wall + seconds{5});
  later(seconds{25});

  EXPECT_EQ(attempt::next_timeout(activity).type, enums::TIMEOUT_TYPE_HEARTBEAT);
  attempt::heartbeat(*owner, activity, details, /*has_details=*/false);
  EXPECT_EQ(attempt::next_timeout(activity).type, enums::TIMEOUT_TYPE_START_TO_CLOSE);
}

TEST_F(AttemptTest, OfTimeoutsThatEndTogetherOneIsTold) {
  for (auto* timeout : {owner->scheduled.mutable_schedule_to_close_timeout(),
                        owner->scheduled.mutable_schedule_to_start_timeout(),
                        owner->scheduled.mutable_start_to_close_timeout(),
                        owner->scheduled.mutable_heartbeat_timeout()})
    timeout->set_seconds(10);
  activity.take_timeouts();
  EXPECT_EQ(attempt::next_timeout(activity).type, enums::TIMEOUT_TYPE_SCHEDULE_TO_START);

  begin();  // In the instant in which it was scheduled.
  EXPECT_EQ(attempt::next_timeout(activity).type, enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);

  owner->scheduled.mutable_schedule_to_close_timeout()->set_seconds(100);
  activity.take_timeouts();
  EXPECT_EQ(attempt::next_timeout(activity).type, enums::TIMEOUT_TYPE_START_TO_CLOSE);
}

TEST_F(AttemptTest, ARetryThatWouldComeTooLateTimesTheWholeActivityOut) {
  owner->scheduled.mutable_schedule_to_close_timeout()->set_seconds(10);
  owner->scheduled.mutable_retry_policy()->mutable_initial_interval()->set_seconds(60);
  activity.take_timeouts();
  begin();

  attempt::time_out(*owner, activity, enums::TIMEOUT_TYPE_START_TO_CLOSE);

  EXPECT_THAT(owner->ends, ElementsAre("activity ScheduleToClose timeout"));
}

TEST_F(AttemptTest, APausedOneLeavesItsQueueAndReturnsToIt) {
  attempt::dispatch(*owner, activity);
  attempt::pause(*owner, activity, "someone", "to look");
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(attempt::next_attempt(activity), kNever);

  attempt::unpause(*owner, activity, {});

  EXPECT_EQ(waiting(), 1);
}

TEST_F(AttemptTest, AResetBeginsAtTheFirstAttempt) {
  begin();
  fail("first");
  attempt::reset(*owner, activity, {});
  EXPECT_EQ(activity.attempt, 1);
  EXPECT_EQ(waiting(), 1);

  begin();
  common::Payloads details;
  details.add_payloads()->set_data("half");
  attempt::heartbeat(*owner, activity, details, /*has_details=*/true);
  attempt::reset(*owner, activity, {.reset_heartbeat = true});

  EXPECT_TRUE(attempt::heartbeat(*owner, activity, details, true).was_reset);
  fail("second");
  EXPECT_EQ(activity.heartbeat_details, nullptr);
}

TEST_F(AttemptTest, ChangedOptionsMoveAWaitingAttempt) {
  attempt::dispatch(*owner, activity);
  auto changed = std::make_unique<Activity::Attributes>(owner->scheduled);
  changed->mutable_task_queue()->set_name("elsewhere");

  attempt::change_options(*owner, activity, std::move(changed));

  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(engine.matching()
                .stats({"namespace-id", "elsewhere", enums::TASK_QUEUE_TYPE_ACTIVITY})
                .backlog,
            1);
}

TEST_F(AttemptTest, WhatNoEventTellsIsWrittenAndRead) {
  begin();
  fail("first");
  attempt::pause(*owner, activity, "someone", "to look");
  Writer out;
  activity.write(out);
  LoneOwner other(engine);
  Reader in(out.out);
  in.version = kArchiveVersion;

  other.activity.read(in);

  EXPECT_TRUE(in.ok);
  EXPECT_EQ(other.activity.attempt, 2);
  EXPECT_EQ(other.activity.last_failure->message(), "first");
  EXPECT_EQ(other.activity.pause_reason, "to look");
}

}  // namespace
}  // namespace chimera::server
