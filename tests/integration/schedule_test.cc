// Schedules in a TestEnvironment, whose time skips.
#include <atomic>
#include <chrono>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/testing.h"
#include "chimera/worker.h"
#include "chimera/workflow.h"

namespace chimera {
namespace {

using namespace std::chrono_literals;
constexpr auto kDay = 24h;
constexpr char kQueue[] = "reports";

std::atomic<int> reports{0};
struct Report {
  int run(int step) { return reports += step; }
};
const auto kReport = define_workflow<&Report::run>("Report");

class ScheduleTest : public ::testing::Test {
 protected:
  ScheduleTest() : worker_(env_.client(), WorkerOptions{.task_queue = kQueue}) {
    reports = 0;
    worker_.add(kReport);
    worker_.start();
  }
  static ScheduleActionStartWorkflow report() {
    return start_workflow_action<kReport>({.id = "report", .task_queue = kQueue}, 1);
  }
  // When what it has started last is over.
  int all(const ScheduleInfo& info) {
    const auto real = env_.real_time();  // The next action is not skipped to.
    const std::string& last = info.recent_actions.back().action.workflow_id;
    env_.client().get_workflow_handle<kReport>(last).result();
    return reports;
  }

  TestEnvironment env_;
  Worker worker_;
};

TEST_F(ScheduleTest, AMonthOfDailyActionsPassesAtOnce) {
  const auto handle = env_.client().create_schedule(
      "daily", {.action = report(), .spec = {.calendars = {{.hour = {{9}}}}}});

  env_.sleep(30 * kDay);

  const ScheduleInfo info = handle.describe().info;
  EXPECT_EQ(info.num_actions, 30);
  EXPECT_EQ(all(info), 30);
  ASSERT_EQ(info.recent_actions.size(), 10u);
  for (std::size_t i = 1; i < info.recent_actions.size(); ++i) {
    EXPECT_EQ(info.recent_actions[i].scheduled_at - info.recent_actions[i - 1].scheduled_at, kDay);
  }
  for (const ScheduleActionResult& each : info.recent_actions) {
    const auto hour = each.scheduled_at.time_since_epoch() % kDay;
    EXPECT_EQ(hour, 9h);
    EXPECT_LT(each.started_at - each.scheduled_at, 1s);
  }
}

TEST_F(ScheduleTest, ALimitEndsIt) {
  const auto handle = env_.client().create_schedule(
      "limited", {.action = report(),
                  .spec = {.intervals = {{.every = 1h}}},
                  .state = {.limited_actions = true, .remaining_actions = 5}});

  env_.sleep(kDay);

  const ScheduleDescription told = handle.describe();
  EXPECT_EQ(told.info.num_actions, 5);
  EXPECT_EQ(told.schedule.state.remaining_actions, 0);
  EXPECT_EQ(all(told.info), 5);
}

TEST_F(ScheduleTest, ActionsFollowTheClocksOfAZone) {
  // From the night of a change to the next but one: Berlin's clocks go forward once, and back once.
  const Time spring = std::chrono::sys_days{std::chrono::year(2040) / 3 / 1};
  const auto handle =
      env_.client().create_schedule("noon", {.action = report(),
                                             .spec = {.cron_expressions = {"0 12 1 4,7,11 *"},
                                                      .start_at = spring,
                                                      .end_at = spring + 300 * kDay,
                                                      .time_zone_name = "Europe/Berlin"}});

  EXPECT_THAT(
      handle.describe().info.next_action_times,
      ::testing::ElementsAre(Time(std::chrono::sys_days{std::chrono::year(2040) / 4 / 1} + 10h),
                             Time(std::chrono::sys_days{std::chrono::year(2040) / 7 / 1} + 10h),
                             Time(std::chrono::sys_days{std::chrono::year(2040) / 11 / 1} + 11h)));
}

TEST_F(ScheduleTest, AnUpdateThatIsAlwaysOvertakenGivesUp) {
  const auto handle = env_.client().create_schedule(
      "busy", {.action = report(), .spec = {.calendars = {{.hour = {{9}}}}}});
  int asked = 0;
  try {
    handle.update([&](const ScheduleDescription& was) {
      ++asked;
      handle.update([](const ScheduleDescription& now) { return now.schedule; });
      return was.schedule;
    });
    ADD_FAILURE() << "it did not give up";
  } catch (const RpcError& error) {
    EXPECT_EQ(error.code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(error.what(),
                ::testing::HasSubstr("'busy', which changed during each of 10 attempts"));
  }
  EXPECT_EQ(asked, 10);
}

}  // namespace
}  // namespace chimera
