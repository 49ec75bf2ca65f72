#include "server/engine/pending/timer.h"

#include "tests/unit/server/engine/pending/pending_fixture.h"

namespace chimera::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TimersTest : public PendingFixture {
 protected:
  static command::Command start_timer(const std::string& id, int seconds) {
    command::Command command;
    command.set_command_type(enums::COMMAND_TYPE_START_TIMER);
    auto& a = *command.mutable_start_timer_command_attributes();
    a.set_timer_id(id);
    a.mutable_start_to_fire_timeout()->set_seconds(seconds);
    return command;
  }
  static command::Command cancel_timer(const std::string& id) {
    command::Command command;
    command.set_command_type(enums::COMMAND_TYPE_CANCEL_TIMER);
    command.mutable_cancel_timer_command_attributes()->set_timer_id(id);
    return command;
  }
  static std::vector<std::string> fired(const OneRun& run) {
    std::vector<std::string> ids;
    for (const HistoryEvent& event : run.events.events()) {
      if (event.event_type() == enums::EVENT_TYPE_TIMER_FIRED)
        ids.push_back(event.timer_fired_event_attributes().timer_id());
    }
    return ids;
  }
};

TEST_F(TimersTest, FiresAtItsTimeAndNotBefore) {
  const RunPtr run = start("timed");
  ASSERT_TRUE(respond(*run, {start_timer("t", 5)}).ok());
  EXPECT_EQ(run->next_deadline(), clock.wall + seconds{5});

  pass(milliseconds{4999});
  EXPECT_THAT(fired(*run), IsEmpty());
  pass(milliseconds{1});

  EXPECT_THAT(fired(*run), ElementsAre("t"));
  EXPECT_EQ(run->open<Timers>().find("t"), nullptr);
  EXPECT_TRUE(run->task.pending()) << "the workflow must hear of it";
}

TEST_F(TimersTest, OneInstantFiresInTheOrderOfStarts) {
  const RunPtr run = start("timed");
  ASSERT_TRUE(respond(*run, {start_timer("z", 5), start_timer("a", 5), start_timer("m", 4)}).ok());

  pass(seconds{5});

  EXPECT_THAT(fired(*run), ElementsAre("m", "z", "a"));
}

TEST_F(TimersTest, ACanceledOneDoesNotFireAndItsIdIsFree) {
  const RunPtr run = start("timed");
  ASSERT_TRUE(respond(*run, {start_timer("t", 5), start_timer("other", 1)}).ok());
  pass(seconds{1});
  ASSERT_TRUE(respond(*run, {cancel_timer("t"), start_timer("t", 60)}).ok());

  pass(seconds{20});

  EXPECT_THAT(fired(*run), ElementsAre("other"));
  EXPECT_NE(run->open<Timers>().find("t"), nullptr);
}

TEST_F(TimersTest, AFiringThatTheWorkflowHasNotSeenIsTakenBackByItsCancel) {
  const RunPtr run = start("timed");
  ASSERT_TRUE(respond(*run, {start_timer("t", 5), start_timer("wake", 1)}).ok());
  pass(seconds{1});
  begin_task(*run);
  pass(seconds{5});
  ASSERT_EQ(run->buffered.size(), 1u);

  // A buffered event would not let the run close.
  ASSERT_TRUE(answer(*run, {cancel_timer("t"), complete_workflow()}).ok());

  EXPECT_FALSE(run->running());
  EXPECT_THAT(fired(*run), ElementsAre("wake"));
}

TEST_F(TimersTest, BadCommandsAreRefused) {
  const RunPtr run = start("timed");
  EXPECT_THAT(respond(*run, {start_timer("", 5)}).message(), HasSubstr("TimerId is not set"));
  EXPECT_THAT(respond(*run, {start_timer("t", 5), start_timer("t", 5)}).message(),
              HasSubstr("TimerID t already exists"));
  pass(seconds{10});  // A retried task that fails again is left to time out.
  EXPECT_THAT(respond(*run, {cancel_timer("none")}).message(),
              HasSubstr("add-timer-canceled-event, TimerID: none"));
  EXPECT_THAT(fired(*run), IsEmpty());
}

TEST_F(TimersTest, AClosedRunHasNone) {
  const RunPtr run = start("timed");
  ASSERT_TRUE(respond(*run, {start_timer("t", 5), complete_workflow()}).ok());
  EXPECT_EQ(run->open<Timers>().find("t"), nullptr);

  pass(seconds{5});

  EXPECT_THAT(fired(*run), IsEmpty());
}

}  // namespace
}  // namespace chimera::server
