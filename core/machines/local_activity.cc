#include "core/machines/local_activity.h"

#include "absl/strings/str_cat.h"

#include "core/converter/failure_size.h"

namespace chimera::core {

namespace enums = api::enums::v1;
using api::failure::v1::Failure;
using Kind = LocalActivityOutcome::Kind;

namespace {

LocalActivityMachine::Event cancel_event(ActivityCancellationType type) {
  switch (type) {
    case ActivityCancellationType::kTryCancel:
      return LocalActivityMachine::Event::kTryCancel;
    case ActivityCancellationType::kWaitCancellationCompleted:
      return LocalActivityMachine::Event::kWaitCancel;
    case ActivityCancellationType::kAbandon:
      break;
  }
  return LocalActivityMachine::Event::kAbandon;
}

}  // namespace

void LocalActivityMachine::begin(ScheduleLocalActivity& command, Command& whole, RunPort& run) {
  if (whole.user_metadata || !whole.event_group_markers.empty()) {
    extras = std::make_unique<Command>(Command{CancelTimer{}, std::move(whole.user_metadata),
                                               std::move(whole.event_group_markers)});
  }
  if (command.activity_id.empty()) command.activity_id = absl::StrCat(seq);
  id = command.activity_id;
  type = command.activity_type;
  place = whole.place;
  on_cancel = cancel_event(command.cancellation_type);
  original_schedule = command.original_schedule_time.value_or(base::WallTime{});
  scheduled = run.time();
  activity = std::make_shared<ScheduleLocalActivity>(std::move(command));
  if (run.live()) go_live(run);
}

bool LocalActivityMachine::advance(Event event, Action& action, RunPort& run) {
  const bool held = executing();
  if (!kTable.advance(state, event, action)) return false;
  if (held && !executing()) run.executed();
  return true;
}

void LocalActivityMachine::go_live(RunPort& run) {
  Action action;
  if (!advance(Event::kLive, action, run)) return;
  run.execute(*this, activity);
  if (action == Action::kExecuteAndStop) run.stop(*this);
}

void LocalActivityMachine::cancel(RequestCancelLocalActivity&, Command&, RunPort& run) {
  if (waiting() && on_cancel != Event::kWaitCancel) {
    // At its place among the commands, as live.
    if (auto marker = run.take_cancelled_ahead(*this)) return ahead(*std::move(marker), run);
  }
  Action action;
  if (!advance(on_cancel, action, run)) return;
  switch (action) {
    case Action::kStop:
      return run.stop(*this);
    case Action::kStopAndResolveCancelled:
      run.stop(*this);
      return resolve_cancelled(run);
    case Action::kForgetAndResolveCancelled:
      return resolve_cancelled(run);
    default:
      return;
  }
}

void LocalActivityMachine::let_go(RunPort& run) {
  Action action;
  if (advance(Event::kLetGo, action, run) && action == Action::kStopAndForget) run.stop(*this);
}

// As the official core marks what nobody waited for: attempt 0, no time.
void LocalActivityMachine::resolve_cancelled(RunPort& run) {
  auto failure = std::make_shared<Failure>();
  failure->set_message("Activity cancelled");
  failure->mutable_canceled_failure_info();
  LocalMarker marker;
  marker.original_schedule_time =
      original_schedule == base::WallTime{} ? scheduled : original_schedule;
  marker.failure = std::move(failure);
  marker.activation_index = run.activations();
  resolve(std::move(marker), run);
}

void LocalActivityMachine::ended(LocalActivityOutcome outcome, RunPort& run) {
  Action action;
  const Event event = outcome.kind == Kind::kDropped ? Event::kDropped : Event::kEnded;
  if (!advance(event, action, run) || action != Action::kResolve) return;
  LocalMarker marker;
  marker.attempt = outcome.attempt;
  marker.complete_time = scheduled + outcome.ran;
  marker.backoff = outcome.backoff;
  marker.original_schedule_time = outcome.original_schedule_time;
  marker.activation_index = run.activations();
  if (outcome.kind != Kind::kCompleted) {
    cut_causes(outcome.failure);
    shorten(outcome.failure, kFailureBytesMax);
    marker.failure = std::make_shared<Failure>(std::move(outcome.failure));
  } else if (outcome.result) {
    marker.result = std::make_shared<api::common::v1::Payload>(*std::move(outcome.result));
  }
  resolve(std::move(marker), run);
}

void LocalActivityMachine::ahead(LocalMarker marker, RunPort& run) {
  Action action;
  if (marker.order) id = marker.activity_id;
  if (advance(Event::kAhead, action, run)) resolve(std::move(marker), run);
}

// The marker holds a timeout or cancellation bare; the language gets it wrapped, live and in replay
// alike (on replay sdk-core 1.35 hands out timeouts bare).
void LocalActivityMachine::resolve(LocalMarker marker, RunPort& run) {
  marker.seq = seq;
  marker.activity_id = id;
  marker.activity_type = type;
  const auto tried = std::move(activity);
  Command none{CancelTimer{}};
  auto out = run.make_marker(extras ? *extras : none);
  if (out) write_local_marker(marker, *out->mutable_record_marker_command_attributes());
  run.send(*this, kBegunBy, std::move(out));
  if (marker.complete_time) run.reach(*marker.complete_time);

  ResolveActivity job{seq, Completed{marker.result.get()}, /*is_local=*/true};
  if (marker.result) run.keep(marker.result);
  if (marker.failure) {
    const Failure& bare = *marker.failure;
    if (marker.backoff) {
      job.result = Backoff{marker.attempt + 1, *marker.backoff,
                           marker.original_schedule_time.value_or(base::WallTime{}), tried};
    } else if (bare.has_canceled_failure_info()) {
      job.result = Cancelled{wrapped(bare, "Local Activity cancelled")};
    } else if (bare.has_timeout_failure_info()) {
      job.result = Failed{wrapped(bare, "Local Activity timed out")};
    } else if (bare.has_activity_failure_info() && bare.cause().has_canceled_failure_info()) {
      job.result = Cancelled{marker.failure};
    } else {
      job.result = Failed{marker.failure};
    }
  }
  run.tell(std::move(job));
}

FailurePtr LocalActivityMachine::wrapped(const Failure& bare, const char* message) const {
  auto failure = std::make_shared<Failure>();
  failure->set_message(message);
  *failure->mutable_cause() = bare;
  auto& info = *failure->mutable_activity_failure_info();
  info.mutable_activity_type()->set_name(type);
  info.set_activity_id(id);
  info.set_retry_state(enums::RETRY_STATE_CANCEL_REQUESTED);  // Of timeouts, too, as the official.
  return failure;
}

absl::Status LocalActivityMachine::on(const HistoryEvent& event, RunPort& run) {
  const auto& attributes = event.marker_recorded_event_attributes();
  if (!run.dialect().is_local(attributes)) return run.disagree(event, "the marker is another one");
  const auto marker = run.dialect().read_local(attributes);
  if (!marker) return run.disagree(event, "the marker's details cannot be read");
  if (!marker->order && marker->seq != seq)
    return run.disagree(event, absl::StrCat("the marker is local activity ", marker->seq, "'s"));
  if (!marker->activity_id.empty() && marker->activity_id != id)
    return run.disagree(event, "the local activity ids differ");
  if (!marker->activity_type.empty() && marker->activity_type != type) {
    return run.disagree(event, absl::StrCat("the local activity types differ: history has ",
                                            marker->activity_type, ", the code ", type));
  }
  Action action;
  if (!kTable.advance(state, Event::kRecorded, action)) {
    return run.disagree(event, absl::StrCat("local activity ", type, " (id ", id,
                                            ") of the code is in state ", enum_name(state)));
  }
  return absl::OkStatus();
}

std::string LocalActivityMachine::describe(EventType) const {
  return absl::StrCat("ScheduleLocalActivity ", type, " (id ", id, ")");
}

}  // namespace chimera::core
