// What a run says when its history and its code disagree: run_test.cc has when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/machines/local_marker.h"
#include "run_fixture.h"

namespace chimera::core::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

RunOptions with_places() {
  RunOptions options = run_options(/*has_side_effects=*/false);
  options.identity.place = [](std::uint64_t place) {
    return "orders.cc:" + std::to_string(place) + " in Order::run";
  };
  return options;
}

template <class One>
Command at(std::uint64_t place, One one) {
  Command command{CommandVariant{std::move(one)}};
  command.place = place;
  return command;
}

ScheduleActivity activity(std::uint32_t seq, const std::string& type) {
  ScheduleActivity command = schedule(seq, type, ActivityCancellationType::kTryCancel);
  command.attributes.mutable_task_queue()->set_name("orders");
  command.attributes.mutable_input()->add_payloads()->set_data("a secret");
  command.attributes.mutable_start_to_close_timeout()->set_seconds(10);
  return command;
}

class ReportTest : public ::testing::Test {
 protected:
  ReportTest() : run_(with_places()) {}

  template <class... Commands>
  void answer(Commands... commands) {
    Completion::Success success;
    (success.commands.push_back(std::move(commands)), ...);
    outputs_.clear();
    run_.step(LanguageDone{Completion{std::move(success)}}, outputs_);
  }
  void begin() {
    outputs_.clear();
    run_.step(as_input(history_.poll()), outputs_);
  }
  std::string report() {
    for (const RunOutput& output : outputs_) {
      if (const auto* failed = std::get_if<SendFailure>(&output))
        return failed->request->failure().message();
    }
    return "no report";
  }

  WorkflowRun run_;
  std::vector<RunOutput> outputs_;
  HistoryBuilder history_;
};

// History: a timer; when it has fired, charge, ship and a timer. The code: charge_card.
TEST_F(ReportTest, ShowsBothSidesWithWhatIsAround) {
  history_.task();
  const std::int64_t timer = history_.timer_started(1);
  history_.timer_fired(1, timer).task();
  history_.activity_scheduled("1", "charge");
  history_.activity_scheduled("2", "ship");
  history_.signal("go").task();
  history_.timer_started(2);
  history_.task_started();
  begin();
  answer(at(38, StartTimer{1, std::chrono::hours(1)}));

  answer(at(41, activity(1, "charge_card")), at(44, activity(2, "ship")));

  EXPECT_EQ(
      report(),
      "[TMPRL1100] Nondeterminism error: in workflow Test (id id, run run) history and code "
      "disagree: the activity types differ.\n"
      "  history: event 10, ActivityTaskScheduled, activity charge (id 1)\n"
      "  code:    command 1, ScheduleActivity charge_card (id 1), task_queue=orders input=1 value "
      "start_to_close_timeout=10s, at orders.cc:41 in Order::run\n"
      "  0 commands of this task before it matched.\n"
      "  before:  event 5, TimerStarted, timer 1, 0 s\n"
      "  after, history: event 11, ActivityTaskScheduled, activity ship (id 2)\n"
      "                  event 16, TimerStarted, timer 2, 0 s\n"
      "  after, code:    ScheduleActivity ship (id 2), task_queue=orders input=1 value "
      "start_to_close_timeout=10s, at orders.cc:44 in Order::run\n"
      "  Probably the activity 'charge' was renamed to 'charge_card', or that one is called in its "
      "place.\n"
      "  Guard the change with patched(\"...\"), or reset the run. See docs/errors.md, TMPRL1100.");
}

TEST_F(ReportTest, ShowsAnExtraCommand) {
  history_.task();
  history_.timer_started(1);
  history_.signal("go").task_started();
  begin();

  answer(at(3, StartTimer{1, std::chrono::minutes(1)}), at(4, activity(1, "ship")));

  EXPECT_THAT(report(), HasSubstr("history: event 6, WorkflowExecutionSignaled"));
  EXPECT_THAT(report(), HasSubstr("code:    command 2, ScheduleActivity ship (id 1), "));
  EXPECT_THAT(report(), HasSubstr("at orders.cc:4 in Order::run\n"));
  EXPECT_THAT(report(), HasSubstr("before:  event 5, TimerStarted, timer 1"));
  EXPECT_THAT(report(), HasSubstr("Probably the activity 'ship' was added.\n"));
}

TEST_F(ReportTest, ShowsAMissingCommand) {
  history_.task();
  history_.timer_started(1);
  history_.activity_scheduled("1", "ship");
  history_.signal("go").task_started();
  begin();

  answer(at(3, StartTimer{1, std::chrono::minutes(1)}));

  EXPECT_THAT(report(), HasSubstr("history: event 6, ActivityTaskScheduled, activity ship (id 1)"));
  EXPECT_THAT(report(), HasSubstr("code:    no command\n"));
  EXPECT_THAT(report(), HasSubstr("1 command of this task before it matched."));
  EXPECT_THAT(report(), HasSubstr("Probably the activity 'ship' was removed, or the code waits "));
}

// Reports go to logs.
TEST_F(ReportTest, HasNoValues) {
  history_.task();
  history_.timer_started(1);
  history_.signal("go").task_started();
  begin();

  answer(at(4, activity(1, "ship")));

  EXPECT_THAT(report(), HasSubstr("input=1 value"));
  EXPECT_THAT(report(), Not(HasSubstr("secret")));
}

TEST_F(ReportTest, OfALocalActivityHasItsPlaceToo) {
  history_.task();
  auto& marker =
      *history_.add(enums::EVENT_TYPE_MARKER_RECORDED).mutable_marker_recorded_event_attributes();
  LocalMarker local;
  local.seq = 1;
  local.activity_id = "1";
  local.activity_type = "price";
  api::command::v1::RecordMarkerCommandAttributes written;
  write_local_marker(local, written);
  marker.set_marker_name(written.marker_name());
  *marker.mutable_details() = written.details();
  history_.signal("go").task_started();
  begin();

  ScheduleLocalActivity command{1};
  command.activity_type = "new_price";
  answer(at(9, std::move(command)));
  answer();  // What its result wakes.

  EXPECT_THAT(report(), HasSubstr("MarkerRecorded, marker core_local_activity \"price\""));
  EXPECT_THAT(report(), HasSubstr("ScheduleLocalActivity new_price (id 1), at orders.cc:9"));
  EXPECT_THAT(report(),
              HasSubstr("Probably the local activity 'price' was renamed to 'new_price'"));
}

// Pages are let go one by one; what a report may still show is kept.
TEST_F(ReportTest, ShowsWhatStoodOnEarlierPages) {
  history_.task();
  const std::int64_t timer = history_.timer_started(1);
  history_.timer_fired(1, timer).task();
  const std::int64_t border = history_.last_id();
  history_.activity_scheduled("1", "charge");
  history_.signal("go").task_started();
  auto first = history_.poll();
  first->mutable_history()->mutable_events()->DeleteSubrange(
      static_cast<int>(border), static_cast<int>(history_.last_id() - border));
  first->set_next_page_token("more");
  outputs_.clear();
  run_.step(as_input(first), outputs_);
  first.reset();
  answer(at(1, StartTimer{1, std::chrono::hours(1)}));
  auto rest = history_.poll(border + 1);
  const auto give_rest = [&] {
    outputs_.clear();
    run_.step(PageInput{std::make_shared<HistoryPage>(rest, &rest->history(), "")}, outputs_);
  };
  ASSERT_TRUE(std::holds_alternative<FetchPage>(outputs_.at(0)));
  give_rest();

  answer(at(2, activity(1, "refund")));

  EXPECT_THAT(report(), HasSubstr("before:  event 5, TimerStarted, timer 1"));
}

}  // namespace
}  // namespace chimera::core::testing
