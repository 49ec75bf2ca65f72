// Schedules to the API's messages and back: every field, what is refused, and what an update keeps.
#include "sdk-cpp/src/schedule_wire.h"

#include <stdexcept>

#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

#include "chimera/client.h"

namespace chimera::sdk {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
namespace schedules = api::schedule::v1;

struct Invoice {
  void run(std::int64_t, std::string) {}
};
const auto kInvoice = define_workflow<&Invoice::run>("Billing");

// The other way round, as a codec is.
class Reversing final : public core::PayloadCodec {
 public:
  absl::Status encode(ProtoPayloads& payloads) const override { return reverse(payloads); }
  absl::Status decode(ProtoPayloads& payloads) const override { return reverse(payloads); }

 private:
  static absl::Status reverse(ProtoPayloads& payloads) {
    for (auto& payload : *payloads.mutable_payloads())
      std::reverse(payload.mutable_data()->begin(), payload.mutable_data()->end());
    return absl::OkStatus();
  }
};

Schedule whole() {
  return {
      .action = start_workflow_action<kInvoice>(
          {.id = "invoice",
           .task_queue = "bills",
           .execution_timeout = 3h,
           .run_timeout = 2h,
           .task_timeout = 9s,
           .retry_policy = RetryPolicy{.initial_interval = 2s, .maximum_attempts = 4},
           .memo = {{"by", make_payload("ann")}},
           .search_attributes = {{"Customer", std::string("bob")}, {"Number", std::int64_t{7}}},
           .priority = {.priority_key = 2, .fairness_key = "bob", .fairness_weight = 1.5F},
           .static_summary = "an invoice",
           .static_details = "# Of bob",
           .versioning_override = PinnedVersioningOverride{{"billing", "2.0"}}},
          7, "bob"),
      .spec = {.calendars = {{.hour = {{9, 17, 2}}, .day_of_week = {{1}, {3, 5}}, .comment = "o"}},
               .intervals = {{90min, 5min}, {1s}},
               .cron_expressions = {"0 9 * * MON"},
               .skip = {{.month = {{12}}, .year = {{2026, 2030}}}},
               .start_at = Time(1000s),
               .end_at = Time(2000s + 5ns),
               .jitter = 1500ms,
               .time_zone_name = "Europe/Berlin",
               .time_zone_data = "TZif"},
      .policy = {.overlap = ScheduleOverlapPolicy::kBufferAll,
                 .catchup_window = 10min,
                 .pause_on_failure = true,
                 .keep_original_workflow_id = true},
      .state = {.note = "n", .paused = true, .limited_actions = true, .remaining_actions = 3}};
}

TEST(ScheduleWireTest, EveryFieldArrives) {
  const schedules::Schedule wire = to_proto(whole(), nullptr);
  const Schedule back = to_public(wire, nullptr);
  const Schedule sent = whole();

  EXPECT_EQ(back.action.id, "invoice");
  EXPECT_EQ(back.action.task_queue, "bills");
  EXPECT_EQ(back.action.workflow, "Billing");
  ASSERT_EQ(back.action.args.size(), 2u);
  EXPECT_EQ(from_payload<int>(back.action.args[0]), 7);
  EXPECT_EQ(from_payload<std::string>(back.action.args[1]), "bob");
  EXPECT_EQ(back.action.execution_timeout, 3h);
  EXPECT_EQ(back.action.run_timeout, 2h);
  EXPECT_EQ(back.action.task_timeout, 9s);
  EXPECT_EQ(back.action.retry_policy->initial_interval, 2s);
  EXPECT_EQ(back.action.retry_policy->maximum_attempts, 4);
  EXPECT_EQ(from_payload<std::string>(back.action.memo.at("by")), "ann");
  EXPECT_EQ(back.action.search_attributes, sent.action.search_attributes);
  EXPECT_EQ(back.action.priority, sent.action.priority);
  EXPECT_EQ(back.action.versioning_override, sent.action.versioning_override);
  EXPECT_EQ(back.action.static_summary, "an invoice");
  EXPECT_EQ(back.action.static_details, "# Of bob");
  EXPECT_EQ(back.spec, sent.spec);
  EXPECT_EQ(back.policy.overlap, ScheduleOverlapPolicy::kBufferAll);
  EXPECT_EQ(back.policy.catchup_window, 10min);
  EXPECT_TRUE(back.policy.pause_on_failure);
  EXPECT_TRUE(back.policy.keep_original_workflow_id);
  EXPECT_EQ(back.state.note, "n");
  EXPECT_TRUE(back.state.paused);
  EXPECT_TRUE(back.state.limited_actions);
  EXPECT_EQ(back.state.remaining_actions, 3);

  // No field of the message that a schedule sets is left out.
  EXPECT_EQ(wire.spec().interval(1).interval().seconds(), 1);
  EXPECT_FALSE(wire.spec().interval(1).has_phase());
  EXPECT_EQ(wire.spec().end_time().nanos(), 5);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(to_proto(back, nullptr), wire));
}

TEST(ScheduleWireTest, WhatIsNotGivenIsNotSent) {
  const schedules::Schedule wire =
      to_proto({.action = start_workflow_action("W", {.id = "w", .task_queue = "q"})}, nullptr);
  schedules::Schedule least;
  auto& start = *least.mutable_action()->mutable_start_workflow();
  start.set_workflow_id("w");
  start.mutable_workflow_type()->set_name("W");
  start.mutable_task_queue()->set_name("q");
  least.mutable_spec();
  least.mutable_state();
  least.mutable_policies()->set_overlap_policy(api::enums::v1::SCHEDULE_OVERLAP_POLICY_SKIP);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(wire, least))
      << wire.DebugString();
}

TEST(ScheduleWireTest, ACodecSeesPayloadsButNoSearchAttributes) {
  const Codec codec = std::make_shared<Reversing>();
  const schedules::Schedule wire = to_proto(whole(), codec);
  const auto& start = wire.action().start_workflow();
  EXPECT_EQ(start.input().payloads(1).data(), "\"bob\"");  // Reads alike from both ends.
  EXPECT_EQ(start.memo().fields().at("by").data(), "\"nna\"");
  EXPECT_EQ(start.user_metadata().summary().data(), "\"eciovni na\"");
  EXPECT_EQ(start.search_attributes().indexed_fields().at("Customer").data(), "\"bob\"");

  const Schedule back = to_public(wire, codec);
  EXPECT_EQ(from_payload<std::string>(back.action.memo.at("by")), "ann");
  EXPECT_EQ(back.action.static_summary, "an invoice");
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(to_proto(back, codec), wire));
}

// What a server told, with much that has no field in C++.
schedules::Schedule told() {
  schedules::Schedule schedule = to_proto(whole(), nullptr);
  auto& start = *schedule.mutable_action()->mutable_start_workflow();
  (*start.mutable_header()->mutable_fields())["trace"].set_data("t");
  start.mutable_versioning_override()->Clear();
  start.mutable_versioning_override()->mutable_pinned()->mutable_version()->set_build_id("b");
  start.mutable_task_queue()->set_kind(api::enums::v1::TASK_QUEUE_KIND_NORMAL);
  auto& attributes = *start.mutable_search_attributes()->mutable_indexed_fields();
  (*attributes["Customer"].mutable_metadata())["type"] = "Text";
  attributes["Odd"].set_data("?");
  for (google::protobuf::Message* part : std::initializer_list<google::protobuf::Message*>{
           schedule.mutable_spec(), &start, schedule.mutable_policies(),
           schedule.mutable_state()}) {
    constexpr int kOfANewerServer = 4000;
    part->GetReflection()->MutableUnknownFields(part)->AddVarint(kOfANewerServer, 1);
  }
  auto* calendar = schedule.mutable_spec()->mutable_structured_calendar(0);
  calendar->GetReflection()->MutableUnknownFields(calendar)->AddVarint(4000, 1);
  return schedule;
}

TEST(ScheduleWireTest, WhatWasToldAndIsNotShownStays) {
  const schedules::Schedule before = told();
  Schedule schedule = to_public(before, nullptr);
  EXPECT_EQ(to_proto(schedule, nullptr).SerializeAsString().size(),
            before.SerializeAsString().size());
  EXPECT_TRUE(
      google::protobuf::util::MessageDifferencer::Equals(to_proto(schedule, nullptr), before));

  schedule.action.task_timeout = 8s;
  schedule.action.static_details = "";
  schedule.action.versioning_override = AutoUpgradeVersioningOverride{};
  schedule.action.search_attributes["Number"] = std::int64_t{8};
  schedule.spec.jitter = 2s;
  schedule.policy.pause_on_failure = false;
  schedule.state.note = "other";
  schedules::Schedule expected = before;
  auto& start = *expected.mutable_action()->mutable_start_workflow();
  start.mutable_workflow_task_timeout()->set_seconds(8);
  start.mutable_user_metadata()->clear_details();
  start.mutable_versioning_override()->Clear();
  start.mutable_versioning_override()->set_auto_upgrade(true);
  start.mutable_versioning_override()->set_behavior(
      api::enums::v1::VERSIONING_BEHAVIOR_AUTO_UPGRADE);
  (*start.mutable_search_attributes()->mutable_indexed_fields())["Number"].set_data("8");
  expected.mutable_spec()->mutable_jitter()->set_seconds(2);
  expected.mutable_spec()->mutable_jitter()->set_nanos(0);
  expected.mutable_policies()->set_pause_on_failure(false);
  expected.mutable_state()->set_notes("other");
  // Of a spec that is another one, parts are new.
  expected.mutable_spec()->mutable_structured_calendar(0)->DiscardUnknownFields();
  EXPECT_TRUE(
      google::protobuf::util::MessageDifferencer::Equals(to_proto(schedule, nullptr), expected))
      << to_proto(schedule, nullptr).DebugString() << "\nis not\n"
      << expected.DebugString();
}

TEST(ScheduleWireTest, ANewPartHasNothingOfTheOldOne) {
  Schedule schedule = to_public(told(), nullptr);
  schedule.action = start_workflow_action("Other", {.id = "o", .task_queue = "q"});
  schedule.spec = {.intervals = {{.every = 1h}}};
  const schedules::Schedule now = to_proto(schedule, nullptr);
  EXPECT_FALSE(now.action().start_workflow().has_header());
  EXPECT_FALSE(now.action().start_workflow().has_versioning_override());
  EXPECT_EQ(now.action().start_workflow().search_attributes().indexed_fields_size(), 0);
  EXPECT_EQ(now.spec().timezone_name(), "");
  EXPECT_EQ(now.spec().ByteSizeLong(), now.spec().interval(0).ByteSizeLong() + 2);
}

TEST(ScheduleWireTest, AttributesCanBeTakenAway) {
  Schedule schedule = to_public(told(), nullptr);
  schedule.action.search_attributes.erase("Customer");
  schedule.action.search_attributes["Odd"] = true;
  const auto fields =
      to_proto(schedule, nullptr).action().start_workflow().search_attributes().indexed_fields();
  EXPECT_EQ(fields.size(), 2u);
  EXPECT_EQ(fields.at("Odd").data(), "true");
}

std::string refusal(const std::function<void(Schedule&)>& change) {
  Schedule schedule = whole();
  change(schedule);
  try {
    to_proto(schedule, nullptr);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(ScheduleWireTest, WhatCannotBeIsRefusedByName) {
  EXPECT_EQ(refusal([](Schedule&) {}), "");
  EXPECT_THAT(refusal([](Schedule& s) { s.spec.jitter = -1s; }),
              HasSubstr("ScheduleSpec::jitter is -1s"));
  EXPECT_THAT(refusal([](Schedule& s) { s.policy.catchup_window = -1s; }),
              HasSubstr("SchedulePolicy::catchup_window is -1s"));
  EXPECT_THAT(refusal([](Schedule& s) { s.spec.intervals = {{-5s}}; }),
              HasSubstr("ScheduleIntervalSpec::every is -5s"));
  EXPECT_THAT(refusal([](Schedule& s) { s.spec.intervals = {{}}; }),
              HasSubstr("ScheduleIntervalSpec::every is 0; it must be at least a second"));
  EXPECT_THAT(refusal([](Schedule& s) { s.spec.intervals = {{5s, -1s}}; }),
              HasSubstr("ScheduleIntervalSpec::offset is -1s"));
  EXPECT_THAT(refusal([](Schedule& s) { s.action.run_timeout = -1s; }),
              HasSubstr("ScheduleActionStartWorkflow::run_timeout is -1s"));
  EXPECT_THAT(refusal([](Schedule& s) { s.spec.calendars[0].hour = {{17, 9}}; }),
              HasSubstr("ScheduleCalendarSpec::hour has the range {17, 9, 1}"));
  EXPECT_THAT(refusal([](Schedule& s) { s.spec.skip[0].month = {{1, 9, -2}}; }),
              HasSubstr("ScheduleCalendarSpec::month has the range {1, 9, -2}"));
  EXPECT_THAT(refusal([](Schedule& s) { s.action.id = ""; }), HasSubstr("needs an id"));
  EXPECT_THAT(refusal([](Schedule& s) { s.action.task_queue = ""; }), HasSubstr("a task_queue"));
  EXPECT_THAT(refusal([](Schedule& s) { s.action = {.id = "i", .task_queue = "q"}; }),
              HasSubstr("start_workflow_action()"));
}

TEST(ScheduleWireTest, AnActionTakesItsTypeAndArgumentsOnce) {
  EXPECT_THROW(start_workflow_action("W", {.id = "i", .task_queue = "q", .workflow = "V"}),
               std::invalid_argument);
  const auto by_method = start_workflow_action<&Invoice::run>({.id = "i"}, 1, "a");
  EXPECT_EQ(by_method.workflow, "Billing");
  EXPECT_EQ(start_workflow_action("Any", {.id = "i"}, 1, 2.5, "x").args.size(), 3u);
}

TEST(ScheduleWireTest, ADescriptionTellsAll) {
  api::workflowservice::v1::DescribeScheduleResponse reply;
  *reply.mutable_schedule() = to_proto(whole(), nullptr);
  reply.set_conflict_token("token");
  (*reply.mutable_memo()->mutable_fields())["m"] = to_proto(make_payload(1));
  (*reply.mutable_search_attributes()->mutable_indexed_fields())["a"] = to_proto(make_payload(2));
  auto& info = *reply.mutable_info();
  info.set_action_count(1);
  info.set_missed_catchup_window(2);
  info.set_overlap_skipped(3);
  info.set_buffer_size(4);
  info.set_buffer_dropped(5);
  info.mutable_create_time()->set_seconds(6);
  info.add_future_action_times()->set_seconds(7);
  info.add_running_workflows()->set_workflow_id("running");
  auto& recent = *info.add_recent_actions();
  recent.mutable_schedule_time()->set_seconds(8);
  recent.mutable_actual_time()->set_seconds(9);
  recent.mutable_start_workflow_result()->set_run_id("run");
  recent.set_start_workflow_status(api::enums::v1::WORKFLOW_EXECUTION_STATUS_COMPLETED);

  const ScheduleDescription told = to_public("id", reply, nullptr, nullptr);
  EXPECT_EQ(told.id, "id");
  EXPECT_EQ(told.conflict_token, "token");
  EXPECT_EQ(from_payload<int>(told.memo.at("m")), 1);
  EXPECT_EQ(from_payload<int>(told.search_attributes.at("a")), 2);
  EXPECT_EQ(told.info.num_actions, 1);
  EXPECT_EQ(told.info.num_actions_missed_catchup_window, 2);
  EXPECT_EQ(told.info.num_actions_skipped_overlap, 3);
  EXPECT_EQ(told.info.num_actions_buffered, 4);
  EXPECT_EQ(told.info.num_actions_dropped_buffer, 5);
  EXPECT_EQ(told.info.created_at, Time(6s));
  EXPECT_EQ(told.info.last_updated_at, std::nullopt);
  EXPECT_THAT(told.info.next_action_times, ElementsAre(Time(7s)));
  EXPECT_EQ(told.info.running_actions.at(0).workflow_id, "running");
  EXPECT_EQ(told.info.recent_actions.at(0).scheduled_at, Time(8s));
  EXPECT_EQ(told.info.recent_actions.at(0).started_at, Time(9s));
  EXPECT_EQ(told.info.recent_actions.at(0).action.first_execution_run_id, "run");
  EXPECT_EQ(told.info.recent_actions.at(0).status, WorkflowExecutionStatus::kCompleted);

  reply.mutable_schedule()->clear_action();
  EXPECT_THROW(to_public("id", reply, nullptr, nullptr), RpcError);
}

}  // namespace
}  // namespace chimera::sdk
