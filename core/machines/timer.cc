#include "core/machines/timer.h"

#include "absl/strings/str_cat.h"

#include "core/base/proto_time.h"

namespace chimera::core {

namespace enums = api::enums::v1;

void TimerMachine::begin(StartTimer& command, Command& whole, RunPort& run) {
  if (whole.user_metadata)
    metadata = std::make_unique<api::sdk::v1::UserMetadata>(*whole.user_metadata);
  id = run.dialect().make_id(seq);
  auto out = run.make(enums::COMMAND_TYPE_START_TIMER, whole);
  if (out) {
    auto& attributes = *out->mutable_start_timer_command_attributes();
    attributes.set_timer_id(id);
    base::set_duration(command.start_to_fire_timeout, *attributes.mutable_start_to_fire_timeout());
  }
  run.send(*this, enums::EVENT_TYPE_TIMER_STARTED, std::move(out));
}

void TimerMachine::cancel(CancelTimer&, Command& whole, RunPort& run) {
  Action action;
  if (!kTable.advance(state, Event::kCancel, action)) return;
  if (action == Action::kDropCommand) run.take_back(*this);
  if (action != Action::kCommandCancel) return;
  auto out = run.make(enums::COMMAND_TYPE_CANCEL_TIMER, whole);
  if (out) {
    out->mutable_cancel_timer_command_attributes()->set_timer_id(id);
    if (metadata && !out->has_user_metadata()) out->set_allocated_user_metadata(metadata.release());
  }
  run.send(*this, enums::EVENT_TYPE_TIMER_CANCELED, std::move(out));
}

// Which of several timers a task cancels first is the language's affair (a set in Python has no
// order): a cancellation meets any TimerCanceled, as in sdk-core 1.35.
absl::Status TimerMachine::on(const HistoryEvent& event, RunPort& run) {
  const Event what = event.has_timer_started_event_attributes() ? Event::kTimerStarted
                     : event.has_timer_fired_event_attributes() ? Event::kTimerFired
                                                                : Event::kTimerCanceled;
  if (what == Event::kTimerStarted && run.dialect().foreign())
    id = event.timer_started_event_attributes().timer_id();
  if (what == Event::kTimerFired && event.timer_fired_event_attributes().timer_id() != id)
    return run.disagree(event, absl::StrCat("the code's timer has the id ", id));
  Action action;
  const State before = state;
  if (!kTable.advance(state, what, action))
    return run.disagree(event,
                        absl::StrCat("timer ", id, " of the code is in state ", enum_name(before)));
  if (action == Action::kFire) run.tell(FireTimer{seq});
  return absl::OkStatus();
}

std::string TimerMachine::describe(EventType confirmed_by) const {
  return absl::StrCat(
      confirmed_by == enums::EVENT_TYPE_TIMER_CANCELED ? "CancelTimer " : "StartTimer ", id);
}

std::string TimerMachine::describe(const HistoryEvent& event) {
  if (event.has_timer_started_event_attributes()) {
    const auto& started = event.timer_started_event_attributes();
    const std::chrono::duration<double> seconds =
        base::to_nanoseconds(started.start_to_fire_timeout());
    return absl::StrCat("timer ", started.timer_id(), ", ", seconds.count(), " s");
  }
  return absl::StrCat("timer ", event.has_timer_fired_event_attributes()
                                    ? event.timer_fired_event_attributes().timer_id()
                                    : event.timer_canceled_event_attributes().timer_id());
}

}  // namespace chimera::core
