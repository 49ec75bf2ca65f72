// M: schedules.
#include "tests/conformance/own_server.h"
#include "tests/conformance/schedule_session.h"

namespace chimera::conformance {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr auto kSkip = enums::SCHEDULE_OVERLAP_POLICY_SKIP;
constexpr auto kAllowAll = enums::SCHEDULE_OVERLAP_POLICY_ALLOW_ALL;

class ScheduleTest : public ScheduleSession {
 protected:
  void cron(const std::string& text, const std::string& zone = "") {
    create([&](schedules::Schedule& schedule) {
      schedule.mutable_spec()->add_cron_string(text);
      schedule.mutable_spec()->set_timezone_name(zone);
      paused(schedule);
    });
  }
  // Of a schedule of its own.
  std::string cron_times(const std::string& text, const std::string& to) {
    const std::string before = std::exchange(id, absl::StrCat(id, "-", ++crons_));
    cron(text);
    const std::string found = times("2026-01-01T00:00:00Z", to);
    id = before;
    return found;
  }
  // Of the paused schedule the first action, under way.
  void trigger_first() {
    create(paused);
    trigger(kSkip);
    when_actions(1);
  }
  std::string refusal(const Change& change) {
    const auto created = create(create_request(change));
    EXPECT_EQ(created.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(created.status().message());
  }

  // Asks until there is one.
  wf::ListSchedulesResponse listed(const std::string& query) {
    wf::ListSchedulesRequest request;
    request.set_namespace_(ns);
    request.set_query(query);
    wf::ListSchedulesResponse found;
    for (int i = 0; i < 100 && found.schedules().empty(); ++i) {
      const auto reply = rpc<wf::ListSchedulesResponse>(request);
      EXPECT_TRUE(reply.ok()) << reply.status();
      if (!reply.ok()) return found;
      found = *reply;
      absl::SleepFor(absl::Milliseconds(50));
    }
    return found;
  }

  int crons_ = 0;
};

TEST_F(ScheduleTest, kind_of_the_task_queue) {
  create(paused);

  EXPECT_EQ(described().schedule().action().start_workflow().task_queue().kind(),
            enums::TASK_QUEUE_KIND_NORMAL);
}

TEST_F(ScheduleTest, interval_phase) {
  create([](schedules::Schedule& schedule) {
    every(schedule, 3600, 1200);
    paused(schedule);
  });
  EXPECT_EQ(times("2026-01-01T00:00:00Z", "2026-01-01T03:00:00Z"),
            "2026-01-01T00:20:00Z 2026-01-01T01:20:00Z 2026-01-01T02:20:00Z");
}

TEST_F(ScheduleTest, calendar_ranges) {
  create([](schedules::Schedule& schedule) {
    auto& calendar = *schedule.mutable_spec()->add_calendar();
    calendar.set_hour("9-17/4");
    calendar.set_day_of_week("mon-tue,7");
    calendar.set_comment("office");
    paused(schedule);
  });
  EXPECT_EQ(times("2026-01-03T00:00:00Z", "2026-01-05T12:00:00Z"),
            "2026-01-04T09:00:00Z 2026-01-04T13:00:00Z 2026-01-04T17:00:00Z 2026-01-05T09:00:00Z");
  const auto about = described();
  EXPECT_FALSE(about.has_memo());
  EXPECT_FALSE(about.has_search_attributes());
  const auto spec = about.schedule().spec();
  ASSERT_EQ(spec.structured_calendar_size(), 1);
  EXPECT_EQ(spec.calendar_size(), 0);
  const auto& calendar = spec.structured_calendar(0);
  EXPECT_EQ(calendar.comment(), "office");
  EXPECT_EQ(calendar.hour(0).start(), 9);
  EXPECT_EQ(calendar.hour(0).end(), 17);
  EXPECT_EQ(calendar.hour(0).step(), 4);
  EXPECT_EQ(calendar.minute(0).step(), 1);
  EXPECT_EQ(calendar.day_of_week_size(), 2);
}

TEST_F(ScheduleTest, cron_fields_5_6_7) {
  EXPECT_EQ(cron_times("30 9 * * *", "2026-01-02T12:00:00Z"),
            "2026-01-01T09:30:00Z 2026-01-02T09:30:00Z");
  EXPECT_EQ(cron_times("0 0 1 1 * 2028", "2030-01-01T00:00:00Z"), "2028-01-01T00:00:00Z");
  EXPECT_EQ(cron_times("*/20 0 0 1 1 * 2027", "2030-01-01T00:00:00Z"),
            "2027-01-01T00:00:00Z 2027-01-01T00:00:20Z 2027-01-01T00:00:40Z");
}

TEST_F(ScheduleTest, every_phase) {
  EXPECT_EQ(cron_times("@every 14h/3h", "2026-01-02T12:00:00Z"),
            "2026-01-01T03:00:00Z 2026-01-01T17:00:00Z 2026-01-02T07:00:00Z");
}

TEST_F(ScheduleTest, timezone_dst) {
  const std::string from = "2026-03-06T00:00:00Z", to = "2026-03-10T00:00:00Z";
  const std::string base = id;
  id = base + "-skipped";
  cron("30 2 * * *", "America/New_York");
  EXPECT_EQ(times(from, to), "2026-03-06T07:30:00Z 2026-03-07T07:30:00Z 2026-03-09T06:30:00Z");
  id = base + "-repeated";
  cron("30 1 * * *", "America/New_York");
  EXPECT_EQ(times("2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z"),
            "2026-11-01T05:30:00Z 2026-11-01T06:30:00Z 2026-11-02T06:30:00Z");
}

// A zone of its own: three hours behind UTC, in summer two, from the second Sunday of March to the
// first of November.
std::string zone_data() {
  constexpr char kCounts[] = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4";
  const std::string header = absl::StrCat("TZif2", std::string(15, '\0')),
                    type("\xff\xff\xd5\xd0\0\0ABC\0", 10);
  const std::string part = absl::StrCat(header, std::string(kCounts, 24), type);
  return absl::StrCat(part, part, "\nABC3DEF,M3.2.0,M11.1.0\n");
}

TEST_F(ScheduleTest, timezone_data) {
  create([](schedules::Schedule& schedule) {
    schedule.mutable_spec()->add_cron_string("30 2 * * *");
    schedule.mutable_spec()->set_timezone_name("Of/Ours");
    schedule.mutable_spec()->set_timezone_data(zone_data());
    paused(schedule);
  });
  EXPECT_EQ(times("2026-03-06T00:00:00Z", "2026-03-10T00:00:00Z"),
            "2026-03-06T05:30:00Z 2026-03-07T05:30:00Z 2026-03-09T04:30:00Z");
  EXPECT_EQ(described().schedule().spec().timezone_data(), zone_data());
  EXPECT_EQ(described().schedule().spec().timezone_name(), "Of/Ours");
  const auto shown = listed(absl::StrCat("ScheduleId = '", id, "'"));
  ASSERT_EQ(shown.schedules_size(), 1);
  EXPECT_EQ(shown.schedules(0).info().spec().timezone_name(), "Of/Ours");
  EXPECT_EQ(shown.schedules(0).info().spec().timezone_data(), "");
}

TEST_F(ScheduleTest, timezone_data_refused) {
  const std::string cut = zone_data().substr(0, 90);
  for (const std::string& data : {std::string("TZif"), cut}) {
    EXPECT_EQ(refusal([&](schedules::Schedule& schedule) {
                schedule.mutable_spec()->set_timezone_data(data);
              }),
              "Invalid schedule spec: malformed time zone information");
  }
  EXPECT_EQ(refusal([](schedules::Schedule& schedule) {
              schedule.mutable_spec()->add_cron_string("CRON_TZ=Europe/Berlin 30 2 * * *");
              schedule.mutable_spec()->set_timezone_data(zone_data());
            }),
            "Invalid schedule spec: conflicting timezone names");
}

TEST_F(ScheduleTest, jitter_bounds) {
  create([](schedules::Schedule& schedule) {
    every(schedule, 3600);
    schedule.mutable_spec()->mutable_jitter()->set_seconds(60);
    paused(schedule);
  });
  wf::ListScheduleMatchingTimesRequest request;
  request.set_namespace_(ns);
  request.set_schedule_id(id);
  set_time(*request.mutable_start_time(), "2026-01-01T00:00:00Z");
  set_time(*request.mutable_end_time(), "2026-01-03T00:30:00Z");
  const auto reply = rpc<wf::ListScheduleMatchingTimesResponse>(request);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->start_time_size(), 48);
  for (const auto& time : reply->start_time()) EXPECT_LT(time.seconds() % 3600, 60);
}

TEST_F(ScheduleTest, overlap_skip) {
  trigger_first();
  trigger(kSkip);
  described_when([](const auto& now) { return now.info().overlap_skipped() == 1; });
}

TEST_F(ScheduleTest, overlap_buffer) {
  trigger_first();
  trigger(enums::SCHEDULE_OVERLAP_POLICY_BUFFER_ONE);
  described_when([](const auto& now) { return now.info().buffer_size() == 1; });
  respond(poll(), {complete_workflow()});
  when_actions(2);
  respond(poll(), {complete_workflow()});
}

TEST_F(ScheduleTest, overlap_buffer_all) {
  trigger_first();
  trigger(enums::SCHEDULE_OVERLAP_POLICY_BUFFER_ALL);
  trigger(enums::SCHEDULE_OVERLAP_POLICY_BUFFER_ALL);
  described_when([](const auto& now) { return now.info().buffer_size() == 2; });
  for (int i = 0; i < 3; ++i) respond(poll(), {complete_workflow()});
  EXPECT_EQ(described().info().action_count(), 3);
}

TEST_F(ScheduleTest, overlap_cancel_other) {
  trigger_first();
  trigger(enums::SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER);
  const Task first = poll();
  // The request may be later than the task.
  Task task = first;
  const auto is_asked = [&] {
    for (const auto& event : task.history().events()) {
      if (event.event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED) {
        EXPECT_EQ(event.workflow_execution_cancel_requested_event_attributes().cause(),
                  "cancelled by schedule overlap policy");
        return true;
      }
    }
    return false;
  };
  if (!is_asked()) {
    respond(task, {});
    task = poll();
    EXPECT_TRUE(is_asked());
  }
  respond(task, {cancel_workflow()});
  const auto now = when_actions(2);
  EXPECT_EQ(now.info().recent_actions(0).start_workflow_status(),
            enums::WORKFLOW_EXECUTION_STATUS_CANCELED);
}

TEST_F(ScheduleTest, overlap_terminate_other) {
  trigger_first();
  trigger(enums::SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER);
  const auto now = when_actions(2);
  EXPECT_EQ(now.info().recent_actions(0).start_workflow_status(),
            enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
}

// What overlaps is not waited for.
TEST_F(ScheduleTest, overlap_allow_all) {
  trigger_first();
  trigger(kAllowAll);
  EXPECT_EQ(when_actions(2).info().running_workflows_size(), 1);
  respond(poll(), {complete_workflow()});
  respond(poll(), {complete_workflow()});
  described_when([](const auto& now) { return now.info().running_workflows_size() == 0; });
}

TEST_F(ScheduleTest, catchup_window) {
  create([](schedules::Schedule& schedule) {
    schedule.mutable_policies()->mutable_catchup_window()->set_seconds(1);
    paused(schedule);
  });
  const auto policies = described().schedule().policies();
  EXPECT_EQ(policies.catchup_window().seconds(), 10);
  EXPECT_EQ(policies.overlap_policy(), kSkip);
  id += "-default";
  create(paused);
  EXPECT_EQ(described().schedule().policies().catchup_window().seconds(), 365 * 24 * 3600);
}

TEST_F(ScheduleTest, catchup_window_of_nothing) {
  create([](schedules::Schedule& schedule) {
    schedule.mutable_policies()->mutable_catchup_window();
    paused(schedule);
  });
  EXPECT_EQ(described().schedule().policies().catchup_window().seconds(), 10);
}

// The genuine server keeps no id; both give each of those that may overlap one of its own.
TEST_F(ScheduleTest, original_id_of_actions_that_overlap) {
  create([](schedules::Schedule& schedule) {
    every(schedule, 3600);
    paused(schedule);
    schedule.mutable_policies()->set_keep_original_workflow_id(true);
    schedule.mutable_policies()->set_overlap_policy(enums::SCHEDULE_OVERLAP_POLICY_ALLOW_ALL);
  });
  EXPECT_TRUE(patch([](schedules::SchedulePatch& patch) {
                auto& range = *patch.add_backfill_request();
                set_time(*range.mutable_start_time(), "2026-01-01T00:30:00Z");
                set_time(*range.mutable_end_time(), "2026-01-01T03:30:00Z");
              }).ok());

  const auto now = when_actions(3);

  EXPECT_EQ(now.info().action_count(), 3);
  std::vector<std::string> ids;
  for (const auto& action : now.info().recent_actions())
    ids.push_back(action.start_workflow_result().workflow_id());
  EXPECT_THAT(ids,
              testing::ElementsAre(id + "-w-2026-01-01T01:00:00Z", id + "-w-2026-01-01T02:00:00Z",
                                   id + "-w-2026-01-01T03:00:00Z"));
}

TEST_F(ScheduleTest, backfill) {
  create([](schedules::Schedule& schedule) {
    every(schedule, 3600);
    paused(schedule);
  });
  ASSERT_TRUE(patch([&](schedules::SchedulePatch& patch) {
                auto& range = *patch.add_backfill_request();
                set_time(*range.mutable_start_time(), "2026-01-01T00:00:00Z");
                set_time(*range.mutable_end_time(), "2026-01-01T03:00:00Z");
                range.set_overlap_policy(kAllowAll);
              }).ok());
  const auto now = when_actions(4);
  std::set<std::string> ids;
  for (const auto& action : now.info().recent_actions())
    ids.insert(action.start_workflow_result().workflow_id());
  EXPECT_THAT(ids,
              testing::ElementsAre(id + "-w-2026-01-01T00:00:00Z", id + "-w-2026-01-01T01:00:00Z",
                                   id + "-w-2026-01-01T02:00:00Z", id + "-w-2026-01-01T03:00:00Z"));
}

TEST_F(ScheduleTest, trigger) {
  trigger_first();
  const auto action = described().info().recent_actions(0);
  EXPECT_THAT(action.start_workflow_result().workflow_id(), StartsWith(id + "-w-20"));
  EXPECT_EQ(action.start_workflow_status(), enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  const Task task = poll();
  const auto& start = task.history().events(0).workflow_execution_started_event_attributes();
  const auto& attributes = start.search_attributes().indexed_fields();
  EXPECT_EQ(attributes.at("TemporalScheduledById").data(), absl::StrCat("\"", id, "\""));
  EXPECT_THAT(attributes.at("TemporalScheduledStartTime").data(), StartsWith("\"20"));
  EXPECT_EQ(start.identity(), absl::StrCat("temporal-scheduler-default-", id));
  respond(task, {complete_workflow()});
  const auto now = described_when([](const auto& now) {
    return now.info().recent_actions(0).start_workflow_status() ==
           enums::WORKFLOW_EXECUTION_STATUS_COMPLETED;
  });
  EXPECT_EQ(now.info().running_workflows_size(), 0);
}

// A chain is one action, which ends with its last run.
TEST_F(ScheduleTest, trigger_of_a_chain) {
  trigger_first();
  respond(poll(), {continue_as_new()});
  const Task task = poll();
  EXPECT_EQ(described().info().running_workflows_size(), 1);
  respond(task, {complete_workflow("\"end\"")});
  described_when([](const auto& now) { return now.info().running_workflows_size() == 0; });
  trigger(kSkip);
  const Task next = poll();
  const auto& start = next.history().events(0).workflow_execution_started_event_attributes();
  ASSERT_EQ(start.last_completion_result().payloads_size(), 1);
  respond(next, {complete_workflow()});
}

// What may overlap is told nothing of the others.
TEST_F(ScheduleTest, result_is_not_for_those_that_overlap) {
  trigger_first();
  respond(poll(), {complete_workflow("\"end\"")});
  described_when([](const auto& now) { return now.info().running_workflows_size() == 0; });
  trigger(kAllowAll);
  const Task next = poll();
  const auto& start = next.history().events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(start.last_completion_result().payloads_size(), 0);
  respond(next, {complete_workflow()});
}

// Of a patch only a pause and its end change what a client may have read.
TEST_F(ScheduleTest, patches_and_the_conflict_token) {
  create(paused);
  const auto token = described().conflict_token();
  ASSERT_TRUE(patch([](schedules::SchedulePatch& patch) { patch.set_unpause("go on"); }).ok());
  const auto unpaused =
      described_when([](const auto& now) { return !now.schedule().state().paused(); });
  EXPECT_NE(unpaused.conflict_token(), token);
  EXPECT_FALSE(unpaused.info().has_update_time());
  trigger(kAllowAll);
  EXPECT_EQ(when_actions(1).conflict_token(), unpaused.conflict_token());
}

TEST_F(ScheduleTest, pause_on_failure) {
  create([](schedules::Schedule& schedule) {
    schedule.mutable_policies()->set_pause_on_failure(true);
  });
  trigger(kSkip);
  respond(poll(), {fail_workflow("no")});
  const auto now = described_when([](const auto& now) { return now.schedule().state().paused(); });
  EXPECT_EQ(
      now.schedule().state().notes(),
      absl::StrCat("paused due to workflow failure: ",
                   now.info().recent_actions(0).start_workflow_result().workflow_id(), ": no"));
}

// The failure of one goes on to the next, and over what was terminated, until one completes.
TEST_F(ScheduleTest, failure_goes_on) {
  const auto failure_of = [](const Task& task) {
    return task.history()
        .events(0)
        .workflow_execution_started_event_attributes()
        .continued_failure()
        .message();
  };
  const auto when_ended = [this] {
    described_when([](const auto& now) { return now.info().running_workflows_size() == 0; });
  };
  trigger_first();
  respond(poll(), {fail_workflow("no")});
  when_ended();
  trigger(kSkip);
  const Task second = poll();
  EXPECT_EQ(failure_of(second), "no");
  wf::TerminateWorkflowExecutionRequest end;
  end.set_namespace_(ns);
  *end.mutable_workflow_execution() = second.workflow_execution();
  EXPECT_TRUE(rpc<wf::TerminateWorkflowExecutionResponse>(end).ok());
  when_ended();
  trigger(kSkip);
  const Task third = poll();
  EXPECT_EQ(failure_of(third), "no");
  respond(third, {complete_workflow("\"end\"")});
  when_ended();
  trigger(kSkip);
  const Task fourth = poll();
  EXPECT_EQ(failure_of(fourth), "");
  respond(fourth, {complete_workflow()});
}

TEST_F(ScheduleTest, limited_actions) {
  create([](schedules::Schedule& schedule) {
    every(schedule, 1);
    schedule.mutable_policies()->set_overlap_policy(kAllowAll);
    schedule.mutable_state()->set_limited_actions(true);
    schedule.mutable_state()->set_remaining_actions(2);
  });
  const auto now = described_when(
      [](const auto& now) { return now.schedule().state().remaining_actions() == 0; });
  EXPECT_EQ(now.info().future_action_times_size(), 0);
  absl::SleepFor(absl::Milliseconds(1500));
  EXPECT_EQ(described().info().action_count(), 2);
}

TEST_F(ScheduleTest, conflict_token) {
  create(paused);
  const auto before = described();
  const auto update = [&](const std::string& notes, const std::string& token) {
    wf::UpdateScheduleRequest request;
    request.set_namespace_(ns);
    request.set_schedule_id(id);
    request.set_request_id(absl::StrCat("update-", notes, id));
    *request.mutable_schedule() = before.schedule();
    request.mutable_schedule()->mutable_state()->set_notes(notes);
    request.set_conflict_token(token);
    return rpc<wf::UpdateScheduleResponse>(request).status();
  };
  EXPECT_TRUE(update("first", before.conflict_token()).ok());
  const auto after =
      described_when([](const auto& now) { return now.schedule().state().notes() == "first"; });
  EXPECT_NE(after.conflict_token(), before.conflict_token());
  EXPECT_TRUE(after.info().has_update_time());
  const absl::Status stale = update("second", before.conflict_token());
  if (!target().genuine) {  // Which says OK, and does nothing.
    EXPECT_EQ(stale.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(stale.message(), "mismatched conflict token");
  }
  EXPECT_EQ(described().schedule().state().notes(), "first");
  EXPECT_TRUE(update("third", "").ok());
  described_when([](const auto& now) { return now.schedule().state().notes() == "third"; });
}

TEST_F(ScheduleTest, list_describe_counts) {
  Create request = create_request([](schedules::Schedule& schedule) {
    every(schedule, 3600);
    paused(schedule);
    schedule.mutable_state()->set_notes("a note");
  });
  (*request.mutable_memo()->mutable_fields())["key"] = payload("\"value\"");
  ASSERT_TRUE(create(request).ok());
  const auto now = described();
  EXPECT_EQ(now.memo().fields().at("key").data(), "\"value\"");
  EXPECT_EQ(now.info().future_action_times_size(), 10);
  EXPECT_TRUE(now.info().has_create_time());
  const auto found =
      listed(absl::StrCat("TemporalSchedulePaused = true AND ScheduleId = '", id, "'"));
  ASSERT_EQ(found.schedules_size(), 1);
  const auto& entry = found.schedules(0);
  EXPECT_EQ(entry.schedule_id(), id);
  EXPECT_EQ(entry.memo().fields_size(), 1);
  EXPECT_EQ(entry.info().notes(), "a note");
  EXPECT_TRUE(entry.info().paused());
  EXPECT_EQ(entry.info().workflow_type().name(), "Workflow");
  EXPECT_GE(entry.info().future_action_times_size(), 5);
  EXPECT_EQ(entry.info().spec().interval_size(), 1);
  wf::CountSchedulesRequest count;
  count.set_namespace_(ns);
  count.set_query(absl::StrCat("ScheduleId = '", id, "'"));
  const auto counted = rpc<wf::CountSchedulesResponse>(count);
  if (counted.status().code() == absl::StatusCode::kUnimplemented) return;  // 1.29.
  ASSERT_TRUE(counted.ok()) << counted.status();
  EXPECT_EQ(counted->count(), 1);
}

TEST_F(ScheduleTest, list_refuses_names_of_the_server) {
  wf::ListSchedulesRequest request;
  request.set_namespace_(ns);
  request.set_query("WorkflowType = 'a'");
  EXPECT_EQ(rpc<wf::ListSchedulesResponse>(request).status().message(),
            "invalid query filter for schedules: cannot filter on \"WorkflowType\"");
}

TEST_F(ScheduleTest, created_twice) {
  const Create request = create_request(paused);
  ASSERT_TRUE(create(request).ok());
  EXPECT_TRUE(create(request).ok());  // The same request.
  Create other = request;
  other.set_request_id("another");
  const auto again = create(other);
  EXPECT_EQ(again.status().code(), absl::StatusCode::kAlreadyExists);
  if (!server_is("1.29")) {
    EXPECT_EQ(again.status().message(),
              absl::StrCat("schedule \"", id, "\" is already registered"));
  }
}

TEST_F(ScheduleTest, unknown_schedule) {
  const auto text = absl::StrCat("workflow not found for ID: temporal-sys-scheduler:", id);
  const absl::Status status = try_describe().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), text);
  EXPECT_EQ(patch([](schedules::SchedulePatch& patch) { patch.set_pause("x"); }).code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ScheduleTest, schedule_without_an_id) {
  if (server_is("1.29")) GTEST_SKIP() << "it takes an empty id";
  id.clear();
  for (const absl::Status& status :
       {try_describe().status(), create(create_request(paused)).status(),
        patch([](schedules::SchedulePatch& patch) { patch.set_pause("x"); })}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(status.message(), "Can't load workflow execution.  WorkflowId not set.");
  }
}

TEST_F(ScheduleTest, deleted_schedule_is_not_found) {
  create(paused);
  wf::DeleteScheduleRequest request;
  request.set_namespace_(ns);
  request.set_schedule_id(id);
  EXPECT_TRUE(rpc<wf::DeleteScheduleResponse>(request).ok());
  const absl::Status described = try_describe().status();
  EXPECT_EQ(described.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(described.message(), "schedule not found");
  const absl::Status again = rpc<wf::DeleteScheduleResponse>(request).status();
  EXPECT_EQ(again.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(again.message(), "workflow execution already completed");
  Create fresh = create_request(paused);  // Its id is free.
  fresh.set_request_id("another");
  EXPECT_TRUE(create(fresh).ok());
  EXPECT_TRUE(try_describe().ok());
}

// What lists show of it is a workflow, and whoever ends that ends the schedule.
TEST_F(ScheduleTest, ended_with_its_workflow) {
  create(paused);
  wf::TerminateWorkflowExecutionRequest terminate;
  terminate.set_namespace_(ns);
  terminate.mutable_workflow_execution()->set_workflow_id("temporal-sys-scheduler:" + id);
  EXPECT_TRUE(rpc<wf::TerminateWorkflowExecutionResponse>(terminate).ok());
  EXPECT_EQ(try_describe().status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(rpc<wf::TerminateWorkflowExecutionResponse>(terminate).status().code(),
            absl::StatusCode::kNotFound);

  Create another = create_request(paused);
  another.set_request_id("another");
  ASSERT_TRUE(create(another).ok());
  wf::DeleteWorkflowExecutionRequest remove;
  remove.set_namespace_(ns);
  remove.mutable_workflow_execution()->set_workflow_id("temporal-sys-scheduler:" + id);
  EXPECT_TRUE(rpc<wf::DeleteWorkflowExecutionResponse>(remove).ok());
  for (int i = 0; i < 100 && try_describe().ok(); ++i) absl::SleepFor(absl::Milliseconds(100));
  EXPECT_EQ(try_describe().status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ScheduleTest, ended_by_a_batch) {
  create(paused);
  wf::StartBatchOperationRequest batch;
  batch.set_namespace_(ns);
  batch.set_job_id(id + "-job");
  batch.set_reason("enough");
  batch.add_executions()->set_workflow_id("temporal-sys-scheduler:" + id);
  batch.mutable_termination_operation();
  EXPECT_TRUE(patient_rpc<wf::StartBatchOperationResponse>(batch).ok());
  for (int i = 0; i < 300 && try_describe().ok(); ++i) absl::SleepFor(absl::Milliseconds(100));
  EXPECT_EQ(try_describe().status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ScheduleTest, takes_nothing_but_an_end_from_a_batch) {
  if (target().genuine) GTEST_SKIP() << "there it is a workflow, which takes signals";
  create(paused);
  wf::StartBatchOperationRequest batch;
  batch.set_namespace_(ns);
  batch.set_job_id(id + "-job");
  batch.set_reason("to see");
  batch.add_executions()->set_workflow_id("temporal-sys-scheduler:" + id);
  batch.mutable_signal_operation()->set_signal("go");
  ASSERT_TRUE(patient_rpc<wf::StartBatchOperationResponse>(batch).ok());
  wf::DescribeBatchOperationRequest describe;
  describe.set_namespace_(ns);
  describe.set_job_id(batch.job_id());
  const auto reply = rpc<wf::DescribeBatchOperationResponse>(describe);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->complete_operation_count(), 0);
  EXPECT_EQ(reply->failure_operation_count(), 1);
}

TEST_F(ScheduleTest, bad_input) {
  const auto with_cron = [this](const char* text) {
    return refusal(
        [text](schedules::Schedule& schedule) { schedule.mutable_spec()->add_cron_string(text); });
  };
  EXPECT_EQ(with_cron("0 9 * *"), "Invalid schedule spec: CronString does not have 5-7 fields");
  EXPECT_EQ(with_cron("TZ=Nowhere/Land 0 9 * * *"),
            "Invalid schedule spec: unknown time zone Nowhere/Land");
  EXPECT_EQ(refusal([](schedules::Schedule& schedule) { every(schedule, 60, 60); }),
            "Invalid schedule spec: phase cannot be greater than Interval");
  EXPECT_EQ(refusal([](schedules::Schedule& schedule) {
              schedule.mutable_action()->mutable_start_workflow()->clear_workflow_type();
            }),
            "WorkflowType is not set on request.");
  EXPECT_EQ(refusal([](schedules::Schedule& schedule) {
              schedule.mutable_action()->mutable_start_workflow()->clear_task_queue();
            }),
            "taskQueue is not set");
  EXPECT_EQ(refusal([](schedules::Schedule& schedule) {
              schedule.mutable_action()
                  ->mutable_start_workflow()
                  ->mutable_workflow_run_timeout()
                  ->set_seconds(-1);
            }),
            "An invalid WorkflowRunTimeoutSeconds is set on request. cause: negative duration");
  EXPECT_EQ(refusal([](schedules::Schedule& schedule) {
              schedule.mutable_action()->mutable_start_workflow()->set_cron_schedule("* * * * *");
            }),
            "Scheduled workflow must not contain CronSchedule");
  Create nameless = create_request(paused);
  nameless.clear_request_id();
  EXPECT_EQ(create(nameless).status().message(), "RequestId is not set on request.");
  wf::PatchScheduleRequest empty;
  empty.set_namespace_(ns);
  empty.set_schedule_id(id);
  if (!server_is("1.29")) {  // There it is an internal error.
    EXPECT_EQ(rpc<wf::PatchScheduleResponse>(empty).status().message(),
              "Patch is not set on request.");
  }
}

TEST_F(ScheduleTest, never_due) {
  create([](schedules::Schedule& schedule) {
    auto& calendar = *schedule.mutable_spec()->add_calendar();
    calendar.set_month("2");
    calendar.set_day_of_month("31");
  });
  EXPECT_EQ(described().info().future_action_times_size(), 0);
  EXPECT_EQ(times("2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z"), "");
}

// Others are served while it is under way.
TEST_F(ScheduleTest, backfill_of_a_million_times) {
  create([](schedules::Schedule& schedule) {
    every(schedule, 60);
    schedule.mutable_policies()->set_overlap_policy(enums::SCHEDULE_OVERLAP_POLICY_BUFFER_ALL);
    paused(schedule);
  });
  ASSERT_TRUE(patch([](schedules::SchedulePatch& patch) {
                auto& range = *patch.add_backfill_request();
                set_time(*range.mutable_start_time(), "2024-01-01T00:00:00Z");
                set_time(*range.mutable_end_time(), "2025-11-25T10:40:00Z");
              }).ok());
  for (int i = 0; i < 3; ++i) {
    const Task task = poll();
    EXPECT_THAT(task.workflow_execution().workflow_id(), StartsWith(id + "-w-2024-01-01T00:0"));
    respond(task, {complete_workflow()});
  }
  const auto now = when_actions(4);
  EXPECT_GT(now.info().buffer_size(), 0);
  EXPECT_LT(now.info().buffer_size(), 1000);
}

// Q. The server dies, and is away for some times of the schedule.
using ScheduleRestartTest = OnOwnServer<ScheduleSession>;

TEST_F(ScheduleRestartTest, schedule_over_restart) {
  create([](schedules::Schedule& schedule) {
    every(schedule, 2);
    schedule.mutable_policies()->set_overlap_policy(kAllowAll);
  });
  when_actions(2);
  const std::int64_t before = described().info().action_count();
  die_and_come_back(absl::Seconds(5));
  // What was due meanwhile is caught up with, each time once.
  const auto now = when_actions(before + 3);
  std::set<std::int64_t> seen;
  for (const auto& action : now.info().recent_actions())
    EXPECT_TRUE(seen.insert(action.schedule_time().seconds()).second);
  EXPECT_EQ(*seen.rbegin() - *seen.begin(), 2 * (static_cast<std::int64_t>(seen.size()) - 1));
}

}  // namespace
}  // namespace chimera::conformance
