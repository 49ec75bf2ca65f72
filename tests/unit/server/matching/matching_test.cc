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
    poller.response<wf::PollActivityTaskQueueResponse>().set_attempt(1);
    return true;
  }
  void desert(MatchTask task) override { deserted.push_back(task.id); }

  std::set<std::int64_t> stale;
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
  CallPtr poll(const std::string& identity, double rate_limit = 0,
               const QueueKey& key = queue("queue")) {
    auto call = std::make_shared<Call>();
    call->request = std::make_unique<wf::PollActivityTaskQueueRequest>();
    call->owned_response = std::make_unique<wf::PollActivityTaskQueueResponse>();
    call->response = call->owned_response.get();
    call->timeout = std::chrono::minutes{1};
    call->deliver = [this, identity](const absl::Status& status) {
      if (status.ok()) answered.push_back(identity);
    };
    Poller poller;
    poller.call = call;
    poller.identity = identity;
    poller.worker_instance_key = identity;
    matching.poll(key, std::move(poller), rate_limit);
    return call;
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
    loop.timers().fire_due(loop.now());
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
  EXPECT_EQ(matching.backlog(queue("queue")).count, 1);

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
  EXPECT_EQ(matching.backlog(queue("queue")).count, 1);
}

TEST_F(MatchingTest, ARateLimitSpreadsTasks) {
  for (std::int64_t id : {1, 2, 3}) add(id);
  for (const char* name : {"a", "b", "c"}) poll(name, /*rate_limit=*/2);
  settle();
  EXPECT_EQ(owner->delivered.size(), 1u);

  pass(milliseconds{499});
  EXPECT_EQ(owner->delivered.size(), 1u);
  pass(milliseconds{1});
  EXPECT_EQ(owner->delivered.size(), 2u);
  pass(milliseconds{500});
  EXPECT_EQ(owner->delivered.size(), 3u);
}

TEST_F(MatchingTest, WhatWaitsAtTheQueueOfAWorkerThatLeavesGoesElsewhere) {
  const QueueKey sticky = queue("sticky", enums::TASK_QUEUE_TYPE_WORKFLOW);
  poll("worker", 0, sticky);
  EXPECT_TRUE(matching.has_recent_poller(sticky));
  matching.shut_down_worker("ns", "worker", "sticky");
  settle();
  EXPECT_THAT(answered, ElementsAre("worker"));
  EXPECT_FALSE(matching.has_recent_poller(sticky));
  add(1, 3, sticky);

  matching.shut_down_worker("ns", "worker", "sticky");

  EXPECT_THAT(owner->deserted, ElementsAre(1));
  EXPECT_EQ(matching.backlog(sticky).count, 0);
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
  poll("worker", 0, sticky);
  settle();

  pass(seconds{9});
  EXPECT_TRUE(matching.has_recent_poller(sticky));
  pass(seconds{2});
  EXPECT_FALSE(matching.has_recent_poller(sticky));
}

}  // namespace
}  // namespace chimera::server
