// ScheduleSession, a case about schedules: makes them, asks for them, plays the worker of what they
// start.
#ifndef CHIMERA_TESTS_CONFORMANCE_SCHEDULE_SESSION_H_
#define CHIMERA_TESTS_CONFORMANCE_SCHEDULE_SESSION_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "tests/conformance/session.h"

namespace chimera::conformance {

namespace schedules = api::schedule::v1;

class ScheduleSession : public Session {
 protected:
  using Create = wf::CreateScheduleRequest;
  using Change = std::function<void(schedules::Schedule&)>;
  using ScheduleDescription = wf::DescribeScheduleResponse;

  void TearDown() override {
    for (const std::string& name : made_) {
      wf::DeleteScheduleRequest request;
      request.set_namespace_(ns);
      request.set_schedule_id(name);
      rpc<wf::DeleteScheduleResponse>(request).IgnoreError();
    }
    Session::TearDown();
  }

  Create create_request(const Change& change) const {
    Create request;
    request.set_namespace_(ns);
    request.set_schedule_id(id);
    request.set_request_id(absl::StrCat("request-", id));
    auto& start = *request.mutable_schedule()->mutable_action()->mutable_start_workflow();
    start.set_workflow_id(absl::StrCat(id, "-w"));
    start.mutable_workflow_type()->set_name("Workflow");
    start.mutable_task_queue()->set_name(queue);
    change(*request.mutable_schedule());
    return request;
  }
  absl::StatusOr<wf::CreateScheduleResponse> create(const Create& request) {
    made_.push_back(request.schedule_id());
    return rpc<wf::CreateScheduleResponse>(request);
  }
  void create(const Change& change) {
    const auto created = create(create_request(change));
    ASSERT_TRUE(created.ok()) << created.status();
  }

  absl::StatusOr<ScheduleDescription> try_describe() {
    wf::DescribeScheduleRequest request;
    request.set_namespace_(ns);
    request.set_schedule_id(id);
    return rpc<ScheduleDescription>(request);
  }
  ScheduleDescription described() {
    const auto reply = try_describe();
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? *reply : ScheduleDescription();
  }
  // Asks until it is so, for half a minute.
  ScheduleDescription described_when(const std::function<bool(const ScheduleDescription&)>& so) {
    ScheduleDescription last;
    for (int i = 0; i < 300; ++i) {
      last = described();
      if (so(last)) return last;
      absl::SleepFor(absl::Milliseconds(100));
    }
    ADD_FAILURE() << "did not come: " << last.ShortDebugString();
    return last;
  }
  ScheduleDescription when_actions(std::int64_t count) {
    return described_when([&](const auto& now) { return now.info().action_count() >= count; });
  }

  absl::Status patch(const std::function<void(schedules::SchedulePatch&)>& change) {
    wf::PatchScheduleRequest request;
    request.set_namespace_(ns);
    request.set_schedule_id(id);
    request.set_request_id(absl::StrCat("patch-", id, "-", ++patches_));
    change(*request.mutable_patch());
    return rpc<wf::PatchScheduleResponse>(request).status();
  }
  // Workflow ids have seconds, so that no two of a case may fall into one.
  void trigger(enums::ScheduleOverlapPolicy policy) {
    absl::SleepFor(absl::Milliseconds(1100));
    EXPECT_TRUE(patch([&](schedules::SchedulePatch& patch) {
                  patch.mutable_trigger_immediately()->set_overlap_policy(policy);
                }).ok());
  }

  // "2026-01-01T00:20:00Z ...": up to eight.
  std::string times(const std::string& from, const std::string& to) {
    wf::ListScheduleMatchingTimesRequest request;
    request.set_namespace_(ns);
    request.set_schedule_id(id);
    set_time(*request.mutable_start_time(), from);
    set_time(*request.mutable_end_time(), to);
    const auto reply = rpc<wf::ListScheduleMatchingTimesResponse>(request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    if (!reply.ok()) return "";
    std::string text;
    for (int i = 0; i < std::min(reply->start_time_size(), 8); ++i)
      absl::StrAppend(&text, i > 0 ? " " : "", time_text(reply->start_time(i)));
    return text;
  }
  static void set_time(google::protobuf::Timestamp& out, const std::string& text) {
    absl::Time time;
    std::string error;
    EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << text << error;
    out.set_seconds(absl::ToUnixSeconds(time));
  }
  static std::string time_text(const google::protobuf::Timestamp& time) {
    return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(time.seconds()),
                            absl::UTCTimeZone());
  }

  static void every(schedules::Schedule& schedule, int seconds, int phase = 0) {
    auto& interval = *schedule.mutable_spec()->add_interval();
    interval.mutable_interval()->set_seconds(seconds);
    if (phase != 0) interval.mutable_phase()->set_seconds(phase);
  }
  static void paused(schedules::Schedule& schedule) { schedule.mutable_state()->set_paused(true); }

  std::vector<std::string> made_;
  int patches_ = 0;
};

}  // namespace chimera::conformance

#endif  // CHIMERA_TESTS_CONFORMANCE_SCHEDULE_SESSION_H_
