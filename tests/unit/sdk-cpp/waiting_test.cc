// The first of several things, and what tasks share.
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/workflow.h"
#include "tests/unit/sdk-cpp/driver.h"

namespace chimera::sdk {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

const ActivityOptions kOptions{.start_to_close_timeout = 10s};
std::vector<std::string> seen;  // What the code under test did, in order.

template <class... T>
void note(const T&... parts) {
  seen.push_back(absl::StrCat(parts...));
}

class WaitingTest : public testing::Test {
 protected:
  WaitingTest() { seen.clear(); }
};

// --- wait_any ---

TEST_F(WaitingTest, TheFirstThatIsReadyInTheOrderOfTheArguments) {
  code = [] {
    auto one = workflow::start_activity<int>("one", kOptions);
    auto two = workflow::start_activity<int>("two", kOptions);
    note(workflow::wait_any(two, one));
    note(workflow::wait_any(one, two));
  };
  Driver driver(kRuns);
  driver.start();
  driver.activate({driver.completed(1, 7), driver.completed(2, 7)});

  EXPECT_THAT(seen, ElementsAre("0", "0"));
}

TEST_F(WaitingTest, ATimerByItselfHasASummaryAndCanBeCancelled) {
  code = [] {
    auto timer = workflow::start_timer(1h, "for people");
    auto waits = workflow::spawn([&] {
      try {
        timer.get();
      } catch (const CancelledError&) {
        note("cancelled");
      }
    });
    workflow::sleep(0s);
    timer.cancel();
    note(timer.done(), workflow::wait_any(timer));
    waits.get();
  };
  Driver driver(kRuns);
  const auto done = driver.start();

  EXPECT_TRUE(completed(done)) << task_failure(done);
  ASSERT_NE(commands(done).at(0).user_metadata, nullptr);
  EXPECT_EQ(commands(done).at(0).user_metadata->summary().data(), "\"for people\"");
  EXPECT_NE(command<core::CancelTimer>(done, 1), nullptr);
  EXPECT_THAT(seen, ElementsAre("10", "cancelled"));
}

TEST_F(WaitingTest, EachKindEndsAWait) {
  bool done = false;
  code = [&] {
    auto timer = workflow::start_timer(1s);
    note("timer ", workflow::wait_any([&] { return done; }, timer));
    auto signals = workflow::signal_channel<int>("go");
    note("signal ", workflow::wait_any([&] { return done; }, signals));
    note("received ", signals.receive());
    note("condition ", workflow::wait_any(signals, [&] { return done; }));
    auto child = workflow::start_activity<int>("x", kOptions);
    auto task = workflow::spawn([&] { return child.get(); });
    std::vector<workflow::ActivityHandle<int>> many{child};
    note("many ", workflow::wait_any(many));
    note("in time ", workflow::wait_any_for(1h, task).value());
    note("late ", workflow::wait_any_for(1s, signals).has_value());
    note("now ", workflow::wait_any_for(0s, signals).has_value());
    workflow::wait_all(child, task, timer);
  };
  Driver driver(kRuns);
  driver.start();
  driver.activate({core::FireTimer{1}});
  driver.activate({driver.signal("go", 7)});
  done = true;
  driver.activate({core::UpdateRandomSeed{}});
  driver.activate({driver.completed(1, 7)});
  const auto last = driver.activate({core::FireTimer{3}});

  EXPECT_TRUE(completed(last)) << task_failure(last);
  EXPECT_THAT(seen, ElementsAre("timer 1", "signal 1", "received 7", "condition 1", "many 0",
                                "in time 0", "late 0", "now 0"));
}

TEST_F(WaitingTest, ACancelledWaitLeavesWhatItWaitedForAlone) {
  code = [] {
    auto activity = workflow::start_activity<int>("x", kOptions);
    try {
      note(workflow::wait_any_for(1h, activity).has_value());
    } catch (const CancelledError&) {
      note("cancelled");
    }
    note(activity.get());
  };
  Driver driver(kRuns);
  driver.start();
  const auto asked = driver.activate({core::CancelWorkflow{""}});
  ASSERT_EQ(commands(asked).size(), 1u);
  EXPECT_NE(command<core::CancelTimer>(asked, 0), nullptr);
  driver.activate({driver.completed(1, 7)});

  EXPECT_THAT(seen, ElementsAre("cancelled", "7"));
}

TEST_F(WaitingTest, ATimerOfNoTimeIsDoneAtOnceWithoutACommand) {
  code = [] { note(workflow::start_timer(0s).done(), workflow::start_timer(-1s).done()); };
  Driver driver(kRuns);

  EXPECT_EQ(commands(driver.start()).size(), 1u);
  EXPECT_THAT(seen, ElementsAre("11"));
}

// --- Selector ---

TEST_F(WaitingTest, ASelectorRunsTheCodeOfWhatIsReady) {
  code = [] {
    auto orders = workflow::signal_channel<int>("order");
    workflow::Channel<std::string> words(1);
    auto payment = workflow::start_activity<int>("pay", kOptions);
    bool late = false, paid = false;
    workflow::Selector selector;
    selector.add(orders, [](int order) { note("order ", order); })
        .add(payment,
             [&] {
               paid = true;
               note("paid ", payment.get());
             })
        .add(words, [](const std::string& word) { note("word ", word); })
        .add_timer(24h, [&] { late = true; })
        .add_condition([&] { return paid; },
                       [&] {
                         paid = false;
                         note("condition");
                       });
    EXPECT_FALSE(selector.pending());
    while (!late) selector.select();
    words.send("last");
    EXPECT_TRUE(selector.pending());
    selector.select();
    words.close();
    selector.add_default([] { note("nothing"); });
    selector.select();
  };
  Driver driver(kRuns);
  driver.start();
  driver.activate({driver.signal("order", 1), driver.signal("order", 2)});
  driver.activate({driver.completed(1, 7), driver.signal("order", 3)});
  const auto last = driver.activate({core::FireTimer{1}});

  EXPECT_TRUE(completed(last)) << task_failure(last);
  EXPECT_THAT(seen, ElementsAre("order 1", "order 2", "order 3", "paid 7", "condition", "word last",
                                "nothing"));
}

TEST_F(WaitingTest, ASelectorThatWaitsIsAReceiver) {
  code = [] {
    workflow::Channel<int> channel;  // Without room.
    EXPECT_FALSE(channel.try_send(0));
    auto selects = workflow::spawn([&] {
      workflow::Selector selector;
      selector.add(channel, [](std::optional<int> value) { note(value.value_or(-1)); });
      for (int i = 0; i < 3; ++i) selector.select();
    });
    workflow::sleep(0s);
    EXPECT_TRUE(channel.try_send(1));
    channel.send(2);
    workflow::sleep(0s);
    channel.close();
    selects.get();
  };
  Driver driver(kRuns);
  const auto done = driver.start();

  EXPECT_TRUE(completed(done)) << task_failure(done);
  EXPECT_THAT(seen, ElementsAre("1", "2", "-1"));
}

TEST_F(WaitingTest, ASendToASelectorWaitsUntilItIsTaken) {
  code = [] {
    workflow::Channel<int> left, right;
    auto selects = workflow::spawn([&] {
      workflow::Selector selector;
      selector.add(left, [](int) { note("left taken"); }).add(right, [](int) {});
      selector.select();
    });
    workflow::sleep(0s);
    auto sends_left = workflow::spawn([&] {
      left.send(1);
      note("left sent");
    });
    auto sends_right = workflow::spawn([&] {
      right.send(2);
      note("right sent");
    });
    selects.get();
    sends_left.get();
    EXPECT_FALSE(sends_right.done());
    EXPECT_EQ(right.receive(), 2);
    sends_right.get();
  };
  Driver driver(kRuns);
  const auto done = driver.start();

  EXPECT_TRUE(completed(done)) << task_failure(done);
  EXPECT_THAT(seen, ElementsAre("left taken", "left sent", "right sent"));
}

TEST_F(WaitingTest, NoSendIsBeforeOneThatWaits) {
  code = [] {
    workflow::Channel<int> channel;
    auto waits = workflow::spawn([&] { EXPECT_EQ(workflow::wait_any(channel), 0); });
    workflow::sleep(0s);
    EXPECT_TRUE(channel.try_send(1));
    auto second = workflow::spawn([&] { channel.send(2); });
    workflow::sleep(0s);
    EXPECT_EQ(channel.receive(), 1);
    EXPECT_FALSE(channel.try_send(3));
    EXPECT_EQ(channel.receive(), 2);
    second.get();
    waits.get();
  };
  Driver driver(kRuns);
  const auto done = driver.start();

  EXPECT_TRUE(completed(done)) << task_failure(done);
}

TEST_F(WaitingTest, WhatWasMovedFromIsStillOne) {
  code = [] {
    workflow::Future<int> future;
    workflow::Channel<int> channel(1);
    const auto future_too = std::move(future);
    auto channel_too = std::move(channel);
    future.set_value(3);  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(workflow::wait_any(future_too), 0);
    EXPECT_EQ(future_too.get(), 3);
    channel_too.send(4);
    EXPECT_EQ(channel.receive(), 4);  // NOLINT(bugprone-use-after-move)
  };
  Driver driver(kRuns);
  const auto done = driver.start();

  EXPECT_TRUE(completed(done)) << task_failure(done);
}

TEST_F(WaitingTest, ATaskMayBeMovedWhileSomebodyWaitsForIt) {
  code = [] {
    workflow::Future<void> go;
    auto task = workflow::spawn([&] {
      go.get();
      return 5;
    });
    auto waits = workflow::spawn([&] { note(task.get()); });
    workflow::sleep(0s);
    auto moved = std::move(task);
    go.set_value();
    waits.get();
    EXPECT_EQ(moved.get(), 5);
  };
  Driver driver(kRuns);
  const auto done = driver.start();

  EXPECT_TRUE(completed(done)) << task_failure(done);
  EXPECT_THAT(seen, ElementsAre("5"));
}

TEST_F(WaitingTest, ASelectorsTimersEndWithIt) {
  code = [] {
    {
      workflow::Selector selector;
      selector.add_timer(1h, [] {});
    }
    workflow::sleep(1s);
  };
  Driver driver(kRuns);

  EXPECT_NE(command<core::CancelTimer>(driver.start(), 1), nullptr);
}

// --- Futures ---

TEST_F(WaitingTest, AFutureGivesItsValueOrItsError) {
  code = [] {
    workflow::Future<std::string> word;
    workflow::Future<void> bell, error;
    auto waits = workflow::spawn([=] {
      note(word.get(), word.get());
      bell.get();
      note("bell");
      try {
        error.get();
      } catch (const ApplicationError& failure) {
        note(failure.message());
      }
    });
    workflow::sleep(0s);
    word.set_value("so ");
    bell.set_value();
    error.set_error(ApplicationError("no"));
    waits.get();
    workflow::Future<std::unique_ptr<int>> one;
    one.set_value(std::make_unique<int>(7));
    note(*one.get());
    EXPECT_THROW(one.get(), std::logic_error);
    EXPECT_THROW(one.set_value(nullptr), std::logic_error);
  };
  Driver driver(kRuns);
  const auto done = driver.start();

  EXPECT_TRUE(completed(done)) << task_failure(done);
  EXPECT_THAT(seen, ElementsAre("so so ", "bell", "no", "7"));
}

// --- Channels ---

TEST_F(WaitingTest, AChannelHandsOverInOrderOfArrival) {
  code = [] {
    workflow::Channel<int> channel(1);
    workflow::TaskGroup group;
    for (int i = 0; i < 4; ++i) group.spawn([channel, i]() mutable { channel.send(i); });
    workflow::sleep(0s);
    for (int i = 0; i < 2; ++i) {
      group.spawn([channel, i]() mutable {
        while (const auto value = channel.receive()) {
          note(i, " got ", *value);
          workflow::sleep(0s);
        }
        note(i, " ended");
      });
    }
    group.spawn([channel]() mutable {
      workflow::sleep(1s);
      channel.send(9);
      channel.close();
    });
    group.join();
    note(channel.closed(), channel.try_receive().has_value());
    EXPECT_THROW(channel.send(1), std::logic_error);
    EXPECT_THROW((void)channel.try_send(1), std::logic_error);
  };
  Driver driver(kRuns);
  driver.start();
  const auto done = driver.activate({core::FireTimer{1}});

  EXPECT_TRUE(completed(done)) << task_failure(done);
  EXPECT_THAT(seen, ElementsAre("0 got 0", "1 got 1", "0 got 2", "1 got 3", "0 got 9", "1 ended",
                                "0 ended", "10"));
}

TEST_F(WaitingTest, AReceiveWithATimeout) {
  code = [] {
    workflow::Channel<int> channel;
    note(channel.receive_for(1s).has_value(), channel.receive_for(0s).has_value());
    workflow::spawn_detached([channel]() mutable { channel.send(7); });
    note(channel.receive_for(1s).value());
  };
  Driver driver(kRuns);
  driver.start();
  const auto done = driver.activate({core::FireTimer{1}});

  EXPECT_NE(command<core::CancelTimer>(done, 1), nullptr);
  EXPECT_TRUE(completed(done)) << task_failure(done);
  EXPECT_THAT(seen, ElementsAre("00", "7"));
}

TEST_F(WaitingTest, ACancelledReceiverLosesNoValue) {
  code = [] {
    workflow::Channel<std::unique_ptr<int>> channel;
    auto both = workflow::spawn([channel]() mutable {
      note("handed ", **channel.receive());  // Before the cancellation came.
      try {
        workflow::sleep(1h);
      } catch (const CancelledError&) {
        note("then cancelled");
      }
    });
    auto gone = workflow::spawn([channel]() mutable { (void)channel.receive(); });
    workflow::sleep(0s);
    channel.send(std::make_unique<int>(1));
    both.cancel();
    gone.cancel();
    auto value = std::make_unique<int>(2);
    auto sender = workflow::spawn([channel, &value]() mutable { channel.send(std::move(value)); });
    workflow::sleep(0s);
    sender.cancel();
    workflow::sleep(0s);
    note("kept ", *value);
  };
  Driver driver(kRuns);
  const auto done = driver.start();

  EXPECT_TRUE(completed(done)) << task_failure(done);
  EXPECT_THAT(seen, ElementsAre("handed 1", "then cancelled", "kept 2"));
}

TEST_F(WaitingTest, ASenderHearsThatItsChannelCloses) {
  code = [] {
    workflow::Channel<int> channel;
    auto sender = workflow::spawn([channel]() mutable { channel.send(1); });
    workflow::sleep(0s);
    channel.close();
    sender.get();
  };
  Driver driver(kRuns);

  EXPECT_THAT(task_failure(driver.start()), HasSubstr("Channel::send: the channel is closed"));
}

// --- Signals ---

TEST_F(WaitingTest, ASignalChannelHasWhatCameBefore) {
  code = [] {
    auto orders = workflow::signal_channel<std::string>("order");
    note(orders.try_receive().value());
    note(orders.receive());
    note(orders.try_receive().has_value());
    auto again = workflow::signal_channel<std::string>("order");
    auto ping = workflow::signal_channel<std::monostate>("ping");
    note(again.receive());
    ping.receive();
    note(orders.receive_for(1h).value());
  };
  Driver driver(kRuns);
  driver.activate({driver.init(), driver.signal("order", "a"), driver.signal("order", "b")});
  driver.activate({driver.signal("order", "c")});
  driver.activate({driver.signal("ping")});
  const auto done = driver.activate({driver.signal("order", 7), driver.signal("order", "d")});

  EXPECT_TRUE(completed(done)) << task_failure(done);
  EXPECT_THAT(seen, ElementsAre("a", "b", "0", "c", "d"));
}

struct Handles {
  void run() { code(); }
  void listed(int) {}
};
const auto kHandles = define_workflow<&Handles::run>("Handles").signal<&Handles::listed>("listed");

TEST_F(WaitingTest, ASignalHasAHandlerOrAChannel) {
  const auto failure = [&](std::function<void()> body) {
    code = std::move(body);
    Driver driver(kHandles);
    return task_failure(driver.start());
  };

  EXPECT_THAT(failure([] { workflow::signal_channel<int>("listed"); }),
              HasSubstr("the signal 'listed' of workflow Handles (id id, run run) has a handler"));
  EXPECT_THAT(failure([] {
                workflow::signal_channel<int>("a");
                workflow::set_signal_handler("a", [](int) {});
              }),
              HasSubstr("the signal 'a' of workflow Handles (id id, run run) has a channel"));
  EXPECT_THAT(failure([] {
                workflow::signal_channel<int>("a");
                workflow::signal_channel<std::string>("a");
              }),
              HasSubstr("has a channel of another type"));
  EXPECT_THAT(failure([] { workflow::signal_channel<int>(""); }), HasSubstr("the name is empty"));
}

// --- Locks ---

TEST_F(WaitingTest, AMutexIsHandedToWhoWaitsLongest) {
  code = [] {
    workflow::Mutex mutex, other;
    workflow::TaskGroup group;
    for (int i = 0; i < 3; ++i) {
      group.spawn([&, i] {
        for (int round = 0; round < 2; ++round) {
          const std::scoped_lock both(mutex, other);
          note(i);
          workflow::sleep(0s);
        }
      });
    }
    workflow::sleep(0s);
    note("free ", mutex.try_lock());
    group.join();
    note("free ", mutex.try_lock());
    mutex.unlock();
  };
  Driver driver(kRuns);
  const auto done = driver.start();

  EXPECT_TRUE(completed(done)) << task_failure(done);
  EXPECT_THAT(seen, ElementsAre("0", "free 0", "1", "2", "0", "1", "2", "free 1"));
}

TEST_F(WaitingTest, PermitsAreGivenInOrderOfArrival) {
  code = [] {
    workflow::Semaphore permits(2);
    permits.acquire(2);
    auto large = workflow::spawn([&] {
      permits.acquire(3);
      note("large");
      permits.release(3);
    });
    auto small = workflow::spawn([&] {
      permits.acquire();
      note("small");
      permits.release();
    });
    workflow::sleep(0s);
    permits.release();
    note("past them ", permits.try_acquire());
    workflow::sleep(0s);
    permits.release(2);
    large.get();
    small.get();
    note("left ", permits.try_acquire(3));
    note("left ", permits.try_acquire());
  };
  Driver driver(kRuns);
  const auto done = driver.start();

  EXPECT_TRUE(completed(done)) << task_failure(done);
  EXPECT_THAT(seen, ElementsAre("past them 0", "large", "small", "left 1", "left 0"));
}

TEST_F(WaitingTest, ACancelledOrLateWaiterLosesNoPermit) {
  code = [] {
    workflow::Semaphore permits(1);
    permits.acquire();
    auto large = workflow::spawn([&] { permits.acquire(5); });
    auto late = workflow::spawn([&] { note("in time ", permits.acquire_for(1s)); });
    auto small = workflow::spawn([&] {
      permits.acquire();
      note("small");
    });
    workflow::sleep(2s);
    permits.release();
    workflow::sleep(0s);
    large.cancel();  // The small one waited for its turn only.
    small.get();
  };
  Driver driver(kRuns);
  driver.start();
  driver.activate({core::FireTimer{2}});
  const auto done = driver.activate({core::FireTimer{1}});

  EXPECT_TRUE(completed(done)) << task_failure(done);
  EXPECT_THAT(seen, ElementsAre("in time 0", "small"));
}

// --- Chance ---

// Pinned, as another program of the same rules gives them: they must never change, nor depend on
// the library.
TEST_F(WaitingTest, RandomNumbersFollowTheSeed) {
  code = [] {
    std::vector<int> order{1, 2, 3, 4, 5, 6};
    workflow::shuffle(order);
    for (const int each : order) note(each);
    for (int i = 0; i < 4; ++i) note(workflow::random_int(-3, 3));
    note(workflow::random_int(5, 5));
    note(workflow::random_int(INT64_MIN, INT64_MAX));
    note(static_cast<std::int64_t>(workflow::random_double() * 1e9));
  };
  Driver driver(kRuns);
  const auto done = driver.start();

  EXPECT_TRUE(completed(done)) << task_failure(done);
  EXPECT_THAT(seen, ElementsAre("6", "2", "5", "3", "1", "4", "-2", "-3", "1", "2", "5",
                                "-4505708832882251970", "596188780"));
}

}  // namespace
}  // namespace chimera::sdk
