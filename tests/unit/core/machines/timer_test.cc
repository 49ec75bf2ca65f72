#include "core/machines/timer.h"

#include <gtest/gtest.h>

#include "fake_run.h"

namespace chimera::core::testing {
namespace {

namespace enums = api::enums::v1;

HistoryEvent fired(const std::string& id) {
  HistoryEvent fired = event(enums::EVENT_TYPE_TIMER_FIRED);
  fired.mutable_timer_fired_event_attributes()->set_timer_id(id);
  return fired;
}

HistoryEvent started() {
  HistoryEvent started = event(enums::EVENT_TYPE_TIMER_STARTED, 5);
  started.mutable_timer_started_event_attributes()->set_timer_id("7");
  started.mutable_timer_started_event_attributes()->mutable_start_to_fire_timeout()->set_seconds(
      30);
  return started;
}

TEST(TimerTest, FiresWhenItsEventSaysSo) {
  FakeRun run;
  auto timer = begun<TimerMachine>({7, std::chrono::milliseconds(1500)}, run);
  EXPECT_EQ(run.log(), "send TimerStarted");
  const auto& command = run.commands.back()->start_timer_command_attributes();
  EXPECT_EQ(command.timer_id(), "7");
  EXPECT_EQ(command.start_to_fire_timeout().nanos(), 500'000'000);
  EXPECT_TRUE(timer.on(started(), run).ok());
  EXPECT_EQ(timer.on(fired("8"), run).message(),
            "event 11, TimerFired, timer 8: the code's timer has the id 7");

  EXPECT_TRUE(timer.on(fired("7"), run).ok());

  EXPECT_EQ(run.job<FireTimer>().seq, 7u);
  EXPECT_TRUE(timer.done());
}

TEST(TimerTest, IsTakenBackBeforeItIsSentAndCancelledAfter) {
  FakeRun run;
  auto unsent = begun<TimerMachine>({7, {}}, run);
  run.log();
  cancel(unsent, run);
  EXPECT_EQ(run.log(), "take back");
  EXPECT_TRUE(unsent.done());

  auto timer = begun<TimerMachine>({7, {}}, run);
  EXPECT_TRUE(timer.on(started(), run).ok());
  run.log();
  cancel(timer, run);
  cancel(timer, run);
  EXPECT_EQ(run.log(), "send TimerCanceled");
  EXPECT_EQ(run.commands.back()->cancel_timer_command_attributes().timer_id(), "7");
  HistoryEvent canceled = event(enums::EVENT_TYPE_TIMER_CANCELED);
  canceled.mutable_timer_canceled_event_attributes()->set_timer_id("9");
  EXPECT_TRUE(timer.on(canceled, run).ok()) << "any of the timers that the task cancels";
  EXPECT_TRUE(timer.done());
}

TEST(TimerTest, SendsNothingWhileReplaying) {
  FakeRun run;
  run.is_live = false;
  begun<TimerMachine>({7, {}}, run);
  EXPECT_EQ(run.commands.back(), nullptr);
}

TEST(TimerTest, SaysWhatItIs) {
  EXPECT_EQ(describe_event(started()), "event 5, TimerStarted, timer 7, 30 s");
  TimerMachine timer;
  timer.id = "7";
  EXPECT_EQ(timer.describe(enums::EVENT_TYPE_TIMER_CANCELED), "CancelTimer 7");
}

}  // namespace
}  // namespace chimera::core::testing
