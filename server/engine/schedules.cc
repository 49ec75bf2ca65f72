#include "server/engine/schedules.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include <nlohmann/json.hpp>

#include "core/telemetry/log.h"
#include "server/engine/deployments/overrides.h"
#include "server/engine/engine.h"
#include "server/engine/rules/limits.h"
#include "server/engine/rules/retry.h"
#include "server/engine/rules/start_attributes.h"
#include "server/engine/run/archive.h"
#include "server/engine/turn/incoming.h"
#include "server/engine/turn/start.h"
#include "server/visibility/attributes.h"
#include "server/visibility/values.h"
#include "server/visibility/visibility.h"

namespace chimera::server {
namespace {

constexpr std::uint64_t kLayout = 1;  // Of a row.

template <class Archive>
void visit(Archive& ar, ScheduleEnvelope& envelope, schedule::State& state) {
  ar.text(envelope.id);
  ar.text(envelope.key);
  ar.text(envelope.create_request_id);
  ar.message(envelope.memo);
  ar.message(envelope.search_attributes);
  ar.message(state.schedule);
  ar.message(state.info);
  ar.number(state.conflict_token);
  ar.time(state.done);
  visit_list(ar, state.buffer, [&ar](schedule::Start& start) {
    ar.time(start.nominal);
    ar.time(start.actual);
    ar.number(start.policy);
    ar.number(start.manual);
    ar.text(start.workflow_id);
    ar.text(start.request_id);
  });
  visit_list(ar, state.backfills, [&ar](schedule::Backfill& backfill) {
    ar.text(backfill.id);
    ar.time(backfill.done);
    ar.time(backfill.end);
    ar.number(backfill.policy);
  });
  ar.message(state.last_result);
  bool failed = state.last_failure.has_value();
  ar.number(failed);
  if (failed) {
    if constexpr (Archive::kReading) state.last_failure.emplace();
    ar.message(*state.last_failure);
  }
  visit_list(ar, state.requests, [&ar](std::string& request) { ar.text(request); });
}

common::Payload json_payload(const nlohmann::json& value, enums::IndexedValueType type) {
  common::Payload payload;
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  (*payload.mutable_metadata())["type"] = type_name(type);
  payload.set_data(value.dump());
  return payload;
}

std::string time_text(WallTime time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ",
                          absl::FromUnixNanos(time.time_since_epoch().count()),
                          absl::UTCTimeZone());
}

std::string identity_of(const Schedules::Schedule& schedule) {
  return absl::StrCat("temporal-scheduler-", schedule.ns.name(), "-", schedule.envelope.id);
}

// What its last event tells of a run that has ended.
schedule::Scheduler::End end_of(const Run& run) {
  const HistoryEvent& event = run.last_event();
  schedule::Scheduler::End end{run.status};
  if (event.has_workflow_execution_completed_event_attributes()) {
    const auto& a = event.workflow_execution_completed_event_attributes();
    if (a.has_result()) end.result = &a.result();
  } else if (event.has_workflow_execution_failed_event_attributes()) {
    end.failure = &event.workflow_execution_failed_event_attributes().failure();
  }
  return end;
}

// The first event of an action, but for what create_run() fills.
history::WorkflowExecutionStartedEventAttributes attributes_of(const Schedules::Schedule& schedule,
                                                               const schedule::Start& start) {
  const schedule::State& state = schedule.scheduler.state();
  history::WorkflowExecutionStartedEventAttributes a;
  copy_start(state.schedule.action().start_workflow(), a);
  if (a.has_versioning_override())
    *a.mutable_versioning_override() = modern(a.versioning_override());
  auto& fields = *a.mutable_search_attributes()->mutable_indexed_fields();
  fields["TemporalScheduledStartTime"] =
      json_payload(time_text(start.nominal), enums::INDEXED_VALUE_TYPE_DATETIME);
  fields["TemporalScheduledById"] =
      json_payload(schedule.envelope.id, enums::INDEXED_VALUE_TYPE_KEYWORD);
  *a.mutable_search_attributes() =
      with_types(schedule.ns.search_attributes, std::move(*a.mutable_search_attributes()));
  a.set_identity(identity_of(schedule));
  // Those that may overlap have no order, and are told nothing of each other (server 1.29).
  if (start.policy != enums::SCHEDULE_OVERLAP_POLICY_ALLOW_ALL) {
    if (state.last_result.payloads_size() > 0)
      *a.mutable_last_completion_result() = state.last_result;
    if (state.last_failure) *a.mutable_continued_failure() = *state.last_failure;
  }
  if (a.has_retry_policy()) default_retry_policy(*a.mutable_retry_policy());
  const Nanos run = capped_run_timeout(to_nanos(a.workflow_run_timeout()),
                                       to_nanos(a.workflow_execution_timeout()));
  set(a.mutable_workflow_run_timeout(), run);
  set(a.mutable_workflow_task_timeout(),
      capped_task_timeout(to_nanos(a.workflow_task_timeout()), run));
  set(a.mutable_first_workflow_task_backoff(), Nanos{0});
  return a;
}

}  // namespace

Schedules::Schedule::Schedule(Namespace& owner, ScheduleEnvelope what, schedule::State state,
                              schedule::Spec spec)
    : ns(owner),
      envelope(std::move(what)),
      scheduler(absl::StrCat(owner.id, "-", envelope.id), std::move(state), std::move(spec)) {}

std::string Schedules::key_of(const Namespace& ns, const std::string& id) {
  return absl::StrCat(ns.id, "/", id);
}

Schedules::Schedule* Schedules::find(const Namespace& ns, const std::string& id) {
  const auto found = all_.find(key_of(ns, id));
  return found == all_.end() ? nullptr : found->second.get();
}

bool Schedules::has_ended(const Namespace& ns, const std::string& id) const {
  return ended.contains(key_of(ns, id));
}

Schedules::Schedule* Schedules::shown_as(const Namespace& ns,
                                         const common::WorkflowExecution& execution) {
  absl::string_view id = execution.workflow_id();
  if (!absl::ConsumePrefix(&id, kScheduleIdPrefix)) return nullptr;
  Schedule* schedule = find(ns, std::string(id));
  const std::string& run_id = execution.run_id();
  const bool is_meant = schedule != nullptr && (run_id.empty() || run_id == schedule->envelope.key);
  return is_meant ? schedule : nullptr;
}

Schedules::Schedule& Schedules::add(Namespace& ns, ScheduleEnvelope envelope, schedule::State state,
                                    schedule::Spec spec) {
  const std::string key = key_of(ns, envelope.id);
  ended.forget(key);
  auto& schedule = all_[key];
  schedule = std::make_unique<Schedule>(ns, std::move(envelope), std::move(state), std::move(spec));
  schedule->timer = std::make_unique<Timer>([this, key] {
    if (const auto found = all_.find(key); found != all_.end()) advance(*found->second);
  });
  return *schedule;
}

void Schedules::erase(Schedule& schedule) {
  for (const std::string& run : schedule.scheduler.awaited()) watched_.erase(run);
  const std::string key = key_of(schedule.ns, schedule.envelope.id);
  dirty_.erase(key);
  engine_.forget(/*number=*/0, schedule.envelope.key);
  engine_.put_value(kTable, key, "", /*erase=*/true);
  ended.note(key, add_saturated(engine_.now(), schedule.ns.retention()));
  all_.erase(key);
}

bool Schedules::erase_some(const Namespace& ns, int most) {
  std::vector<Schedule*> some;
  for (const auto& [key, schedule] : all_) {
    if (&schedule->ns != &ns) continue;
    some.push_back(schedule.get());
    if (static_cast<int>(some.size()) == most) break;
  }
  for (Schedule* schedule : some) erase(*schedule);
  return !some.empty();
}

void Schedules::changed(Schedule& schedule) {
  dirty_.insert(key_of(schedule.ns, schedule.envelope.id));
  advance(schedule);
}

void Schedules::advance(Schedule& schedule) {
  const schedule::Todo todo = schedule.scheduler.advance(engine_.now());
  if (todo.over) return erase(schedule);
  // Time does not skip for the end of one that is idle.
  (todo.idle ? engine_.loop().chores() : engine_.timers()).arm(*schedule.timer, todo.wake);
  if (todo.changed || !todo.starts.empty())
    dirty_.insert(key_of(schedule.ns, schedule.envelope.id));
  perform(schedule, todo);
}

void Schedules::perform(Schedule& schedule, const schedule::Todo& todo) {
  for (const schedule::Start& each : todo.starts) start(schedule, each);
  // Of a chain the run that is under way.
  const auto running = [this, &schedule](const common::WorkflowExecution& execution) {
    const Run* run = engine_.runs().current(schedule.ns, execution.workflow_id());
    const bool ours = run != nullptr && run->running() && run->first_run_id == execution.run_id();
    return ours ? run : nullptr;
  };
  for (const auto& execution : todo.terminate) {
    if (const Run* run = running(execution)) {
      terminate_run(engine_, *run, "terminated by schedule overlap policy", nullptr,
                    identity_of(schedule));
    }
  }
  for (const auto& execution : todo.cancel) {
    const Run* run = running(execution);
    if (run == nullptr || run->cancel_requested) continue;
    history::WorkflowExecutionCancelRequestedEventAttributes a;
    a.set_cause("cancelled by schedule overlap policy");
    a.set_identity(identity_of(schedule));
    cancel_run(engine_, *run, std::move(a));
  }
}

// A version that the action is pinned to may have gone, or not be there yet.
absl::Status Schedules::check_version(const Schedule& schedule) const {
  const auto& action = schedule.scheduler.state().schedule.action().start_workflow();
  if (!action.has_versioning_override()) return absl::OkStatus();
  absl::Status status = check_override(engine_, schedule.ns, action.task_queue().name(),
                                       action.versioning_override());
  if (status.ok()) note_override(engine_, schedule.ns, action.versioning_override());
  return status;
}

void Schedules::start(Schedule& schedule, const schedule::Start& start) {
  const auto reuse = start.manual ? enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
                                  : enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE;
  const bool same_id = schedule.scheduler.state().schedule.policies().keep_original_workflow_id();
  absl::StatusOr<StartDecision> decision =
      decide_start(engine_, schedule.ns, start.workflow_id, start.request_id,
                   same_id ? enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE : reuse,
                   enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL);
  if (absl::Status s = check_version(schedule); !s.ok() && decision.ok()) decision = std::move(s);
  if (!decision.ok()) {
    core::log(core::LogLevel::kWarn, "server",
              absl::StrCat("a schedule's action was not started: ", decision.status().message()),
              {{"schedule_id", schedule.envelope.id}, {"workflow_id", start.workflow_id}});
    return;
  }
  if (decision->use != nullptr) return;  // It has been started.
  StartSpec spec;
  spec.ns = &schedule.ns;
  spec.workflow_id = start.workflow_id;
  spec.run_id = engine_.ids().run_id(engine_.now());
  spec.request_id = start.request_id;
  spec.attributes = attributes_of(schedule, start);
  spec.user_metadata =
      schedule.scheduler.state().schedule.action().start_workflow().user_metadata();
  const Run& run = create_run(engine_, std::move(spec));
  schedule.scheduler.started(start, run.run_id, engine_.now());
  watched_[run.run_id] = key_of(schedule.ns, schedule.envelope.id);
}

void Schedules::hear(const Run& run) {
  const auto found = watched_.find(run.first_run_id);
  if (found == watched_.end()) return;
  engine_.follow_up([this, key = found->second, weak = RunWeak(share(run))] {
    if (const RunPtr closed = weak.lock()) end_run(key, *closed);
  });
}

void Schedules::end_run(const std::string& key, const Run& run) {
  watched_.erase(run.first_run_id);
  const auto found = all_.find(key);
  if (found == all_.end()) return;
  if (found->second->scheduler.ended(run.first_run_id, end_of(run))) changed(*found->second);
}

absl::Status Schedules::restore(const std::string& key, const std::string& value) {
  Reader ar(value);
  ar.number(ar.version);
  ScheduleEnvelope envelope;
  schedule::State state;
  if (ar.ok && ar.version == kLayout) visit(ar, envelope, state);
  Namespace* ns = engine_.namespaces().find_by_id(key.substr(0, key.find('/')));
  absl::StatusOr<schedule::Spec> spec = schedule::Spec::compile(state.schedule.spec());
  if (!ar.ok || ar.version != kLayout || ns == nullptr) {
    return absl::DataLossError(
        absl::StrCat("the database is damaged: schedule ", key,
                     ". Restore a copy of the file, or start with another file name."));
  }
  if (!spec.ok()) {  // Its time zone may have gone from this machine.
    core::log(core::LogLevel::kError, "server",
              absl::StrCat("a schedule is never due: ", spec.status().message(),
                           ". Mend that and start the server again, or update the schedule."),
              {{"schedule_id", envelope.id}});
  }
  add(*ns, std::move(envelope), std::move(state), spec.ok() ? *std::move(spec) : schedule::Spec());
  return absl::OkStatus();
}

void Schedules::watch(const Schedule& schedule) {
  for (const std::string& run : schedule.scheduler.awaited())
    watched_[run] = key_of(schedule.ns, schedule.envelope.id);
}

void Schedules::resume() {
  for (const auto& [key, schedule] : all_) {
    watch(*schedule);
    // Its turn comes when the loop runs.
    engine_.timers().arm(*schedule->timer, engine_.now());
  }
}

void Schedules::collect(WriteBatch& changes) {
  for (const std::string& key : dirty_) {
    const Schedule& schedule = *all_.at(key);
    if (engine_.store().durable()) {
      Writer ar;
      ar.number(kLayout);
      ScheduleEnvelope envelope = schedule.envelope;
      schedule::State state = schedule.scheduler.state();
      visit(ar, envelope, state);
      changes.values.push_back({kTable, key, std::move(ar.out), false});
    }
    if (engine_.store().keeps_index())
      changes.shown.push_back(entry_of(schedule));
    else
      engine_.visibility().put(entry_of(schedule));
  }
  dirty_.clear();
}

visibility::Entry Schedules::entry_of(const Schedule& schedule) const {
  constexpr char kType[] = "temporal-sys-scheduler-workflow";
  constexpr char kQueue[] = "temporal-sys-per-ns-tq";
  const ScheduleEnvelope& envelope = schedule.envelope;
  const schedule::State& state = schedule.scheduler.state();
  ::temporal::api::workflow::v1::WorkflowExecutionInfo info;
  info.mutable_execution()->set_workflow_id(absl::StrCat(kScheduleIdPrefix, envelope.id));
  info.mutable_execution()->set_run_id(envelope.key);
  info.mutable_type()->set_name(kType);
  info.set_task_queue(kQueue);
  info.set_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  *info.mutable_start_time() = *info.mutable_execution_time() = state.info.create_time();
  *info.mutable_root_execution() = info.execution();
  *info.mutable_memo() = envelope.memo;
  common::Payload& shown = (*info.mutable_memo()->mutable_fields())[kScheduleMemo];
  (*shown.mutable_metadata())["encoding"] = "binary/plain";
  shown.set_data(schedule.scheduler.list_info(engine_.now()).SerializeAsString());
  *info.mutable_search_attributes() =
      with_types(schedule.ns.search_attributes, envelope.search_attributes);
  auto& fields = *info.mutable_search_attributes()->mutable_indexed_fields();
  fields["TemporalNamespaceDivision"] =
      json_payload(kScheduleDivision, enums::INDEXED_VALUE_TYPE_KEYWORD);
  fields["TemporalSchedulePaused"] =
      json_payload(state.schedule.state().paused(), enums::INDEXED_VALUE_TYPE_BOOL);
  visibility::Entry entry;
  for (const auto& [name, payload] : fields) {
    const auto type = settable_type(schedule.ns.search_attributes, name);
    if (!type) continue;
    const visibility::AttributeType as = attribute_type_of(*type);
    if (auto value = attribute_value(payload, as))
      entry.attributes.push_back({name, as, *std::move(value)});
  }
  entry.namespace_id = schedule.ns.id;
  entry.run_id = entry.root_run_id = envelope.key;
  entry.workflow_id = entry.root_workflow_id = info.execution().workflow_id();
  entry.workflow_type = kType;
  entry.task_queue = kQueue;
  entry.start_time = entry.execution_time =
      to_wall(state.info.create_time()).time_since_epoch().count();
  entry.info = info.SerializeAsString();
  return entry;
}

}  // namespace chimera::server
