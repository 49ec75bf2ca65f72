#include "core/base/inbox.h"

#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace chimera::base {
namespace {

TEST(Inbox, RunsTheOldestFirst) {
  Inbox inbox;
  std::vector<int> ran;
  for (int i = 0; i < 3; ++i) inbox.push([&ran, i] { ran.push_back(i); });
  EXPECT_TRUE(inbox.run_all());
  EXPECT_EQ(ran, (std::vector<int>{0, 1, 2}));
  EXPECT_FALSE(inbox.run_all());
}

// The owner falls asleep between almost every two pieces of work; a lost wake-up would hang here.
TEST(Inbox, LosesNoWorkAndNoWakeUp) {
  constexpr int kThreads = 3, kEach = 20000;
  Inbox inbox;
  std::vector<int> seen(kThreads, 0);
  bool in_order = true;
  std::vector<std::thread> senders;
  for (int t = 0; t < kThreads; ++t) {
    senders.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i)
        inbox.push([&, t, i] { in_order = in_order && seen[t]++ == i; });
    });
  }
  for (int total = 0; total < kThreads * kEach;) {
    inbox.wait();
    inbox.run_all();
    total = seen[0] + seen[1] + seen[2];
  }
  for (auto& sender : senders) sender.join();
  EXPECT_TRUE(in_order);
}

// A lane ends on the work that another thread has just pushed. The sanitizers see who still looks.
TEST(Inbox, IsNotTouchedOnceItsOwnerHasTheLastWork) {
  for (int i = 0; i < 2000; ++i) {
    auto inbox = std::make_unique<Inbox>();
    bool last = false;
    std::thread sender([&last, to = inbox.get()] { to->push([&last] { last = true; }); });
    while (!last) {
      inbox->wait();
      inbox->run_all();
    }
    inbox = nullptr;
    sender.join();
  }
}

TEST(Inbox, DropsWhatNobodyTook) {
  auto kept = std::make_shared<int>(1);
  {
    Inbox inbox;
    inbox.push([kept] {});
    EXPECT_EQ(kept.use_count(), 2);
  }
  EXPECT_EQ(kept.use_count(), 1);
}

}  // namespace
}  // namespace chimera::base
