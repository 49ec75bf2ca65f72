// Schedules, as a C++ program makes, shows and changes them.
#include "absl/strings/str_cat.h"

#include "tests/live/live.h"

namespace chimera::live {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ScheduleLive : public Live {
 protected:
  void TearDown() override {
    for (const ScheduleHandle& handle : made_) {
      try {
        handle.delete_();
      } catch (const RpcError&) {  // The test has done so.
      }
    }
    Live::TearDown();
  }
  std::string id() { return absl::StrCat(queue(), "-schedule"); }
  ScheduleHandle create(const Schedule& schedule, const CreateScheduleOptions& options = {}) {
    made_.push_back(client().create_schedule(id(), schedule, options));
    return made_.back();
  }
  ScheduleActionStartWorkflow with_id() {
    return {.id = absl::StrCat(queue(), "-w"), .task_queue = queue()};
  }
  // Its actions, when there are so many.
  static ScheduleInfo when_actions(const ScheduleHandle& handle, std::int64_t count) {
    ScheduleInfo info;
    eventually(
        [&] {
          info = handle.describe().info;
          return info.num_actions >= count;
        },
        "the schedule's actions");
    return info;
  }

 private:
  std::vector<ScheduleHandle> made_;
};
INSTANTIATE_TEST_SUITE_P(, ScheduleLive, testing::Values(std::size_t{1000}), cache_name);

struct Bill {
  std::int64_t number = 0;
  std::string to;
};
struct Billing {
  std::string run(Bill bill) { return absl::StrCat("bill ", bill.number, " to ", bill.to); }
};
const auto kBilling = define_workflow<&Billing::run>("Billing");

TEST_P(ScheduleLive, IsShownAsItWasMade) {
  ScheduleActionStartWorkflow action = with_id();
  action.memo = {{"by", make_payload("ann")}};
  action.search_attributes = {{"GoldKw", std::string("of the workflow")}};
  action.retry_policy = RetryPolicy{.maximum_attempts = 3};
  action.static_summary = "a bill";
  const auto handle = create(
      {.action = start_workflow_action<kBilling>(action, Bill{17, "bob"}),
       .spec = {.calendars = {{.hour = {{9, 17, 4}}, .day_of_week = {{1, 5}}, .comment = "office"}},
                .intervals = {{.every = 1h, .offset = 20min}},
                .cron_expressions = {"30 12 1 * *"},
                .skip = {{.hour = {{13}}}},
                .start_at = Time(std::chrono::sys_days{std::chrono::year(2040) / 1 / 1}),
                .jitter = 2s,
                .time_zone_name = "Europe/Berlin"},
       .policy = {.overlap = ScheduleOverlapPolicy::kBufferOne,
                  .catchup_window = 1min,
                  .pause_on_failure = true},
       .state = {
           .note = "of a test", .paused = true, .limited_actions = true, .remaining_actions = 5}});

  const ScheduleDescription told = handle.describe();
  EXPECT_EQ(told.id, id());
  EXPECT_EQ(told.schedule.action.workflow, "Billing");
  EXPECT_EQ(told.schedule.action.id, action.id);
  EXPECT_EQ(from_payload<Bill>(told.schedule.action.args.at(0)).to, "bob");
  EXPECT_EQ(from_payload<std::string>(told.schedule.action.memo.at("by")), "ann");
  EXPECT_EQ(told.schedule.action.search_attributes, action.search_attributes);
  EXPECT_EQ(told.schedule.action.retry_policy->maximum_attempts, 3);
  EXPECT_EQ(told.schedule.action.static_summary, "a bill");
  ASSERT_EQ(told.schedule.spec.calendars.size(), 2u);  // With that of the cron expression.
  EXPECT_THAT(told.schedule.spec.calendars[0].hour, ElementsAre(ScheduleRange{9, 17, 4}));
  EXPECT_EQ(told.schedule.spec.calendars[0].comment, "office");
  EXPECT_THAT(told.schedule.spec.calendars[1].minute, ElementsAre(ScheduleRange{30, 30, 1}));
  EXPECT_THAT(told.schedule.spec.intervals, ElementsAre(ScheduleIntervalSpec{1h, 20min}));
  EXPECT_TRUE(told.schedule.spec.cron_expressions.empty());
  EXPECT_EQ(told.schedule.spec.skip.size(), 1u);
  EXPECT_EQ(told.schedule.spec.start_at,
            Time(std::chrono::sys_days{std::chrono::year(2040) / 1 / 1}));
  EXPECT_EQ(told.schedule.spec.end_at, std::nullopt);
  EXPECT_EQ(told.schedule.spec.jitter, 2s);
  EXPECT_EQ(told.schedule.spec.time_zone_name, "Europe/Berlin");
  EXPECT_EQ(told.schedule.policy.overlap, ScheduleOverlapPolicy::kBufferOne);
  EXPECT_EQ(told.schedule.policy.catchup_window, 1min);
  EXPECT_TRUE(told.schedule.policy.pause_on_failure);
  EXPECT_EQ(told.schedule.state.note, "of a test");
  EXPECT_TRUE(told.schedule.state.paused);
  EXPECT_EQ(told.schedule.state.remaining_actions, 5);
  EXPECT_EQ(told.info.num_actions, 0);
  EXPECT_GT(told.info.created_at, Time{});
}

TEST_P(ScheduleLive, IsListedAndGoneWhenDeleted) {
  const auto handle = create({.action = start_workflow_action<kBilling>(with_id(), Bill{}),
                              .spec = {.calendars = {{}, {.hour = {{9}}}}},
                              .state = {.note = "of a test", .paused = true}},
                             {.memo = {{"owner", make_payload("cid")}},
                              .search_attributes = {{"GoldInt", std::int64_t{42}}}});
  const ScheduleDescription told = handle.describe();
  EXPECT_EQ(from_payload<std::string>(told.memo.at("owner")), "cid");
  EXPECT_EQ(from_payload<std::int64_t>(told.search_attributes.at("GoldInt")), 42);

  const std::string query =
      absl::StrCat("ScheduleId = '", id(), "' AND GoldInt = 42 AND TemporalSchedulePaused = true");
  std::vector<ScheduleListEntry> found;
  eventually([&] { return (found = client().list_schedules(query).all()).size() == 1; },
             "the schedule");
  EXPECT_EQ(found.at(0).id, id());
  EXPECT_EQ(found.at(0).workflow, "Billing");
  EXPECT_EQ(found.at(0).note, "of a test");
  EXPECT_TRUE(found.at(0).paused);
  EXPECT_EQ(found.at(0).spec.calendars.size(), 2u);
  EXPECT_EQ(from_payload<std::string>(found.at(0).memo.at("owner")), "cid");
  EXPECT_EQ(from_payload<std::int64_t>(found.at(0).search_attributes.at("GoldInt")), 42);
  EXPECT_TRUE(client().list_schedules(query, {.limit = 0}).all().empty());
  try {
    EXPECT_EQ(client().count_schedules(query), 1);
  } catch (const RpcError& error) {  // By server 1.29.
    EXPECT_TRUE(target().genuine) << error.what();
    EXPECT_EQ(error.code(), StatusCode::kUnimplemented) << error.what();
  }

  try {
    create({.action = start_workflow_action<kBilling>(with_id(), Bill{})});
    ADD_FAILURE() << "made twice";
  } catch (const ScheduleAlreadyRunningError& error) {
    EXPECT_EQ(error.schedule_id(), id());
    EXPECT_THAT(error.what(), HasSubstr(id()));
  }
  handle.delete_();
  eventually(
      [&] {
        try {
          handle.describe();
        } catch (const RpcError& error) {
          return error.code() == StatusCode::kNotFound;
        }
        return false;
      },
      "the schedule's end");
}

TEST_P(ScheduleLive, StartsItsWorkflow) {
  registry().add(kBilling);
  start_worker();
  const auto handle =
      create({.action = start_workflow_action<&Billing::run>(with_id(), Bill{1, "bob"}),
              .spec = {.intervals = {{.every = 24h * 365}}}},
             {.trigger_immediately = true});

  const ScheduleInfo info = when_actions(handle, 1);
  const ScheduleActionExecution started = info.recent_actions.at(0).action;
  EXPECT_THAT(started.workflow_id, testing::StartsWith(with_id().id));
  EXPECT_EQ(client().get_workflow_handle<&Billing::run>(started.workflow_id).result(),
            "bill 1 to bob");
  EXPECT_EQ(client().get_workflow_handle<&Billing::run>(started.workflow_id).describe().run_id,
            started.first_execution_run_id);
  EXPECT_GT(info.recent_actions[0].started_at, info.created_at - 1min);
  EXPECT_EQ(info.next_action_times.size(), 10u);
}

TEST_P(ScheduleLive, IsPausedTriggeredAndBackfilled) {
  registry().add(kBilling);
  start_worker();
  const auto handle = create({.action = start_workflow_action<kBilling>(with_id(), Bill{}),
                              .spec = {.intervals = {{.every = 1h}}},
                              .policy = {.overlap = ScheduleOverlapPolicy::kAllowAll}});

  handle.pause("for now");
  EXPECT_TRUE(handle.describe().schedule.state.paused);
  EXPECT_EQ(handle.describe().schedule.state.note, "for now");
  handle.trigger();
  when_actions(handle, 1);
  const Time day = std::chrono::sys_days{std::chrono::year(2026) / 1 / 1};
  EXPECT_THROW(handle.backfill({}), std::invalid_argument);
  handle.backfill(
      {{.start_at = day, .end_at = day + 2h},
       {.start_at = day + 10h, .end_at = day + 11h, .overlap = ScheduleOverlapPolicy::kAllowAll}});
  EXPECT_GE(when_actions(handle, 4).num_actions, 4);
  handle.unpause();
  EXPECT_FALSE(handle.describe().schedule.state.paused);
  EXPECT_EQ(handle.describe().schedule.state.note, "Unpaused via C++ SDK");
}

TEST_P(ScheduleLive, IsUpdatedByWhatTheUpdaterMakesOfIt) {
  const auto handle = create({.action = start_workflow_action<kBilling>(with_id(), Bill{3, "eve"}),
                              .spec = {.intervals = {{.every = 1h}}},
                              .state = {.paused = true}},
                             {.search_attributes = {{"GoldInt", std::int64_t{1}}}});

  handle.update([](ScheduleDescription was) {
    was.schedule.spec.intervals[0].every = 2h;
    was.schedule.policy.overlap = ScheduleOverlapPolicy::kTerminateOther;
    was.schedule.action.task_timeout = 7s;
    return was.schedule;
  });
  eventually([&] { return handle.describe().info.last_updated_at.has_value(); }, "the update");
  ScheduleDescription told = handle.describe();
  EXPECT_EQ(told.schedule.spec.intervals.at(0).every, 2h);
  EXPECT_EQ(told.schedule.policy.overlap, ScheduleOverlapPolicy::kTerminateOther);
  EXPECT_EQ(told.schedule.action.task_timeout, 7s);
  EXPECT_EQ(from_payload<Bill>(told.schedule.action.args.at(0)).to, "eve");
  EXPECT_EQ(from_payload<std::int64_t>(told.search_attributes.at("GoldInt")), 1);

  handle.update([](const ScheduleDescription&) { return std::nullopt; });
  EXPECT_EQ(handle.describe().conflict_token, told.conflict_token);

  handle.update([](const ScheduleDescription& was) {
    return ScheduleUpdate(was.schedule, {{"GoldInt", std::int64_t{2}}});
  });
  eventually(
      [&] {
        const auto attributes = handle.describe().search_attributes;
        return from_payload<std::int64_t>(attributes.at("GoldInt")) == 2;
      },
      "the other search attributes");
  EXPECT_THROW(handle.update([](const ScheduleDescription&) -> std::optional<ScheduleUpdate> {
    throw std::out_of_range("of the updater");
  }),
               std::out_of_range);
}

TEST_P(ScheduleLive, AnUpdateOfWhatHasChangedMeanwhileIsMadeAgain) {
  const auto handle = create({.action = start_workflow_action<kBilling>(with_id(), Bill{})});
  int calls = 0;
  const auto update = [&](int pauses) {
    handle.update([&](ScheduleDescription was) {
      if (++calls <= pauses) handle.pause(absl::StrCat("pause ", calls));
      was.schedule.policy.overlap = ScheduleOverlapPolicy::kAllowAll;
      return was.schedule;
    });
  };
  update(1);
  const Schedule now = handle.describe().schedule;
  EXPECT_EQ(now.state.note, "pause 1");
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(now.policy.overlap, ScheduleOverlapPolicy::kAllowAll);

  calls = 0;
  try {
    update(1000);
    ADD_FAILURE() << "updated";
  } catch (const RpcError& error) {
    EXPECT_EQ(error.code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(error.what(), HasSubstr("which changed during each of 10 attempts"));
    EXPECT_EQ(calls, 10);
  }
}

TEST_P(ScheduleLive, RefusalsSayWhatWasTried) {
  const auto message = [&](Schedule schedule) -> std::string {
    schedule.action = start_workflow_action<kBilling>(with_id(), Bill{});
    try {
      create(schedule);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message({.spec = {.cron_expressions = {"at noon"}}}),
              testing::AllOf(HasSubstr(absl::StrCat("cannot create schedule '", id(), "'")),
                             HasSubstr("CronString does not have 5-7 fields")));
  EXPECT_THAT(message({.spec = {.time_zone_data = "TZif"}}),
              HasSubstr("malformed time zone information"));
  EXPECT_THAT(message({.state = {.limited_actions = true}}), HasSubstr("remaining_actions is 0"));
  EXPECT_THAT(message({.state = {.remaining_actions = 3}}), HasSubstr("limited_actions is false"));
  EXPECT_THAT(message({.spec = {.calendars = {{.hour = {{17, 9}}}}}}),
              HasSubstr("ScheduleCalendarSpec::hour"));
}

}  // namespace
}  // namespace chimera::live
