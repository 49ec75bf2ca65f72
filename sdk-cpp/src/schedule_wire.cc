#include "sdk-cpp/src/schedule_wire.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "chimera/client.h"
#include "sdk-cpp/src/version_wire.h"

namespace chimera::sdk {
namespace {

namespace schedules = api::schedule::v1;
using Ranges = google::protobuf::RepeatedPtrField<schedules::Range>;
using StartWorkflow = api::workflow::v1::NewWorkflowExecutionInfo;

// --- What was told ---

template <class M>
detail::AsTold as_told(const M& message) {
  return {std::make_shared<const M>(message)};
}

// Null: nothing was.
template <class M>
const M* told(const detail::AsTold& part) {
  return dynamic_cast<const M*>(part.message.get());
}
template <class M>
M told_or_new(const detail::AsTold& part) {
  const M* message = told<M>(part);
  return message == nullptr ? M() : *message;
}

std::optional<Time> to_time(bool there, const google::protobuf::Timestamp& time) {
  return there ? std::optional<Time>(base::to_wall_time(time)) : std::nullopt;
}
Duration to_duration(const google::protobuf::Duration& duration) {
  return base::to_nanoseconds(duration);  // Unset is zero.
}

// --- When ---

void write_ranges(const char* part, const std::vector<ScheduleRange>& ranges, Ranges& out) {
  const auto refuse = [part](const ScheduleRange& range, const char* rule) {
    throw std::invalid_argument(absl::StrCat("ScheduleCalendarSpec::", part, " has the range {",
                                             range.start, ", ", range.end, ", ", range.step,
                                             "}: ", rule));
  };
  out.Clear();
  for (const ScheduleRange& range : ranges) {
    // An end of 0 is none.
    if (range.end != 0 && range.end < range.start)
      refuse(range, "its end must not be before its start; leave it out to mean the start alone");
    if (range.step < 0) refuse(range, "its step must not be negative");
    schedules::Range& to = *out.Add();
    to.set_start(range.start);
    to.set_end(range.end);
    to.set_step(range.step);
  }
}

void write(const ScheduleCalendarSpec& calendar, schedules::StructuredCalendarSpec& out) {
  write_ranges("second", calendar.second, *out.mutable_second());
  write_ranges("minute", calendar.minute, *out.mutable_minute());
  write_ranges("hour", calendar.hour, *out.mutable_hour());
  write_ranges("day_of_month", calendar.day_of_month, *out.mutable_day_of_month());
  write_ranges("month", calendar.month, *out.mutable_month());
  write_ranges("year", calendar.year, *out.mutable_year());
  write_ranges("day_of_week", calendar.day_of_week, *out.mutable_day_of_week());
  out.set_comment(calendar.comment);
}

std::vector<ScheduleRange> read_ranges(const Ranges& ranges) {
  std::vector<ScheduleRange> out;
  for (const schedules::Range& range : ranges)
    out.push_back({range.start(), range.end(), range.step()});
  return out;
}

ScheduleCalendarSpec read(const schedules::StructuredCalendarSpec& calendar) {
  return {.second = read_ranges(calendar.second()),
          .minute = read_ranges(calendar.minute()),
          .hour = read_ranges(calendar.hour()),
          .day_of_month = read_ranges(calendar.day_of_month()),
          .month = read_ranges(calendar.month()),
          .year = read_ranges(calendar.year()),
          .day_of_week = read_ranges(calendar.day_of_week()),
          .comment = calendar.comment()};
}

ScheduleSpec read(const schedules::ScheduleSpec& spec) {
  ScheduleSpec out;
  for (const auto& calendar : spec.structured_calendar()) out.calendars.push_back(read(calendar));
  for (const auto& each : spec.interval())
    out.intervals.push_back({to_duration(each.interval()), to_duration(each.phase())});
  out.cron_expressions = {spec.cron_string().begin(), spec.cron_string().end()};
  for (const auto& each : spec.exclude_structured_calendar()) out.skip.push_back(read(each));
  out.start_at = to_time(spec.has_start_time(), spec.start_time());
  out.end_at = to_time(spec.has_end_time(), spec.end_time());
  out.jitter = to_duration(spec.jitter());
  out.time_zone_name = spec.timezone_name();
  out.time_zone_data = spec.timezone_data();
  out.as_told = as_told(spec);
  return out;
}

void write(const ScheduleIntervalSpec& interval, schedules::IntervalSpec& out) {
  using std::chrono::seconds;
  if (checked(interval.every, "ScheduleIntervalSpec::every") < seconds(1)) {
    throw std::invalid_argument(absl::StrCat("ScheduleIntervalSpec::every is ",
                                             absl::FormatDuration(absl::FromChrono(interval.every)),
                                             "; it must be at least a second"));
  }
  base::set_duration(interval.every, *out.mutable_interval());
  set_duration(interval.offset, "ScheduleIntervalSpec::offset",
               [&] { return out.mutable_phase(); });
}

void write(const ScheduleSpec& spec, schedules::ScheduleSpec& out) {
  const auto* before = told<schedules::ScheduleSpec>(spec.as_told);
  if (before != nullptr) out = *before;
  if (before != nullptr && spec == read(*before)) return;
  out.clear_structured_calendar();
  for (const auto& calendar : spec.calendars) write(calendar, *out.add_structured_calendar());
  out.clear_interval();
  for (const auto& interval : spec.intervals) write(interval, *out.add_interval());
  out.mutable_cron_string()->Assign(spec.cron_expressions.begin(), spec.cron_expressions.end());
  out.clear_exclude_structured_calendar();
  for (const auto& each : spec.skip) write(each, *out.add_exclude_structured_calendar());
  out.clear_start_time();
  if (spec.start_at) base::set_timestamp(*spec.start_at, *out.mutable_start_time());
  out.clear_end_time();
  if (spec.end_at) base::set_timestamp(*spec.end_at, *out.mutable_end_time());
  out.clear_jitter();
  set_duration(spec.jitter, "ScheduleSpec::jitter", [&] { return out.mutable_jitter(); });
  out.set_timezone_name(spec.time_zone_name);
  out.set_timezone_data(spec.time_zone_data);
}

// --- What ---

void write_metadata(const ScheduleActionStartWorkflow& action, const Codec& codec,
                    StartWorkflow& out) {
  // What was told stays as it is unless the text is another one now.
  const auto put = [&codec](const std::string& text, const std::string& before, auto set,
                            auto clear) {
    if (text == before) return;
    if (text.empty()) return clear();
    ProtoPayload payload = to_proto(make_payload(text));
    encode_in_place(payload, codec);
    *set() = std::move(payload);
  };
  const auto now = out.user_metadata();
  put(
      action.static_summary, read_text(now.has_summary(), now.summary(), codec),
      [&] { return out.mutable_user_metadata()->mutable_summary(); },
      [&] { out.mutable_user_metadata()->clear_summary(); });
  put(
      action.static_details, read_text(now.has_details(), now.details(), codec),
      [&] { return out.mutable_user_metadata()->mutable_details(); },
      [&] { out.mutable_user_metadata()->clear_details(); });
}

SearchAttributes read_attributes(const api::common::v1::SearchAttributes& attributes) {
  SearchAttributes out;
  for (const auto& [name, payload] : attributes.indexed_fields())
    if (auto value = to_attribute(payload)) out.emplace(name, *std::move(value));
  return out;
}

// What was told keeps its form (a Text stays one), unless it is another value now.
void write_attributes(const SearchAttributes& wanted, StartWorkflow& out) {
  const auto before = out.search_attributes();
  auto fields = to_proto(wanted);
  for (const auto& [name, payload] : before.indexed_fields()) {
    const auto value = to_attribute(payload);
    const auto found = wanted.find(name);
    if (value ? found != wanted.end() && found->second == *value : found == wanted.end())
      (*fields.mutable_indexed_fields())[name] = payload;
  }
  out.clear_search_attributes();
  if (fields.indexed_fields_size() > 0) *out.mutable_search_attributes() = std::move(fields);
}

std::optional<VersioningOverride> read_override(const StartWorkflow& start) {
  if (!start.has_versioning_override()) return std::nullopt;
  return to_public(start.versioning_override());
}

// What was told keeps its form, which may be one that this SDK does not know.
void write_override(const std::optional<VersioningOverride>& wanted, StartWorkflow& out) {
  if (wanted == read_override(out)) return;
  out.clear_versioning_override();
  if (wanted) *out.mutable_versioning_override() = to_proto(*wanted);
}

void write_timeouts(const ScheduleActionStartWorkflow& action, StartWorkflow& out) {
  out.clear_workflow_execution_timeout();
  set_duration(action.execution_timeout, "ScheduleActionStartWorkflow::execution_timeout",
               [&] { return out.mutable_workflow_execution_timeout(); });
  out.clear_workflow_run_timeout();
  set_duration(action.run_timeout, "ScheduleActionStartWorkflow::run_timeout",
               [&] { return out.mutable_workflow_run_timeout(); });
  out.clear_workflow_task_timeout();
  set_duration(action.task_timeout, "ScheduleActionStartWorkflow::task_timeout",
               [&] { return out.mutable_workflow_task_timeout(); });
}

void write(const ScheduleActionStartWorkflow& action, const Codec& codec, StartWorkflow& out) {
  const char* missing = action.id.empty()           ? "an id"
                        : action.task_queue.empty() ? "a task_queue"
                        : action.workflow.empty()   ? "a workflow, which start_workflow_action() "
                                                      "fills in"
                                                    : nullptr;
  if (missing != nullptr)
    throw std::invalid_argument(absl::StrCat("ScheduleActionStartWorkflow needs ", missing));
  out = told_or_new<StartWorkflow>(action.as_told);
  out.set_workflow_id(action.id);
  out.mutable_workflow_type()->set_name(action.workflow);
  out.mutable_task_queue()->set_name(action.task_queue);
  out.clear_input();
  if (!action.args.empty()) {
    *out.mutable_input() = to_proto(action.args);
    encode_in_place(*out.mutable_input(), codec);
  }
  write_timeouts(action, out);
  out.clear_retry_policy();
  if (action.retry_policy) *out.mutable_retry_policy() = to_proto(*action.retry_policy);
  out.clear_memo();
  if (!action.memo.empty()) *out.mutable_memo() = to_proto(action.memo, codec);
  write_attributes(action.search_attributes, out);
  write_metadata(action, codec, out);
  if (out.has_priority() || action.priority != Priority{}) {
    *out.mutable_priority() = to_proto(action.priority);
  }
  write_override(action.versioning_override, out);
}

ScheduleActionStartWorkflow read(const StartWorkflow& start, const Codec& codec) {
  ProtoPayloads scratch;
  const auto& metadata = start.user_metadata();
  return {.id = start.workflow_id(),
          .task_queue = start.task_queue().name(),
          .workflow = start.workflow_type().name(),
          .args = to_public(decoded(start.input(), codec, scratch)),
          .execution_timeout = to_duration(start.workflow_execution_timeout()),
          .run_timeout = to_duration(start.workflow_run_timeout()),
          .task_timeout = to_duration(start.workflow_task_timeout()),
          .retry_policy = start.has_retry_policy()
                              ? std::optional<RetryPolicy>(to_public(start.retry_policy()))
                              : std::nullopt,
          .memo = to_public(start.memo(), codec),
          .search_attributes = read_attributes(start.search_attributes()),
          .priority = to_public(start.priority()),
          .static_summary = read_text(metadata.has_summary(), metadata.summary(), codec),
          .static_details = read_text(metadata.has_details(), metadata.details(), codec),
          .versioning_override = read_override(start),
          .as_told = as_told(start)};
}

// --- How, and how far ---

void write(const SchedulePolicy& policy, schedules::SchedulePolicies& out) {
  out = told_or_new<schedules::SchedulePolicies>(policy.as_told);
  out.set_overlap_policy(static_cast<api::enums::v1::ScheduleOverlapPolicy>(policy.overlap));
  out.clear_catchup_window();
  set_duration(policy.catchup_window, "SchedulePolicy::catchup_window",
               [&] { return out.mutable_catchup_window(); });
  out.set_pause_on_failure(policy.pause_on_failure);
  out.set_keep_original_workflow_id(policy.keep_original_workflow_id);
}

SchedulePolicy read(const schedules::SchedulePolicies& policy) {
  const auto overlap = static_cast<ScheduleOverlapPolicy>(policy.overlap_policy());
  return {.overlap = overlap == ScheduleOverlapPolicy::kUnspecified ? ScheduleOverlapPolicy::kSkip
                                                                    : overlap,
          .catchup_window = to_duration(policy.catchup_window()),
          .pause_on_failure = policy.pause_on_failure(),
          .keep_original_workflow_id = policy.keep_original_workflow_id(),
          .as_told = as_told(policy)};
}

void write(const ScheduleState& state, schedules::ScheduleState& out) {
  out = told_or_new<schedules::ScheduleState>(state.as_told);
  out.set_notes(state.note);
  out.set_paused(state.paused);
  out.set_limited_actions(state.limited_actions);
  out.set_remaining_actions(state.remaining_actions);
}

ScheduleState read(const schedules::ScheduleState& state) {
  return {.note = state.notes(),
          .paused = state.paused(),
          .limited_actions = state.limited_actions(),
          .remaining_actions = state.remaining_actions(),
          .as_told = as_told(state)};
}

// --- What it did ---

ScheduleActionExecution read(const api::common::v1::WorkflowExecution& execution) {
  return {execution.workflow_id(), execution.run_id()};
}

std::vector<ScheduleActionResult> read(
    const google::protobuf::RepeatedPtrField<schedules::ScheduleActionResult>& results) {
  std::vector<ScheduleActionResult> out;
  for (const auto& each : results) {
    out.push_back({.scheduled_at = base::to_wall_time(each.schedule_time()),
                   .started_at = base::to_wall_time(each.actual_time()),
                   .action = read(each.start_workflow_result()),
                   .status = static_cast<WorkflowExecutionStatus>(each.start_workflow_status())});
  }
  return out;
}

std::vector<Time> read(const google::protobuf::RepeatedPtrField<google::protobuf::Timestamp>& all) {
  std::vector<Time> out;
  for (const auto& time : all) out.emplace_back(base::to_wall_time(time));
  return out;
}

ScheduleInfo read(const schedules::ScheduleInfo& info) {
  ScheduleInfo out{.num_actions = info.action_count(),
                   .num_actions_missed_catchup_window = info.missed_catchup_window(),
                   .num_actions_skipped_overlap = info.overlap_skipped(),
                   .num_actions_buffered = info.buffer_size(),
                   .num_actions_dropped_buffer = info.buffer_dropped(),
                   .running_actions = {},
                   .recent_actions = read(info.recent_actions()),
                   .next_action_times = read(info.future_action_times()),
                   .created_at = base::to_wall_time(info.create_time()),
                   .last_updated_at = to_time(info.has_update_time(), info.update_time())};
  for (const auto& each : info.running_workflows()) out.running_actions.push_back(read(each));
  return out;
}

}  // namespace

schedules::Schedule to_proto(const Schedule& schedule, const Codec& codec) {
  schedules::Schedule out;
  write(schedule.action, codec, *out.mutable_action()->mutable_start_workflow());
  write(schedule.spec, *out.mutable_spec());
  write(schedule.policy, *out.mutable_policies());
  write(schedule.state, *out.mutable_state());
  return out;
}

schedules::BackfillRequest to_proto(const ScheduleBackfill& backfill) {
  schedules::BackfillRequest out;
  base::set_timestamp(backfill.start_at, *out.mutable_start_time());
  base::set_timestamp(backfill.end_at, *out.mutable_end_time());
  out.set_overlap_policy(static_cast<api::enums::v1::ScheduleOverlapPolicy>(backfill.overlap));
  return out;
}

Schedule to_public(const schedules::Schedule& schedule, const Codec& codec) {
  return {.action = read(schedule.action().start_workflow(), codec),
          .spec = read(schedule.spec()),
          .policy = read(schedule.policies()),
          .state = read(schedule.state())};
}

ScheduleDescription to_public(const std::string& id,
                              const api::workflowservice::v1::DescribeScheduleResponse& reply,
                              const Codec& codec, const Codec& workflows_codec) {
  if (!reply.schedule().action().has_start_workflow()) {
    throw RpcError(StatusCode::kInternal,
                   absl::StrCat("the server gave schedule '", id,
                                "' with an action that does not start a workflow: this SDK knows "
                                "no other kind. Change it with a newer one"));
  }
  return {.id = id,
          .schedule = to_public(reply.schedule(), workflows_codec),
          .info = read(reply.info()),
          .memo = to_public(reply.memo(), codec),
          .search_attributes = to_public(reply.search_attributes()),
          .conflict_token = reply.conflict_token()};
}

ScheduleListEntry to_public(const schedules::ScheduleListEntry& entry, const Codec& codec) {
  const schedules::ScheduleListInfo& info = entry.info();
  return {.id = entry.schedule_id(),
          .workflow = info.workflow_type().name(),
          .spec = read(info.spec()),
          .note = info.notes(),
          .paused = info.paused(),
          .recent_actions = read(info.recent_actions()),
          .next_action_times = read(info.future_action_times()),
          .memo = to_public(entry.memo(), codec),
          .search_attributes = to_public(entry.search_attributes())};
}

}  // namespace chimera::sdk
