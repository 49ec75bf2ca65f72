#include "core/machines/nexus_operation.h"

#include "absl/strings/str_cat.h"

namespace chimera::core {

namespace enums = api::enums::v1;
using api::failure::v1::Failure;

// The answer to a request for cancellation may come after the operation's end: none is the last.
constexpr LaterEvent NexusOperationMachine::kLater[] = {
    {enums::EVENT_TYPE_NEXUS_OPERATION_STARTED,
     [](const HistoryEvent& e) {
       return e.nexus_operation_started_event_attributes().scheduled_event_id();
     },
     /*ends=*/false},
    {enums::EVENT_TYPE_NEXUS_OPERATION_COMPLETED,
     [](const HistoryEvent& e) {
       return e.nexus_operation_completed_event_attributes().scheduled_event_id();
     },
     /*ends=*/false},
    {enums::EVENT_TYPE_NEXUS_OPERATION_FAILED,
     [](const HistoryEvent& e) {
       return e.nexus_operation_failed_event_attributes().scheduled_event_id();
     },
     /*ends=*/false},
    {enums::EVENT_TYPE_NEXUS_OPERATION_CANCELED,
     [](const HistoryEvent& e) {
       return e.nexus_operation_canceled_event_attributes().scheduled_event_id();
     },
     /*ends=*/false},
    {enums::EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT,
     [](const HistoryEvent& e) {
       return e.nexus_operation_timed_out_event_attributes().scheduled_event_id();
     },
     /*ends=*/false},
    {enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED,
     [](const HistoryEvent& e) {
       return e.nexus_operation_cancel_request_completed_event_attributes().scheduled_event_id();
     },
     /*ends=*/false},
    {enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_FAILED,
     [](const HistoryEvent& e) {
       return e.nexus_operation_cancel_request_failed_event_attributes().scheduled_event_id();
     },
     /*ends=*/false},
};

namespace {

using E = NexusOperationMachine::Event;
using Start = ResolveNexusOperationStart;

E cancel_event(NexusOperationCancellationType type) {
  switch (type) {
    case NexusOperationCancellationType::kTryCancel:
      return E::kTryCancel;
    case NexusOperationCancellationType::kAbandon:
      return E::kAbandon;
    case NexusOperationCancellationType::kWaitCancellationCompleted:
    case NexusOperationCancellationType::kWaitCancellationRequested:
      break;
  }
  return E::kWaitCancel;
}

// As the server wrote it: with the operation's names, and what happened as its cause.
FailurePtr failure_of(const HistoryEvent& event) {
  const auto written = [](const auto& attributes, const char* what) {
    auto failure = std::make_shared<Failure>(attributes.failure());
    if (!attributes.has_failure())
      failure->set_message(absl::StrCat("Nexus operation ", what, "; the server did not say why"));
    return failure;
  };
  if (event.has_nexus_operation_failed_event_attributes())
    return written(event.nexus_operation_failed_event_attributes(), "failed");
  if (event.has_nexus_operation_canceled_event_attributes())
    return written(event.nexus_operation_canceled_event_attributes(), "was cancelled");
  return written(event.nexus_operation_timed_out_event_attributes(), "timed out");
}

}  // namespace

NexusOperationMachine::Event NexusOperationMachine::event_of(EventType type) const {
  switch (type) {
    case enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED:
      return E::kScheduled;
    case enums::EVENT_TYPE_NEXUS_OPERATION_STARTED:
      return E::kStarted;
    case enums::EVENT_TYPE_NEXUS_OPERATION_COMPLETED:
      return E::kCompleted;
    case enums::EVENT_TYPE_NEXUS_OPERATION_FAILED:
      return E::kFailed;
    case enums::EVENT_TYPE_NEXUS_OPERATION_CANCELED:
      return E::kCanceled;
    case enums::EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT:
      return E::kTimedOut;
    case enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED:
      return waits_for_delivery ? E::kCancelDelivered : E::kCancelNews;
    case enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_FAILED:
      return waits_for_delivery ? E::kCancelUndelivered : E::kCancelNews;
    default:
      return E::kCancelRequested;
  }
}

void NexusOperationMachine::begin(ScheduleNexusOperation& command, Command& whole, RunPort& run) {
  auto& attributes = command.attributes;
  names = absl::StrCat(attributes.endpoint(), attributes.service(), attributes.operation());
  endpoint_end = static_cast<std::uint32_t>(attributes.endpoint().size());
  service_end = endpoint_end + static_cast<std::uint32_t>(attributes.service().size());
  on_cancel = cancel_event(command.cancellation_type);
  waits_for_delivery =
      command.cancellation_type == NexusOperationCancellationType::kWaitCancellationRequested;
  auto out = run.make(enums::COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION, whole);
  if (out) *out->mutable_schedule_nexus_operation_command_attributes() = std::move(attributes);
  run.send(*this, kBegunBy, std::move(out));
}

void NexusOperationMachine::cancel(RequestCancelNexusOperation&, Command& whole, RunPort& run) {
  Action action;
  if (!kTable.advance(state, on_cancel, action) || action == Action::kNone) return;
  if (action == Action::kDropCommandAndFailStart) {
    run.take_back(*this);
    run.tell(Start{seq, Failed{cancelled("Nexus Operation cancelled before scheduled")}});
    return;
  }
  if (action == Action::kResolveCancelled) {
    run.swallow(*this);
  } else {
    cancel_commanded = true;
    auto out = run.make(enums::COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION, whole);
    if (out) {
      out->mutable_request_cancel_nexus_operation_command_attributes()->set_scheduled_event_id(
          began);
    }
    run.send(*this, enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED, std::move(out));
  }
  if (action != Action::kCommandCancel) {
    run.tell(ResolveNexusOperation{
        seq, Cancelled{cancelled("Nexus operation cancelled after starting")}});
  }
}

absl::Status NexusOperationMachine::check(const HistoryEvent& event, RunPort& run) const {
  if (!run.dialect().foreign() && !run.use(CoreFlag::kNexusChecks)) return absl::OkStatus();
  const auto& scheduled = event.nexus_operation_scheduled_event_attributes();
  if (scheduled.service() != service()) return run.disagree(event, "the Nexus services differ");
  if (scheduled.operation() != operation())
    return run.disagree(event, "the Nexus operations differ");
  return absl::OkStatus();
}

absl::Status NexusOperationMachine::on(const HistoryEvent& event, RunPort& run) {
  const Event what = event_of(event.event_type());
  if (what == Event::kScheduled) {
    if (absl::Status status = check(event, run); !status.ok()) return status;
  }
  Action action;
  if (!kTable.advance(state, what, action)) {
    return run.disagree(event, absl::StrCat("Nexus operation ", service(), "/", operation(),
                                            " of the code is in state ", enum_name(state)));
  }
  tell(action, event, run);
  if (done() && cancel_commanded) run.swallow(*this);
  return absl::OkStatus();
}

void NexusOperationMachine::tell(Action action, const HistoryEvent& event, RunPort& run) {
  switch (action) {
    case Action::kResolveStarted: {
      const auto& started = event.nexus_operation_started_event_attributes();
      // Older servers have an id only.
      token =
          started.operation_token().empty() ? started.operation_id() : started.operation_token();
      return run.tell(Start{seq, Start::OperationToken{token}});
    }
    case Action::kResolveStartFailed:
      return run.tell(Start{seq, Failed{failure_of(event)}});
    case Action::kResolveSync:
      run.tell(Start{seq, Start::StartedSync{}});
      [[fallthrough]];
    case Action::kResolveCompleted: {
      const auto& completed = event.nexus_operation_completed_event_attributes();
      return run.tell(ResolveNexusOperation{
          seq, Completed{completed.has_result() ? &completed.result() : nullptr}});
    }
    case Action::kResolveFailed:
      return run.tell(ResolveNexusOperation{seq, Failed{failure_of(event)}});
    case Action::kResolveCanceled:
      return run.tell(ResolveNexusOperation{seq, Cancelled{failure_of(event)}});
    case Action::kResolveTimedOut:
      return run.tell(
          ResolveNexusOperation{seq, ResolveNexusOperation::TimedOut{failure_of(event)}});
    case Action::kResolveDelivered:
      return run.tell(ResolveNexusOperation{
          seq, Cancelled{cancelled("Nexus operation cancellation request completed")}});
    case Action::kResolveUndelivered: {
      const auto& undelivered = event.nexus_operation_cancel_request_failed_event_attributes();
      auto failure = failed("Nexus operation cancellation request failed");
      if (undelivered.has_failure()) {
        *failure->mutable_cause() = undelivered.failure();
      } else {
        failure->mutable_cause()->set_message(failure->message());
      }
      return run.tell(ResolveNexusOperation{seq, Failed{std::move(failure)}});
    }
    default:
      return;
  }
}

std::shared_ptr<Failure> NexusOperationMachine::failed(const std::string& message) const {
  auto failure = std::make_shared<Failure>();
  failure->set_message(message);
  auto& info = *failure->mutable_nexus_operation_execution_failure_info();
  info.set_scheduled_event_id(began);
  info.set_endpoint(std::string(endpoint()));
  info.set_service(std::string(service()));
  info.set_operation(std::string(operation()));
  info.set_operation_token(token);
  return failure;
}

FailurePtr NexusOperationMachine::cancelled(const std::string& message) const {
  auto failure = failed(message);
  failure->mutable_cause()->mutable_canceled_failure_info();
  return failure;
}

std::string NexusOperationMachine::describe(EventType confirmed_by) const {
  return absl::StrCat(
      confirmed_by == kBegunBy ? "ScheduleNexusOperation " : "RequestCancelNexusOperation ",
      service(), "/", operation());
}

std::string NexusOperationMachine::describe(const HistoryEvent& event) {
  if (event.event_type() != kBegunBy) return "";
  const auto& scheduled = event.nexus_operation_scheduled_event_attributes();
  return absl::StrCat("Nexus operation ", scheduled.service(), "/", scheduled.operation());
}

}  // namespace chimera::core
