// J: the schedules of cron workflows, as the genuine server reads them.
#include <ctime>

#include "tests/conformance/session.h"

namespace chimera::conformance {
namespace {

class CronTest : public Session {
 protected:
  // When the first task of a run that starts now with the schedule is due: seconds since 1970.
  std::int64_t due(const std::string& schedule) {
    Start request = start_request();
    request.set_workflow_id(absl::StrCat(id, "-", ++runs_));
    request.set_cron_schedule(schedule);
    auto started = rpc<wf::StartWorkflowExecutionResponse>(request);
    EXPECT_TRUE(started.ok()) << schedule << ": " << started.status();
    const std::string own = std::exchange(id, request.workflow_id());
    const std::int64_t at = due_time(history().front());
    id = own;
    return at;
  }

  static std::int64_t due_time(const HistoryEvent& event) {
    const auto& backoff =
        event.workflow_execution_started_event_attributes().first_workflow_task_backoff();
    const std::int64_t nanos = std::int64_t{event.event_time().nanos()} + backoff.nanos();
    // The genuine server rounds the backoff up to seconds.
    return event.event_time().seconds() + backoff.seconds() + (nanos + 500'000'000) / 1'000'000'000;
  }

  tm time_of(const std::string& schedule) {
    const std::time_t at = due(schedule);
    tm parts{};
    gmtime_r(&at, &parts);
    return parts;
  }

  absl::Status refusal(const std::string& schedule) {
    Start request = start_request();
    request.set_cron_schedule(schedule);
    return rpc<wf::StartWorkflowExecutionResponse>(request).status();
  }

 private:
  int runs_ = 0;
};

TEST_F(CronTest, cron_question_mark_is_a_star) {
  const tm monday = time_of("30 9 ? * MON"), first = time_of("30 9 1 * ?");

  EXPECT_EQ(monday.tm_wday, 1);
  EXPECT_EQ(first.tm_mday, 1);
}

// As robfig/cron has it: a stepped star restricts, and two restrictions are alternatives.
TEST_F(CronTest, cron_stepped_star_is_no_star) {
  const auto minute_of = [this](const char* schedule) { return due(schedule) / 60; };
  const std::int64_t every_second_day = minute_of("30 9 */2 * *"),
                     monday = minute_of("30 9 * * MON");

  EXPECT_EQ(minute_of("30 9 */2 * MON"), std::min(every_second_day, monday));
  EXPECT_EQ(minute_of("30 9 */1 * MON"), monday);
}

TEST_F(CronTest, cron_takes_what_robfig_takes) {
  for (const char* schedule : {"@every 100ms", "@every -1h", "0 9 1,,2 * *", "0 9 * * mon-Fri",
                               "0 9 5/9223372036854775807 * *", "@every 300000h"}) {
    EXPECT_GT(due(schedule), 0) << schedule;
  }
}

// The time of a run follows from that of the one before, not from its end.
TEST_F(CronTest, cron_keeps_its_beat) {
  start([](Start& request) { request.set_cron_schedule("@every 20s"); });
  const std::int64_t first_due = due_time(history().front());
  ASSERT_TRUE(request_cancel().ok());  // Wakes the run early.
  const Task task = poll();
  EXPECT_TRUE(no_task_within(milliseconds(2200)));
  respond(task, {complete_workflow()});

  const std::string next = last_event(task.workflow_execution().run_id())
                               .workflow_execution_completed_event_attributes()
                               .new_execution_run_id();

  EXPECT_NEAR(static_cast<double>(due_time(history(next).front())), static_cast<double>(first_due),
              1.1);
}

TEST_F(CronTest, cron_bad_schedules) {
  for (const char* schedule : {"nonsense", "0 9 * * 7", "0 9 * * monday", "0 0 9 * * *", "@Weekly",
                               "@every 5", "@every inf", "@every 9000000h", "0 9 1/ * *"}) {
    EXPECT_EQ(refusal(schedule).code(), absl::StatusCode::kInvalidArgument) << schedule;
    EXPECT_EQ(refusal(schedule).message(), "invalid CronSchedule.") << schedule;
  }
  EXPECT_EQ(refusal("0 0 30 2 *").message(),
            "invalid CronSchedule, no time can be found to satisfy the schedule");
}

// Expected deviation: server 1.29 refuses the command, but lets its task run on.
TEST_F(CronTest, cron_bad_schedule_of_a_child) {
  start();
  Command child = start_child(id + "-child");
  child.mutable_start_child_workflow_execution_command_attributes()->set_cron_schedule("nonsense");

  auto refused = try_respond(poll(), {child});

  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()),
              testing::HasSubstr(absl::StrCat(
                  "invalid CronSchedule on StartChildWorkflowExecutionCommand: invalid "
                  "CronSchedule.. WorkflowId=",
                  id, "-child WorkflowType=Child Namespace=default")));
  const auto info = rpc<wf::GetSystemInfoResponse>(wf::GetSystemInfoRequest());
  ASSERT_TRUE(info.ok()) << info.status();
  if (target().genuine && info->server_version().starts_with("1.29")) return;
  EXPECT_EQ(event_of(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED)
                .workflow_task_failed_event_attributes()
                .cause(),
            enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES);
}

// The run goes on, and has none after it.
TEST_F(CronTest, cron_bad_schedule_of_a_continued_run) {
  start();
  Command command = continue_as_new();
  command.mutable_continue_as_new_workflow_execution_command_attributes()->set_cron_schedule(
      "nonsense");
  respond(poll(), {command});
  const Task task = poll(std::chrono::seconds(15));

  respond(task, {complete_workflow()});

  EXPECT_EQ(wait_closed(task.workflow_execution().run_id())
                .workflow_execution_completed_event_attributes()
                .new_execution_run_id(),
            "");
}

}  // namespace
}  // namespace chimera::conformance
