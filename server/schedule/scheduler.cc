#include "server/schedule/scheduler.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "server/schedule/canonical.h"

namespace chimera::server::schedule {
namespace {

using std::chrono::hours;

constexpr Nanos kWindowDefault = hours{365 * 24}, kWindowMin = seconds{10};
constexpr int kPendingMax = 1000;            // Waiting and running; more is dropped.
constexpr int kPendingOfBackfillsMax = 450;  // Backfills wait instead, and leave room.
constexpr int kBackfillsMax = 1000;
constexpr int kRecent = 10, kListed = 5, kListedSpecs = 10;
constexpr int kRequestsKept = 16;
constexpr Nanos kIdleMax = hours{7 * 24};
// Of one step.
constexpr int kTimesAtOnce = 1000, kStartsAtOnce = 100;

std::string time_text(WallTime time) {
  const std::int64_t at = std::chrono::floor<seconds>(time).time_since_epoch().count();
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(at), absl::UTCTimeZone());
}

// What overlap policies make of what waits.
struct Decision {
  std::vector<Start> starts, wait;
  bool cancel = false, terminate = false;
  std::int64_t skipped = 0;
};

void overlap(Start start, bool running, std::optional<Start>& alone, Decision& decision) {
  switch (start.policy) {
    case enums::SCHEDULE_OVERLAP_POLICY_BUFFER_ONE:
      if (!decision.wait.empty()) {
        ++decision.skipped;
        return;
      }
      break;
    case enums::SCHEDULE_OVERLAP_POLICY_BUFFER_ALL:
      break;
    case enums::SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER:
    case enums::SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER:
      if (!running) {  // The other has not begun either: this one takes its place.
        alone = std::move(start);
        return;
      }
      (start.policy == enums::SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER ? decision.cancel
                                                                   : decision.terminate) = true;
      break;
    default:
      ++decision.skipped;
      return;
  }
  decision.wait.push_back(std::move(start));
}

Decision decide_overlaps(std::vector<Start> waiting, bool running) {
  Decision decision;
  std::optional<Start> alone;
  for (Start& start : waiting) {
    if (start.policy == enums::SCHEDULE_OVERLAP_POLICY_ALLOW_ALL) {
      decision.starts.push_back(std::move(start));
    } else if (!running && !alone) {
      alone = std::move(start);
    } else {
      overlap(std::move(start), running, alone, decision);
    }
  }
  // They would be ended at once.
  if (decision.cancel || decision.terminate) decision.starts.clear();
  if (alone) decision.starts.push_back(*std::move(alone));
  return decision;
}

template <class Repeated>
void cut(Repeated& list, int most) {
  while (list.size() > most) list.RemoveLast();
}

}  // namespace

Scheduler::Scheduler(std::string id, State state, Spec spec)
    : id_(std::move(id)), state_(std::move(state)), spec_(std::move(spec)) {}

State Scheduler::fresh(const api::Schedule& schedule, WallTime now) {
  State state;
  state.schedule = schedule;
  state.schedule.mutable_policies();
  state.schedule.mutable_state();
  state.done = now;
  set(state.info.mutable_create_time(), now);
  return state;
}

bool Scheduler::may_act() const {
  const auto& state = state_.schedule.state();
  return !state.paused() && (!state.limited_actions() || state.remaining_actions() > 0);
}

// A client that is about to change the number must see that it has changed.
bool Scheduler::use_action() {
  if (!may_act()) return false;
  auto& state = *state_.schedule.mutable_state();
  if (state.limited_actions()) {
    state.set_remaining_actions(state.remaining_actions() - 1);
    ++state_.conflict_token;
  }
  return true;
}

Nanos Scheduler::catchup_window() const {
  const auto& policies = state_.schedule.policies();
  if (!policies.has_catchup_window()) return kWindowDefault;
  return std::max(to_nanos(policies.catchup_window()), kWindowMin);
}

enums::ScheduleOverlapPolicy Scheduler::resolved(enums::ScheduleOverlapPolicy policy) const {
  if (policy == enums::SCHEDULE_OVERLAP_POLICY_UNSPECIFIED)
    policy = state_.schedule.policies().overlap_policy();
  return policy == enums::SCHEDULE_OVERLAP_POLICY_UNSPECIFIED ? enums::SCHEDULE_OVERLAP_POLICY_SKIP
                                                              : policy;
}

Start Scheduler::make_start(const Due& due, enums::ScheduleOverlapPolicy policy, bool manual,
                            const std::string& key) const {
  Start start{due.nominal, due.actual, resolved(policy), manual, "", ""};
  start.workflow_id = state_.schedule.action().start_workflow().workflow_id();
  // Those that may overlap cannot have one id.
  if (!state_.schedule.policies().keep_original_workflow_id() ||
      start.policy == enums::SCHEDULE_OVERLAP_POLICY_ALLOW_ALL)
    absl::StrAppend(&start.workflow_id, "-", time_text(due.nominal));
  start.request_id = absl::StrCat("sched-", key, "-", id_, "-", state_.info.create_time().seconds(),
                                  "-", due.nominal.time_since_epoch().count());
  return start;
}

int Scheduler::room(int most) const {
  const int pending = static_cast<int>(state_.buffer.size()) + state_.info.running_workflows_size();
  return std::max(most - pending, 0);
}

// True: there is more than the budget is for.
bool Scheduler::generate(WallTime now, int& budget, Todo& todo) {
  const Nanos window = catchup_window();
  for (; budget > 0; --budget) {
    const Due due = spec_.next(id_, state_.done);
    if (due.actual > now) return false;
    todo.changed = true;
    if (!may_act()) {  // Times of a pause are no misses.
      state_.done = now;
      return false;
    }
    state_.done = due.nominal;
    if (now - due.actual > window) {
      state_.info.set_missed_catchup_window(state_.info.missed_catchup_window() + 1);
    } else if (room(kPendingMax) == 0) {
      state_.info.set_buffer_dropped(state_.info.buffer_dropped() + 1);
    } else {
      state_.buffer.push_back(
          make_start(due, enums::SCHEDULE_OVERLAP_POLICY_UNSPECIFIED, /*manual=*/false, "auto"));
    }
  }
  return true;
}

// Likewise. What has no room goes on when something has ended.
bool Scheduler::backfill(int& budget, Todo& todo) {
  while (!state_.backfills.empty()) {
    Backfill& each = state_.backfills.front();
    int room = std::min(this->room(kPendingOfBackfillsMax), kStartsAtOnce);
    while (true) {
      const Due due = spec_.next(id_, each.done);
      if (due.actual > each.end) break;
      if (room == 0) return this->room(kPendingOfBackfillsMax) > 0;
      if (budget == 0) return true;
      --budget, --room;
      todo.changed = true;
      state_.buffer.push_back(make_start(due, each.policy, /*manual=*/true, each.id));
      each.done = due.actual;
    }
    state_.backfills.pop_front();
    todo.changed = true;
  }
  return false;
}

// Whether it may still begin.
bool Scheduler::admit(const Start& start, WallTime now) {
  if (start.manual) return true;
  if (now - start.actual > catchup_window()) {
    if (may_act()) state_.info.set_missed_catchup_window(state_.info.missed_catchup_window() + 1);
    return false;
  }
  return use_action();
}

void Scheduler::decide(WallTime now, Todo& todo) {
  if (state_.buffer.empty()) return;
  const std::size_t waited = state_.buffer.size();
  const auto& running = state_.info.running_workflows();
  Decision decision = decide_overlaps(std::exchange(state_.buffer, {}), !running.empty());
  state_.buffer = std::move(decision.wait);
  todo.changed = todo.changed || state_.buffer.size() != waited;
  state_.info.set_overlap_skipped(state_.info.overlap_skipped() + decision.skipped);
  for (Start& start : decision.starts)
    if (admit(start, now)) todo.starts.push_back(std::move(start));
  if (decision.terminate)
    todo.terminate.assign(running.begin(), running.end());
  else if (decision.cancel)
    todo.cancel.assign(running.begin(), running.end());
}

WallTime Scheduler::idle_until() const {
  WallTime last = std::max(to_wall(state_.info.create_time()), to_wall(state_.info.update_time()));
  for (const auto& action : state_.info.recent_actions())
    last = std::max(last, to_wall(action.actual_time()));
  return add_saturated(last, kIdleMax);
}

Todo Scheduler::advance(WallTime now) {
  Todo todo;
  int budget = kTimesAtOnce;
  bool more = generate(now, budget, todo);
  more = backfill(budget, todo) || more;
  decide(now, todo);
  if (more) {
    todo.wake = now;
    return todo;
  }
  const WallTime next = may_act() ? spec_.next(id_, state_.done).actual : kNever;
  todo.wake = next;
  const bool at_work = state_.schedule.state().paused() || !state_.backfills.empty() ||
                       !state_.buffer.empty() || !todo.starts.empty() ||
                       !state_.info.running_workflows().empty();
  if (next != kNever || at_work) return todo;
  todo.idle = true;
  todo.wake = idle_until();
  todo.over = todo.wake <= now;
  return todo;
}

void Scheduler::started(const Start& start, const std::string& run_id, WallTime now) {
  api::ScheduleInfo& info = state_.info;
  info.set_action_count(info.action_count() + 1);
  common::WorkflowExecution execution;
  execution.set_workflow_id(start.workflow_id);
  execution.set_run_id(run_id);
  // Of those that may overlap nothing waits for the end.
  if (start.policy != enums::SCHEDULE_OVERLAP_POLICY_ALLOW_ALL)
    *info.add_running_workflows() = execution;
  auto& action = *info.add_recent_actions();
  set(action.mutable_schedule_time(), start.actual);
  set(action.mutable_actual_time(), now);
  *action.mutable_start_workflow_result() = std::move(execution);
  action.set_start_workflow_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  if (const int beyond = info.recent_actions_size() - kRecent; beyond > 0)
    info.mutable_recent_actions()->DeleteSubrange(0, beyond);
}

std::vector<std::string> Scheduler::awaited() const {
  std::vector<std::string> runs;
  for (const auto& execution : state_.info.running_workflows()) runs.push_back(execution.run_id());
  for (const auto& action : state_.info.recent_actions()) {
    if (action.start_workflow_status() == enums::WORKFLOW_EXECUTION_STATUS_RUNNING)
      runs.push_back(action.start_workflow_result().run_id());
  }
  return runs;
}

bool Scheduler::ended(const std::string& first_run_id, const End& end) {
  bool shown = false;
  for (auto& action : *state_.info.mutable_recent_actions()) {
    if (action.start_workflow_result().run_id() != first_run_id) continue;
    action.set_start_workflow_status(end.status);
    shown = true;
  }
  auto& running = *state_.info.mutable_running_workflows();
  const auto found = std::find_if(running.begin(), running.end(), [&](const auto& execution) {
    return execution.run_id() == first_run_id;
  });
  if (found == running.end()) return shown;
  const std::string workflow_id = found->workflow_id();
  running.erase(found);
  if (end.status == enums::WORKFLOW_EXECUTION_STATUS_COMPLETED) {
    state_.last_failure.reset();
    if (end.result != nullptr)
      state_.last_result = *end.result;
    else
      state_.last_result.Clear();
  } else if (end.failure != nullptr) {
    state_.last_failure = *end.failure;  // The last result stays.
  }
  pause_on_failure(workflow_id, end);
  return true;
}

void Scheduler::pause_on_failure(const std::string& workflow_id, const End& end) {
  const bool failed = end.status == enums::WORKFLOW_EXECUTION_STATUS_FAILED;
  auto& state = *state_.schedule.mutable_state();
  if (!failed && end.status != enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT) return;
  if (!state_.schedule.policies().pause_on_failure() || state.paused()) return;
  state.set_paused(true);
  state.set_notes(absl::StrCat("paused due to workflow ", failed ? "failure" : "timeout", ": ",
                               workflow_id, failed ? ": " : "",
                               end.failure != nullptr ? end.failure->message() : ""));
  ++state_.conflict_token;
}

void Scheduler::update(const api::Schedule& schedule, Spec spec, WallTime now) {
  state_.schedule = schedule;
  state_.schedule.mutable_policies();
  state_.schedule.mutable_state();
  spec_ = std::move(spec);
  state_.done = now;
  set(state_.info.mutable_update_time(), now);
  ++state_.conflict_token;
}

bool Scheduler::has_room_for(const api::SchedulePatch& patch) const {
  return state_.backfills.size() + static_cast<std::size_t>(patch.backfill_request_size()) <=
         kBackfillsMax;
}

bool Scheduler::patch(const api::SchedulePatch& patch, const std::string& request_id,
                      const std::string& key, WallTime now) {
  auto& requests = state_.requests;
  if (!request_id.empty()) {
    if (std::find(requests.begin(), requests.end(), request_id) != requests.end()) return false;
    requests.push_back(request_id);
    if (requests.size() > kRequestsKept) requests.pop_front();
  }
  apply(patch, key, now);
  // What a client read of the schedule itself is as it was, but for these.
  state_.conflict_token += !patch.pause().empty() + !patch.unpause().empty();
  return true;
}

void Scheduler::apply(const api::SchedulePatch& patch, const std::string& key, WallTime now) {
  auto& state = *state_.schedule.mutable_state();
  const bool was_paused = state.paused();
  for (const auto& [notes, paused] :
       {std::pair{&patch.pause(), true}, std::pair{&patch.unpause(), false}}) {
    if (notes->empty()) continue;
    state.set_paused(paused);
    state.set_notes(*notes);
  }
  if (was_paused && !state.paused()) state_.done = now;
  if (patch.has_trigger_immediately()) {
    const auto& trigger = patch.trigger_immediately();
    const WallTime time = trigger.has_scheduled_time() ? to_wall(trigger.scheduled_time()) : now;
    state_.buffer.push_back(
        make_start({time, time}, trigger.overlap_policy(), /*manual=*/true, key));
  }
  int number = 0;
  for (const auto& range : patch.backfill_request()) {
    // The start is one of them.
    state_.backfills.push_back({absl::StrCat(key, ".", ++number),
                                to_wall(range.start_time()) - milliseconds(1),
                                to_wall(range.end_time()), range.overlap_policy()});
  }
}

std::vector<WallTime> Scheduler::future(WallTime now, int count) const {
  const auto& state = state_.schedule.state();
  if (state.limited_actions())
    count = static_cast<int>(std::clamp<std::int64_t>(state.remaining_actions(), 0, count));
  std::vector<WallTime> times;
  Due due = spec_.next(id_, state_.done);
  if (due.actual <= now) due = spec_.next(id_, now);
  for (; due.actual != kNever && static_cast<int>(times.size()) < count;
       due = spec_.next(id_, due.nominal))
    times.push_back(due.actual);
  return times;
}

api::ScheduleInfo Scheduler::info(WallTime now) const {
  api::ScheduleInfo info = state_.info;
  info.set_buffer_size(static_cast<std::int64_t>(state_.buffer.size()));
  for (WallTime time : future(now, kRecent)) set(info.add_future_action_times(), time);
  info.set_state_size_bytes(static_cast<std::int64_t>(
      state_.schedule.ByteSizeLong() + state_.info.ByteSizeLong() +
      state_.last_result.ByteSizeLong() + state_.buffer.size() * sizeof(Start)));
  return info;
}

api::ScheduleListInfo Scheduler::list_info(WallTime now) const {
  api::ScheduleListInfo info;
  auto& spec = *info.mutable_spec() = state_.schedule.spec();
  fill_ranges(spec);
  spec.clear_timezone_data();
  cut(*spec.mutable_structured_calendar(), kListedSpecs);
  cut(*spec.mutable_interval(), kListedSpecs);
  cut(*spec.mutable_exclude_structured_calendar(), kListedSpecs);
  *info.mutable_workflow_type() = state_.schedule.action().start_workflow().workflow_type();
  info.set_notes(state_.schedule.state().notes());
  info.set_paused(state_.schedule.state().paused());
  const auto& recent = state_.info.recent_actions();
  for (int i = std::max(recent.size() - kListed, 0); i < recent.size(); ++i)
    *info.add_recent_actions() = recent[i];
  for (WallTime time : future(now, kListed)) set(info.add_future_action_times(), time);
  return info;
}

}  // namespace chimera::server::schedule
