#include "server/engine/pending/timer.h"

#include "server/engine/pending/pending.h"
#include "server/engine/rules/limits.h"
#include "server/engine/run/transition.h"

namespace chimera::server {

bool Timers::takes(enums::CommandType type) {
  return type == enums::COMMAND_TYPE_START_TIMER || type == enums::COMMAND_TYPE_CANCEL_TIMER;
}

Verdict Timers::check(CommandCheck& check, const command::Command& command) {
  return command.has_start_timer_command_attributes()
             ? check_start(check, command.start_timer_command_attributes())
             : check_cancel(check, command.cancel_timer_command_attributes());
}

Verdict Timers::check_start(CommandCheck& check, const command::StartTimerCommandAttributes& a) {
  constexpr auto kCause = Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES;
  const std::string& id = a.timer_id();
  if (Verdict verdict = too_long(kCause, "StartTimerCommand", {{"TimerId", id, "", ""}}); verdict)
    return verdict;
  if (id.empty()) return bad(kCause, "TimerId is not set on StartTimerCommand.");
  if (const std::string problem = duration_problem(a.start_to_fire_timeout()); !problem.empty()) {
    return bad(kCause, absl::StrCat("An invalid StartToFireTimeout is set on StartTimerCommand: ",
                                    problem, ". TimerId=", id));
  }
  Batch& batch = check.batch<Timers>();
  const bool pending = check.run.open<Timers>().find(id) != nullptr && !batch.canceled.contains(id);
  if (pending || !batch.started.insert(id).second) {
    return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID,
               absl::StrCat("TimerID ", id, " already exists"));
  }
  return std::nullopt;
}

Verdict Timers::check_cancel(CommandCheck& check, const command::CancelTimerCommandAttributes& a) {
  constexpr auto kCause = Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES;
  const std::string& id = a.timer_id();
  if (Verdict verdict = too_long(kCause, "CancelTimerCommand", {{"TimerId", id, "", ""}}); verdict)
    return verdict;
  if (id.empty()) return bad(kCause, "TimerId is not set on CancelTimerCommand.");
  Batch& batch = check.batch<Timers>();
  bool known = batch.started.erase(id) > 0 || check.run.open<Timers>().find(id) != nullptr;
  for (const HistoryEvent& event : check.run.buffered)
    known = known || event.timer_fired_event_attributes().timer_id() == id;
  if (!known) {
    return bad(kCause, absl::StrCat("invalid history builder state for action: "
                                    "add-timer-canceled-event, TimerID: ",
                                    id));
  }
  batch.canceled.insert(id);
  return std::nullopt;
}

void Timers::apply(CommandTurn& turn, command::Command& command) {
  command.has_start_timer_command_attributes() ? start(turn, command) : cancel(turn, command);
}

void Timers::start(CommandTurn& turn, command::Command& command) {
  const auto& from = command.start_timer_command_attributes();
  HistoryEvent event = turn.event(enums::EVENT_TYPE_TIMER_STARTED, command);
  auto& a = *event.mutable_timer_started_event_attributes();
  a.set_timer_id(from.timer_id());
  *a.mutable_start_to_fire_timeout() = from.start_to_fire_timeout();
  a.set_workflow_task_completed_event_id(turn.completed_id);
  turn.t.write(std::move(event));
}

void Timers::cancel(CommandTurn& turn, command::Command& command) {
  const std::string& id = command.cancel_timer_command_attributes().timer_id();
  Run& run = turn.t.run();
  std::int64_t started = 0;
  if (const UserTimer* timer = run.open<Timers>().find(id)) started = timer->started_id;
  // It fired, but the workflow never saw it.
  std::erase_if(run.buffered, [&](const HistoryEvent& buffered) {
    const auto& fired = buffered.timer_fired_event_attributes();
    if (buffered.event_type() != enums::EVENT_TYPE_TIMER_FIRED || fired.timer_id() != id)
      return false;
    started = fired.started_event_id();
    return true;
  });
  HistoryEvent event = turn.event(enums::EVENT_TYPE_TIMER_CANCELED, command);
  auto& a = *event.mutable_timer_canceled_event_attributes();
  a.set_timer_id(id);
  a.set_started_event_id(started);
  a.set_workflow_task_completed_event_id(turn.completed_id);
  a.set_identity(turn.identity);
  turn.t.write(std::move(event));
}

bool Timers::withdraws(const Batch& batch, const HistoryEvent& event) {
  return event.event_type() == enums::EVENT_TYPE_TIMER_FIRED &&
         batch.canceled.contains(event.timer_fired_event_attributes().timer_id());
}

bool Timers::fold(const HistoryEvent& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_TIMER_STARTED: {
      const auto& a = event.timer_started_event_attributes();
      const WallTime fires =
          add_saturated(to_wall(event.event_time()), to_nanos(a.start_to_fire_timeout()));
      open_[a.timer_id()] = {event.event_id(), fires};
      by_time_.insert({fires, event.event_id()});
      return true;
    }
    case enums::EVENT_TYPE_TIMER_FIRED:
      end(event.timer_fired_event_attributes().timer_id());
      return true;
    case enums::EVENT_TYPE_TIMER_CANCELED:
      end(event.timer_canceled_event_attributes().timer_id());
      return true;
    default:
      return false;
  }
}

void Timers::end(const std::string& id) {
  auto it = open_.find(id);
  if (it == open_.end()) return;
  by_time_.erase({it->second.fires, it->second.started_id});
  open_.erase(it);
}

void Timers::close() {
  open_.clear();
  by_time_.clear();
}

WallTime Timers::next_deadline() const {
  return by_time_.empty() ? kNever : by_time_.begin()->first;
}

void Timers::collect_due(WallTime now, std::vector<Due>& due) const {
  for (const auto& [at, started_id] : by_time_) {
    if (at > now) return;
    due.push_back({at, started_id, 0, &fire});
  }
}

void Timers::fire(Transition& t, std::int64_t started_id) {
  const std::string& id = t.run()
                              .events.events(static_cast<int>(started_id) - 1)
                              .timer_started_event_attributes()
                              .timer_id();
  const UserTimer* timer = t.run().open<Timers>().find(id);
  if (timer == nullptr || timer->started_id != started_id) return;
  HistoryEvent event = t.event(enums::EVENT_TYPE_TIMER_FIRED);
  auto& a = *event.mutable_timer_fired_event_attributes();
  a.set_timer_id(id);
  a.set_started_event_id(started_id);
  t.external(std::move(event));
}

const UserTimer* Timers::find(const std::string& id) const {
  auto it = open_.find(id);
  return it == open_.end() ? nullptr : &it->second;
}

}  // namespace chimera::server
