#include "temporal/api/schedule/v1/message.pb.h"

#include "tests/chaos/load.h"

namespace chimera::chaos {
namespace {

namespace schedules = api::schedule::v1;

constexpr std::int64_t kLongAgo = 1'577'836'800;  // 2020-01-01, when backfills begin.

// Of every second.
wf::CreateScheduleRequest create_request(const std::string& id,
                                         enums::ScheduleOverlapPolicy policy) {
  wf::CreateScheduleRequest request;
  request.set_namespace_(kNamespace);
  request.set_schedule_id(id);
  request.set_request_id("create-" + id);
  schedules::Schedule& schedule = *request.mutable_schedule();
  schedule.mutable_spec()->add_interval()->mutable_interval()->set_seconds(1);
  schedule.mutable_policies()->set_overlap_policy(policy);
  auto& start = *schedule.mutable_action()->mutable_start_workflow();
  start.set_workflow_id(id);
  start.mutable_workflow_type()->set_name("Scheduled");
  start.mutable_task_queue()->set_name(kQueue);
  start.mutable_workflow_task_timeout()->set_seconds(1);
  return request;
}

wf::PatchScheduleRequest patch_request(const std::string& id, const std::string& request_id) {
  wf::PatchScheduleRequest request;
  request.set_namespace_(kNamespace);
  request.set_schedule_id(id);
  request.set_request_id(absl::StrCat(id, "-", request_id));
  return request;
}

}  // namespace

bool Load::went(const std::string& what, const absl::Status& status) {
  if (!status.ok() && !absl::IsAborted(status))
    ledger_.wrong(absl::StrCat(what, ": ", status.ToString()));
  return status.ok();
}

bool Load::backfill(const std::string& id, int number) {
  wf::PatchScheduleRequest request = patch_request(id, absl::StrCat("backfill-", number));
  const std::int64_t time = kLongAgo + number;
  auto& range = *request.mutable_patch()->add_backfill_request();
  range.mutable_start_time()->set_seconds(time);
  range.mutable_end_time()->set_seconds(time);
  if (!went("backfill of " + id,
            caller_.until_answered<wf::PatchScheduleResponse>(request).status()))
    return false;
  ledger_.note([&](Acknowledged& all) { all.scheduled.insert({id, time}); });
  return true;
}

// Waits until none of its actions waits, or is under way.
bool Load::until_idle(const std::string& id) {
  wf::DescribeScheduleRequest about;
  about.set_namespace_(kNamespace);
  about.set_schedule_id(id);
  wf::CountWorkflowExecutionsRequest running;
  running.set_namespace_(kNamespace);
  running.set_query(
      absl::StrCat("TemporalScheduledById = '", id, "' AND ExecutionStatus = 'Running'"));
  for (;;) {
    const auto described = caller_.until_answered<wf::DescribeScheduleResponse>(about);
    if (!went("describe " + id, described.status())) return false;
    const auto counted = caller_.until_answered<wf::CountWorkflowExecutionsResponse>(running);
    if (!went("count runs of " + id, counted.status())) return false;
    if (described->info().buffer_size() == 0 && counted->count() == 0) return true;
    std::this_thread::yield();
  }
}

// Waits until it has begun more than was backfilled: seconds pass more slowly than lives.
bool Load::until_due(const std::string& id, int backfills) {
  wf::DescribeScheduleRequest about;
  about.set_namespace_(kNamespace);
  about.set_schedule_id(id);
  for (;;) {
    const auto described = caller_.until_answered<wf::DescribeScheduleResponse>(about);
    if (!went("describe " + id, described.status())) return false;
    if (described->info().action_count() > backfills) return true;
    std::this_thread::yield();
  }
}

bool Load::pause(const std::string& id) {
  wf::PatchScheduleRequest request = patch_request(id, "pause");
  request.mutable_patch()->set_pause("the end");
  return went("pause " + id, caller_.until_answered<wf::PatchScheduleResponse>(request).status());
}

bool Load::keep_schedules() {
  for (const auto& [id, policy] : kSchedules) {
    const auto made =
        caller_.until_answered<wf::CreateScheduleResponse>(create_request(id, policy));
    if (!went(absl::StrCat("create ", id), made.status())) return false;
  }
  int backfills = 0;
  do {
    for (const auto& [id, policy] : kSchedules)
      if (!backfill(id, backfills) || !until_idle(id)) return false;
    ++backfills;
  } while (starting_);
  for (const auto& [id, policy] : kSchedules)
    if (!until_due(id, backfills) || !pause(id) || !until_idle(id)) return false;
  return true;
}

void Load::drive_schedules() {
  keep_schedules();
  std::lock_guard lock(mutex_);
  --driving_;
  idle_.notify_all();
}

}  // namespace chimera::chaos
