#include "core/base/relieved_thread.h"

#include <atomic>
#include <deque>
#include <set>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/inbox.h"

namespace chimera::base {
namespace {

// A loop over an inbox, as a lane's: work that says so runs aside.
struct Loop {
  explicit Loop(Timers& timers) : thread(timers, [this] { run(); }) { thread.start(); }
  ~Loop() {
    inbox.push([this] { stopped = true; });
    thread.join();
  }
  void run() {
    while (!stopped) {
      inbox.wait();
      bool left = false;
      inbox.run_all();
      while (!left && !next.empty()) {
        Work work = std::move(next.front());
        next.erase(next.begin());
        left = !thread.aside([&] { std::move(work)(); }, [this] { ++told; });
      }
      if (left) return;
    }
  }
  void aside(Work work) {
    inbox.push([this, work = std::move(work)]() mutable { next.push_back(std::move(work)); });
  }
  std::thread::id id() {
    std::thread::id id;
    absl::Notification known;
    inbox.push([&] {
      id = std::this_thread::get_id();
      known.Notify();
    });
    known.WaitForNotification();
    return id;
  }

  Inbox inbox;
  std::vector<Work> next;
  bool stopped = false;
  std::atomic<int> told{0};  // That another thread has come.
  RelievedThread thread;
};

// Timers that come when the test says so; any thread may set one.
class TurnedTimers : public Timers {
 public:
  TimerId after(std::chrono::nanoseconds, absl::AnyInvocable<void() &&> work) override {
    absl::MutexLock lock(&mutex_);
    pending_.emplace_back(++last_id_, std::move(work));
    return last_id_;
  }
  bool cancel(TimerId id) override {
    absl::MutexLock lock(&mutex_);
    return std::erase_if(pending_, [id](const auto& timer) { return timer.first == id; }) > 0;
  }
  SteadyTime now() const override { return {}; }
  // The oldest timer, once there is one.
  void turn() {
    absl::AnyInvocable<void() &&> work;
    {
      absl::MutexLock lock(&mutex_);
      const auto any = [this] { return !pending_.empty(); };
      mutex_.Await(absl::Condition(&any));
      work = std::move(pending_.front().second);
      pending_.pop_front();
    }
    std::move(work)();
  }

 private:
  absl::Mutex mutex_;
  TimerId last_id_ = 0;
  std::deque<std::pair<TimerId, absl::AnyInvocable<void() &&>>> pending_;
};

TEST(RelievedThreadTest, WhatEndsAtOnceKeepsItsThread) {
  TurnedTimers timers;
  Loop loop(timers);
  const std::thread::id before = loop.id();
  std::set<std::thread::id> aside;
  absl::Notification done;
  for (int i = 0; i < 100; ++i) loop.aside([&] { aside.insert(std::this_thread::get_id()); });
  loop.aside([&] { done.Notify(); });
  done.WaitForNotification();
  EXPECT_THAT(aside, testing::ElementsAre(before));
  timers.turn();  // Sees that the loop is not aside.
  EXPECT_EQ(loop.id(), before);
  EXPECT_EQ(loop.told, 0);
}

TEST(RelievedThreadTest, AnotherThreadTakesTheLoopOver) {
  TurnedTimers timers;
  absl::Notification entered, end;
  std::thread::id aside;
  Loop loop(timers);
  const std::thread::id before = loop.id();
  loop.aside([&] {
    entered.Notify();
    end.WaitForNotification();
    aside = std::this_thread::get_id();
  });
  entered.WaitForNotification();
  timers.turn();  // Sees it begin,
  EXPECT_EQ(loop.told, 0);
  timers.turn();  // and that it lasts.
  EXPECT_EQ(loop.told, 1);
  const std::thread::id after = loop.id();
  EXPECT_NE(after, before);
  end.Notify();
  EXPECT_EQ(loop.id(), after);
  EXPECT_EQ(loop.told, 1);
}

// Each leaves a thread behind, which the next one takes along.
TEST(RelievedThreadTest, ManyThreadsAreHeldUpOneAfterTheOther) {
  TurnedTimers timers;
  std::deque<absl::Notification> ends(20);
  Loop loop(timers);
  for (absl::Notification& end : ends) {
    absl::Notification entered;
    const std::thread::id before = loop.id();
    loop.aside([&entered, &end] {
      entered.Notify();
      end.WaitForNotification();
    });
    entered.WaitForNotification();
    timers.turn();
    timers.turn();
    EXPECT_NE(loop.id(), before);
    end.Notify();
    timers.turn();  // Sees the loop at its own work, and looks no more.
  }
}

}  // namespace
}  // namespace chimera::base
