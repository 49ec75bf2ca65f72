// Matching with owners of the test's own: neither a run nor an engine is there.
#include "server/matching/matching.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/store/store.h"

namespace chimera::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FakeClock : public base::Clock {
 public:
  WallTime now() const override { return wall; }
  base::SteadyTime steady() const override { return base::SteadyTime{wall.time_since_epoch()}; }
  WallTime wall{std::chrono::hours{24 * 365}};
};

// Has tasks by their ids, and notes what becomes of them.
class Owner : public TaskOwner {
 public:
  bool is_stale(const MatchTask& task) const override { return stale.contains(task.id); }
  bool deliver(const MatchTask& task, const QueueKey& queue, Poller& poller) override {
    if (is_stale(task)) return false;
    delivered.push_back(absl::StrCat(task.id, " to ", poller.identity, " at ", queue.name));
    return true;
  }
  void desert(MatchTask task) override { deserted.push_back(task.id); }
  std::string version_for(const MatchTask& task, const QueueKey& queue) const override {
    const auto found = versions.find(task.id);
    return found == versions.end() ? queue.version : found->second;
  }

  std::set<std::int64_t> stale;
  std::map<std::int64_t, std::string> versions;
  std::vector<std::string> delivered;
  std::vector<std::int64_t> deserted;
};

class MatchingTest : public testing::Test {
 protected:
  MatchingTest() { loop.refresh(); }

  static QueueKey queue(const std::string& name,
                        enums::TaskQueueType type = enums::TASK_QUEUE_TYPE_ACTIVITY) {
    return {"ns", name, type};
  }
  void add(std::int64_t id, int priority = 3, const QueueKey& key = queue("queue")) {
    MatchTask task;
    task.owner = owner;
    task.id = id;
    task.added = loop.now();
    task.priority = priority;
    matching.add(key, std::move(task));
  }
  void add_keyed(std::int64_t id, const std::string& fairness_key, float weight = 0,
                 const QueueKey& key = queue("queue")) {
    MatchTask task;
    task.owner = owner;
    task.id = id;
    task.added = loop.now();
    common::Priority priority;
    priority.set_fairness_key(fairness_key);
    priority.set_fairness_weight(weight);
    task.prioritize(priority);
    matching.add(key, std::move(task));
  }
  CallPtr poll(const std::string& identity, std::optional<double> max_tasks_per_second = {},
               const QueueKey& key = queue("queue")) {
    auto call = std::make_shared<Call>();
    if (key.type == enums::TASK_QUEUE_TYPE_ACTIVITY) {
      call->owned_response = std::make_unique<wf::PollActivityTaskQueueResponse>();
    } else {
      auto request = std::make_unique<wf::PollWorkflowTaskQueueRequest>();
      request->mutable_task_queue()->set_kind(key.name == "sticky" ? enums::TASK_QUEUE_KIND_STICKY
                                                                   : enums::TASK_QUEUE_KIND_NORMAL);
      call->request = std::move(request);
      call->owned_response = std::make_unique<wf::PollWorkflowTaskQueueResponse>();
    }
    call->response = call->owned_response.get();
    call->timeout = std::chrono::minutes{1};
    call->deliver = [this, identity](const absl::Status& status) {
      if (status.ok()) answered.push_back(identity);
    };
    Poller poller;
    poller.call = call;
    poller.identity = identity;
    poller.worker_instance_key = identity;
    poller.max_tasks_per_second = max_tasks_per_second;
    matching.poll(key, std::move(poller));
    return call;
  }
  // So many polls; the ids of the tasks that they get.
  std::vector<std::int64_t> polled(int count) {
    owner->delivered.clear();
    for (int i = 0; i < count; ++i) poll("worker");
    settle();
    std::vector<std::int64_t> ids;
    for (const std::string& text : owner->delivered) ids.push_back(std::stoll(text));
    return ids;
  }
  static QueueKey queue_of(const std::string& version) {
    QueueKey key = queue("queue");
    key.version = version;
    return key;
  }
  std::int64_t waiting(const QueueKey& key = queue("queue")) { return matching.stats(key).backlog; }
  static int advice(const CallPtr& call) {
    return static_cast<wf::PollActivityTaskQueueResponse&>(*call->response)
        .poller_scaling_decision()
        .poll_request_delta_suggestion();
  }
  std::int64_t hint_of_poll(const QueueKey& key) {
    const CallPtr call = poll("worker", {}, key);
    settle();
    return static_cast<wf::PollWorkflowTaskQueueResponse&>(*call->response).backlog_count_hint();
  }
  // What a turn does behind its handlers.
  void settle() {
    do {
      outbox.run_follow_ups();
      matching.match_all();
    } while (outbox.has_follow_ups());
    outbox.flush({}, /*elsewhere=*/false);
  }
  void pass(Nanos time) {
    clock.wall += time;
    loop.refresh();
    loop.patience().fire_due(loop.real_now());
    settle();
  }

  FakeClock clock;
  Loop loop{clock, /*foreign_clock=*/true};
  std::unique_ptr<Store> store = make_memory_store();
  Outbox outbox{*store};
  Matching matching{loop, outbox};
  std::shared_ptr<Owner> owner = std::make_shared<Owner>();
  std::vector<std::string> answered;
};

TEST_F(MatchingTest, AStickyBacklogIsHintedWhenItIsMoreThanItsPollsCanTake) {
  const QueueKey sticky = queue("sticky", enums::TASK_QUEUE_TYPE_WORKFLOW);
  for (int i = 0; i < 4; ++i) add(i, 3, sticky);

  EXPECT_EQ(hint_of_poll(sticky), 0);  // Three behind it, which its next polls will get.
  EXPECT_EQ(hint_of_poll(sticky), 0);
  for (int i = 4; i < 104; ++i) add(i, 3, sticky);
  EXPECT_EQ(hint_of_poll(sticky), 101);
}

TEST_F(MatchingTest, StaleTasksAreNoStickyBacklog) {
  const QueueKey sticky = queue("sticky", enums::TASK_QUEUE_TYPE_WORKFLOW);
  for (int i = 0; i < 100; ++i) add(i, 3, sticky);
  for (int i = 1; i < 100; ++i) owner->stale.insert(i);

  EXPECT_EQ(hint_of_poll(sticky), 0);
}

TEST_F(MatchingTest, ANormalBacklogIsHintedAsItIs) {
  const QueueKey normal = queue("normal", enums::TASK_QUEUE_TYPE_WORKFLOW);
  for (int i = 0; i < 4; ++i) add(i, 3, normal);

  EXPECT_EQ(hint_of_poll(normal), 3);
}

TEST_F(MatchingTest, TheLongestWaitingPollGetsTheOldestTask) {
  poll("first");
  poll("second");
  add(1);
  add(2);

  settle();

  EXPECT_THAT(owner->delivered, ElementsAre("1 to first at queue", "2 to second at queue"));
  EXPECT_THAT(answered, ElementsAre("first", "second"));
}

TEST_F(MatchingTest, LowerPrioritiesComeFirst) {
  add(1, 5);
  add(2, 1);
  add(3, 1);
  for (const char* name : {"a", "b", "c"}) poll(name);

  settle();

  EXPECT_THAT(owner->delivered,
              ElementsAre("2 to a at queue", "3 to b at queue", "1 to c at queue"));
}

TEST_F(MatchingTest, AStaleTaskAndOneWithoutOwnerAreDropped) {
  auto gone = std::make_shared<Owner>();
  MatchTask orphan;
  orphan.owner = gone;
  matching.add(queue("queue"), orphan);
  gone.reset();
  add(1);
  add(2);
  owner->stale = {1};
  EXPECT_EQ(waiting(), 1);

  poll("worker");
  settle();

  EXPECT_THAT(owner->delivered, ElementsAre("2 to worker at queue"));
}

TEST_F(MatchingTest, APollEndsEmptyAtItsDeadline) {
  poll("worker");
  pass(seconds{58});
  EXPECT_THAT(answered, IsEmpty());

  pass(seconds{2});

  EXPECT_THAT(answered, ElementsAre("worker"));
  add(1);
  settle();
  EXPECT_THAT(owner->delivered, IsEmpty());
}

TEST_F(MatchingTest, ACancelledPollGetsNothing) {
  const CallPtr call = poll("worker");
  call->on_cancel();
  add(1);

  settle();

  EXPECT_THAT(owner->delivered, IsEmpty());
  EXPECT_EQ(waiting(), 1);
}

TEST_F(MatchingTest, BeyondTheLastPriorityIsTheLast) {
  common::Priority priority;
  priority.set_priority_key(9);
  MatchTask task;

  task.prioritize(priority);

  EXPECT_EQ(task.priority, 5);
}

// A key's turn comes round as often as its weight says.
TEST_F(MatchingTest, FairnessKeysTakeTurns) {
  for (std::int64_t id : {1, 2, 3, 4}) add_keyed(id, "many");
  add_keyed(11, "few");
  for (std::int64_t id : {21, 22, 23, 24}) add_keyed(id, "heavy", 2);
  add(31);

  EXPECT_THAT(polled(10), ElementsAre(21, 1, 11, 22, 31, 23, 2, 24, 3, 4));
}

TEST_F(MatchingTest, AKeyThatWasAwayIsNotOwedTurns) {
  for (std::int64_t id : {1, 2, 3, 4, 5}) add_keyed(id, "busy");
  EXPECT_THAT(polled(4), ElementsAre(1, 2, 3, 4));
  for (std::int64_t id : {11, 12, 13}) add_keyed(id, "new");

  EXPECT_THAT(polled(4), ElementsAre(11, 5, 12, 13));
}

TEST_F(MatchingTest, PrioritiesGoBeforeFairness) {
  for (std::int64_t id : {1, 2, 3}) add_keyed(id, "many");
  add_keyed(11, "few", 100);
  add(21, 2);

  EXPECT_THAT(polled(3), ElementsAre(21, 11, 1));
}

TEST_F(MatchingTest, AConfiguredWeightIsTheKeys) {
  taskqueue::TaskQueueConfig config;
  (*config.mutable_fairness_weight_overrides())["b"] = 3;
  matching.configure(queue("queue"), config);
  for (std::int64_t id : {1, 2, 3}) add_keyed(id, "a", 100);
  for (std::int64_t id : {11, 12, 13}) add_keyed(id, "b");

  EXPECT_THAT(polled(6), ElementsAre(1, 2, 3, 11, 12, 13));
  (*config.mutable_fairness_weight_overrides())["a"] = 1;
  matching.configure(queue("queue"), config);
  pass(seconds{1});
  for (std::int64_t id : {1, 2, 3}) add_keyed(id, "a", 100);
  for (std::int64_t id : {11, 12, 13}) add_keyed(id, "b");
  EXPECT_THAT(polled(6), ElementsAre(1, 11, 12, 13, 2, 3));
}

TEST_F(MatchingTest, ThousandsOfKeysAreForgottenAgain) {
  for (int round = 0; round < 5; ++round) {
    for (std::int64_t id = 0; id < 3000; ++id) add_keyed(id, absl::StrCat("key", round, "-", id));
    const std::vector<std::int64_t> ids = polled(3000);
    EXPECT_EQ(ids.size(), 3000u);
    EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  }
}

// A second's worth may go at once, as on the genuine server.
TEST_F(MatchingTest, AWorkersRateIsTheWholeQueues) {
  for (std::int64_t id = 1; id <= 6; ++id) add(id);
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) poll(name, /*max_tasks_per_second=*/2);
  settle();
  EXPECT_EQ(owner->delivered.size(), 3u);

  pass(milliseconds{499});
  EXPECT_EQ(owner->delivered.size(), 3u);
  pass(milliseconds{1});
  EXPECT_EQ(owner->delivered.size(), 4u);
  pass(milliseconds{500});
  EXPECT_EQ(owner->delivered.size(), 5u);
  EXPECT_EQ(matching.find(queue("queue"))->limits->effective().source,
            enums::RATE_LIMIT_SOURCE_WORKER);
}

TEST_F(MatchingTest, TheLastPollSaysTheRate) {
  for (std::int64_t id = 1; id <= 9; ++id) add(id);
  poll("slow", 0);
  settle();
  EXPECT_THAT(owner->delivered, IsEmpty());

  for (int i = 0; i < 8; ++i) poll("quick");
  settle();

  EXPECT_EQ(owner->delivered.size(), 9u);
}

TEST_F(MatchingTest, AConfiguredRateGoesBeforeAWorkersAndMayBeTakenBack) {
  taskqueue::TaskQueueConfig config;
  config.mutable_queue_rate_limit()->mutable_rate_limit()->set_requests_per_second(1);
  matching.configure(queue("queue"), config);
  for (std::int64_t id = 1; id <= 9; ++id) add(id);
  for (int i = 0; i < 9; ++i) poll("worker", 100);
  settle();
  EXPECT_EQ(owner->delivered.size(), 2u);
  EXPECT_EQ(matching.find(queue("queue"))->limits->effective().source,
            enums::RATE_LIMIT_SOURCE_API);
  pass(seconds{1});
  EXPECT_EQ(owner->delivered.size(), 3u);

  matching.configure(queue("queue"), {});
  pass(seconds{2});

  EXPECT_EQ(owner->delivered.size(), 9u);
}

TEST_F(MatchingTest, ARateOfZeroStopsAQueueUntilItIsAnother) {
  taskqueue::TaskQueueConfig config;
  config.mutable_queue_rate_limit()->mutable_rate_limit();
  matching.configure(queue("queue"), config);
  add(1);
  poll("worker");
  pass(seconds{50});
  EXPECT_THAT(owner->delivered, IsEmpty());

  config.mutable_queue_rate_limit()->mutable_rate_limit()->set_requests_per_second(1);
  matching.configure(queue("queue"), config);
  pass(seconds{2});

  EXPECT_THAT(owner->delivered, ElementsAre("1 to worker at queue"));
}

// A key at its limit does not hold up the others; a heavy one may do more.
TEST_F(MatchingTest, EachFairnessKeyHasARateOfItsOwn) {
  taskqueue::TaskQueueConfig config;
  config.mutable_fairness_keys_rate_limit_default()->mutable_rate_limit()->set_requests_per_second(
      1);
  matching.configure(queue("queue"), config);
  for (std::int64_t id = 1; id <= 5; ++id) add_keyed(id, "a");
  for (std::int64_t id = 11; id <= 15; ++id) add_keyed(id, "b", 2);
  EXPECT_THAT(polled(10), ElementsAre(11, 1, 12, 13, 2));

  owner->delivered.clear();
  pass(milliseconds{500});
  EXPECT_THAT(owner->delivered, ElementsAre("14 to worker at queue"));
  pass(milliseconds{500});
  EXPECT_THAT(owner->delivered, ElementsAre("14 to worker at queue", "15 to worker at queue",
                                            "3 to worker at queue"));
}

TEST_F(MatchingTest, APollThatWaitedASecondAsksForFewer) {
  const CallPtr idle = poll("worker");
  pass(seconds{1});
  add(1);
  settle();

  EXPECT_EQ(advice(idle), -1);
}

TEST_F(MatchingTest, ABacklogAsksForMorePollersTenTimesASecond) {
  for (std::int64_t id = 1; id <= 40; ++id) add(id);
  const CallPtr early = poll("worker");
  pass(milliseconds{100});
  EXPECT_EQ(advice(early), 1) << "It adds more than it gives out.";
  pass(milliseconds{101});

  int asked = 0;
  for (int i = 0; i < 30; ++i) {
    const CallPtr call = poll("worker");
    settle();
    asked += advice(call);
  }

  EXPECT_EQ(asked, 11);
}

TEST_F(MatchingTest, AQueueThatKeepsUpAsksForNothing) {
  for (std::int64_t id = 1; id <= 3; ++id) {
    const CallPtr call = poll("worker");
    add(id);
    settle();
    EXPECT_EQ(advice(call), 0);
  }
}

TEST_F(MatchingTest, StatsTellEachPriority) {
  add(1, 1);
  add(2);
  add(3);
  pass(seconds{2});
  polled(2);
  pass(seconds{2});

  const std::map<int, QueueStats> stats = matching.find(queue("queue"))->stats(loop.now());

  ASSERT_EQ(stats.size(), 2u);
  EXPECT_EQ(stats.at(1).backlog, 0);
  EXPECT_EQ(stats.at(3).backlog, 1);
  EXPECT_EQ(stats.at(3).age, Nanos{seconds{4}});
  EXPECT_FLOAT_EQ(stats.at(3).added_per_second, 0.5F);
  EXPECT_FLOAT_EQ(stats.at(3).dispatched_per_second, 0.25F);
}

TEST_F(MatchingTest, ARateIsOfTheLastThirtySeconds) {
  RateTracker tracker(loop.now());
  for (int i = 0; i < 60; ++i) tracker.count(clock.wall);
  EXPECT_FLOAT_EQ(tracker.per_second(clock.wall + seconds{10}), 6);
  EXPECT_FLOAT_EQ(tracker.per_second(clock.wall + seconds{30}), 2);
  EXPECT_FLOAT_EQ(tracker.per_second(clock.wall + seconds{35}), 0);
  tracker.count(clock.wall + std::chrono::hours{1});
  EXPECT_FLOAT_EQ(tracker.per_second(clock.wall + std::chrono::hours{1}), 1.0F / 30);
}

TEST_F(MatchingTest, PollersAreRememberedForFiveMinutesByTheirNames) {
  poll("");
  poll("a", 7);
  poll("a");
  const auto& seen = matching.find(queue("queue"))->seen;
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen.at("a").polls, 2);
  pass(seconds{60});

  EXPECT_EQ(seen.at("a").polls, 0);
  EXPECT_EQ(seen.at("a").last, loop.now());
  EXPECT_EQ(seen.at("a").max_tasks_per_second, kUnlimitedRate);
}

TEST_F(MatchingTest, WhatWaitsAtTheQueueOfAWorkerThatLeavesGoesElsewhere) {
  const QueueKey sticky = queue("sticky", enums::TASK_QUEUE_TYPE_WORKFLOW);
  poll("worker", {}, sticky);
  EXPECT_TRUE(matching.has_recent_poller(sticky));
  matching.shut_down_worker("ns", "worker", "sticky");
  settle();
  EXPECT_THAT(answered, ElementsAre("worker"));
  EXPECT_FALSE(matching.has_recent_poller(sticky));
  add(1, 3, sticky);

  matching.shut_down_worker("ns", "worker", "sticky");

  EXPECT_THAT(owner->deserted, ElementsAre(1));
  EXPECT_EQ(waiting(sticky), 0);
}

// Sent before its goodbye, they may arrive behind it.
TEST_F(MatchingTest, LatePollsOfAWorkerThatHasLeftEndAtOnce) {
  matching.shut_down_worker("ns", "worker", "");
  add(1);
  poll("worker");
  settle();
  EXPECT_THAT(answered, ElementsAre("worker"));
  EXPECT_THAT(owner->delivered, IsEmpty());

  poll("another");
  settle();
  EXPECT_THAT(owner->delivered, ElementsAre("1 to another at queue"));
}

TEST_F(MatchingTest, AStickyPollerIsRememberedForTenSeconds) {
  const QueueKey sticky = queue("sticky", enums::TASK_QUEUE_TYPE_WORKFLOW);
  add(1, 3, sticky);
  poll("worker", {}, sticky);
  settle();

  pass(seconds{9});
  EXPECT_TRUE(matching.has_recent_poller(sticky));
  pass(seconds{2});
  EXPECT_FALSE(matching.has_recent_poller(sticky));
}

TEST_F(MatchingTest, AVersionIsGivenItsOwnTasksOnly) {
  add(1, 3, queue_of("d.1"));
  poll("without");
  poll("two", {}, queue_of("d.2"));
  settle();
  EXPECT_THAT(owner->delivered, IsEmpty());

  poll("one", {}, queue_of("d.1"));
  settle();
  EXPECT_THAT(owner->delivered, ElementsAre("1 to one at queue"));
}

TEST_F(MatchingTest, VersionsShareTheirQueuesLimit) {
  taskqueue::TaskQueueConfig config;
  config.mutable_queue_rate_limit()->mutable_rate_limit()->set_requests_per_second(1);
  matching.configure(queue("queue"), config);
  for (std::int64_t id = 1; id <= 6; ++id) add(id, 3, queue_of(id % 2 == 1 ? "d.1" : "d.2"));
  for (int i = 0; i < 3; ++i) {
    poll("one", {}, queue_of("d.1"));
    poll("two", {}, queue_of("d.2"));
  }
  settle();
  EXPECT_EQ(owner->delivered.size(), 2u);
  pass(seconds{1});
  EXPECT_EQ(owner->delivered.size(), 3u);

  matching.configure(queue("queue"), {});
  settle();

  EXPECT_EQ(owner->delivered.size(), 6u);
}

TEST_F(MatchingTest, ReroutedTasksMoveAndKeepTheirOrder) {
  add(1, 3, queue_of("d.1"));
  pass(seconds{1});
  add(2, 3, queue_of("d.2"));
  pass(seconds{1});
  add(3, 3, queue_of("d.1"));
  add(4, 3, queue_of("d.1"));
  owner->versions = {{1, "d.2"}, {3, "d.2"}, {4, ""}};

  matching.reroute(queue("queue"));

  EXPECT_EQ(waiting(queue_of("d.1")), 0);
  EXPECT_EQ(waiting(queue_of("d.2")), 3);
  EXPECT_EQ(waiting(), 1);
  for (int i = 0; i < 3; ++i) poll("two", {}, queue_of("d.2"));
  settle();
  EXPECT_THAT(owner->delivered,
              ElementsAre("1 to two at queue", "2 to two at queue", "3 to two at queue"));
}

// What waited without a poller finds the one that waits at its new version.
TEST_F(MatchingTest, ReroutedTasksMeetThePollsThatWait) {
  add(1);
  poll("two", {}, queue_of("d.2"));
  owner->versions = {{1, "d.2"}};

  matching.reroute(queue("queue"));
  settle();

  EXPECT_THAT(owner->delivered, ElementsAre("1 to two at queue"));
}

}  // namespace
}  // namespace chimera::server
