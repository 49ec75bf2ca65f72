#include "core/machines/activity.h"

#include "absl/strings/str_cat.h"

namespace chimera::core {

namespace enums = api::enums::v1;
using api::failure::v1::ActivityFailureInfo;
using api::failure::v1::Failure;

constexpr LaterEvent ActivityMachine::kLater[] = {
    {enums::EVENT_TYPE_ACTIVITY_TASK_STARTED,
     [](const HistoryEvent& e) {
       return e.activity_task_started_event_attributes().scheduled_event_id();
     },
     /*ends=*/false},
    {enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED,
     [](const HistoryEvent& e) {
       return e.activity_task_completed_event_attributes().scheduled_event_id();
     }},
    {enums::EVENT_TYPE_ACTIVITY_TASK_FAILED,
     [](const HistoryEvent& e) {
       return e.activity_task_failed_event_attributes().scheduled_event_id();
     }},
    {enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
     [](const HistoryEvent& e) {
       return e.activity_task_timed_out_event_attributes().scheduled_event_id();
     }},
    {enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED,
     [](const HistoryEvent& e) {
       return e.activity_task_canceled_event_attributes().scheduled_event_id();
     }},
};

namespace {

using E = ActivityMachine::Event;

E event_of(EventType type) {
  switch (type) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
      return E::kScheduled;
    case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED:
      return E::kStarted;
    case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
      return E::kCompleted;
    case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
      return E::kFailed;
    case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
      return E::kTimedOut;
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
      return E::kCanceled;
    default:
      return E::kCancelRequested;
  }
}

E cancel_event(ActivityCancellationType type) {
  switch (type) {
    case ActivityCancellationType::kTryCancel:
      return E::kTryCancel;
    case ActivityCancellationType::kWaitCancellationCompleted:
      return E::kWaitCancel;
    case ActivityCancellationType::kAbandon:
      break;
  }
  return E::kAbandon;
}

ActivityFailureInfo& fill_info(const ActivityMachine& machine, Failure& failure) {
  ActivityFailureInfo& info = *failure.mutable_activity_failure_info();
  info.mutable_activity_type()->set_name(machine.type);
  info.set_activity_id(machine.id);
  return info;
}

}  // namespace

void ActivityMachine::begin(ScheduleActivity& command, Command& whole, RunPort& run) {
  auto& attributes = command.attributes;
  if (attributes.activity_id().empty()) attributes.set_activity_id(run.dialect().make_id(seq));
  id = attributes.activity_id();
  type = attributes.activity_type().name();
  on_cancel = cancel_event(command.cancellation_type);
  auto out = run.make(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK, whole);
  if (out) {
    const std::string& own_queue = run.context().task_queue;
    if (attributes.task_queue().name().empty()) {
      attributes.mutable_task_queue()->set_name(own_queue);
      attributes.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
    }
    if (!command.do_not_eagerly_execute)
      attributes.set_request_eager_execution(attributes.task_queue().name() == own_queue);
    *out->mutable_schedule_activity_task_command_attributes() = std::move(attributes);
  }
  run.send(*this, enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, std::move(out));
}

void ActivityMachine::cancel(RequestCancelActivity&, Command& whole, RunPort& run) {
  Action action;
  if (!kTable.advance(state, on_cancel, action) || action == Action::kNone) return;
  if (action == Action::kDropCommandAndResolveCancelled) run.take_back(*this);
  if (action == Action::kResolveCancelledAndSwallow) run.swallow(*this);
  if (action == Action::kCommandCancel || action == Action::kCommandCancelAndResolveCancelled) {
    auto out = run.make(enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK, whole);
    if (out) {
      out->mutable_request_cancel_activity_task_command_attributes()->set_scheduled_event_id(began);
    }
    run.send(*this, enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED, std::move(out));
  }
  if (action != Action::kCommandCancel) run.tell(ResolveActivity{seq, Cancelled{cancelled()}});
}

absl::Status ActivityMachine::check(const HistoryEvent& event, RunPort& run) {
  const auto& scheduled = event.activity_task_scheduled_event_attributes();
  if (run.dialect().foreign()) {
    id = scheduled.activity_id();
  } else if (!run.use(CoreFlag::kIdAndTypeChecks)) {
    return absl::OkStatus();
  } else if (scheduled.activity_id() != id) {
    return run.disagree(event, "the activity ids differ");
  }
  if (scheduled.activity_type().name() != type)
    return run.disagree(event, "the activity types differ");
  return absl::OkStatus();
}

absl::Status ActivityMachine::on(const HistoryEvent& event, RunPort& run) {
  const Event what = event_of(event.event_type());
  if (what == Event::kScheduled) {
    if (absl::Status status = check(event, run); !status.ok()) return status;
  }
  Action action;
  if (!kTable.advance(state, what, action)) {
    return run.disagree(event, absl::StrCat("activity ", type, " (id ", id,
                                            ") of the code is in state ", enum_name(state)));
  }
  switch (action) {
    case Action::kNone:
      break;
    case Action::kSwallow:
      run.swallow(*this);
      break;
    case Action::kResolveCompleted: {
      const auto& completed = event.activity_task_completed_event_attributes();
      run.tell(ResolveActivity{seq, Completed{only_payload(completed.result())}});
      break;
    }
    case Action::kResolveCanceled:
      run.tell(ResolveActivity{seq, Cancelled{failed(event)}});
      break;
    default:
      run.tell(ResolveActivity{seq, Failed{failed(event)}});
  }
  return absl::OkStatus();
}

FailurePtr ActivityMachine::failed(const HistoryEvent& event) const {
  auto failure = std::make_shared<Failure>();
  ActivityFailureInfo& info = fill_info(*this, *failure);
  info.set_scheduled_event_id(began);
  if (event.has_activity_task_failed_event_attributes()) {
    const auto& attributes = event.activity_task_failed_event_attributes();
    failure->set_message("Activity task failed");
    *failure->mutable_cause() = attributes.failure();
    info.set_started_event_id(attributes.started_event_id());
    info.set_identity(attributes.identity());
    info.set_retry_state(attributes.retry_state());
  } else if (event.has_activity_task_timed_out_event_attributes()) {
    const auto& attributes = event.activity_task_timed_out_event_attributes();
    failure->set_message("Activity task timed out");
    *failure->mutable_cause() = attributes.failure();
    info.set_started_event_id(attributes.started_event_id());
    info.set_retry_state(attributes.retry_state());
  } else {
    const auto& attributes = event.activity_task_canceled_event_attributes();
    failure->set_message("Activity cancelled");
    auto& cancelled = *failure->mutable_cause()->mutable_canceled_failure_info();
    if (attributes.has_details()) *cancelled.mutable_details() = attributes.details();
    info.set_started_event_id(attributes.started_event_id());
    info.set_identity(attributes.identity());
    info.set_retry_state(enums::RETRY_STATE_CANCEL_REQUESTED);
  }
  return failure;
}

FailurePtr ActivityMachine::cancelled() const {
  auto failure = std::make_shared<Failure>();
  failure->set_message("Activity cancelled");
  failure->mutable_cause()->mutable_canceled_failure_info();
  fill_info(*this, *failure).set_retry_state(enums::RETRY_STATE_CANCEL_REQUESTED);
  return failure;
}

std::string ActivityMachine::describe(EventType confirmed_by) const {
  return absl::StrCat(confirmed_by == kBegunBy ? "ScheduleActivity " : "RequestCancelActivity ",
                      type, " (id ", id, ")");
}

std::string ActivityMachine::describe(const HistoryEvent& event) {
  if (!event.has_activity_task_scheduled_event_attributes()) return "";
  const auto& scheduled = event.activity_task_scheduled_event_attributes();
  return absl::StrCat("activity ", scheduled.activity_type().name(), " (id ",
                      scheduled.activity_id(), ")");
}

}  // namespace chimera::core
