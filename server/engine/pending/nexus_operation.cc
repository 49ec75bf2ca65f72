#include "server/engine/pending/nexus_operation.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"

#include "server/engine/engine.h"
#include "server/engine/nexus/endpoints.h"
#include "server/engine/nexus/invocation.h"
#include "server/engine/pending/external.h"
#include "server/engine/pending/pending.h"
#include "server/engine/rules/limits.h"
#include "server/engine/run/archive.h"
#include "server/engine/run/transition.h"

namespace chimera::server {
namespace {

using State = NexusOperation::State;
constexpr auto kBadSchedule =
    Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_NEXUS_OPERATION_ATTRIBUTES;
constexpr auto kBadCancel =
    Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_NEXUS_OPERATION_ATTRIBUTES;
constexpr char kCommand[] = "ScheduleNexusOperationCommandAttributes.";
constexpr char kSystemEndpoint[] = "__temporal_system";  // The genuine server's own (1.32).

// What ends an operation: the type, its attributes.
#define CHIMERA_NEXUS_ENDS(DO)                             \
  DO(NEXUS_OPERATION_COMPLETED, nexus_operation_completed) \
  DO(NEXUS_OPERATION_FAILED, nexus_operation_failed)       \
  DO(NEXUS_OPERATION_CANCELED, nexus_operation_canceled)   \
  DO(NEXUS_OPERATION_TIMED_OUT, nexus_operation_timed_out)

// Of the operation that the event ends; 0: it ends none.
std::int64_t ended_by(const HistoryEvent& event) {
  switch (event.event_type()) {
#define CHIMERA_END(TYPE, field) \
  case enums::EVENT_TYPE_##TYPE: \
    return event.field##_event_attributes().scheduled_event_id();
    CHIMERA_NEXUS_ENDS(CHIMERA_END)
#undef CHIMERA_END
    default:
      return 0;
  }
}

// Its end waits in the buffer: the worker cannot know, so the cancel is no error.
bool ended_buffered(const Run& run, std::int64_t scheduled_id) {
  return std::any_of(run.buffered.begin(), run.buffered.end(),
                     [&](const HistoryEvent& event) { return ended_by(event) == scheduled_id; });
}

Verdict check_header(const DynamicConfig& config,
                     const command::ScheduleNexusOperationCommandAttributes& a) {
  std::size_t size = 0;
  for (const auto& [name, value] : a.nexus_header()) {
    size += name.size() + value.size();
    if (is_disallowed_nexus_header(name)) {
      return bad(kBadSchedule, absl::StrCat(kCommand, "NexusHeader contains a disallowed header ",
                                            "key: \"", absl::CEscape(name), "\""));
    }
  }
  if (static_cast<std::int64_t>(size) <= config.nexus_header_max) return std::nullopt;
  return bad(kBadSchedule, absl::StrCat(kCommand, "NexusHeader exceeds size limit"));
}

Verdict check_endpoint(const Engine& engine,
                       const command::ScheduleNexusOperationCommandAttributes& a) {
  if (a.endpoint() == kSystemEndpoint)
    return bad(kBadSchedule,
               absl::StrCat("service \"", absl::CEscape(a.service()), "\" not found"));
  if (engine.nexus_endpoints->find_by_name(a.endpoint()) != nullptr) return std::nullopt;
  return bad(kBadSchedule,
             absl::StrCat("endpoint \"", absl::CEscape(a.endpoint()), "\" not found"));
}

Verdict check_names(const DynamicConfig& config,
                    const command::ScheduleNexusOperationCommandAttributes& a) {
  for (const auto& [what, value, most] :
       {std::tuple("Service", &a.service(), config.nexus_service_name_max),
        std::tuple("Operation", &a.operation(), config.nexus_operation_name_max)}) {
    if (static_cast<std::int64_t>(value->size()) <= most) continue;
    return bad(kBadSchedule, absl::StrCat(kCommand, what, " exceeds length limit of ", most));
  }
  for (const auto& [what, duration] :
       {std::pair("ScheduleToCloseTimeout", &a.schedule_to_close_timeout()),
        std::pair("ScheduleToStartTimeout", &a.schedule_to_start_timeout()),
        std::pair("StartToCloseTimeout", &a.start_to_close_timeout())}) {
    if (const std::string problem = duration_problem(*duration); !problem.empty())
      return bad(kBadSchedule, absl::StrCat(kCommand, what, " is invalid: ", problem));
  }
  return std::nullopt;
}

// In the event a timeout is present if the command has it, or the run or the server gives one.
void set_timeouts(const command::ScheduleNexusOperationCommandAttributes& from, Nanos run_timeout,
                  Nanos most, NexusOperation::Attributes& a) {
  using Attributes = NexusOperation::Attributes;
  const auto capped = [](google::protobuf::Duration duration) {
    cap_duration(&duration);
    return to_nanos(duration);
  };
  const auto give = [&a](bool is_set, Nanos value, auto field) {
    if (is_set || value > Nanos{0}) set((a.*field)(), value);
  };
  Nanos close = capped(from.schedule_to_close_timeout());
  if (run_timeout > Nanos{0} && (close == Nanos{0} || close > run_timeout)) close = run_timeout;
  if (most > Nanos{0} && (close == Nanos{0} || close > most)) close = most;
  const auto within = [&](Nanos value) {
    return close > Nanos{0} ? std::min(value, close) : value;
  };
  give(from.has_schedule_to_close_timeout(), close, &Attributes::mutable_schedule_to_close_timeout);
  give(from.has_schedule_to_start_timeout(), within(capped(from.schedule_to_start_timeout())),
       &Attributes::mutable_schedule_to_start_timeout);
  give(from.has_start_to_close_timeout(), within(capped(from.start_to_close_timeout())),
       &Attributes::mutable_start_to_close_timeout);
}

template <class Archive, class Operation>
void visit(Archive& ar, Operation& operation) {
  ar.number(operation.state);
  NexusAttempts::visit(ar, operation.attempts);
  ar.text(operation.token);
  ar.time(operation.started);
  ar.number(operation.cancel.state);
  ar.time(operation.cancel.requested);
  NexusAttempts::visit(ar, operation.cancel.attempts);
}

// --- What falls due.

void fire_timeout(Transition& t, std::int64_t id) {
  const NexusOperation* operation = t.open<NexusOperations>().find(id);
  if (operation == nullptr) return;
  if (const auto type = operation->overdue(t.now()); type != enums::TIMEOUT_TYPE_UNSPECIFIED)
    nexus_operation::timed_out(t, *operation, type);
}

void fire_attempt(Transition& t, std::int64_t id) {
  NexusOperation* operation = t.open<NexusOperations>().find(id);
  if (operation == nullptr || operation->state != State::kBackingOff ||
      operation->attempts.next > t.now())
    return;
  operation->state = State::kScheduled;
  operation->attempts.next = kUnset;
  post(t.engine(), t.run(), id, nexus_invocation::start);
}

void fire_cancel(Transition& t, std::int64_t id) {
  NexusOperation* operation = t.open<NexusOperations>().find(id);
  if (operation == nullptr || !operation->cancel.attempts.waits() ||
      operation->cancel.attempts.next > t.now())
    return;
  operation->cancel.state = enums::NEXUS_OPERATION_CANCELLATION_STATE_SCHEDULED;
  operation->cancel.attempts.next = kUnset;
  post(t.engine(), t.run(), id, nexus_invocation::cancel);
}

WallTime timeout_of(const NexusOperation& operation) {
  return std::min({operation.close_by(), operation.start_by(), operation.end_by()});
}

enums::PendingNexusOperationState shown(State state) {
  switch (state) {
    case State::kScheduled:
      return enums::PENDING_NEXUS_OPERATION_STATE_SCHEDULED;
    case State::kBackingOff:
      return enums::PENDING_NEXUS_OPERATION_STATE_BACKING_OFF;
    default:
      return enums::PENDING_NEXUS_OPERATION_STATE_STARTED;
  }
}

WallTime or_never(const NexusAttempts& attempts) {
  return attempts.waits() ? attempts.next : kNever;
}

}  // namespace

WallTime NexusOperation::start_by() const {
  if (is_started()) return kNever;
  return deadline_after(scheduled(), to_nanos(attributes().schedule_to_start_timeout()));
}

WallTime NexusOperation::close_by() const {
  return deadline_after(scheduled(), to_nanos(attributes().schedule_to_close_timeout()));
}

WallTime NexusOperation::end_by() const {
  if (!is_started()) return kNever;
  return deadline_after(started, to_nanos(attributes().start_to_close_timeout()));
}

WallTime NexusOperation::next_deadline() const {
  return std::min({timeout_of(*this), or_never(attempts), or_never(cancel.attempts)});
}

enums::TimeoutType NexusOperation::overdue(WallTime now) const {
  if (close_by() <= now) return enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE;
  if (start_by() <= now) return enums::TIMEOUT_TYPE_SCHEDULE_TO_START;
  if (end_by() <= now) return enums::TIMEOUT_TYPE_START_TO_CLOSE;
  return enums::TIMEOUT_TYPE_UNSPECIFIED;
}

bool is_disallowed_nexus_header(const std::string& name) {
  static const auto* names = new std::set<std::string>{
      "request-timeout",
      "xdc-redirection-api",
      "xdc-redirection",
      "xdc-redirection-source-cell",
      "caller-name",
      "caller-type",
      "call-initiation",
      "temporal-principal-type",
      "temporal-principal-name",
  };
  return names->contains(absl::AsciiStrToLower(name));
}

void NexusOperation::write(Writer& ar) const { visit(ar, *this); }
void NexusOperation::read(Reader& ar) { visit(ar, *this); }

// --- Commands.

bool NexusOperations::takes(enums::CommandType type) {
  return type == enums::COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION ||
         type == enums::COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION;
}

Verdict NexusOperations::check(CommandCheck& check, const command::Command& command) {
  if (command.command_type() == enums::COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION) {
    if (!command.has_schedule_nexus_operation_command_attributes())
      return bad(kBadSchedule, "empty ScheduleNexusOperationCommandAttributes");
    return check_schedule(check, command.schedule_nexus_operation_command_attributes());
  }
  if (!command.has_request_cancel_nexus_operation_command_attributes())
    return bad(kBadCancel, "empty CancelNexusOperationCommandAttributes");
  return check_cancel(
      check, command.request_cancel_nexus_operation_command_attributes().scheduled_event_id());
}

Verdict NexusOperations::check_schedule(CommandCheck& check,
                                        const command::ScheduleNexusOperationCommandAttributes& a) {
  const DynamicConfig& config = check.engine.config();
  Verdict verdict = either(check_endpoint(check.engine, a), check_names(config, a));
  if (verdict) return verdict;
  if (a.input().ByteSizeLong() > kBlobBytesMax) {
    return TaskFailure{kBadSchedule, absl::StrCat(kCommand, "Input exceeds size limit"),
                       /*terminate=*/true};
  }
  if (verdict = check_header(config, a); verdict) return verdict;
  auto& scheduled = check.batch<NexusOperations>().scheduled;
  const std::size_t open = check.run.open<NexusOperations>().open_.size() + scheduled.size();
  scheduled.insert(check.event_id);
  if (open < static_cast<std::size_t>(config.nexus_operations_max)) return std::nullopt;
  return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_PENDING_NEXUS_OPERATIONS_LIMIT_EXCEEDED,
             absl::StrCat("workflow has reached the pending nexus operation limit of ",
                          config.nexus_operations_max, " for this namespace"));
}

Verdict NexusOperations::check_cancel(CommandCheck& check, std::int64_t scheduled_id) {
  Batch& batch = check.batch<NexusOperations>();
  const NexusOperation* operation = check.run.open<NexusOperations>().find(scheduled_id);
  if (operation == nullptr && !batch.scheduled.contains(scheduled_id) &&
      !ended_buffered(check.run, scheduled_id)) {
    return bad(kBadCancel,
               absl::StrCat("requested cancelation for a non-existing or already ",
                            "completed operation with scheduled event ID of ", scheduled_id));
  }
  const bool asked = operation != nullptr && operation->cancel.requested_id != 0;
  if (batch.cancelled.insert(scheduled_id).second && !asked) return std::nullopt;
  return bad(kBadCancel, absl::StrCat("cancelation was already requested for an operation with "
                                      "scheduled event ID ",
                                      scheduled_id));
}

void NexusOperations::apply(CommandTurn& turn, command::Command& command) {
  command.has_schedule_nexus_operation_command_attributes() ? schedule(turn, command)
                                                            : cancel(turn, command);
}

void NexusOperations::schedule(CommandTurn& turn, command::Command& command) {
  Transition& t = turn.t;
  Engine& engine = t.engine();
  auto& from = *command.mutable_schedule_nexus_operation_command_attributes();
  HistoryEvent event = turn.event(enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED, command);
  auto& a = *event.mutable_nexus_operation_scheduled_event_attributes();
  a.set_endpoint(from.endpoint());
  if (const NexusEndpoint* endpoint = engine.nexus_endpoints->find_by_name(from.endpoint()))
    a.set_endpoint_id(endpoint->message.id());
  a.set_service(from.service());
  a.set_operation(from.operation());
  if (from.has_input()) *a.mutable_input() = std::move(*from.mutable_input());
  set_timeouts(from, to_nanos(t.run().start().workflow_run_timeout()),
               engine.config().nexus_schedule_to_close_max, a);
  for (const auto& [name, value] : from.nexus_header())
    (*a.mutable_nexus_header())[absl::AsciiStrToLower(name)] = value;
  a.set_request_id(engine.ids().uuid());
  a.set_workflow_task_completed_event_id(turn.completed_id);
  post(engine, t.run(), t.write(std::move(event)).event_id(), nexus_invocation::start);
}

void NexusOperations::cancel(CommandTurn& turn, command::Command& command) {
  const std::int64_t id =
      command.request_cancel_nexus_operation_command_attributes().scheduled_event_id();
  HistoryEvent event = turn.event(enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED, command);
  auto& a = *event.mutable_nexus_operation_cancel_requested_event_attributes();
  a.set_scheduled_event_id(id);
  a.set_workflow_task_completed_event_id(turn.completed_id);
  turn.t.write(std::move(event));
  const NexusOperation* operation = turn.t.open<NexusOperations>().find(id);
  if (operation != nullptr && operation->is_canceling())
    post(turn.t.engine(), turn.t.run(), id, nexus_invocation::cancel);
}

// --- Events.

void NexusOperations::begin_cancel(NexusOperation& operation, WallTime at) {
  operation.cancel.state = enums::NEXUS_OPERATION_CANCELLATION_STATE_SCHEDULED;
  operation.cancel.requested = at;
}

void NexusOperations::start(const HistoryEvent& event) {
  const auto& a = event.nexus_operation_started_event_attributes();
  NexusOperation* operation = find(a.scheduled_event_id());
  if (operation == nullptr || operation->is_started()) return;
  operation->state = State::kStarted;
  operation->token = a.operation_token().empty() ? a.operation_id() : a.operation_token();
  operation->started = to_wall(event.event_time());
  operation->attempts.end(operation->started);
  if (operation->cancel.requested_id != 0) begin_cancel(*operation, operation->started);
}

bool NexusOperations::fold(const HistoryEvent& event) {
  const WallTime at = to_wall(event.event_time());
  switch (event.event_type()) {
    case enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED: {
      NexusOperation& operation = open_[event.event_id()];
      operation.event = &event;
      operation.scheduled_id = event.event_id();
      return true;
    }
    case enums::EVENT_TYPE_NEXUS_OPERATION_STARTED:
      start(event);
      return true;
    case enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED: {
      const auto& a = event.nexus_operation_cancel_requested_event_attributes();
      NexusOperation* operation = find(a.scheduled_event_id());
      if (operation == nullptr) return true;
      operation->cancel.requested_id = event.event_id();
      if (operation->is_started()) begin_cancel(*operation, at);
      return true;
    }
    case enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED: {
      const auto& a = event.nexus_operation_cancel_request_completed_event_attributes();
      if (NexusOperation* operation = find(a.scheduled_event_id())) {
        operation->cancel.state = enums::NEXUS_OPERATION_CANCELLATION_STATE_SUCCEEDED;
        operation->cancel.attempts.end(at);
      }
      return true;
    }
    case enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_FAILED: {
      const auto& a = event.nexus_operation_cancel_request_failed_event_attributes();
      if (NexusOperation* operation = find(a.scheduled_event_id())) {
        operation->cancel.state = enums::NEXUS_OPERATION_CANCELLATION_STATE_FAILED;
        operation->cancel.attempts.fail(at, a.failure());
      }
      return true;
    }
    default:
      if (!is_result(event.event_type())) return false;
      open_.erase(ended_by(event));
      return true;
  }
}

bool NexusOperations::is_result(enums::EventType type) {
  switch (type) {
#define CHIMERA_RESULT(TYPE, field) case enums::EVENT_TYPE_##TYPE:
    CHIMERA_NEXUS_ENDS(CHIMERA_RESULT)
#undef CHIMERA_RESULT
    return true;
    default:
      return false;
  }
}

// --- Time.

WallTime NexusOperations::next_deadline() const {
  WallTime next = kNever;
  for (const auto& [id, operation] : open_) next = std::min(next, operation.next_deadline());
  return next;
}

void NexusOperations::collect_due(WallTime now, std::vector<Due>& due) const {
  for (const auto& [id, operation] : open_) {
    if (const WallTime at = timeout_of(operation); at <= now)
      due.push_back({at, id, 0, &fire_timeout});
    if (const WallTime at = or_never(operation.attempts); at <= now)
      due.push_back({at, id, 1, &fire_attempt});
    if (const WallTime at = or_never(operation.cancel.attempts); at <= now)
      due.push_back({at, id, 2, &fire_cancel});
  }
}

WallTime NexusOperations::waits_until(WallTime now) const {
  WallTime next = kNever;
  for (const auto& [id, operation] : open_) {
    if (operation.state != State::kBackingOff || operation.attempts.next <= now) return kUnset;
    next = std::min({next, operation.attempts.next, timeout_of(operation)});
  }
  return next;
}

// --- Shown, kept, taken over.

void NexusOperations::describe(WallTime, wf::DescribeWorkflowExecutionResponse& response) const {
  for (const auto& [id, operation] : open_) {
    const auto& a = operation.attributes();
    auto& info = *response.add_pending_nexus_operations();
    info.set_endpoint(a.endpoint());
    info.set_service(a.service());
    info.set_operation(a.operation());
    info.set_operation_token(operation.token);
    info.set_operation_id(operation.token);
    info.set_scheduled_event_id(id);
    set(info.mutable_scheduled_time(), operation.scheduled());
    info.set_state(shown(operation.state));
    operation.attempts.describe(info);
    if (a.has_schedule_to_close_timeout())
      *info.mutable_schedule_to_close_timeout() = a.schedule_to_close_timeout();
    if (a.has_schedule_to_start_timeout())
      *info.mutable_schedule_to_start_timeout() = a.schedule_to_start_timeout();
    if (a.has_start_to_close_timeout())
      *info.mutable_start_to_close_timeout() = a.start_to_close_timeout();
    if (operation.cancel.requested_id == 0) continue;
    auto& cancel = *info.mutable_cancellation_info();
    if (operation.cancel.requested != kUnset)
      set(cancel.mutable_requested_time(), operation.cancel.requested);
    cancel.set_state(operation.cancel.state);
    operation.cancel.attempts.describe(cancel);
  }
}

void NexusOperations::read_row(std::int64_t id, Reader& ar) {
  NexusOperation unknown;
  NexusOperation* operation = find(id);
  (operation != nullptr ? *operation : unknown).read(ar);
}

void NexusOperations::resume(Transition& t) {
  for (const auto& [id, operation] : t.open<NexusOperations>().open_) {
    if (operation.state == State::kScheduled)
      post(t.engine(), t.run(), id, nexus_invocation::start);
    if (operation.is_canceling()) post(t.engine(), t.run(), id, nexus_invocation::cancel);
  }
}

bool NexusOperations::carry_over(Transition& t, const HistoryEvent& event) {
  HistoryEvent again = t.event(event.event_type());
  *again.mutable_links() = event.links();
  auto copy = [&](const auto& from, auto& to) {
    const NexusOperation* operation =
        t.run().open<NexusOperations>().find(from.scheduled_event_id());
    if (operation == nullptr || operation->attributes().request_id() != from.request_id())
      return true;
    if (event.event_type() == enums::EVENT_TYPE_NEXUS_OPERATION_STARTED && operation->is_started())
      return true;
    to = from;
    t.write(std::move(again));
    return true;
  };
  switch (event.event_type()) {
#define CHIMERA_COPY(TYPE, field) \
  case enums::EVENT_TYPE_##TYPE:  \
    return copy(event.field##_event_attributes(), *again.mutable_##field##_event_attributes());
    CHIMERA_COPY(NEXUS_OPERATION_STARTED, nexus_operation_started)
    CHIMERA_NEXUS_ENDS(CHIMERA_COPY)
#undef CHIMERA_COPY
    default:
      return false;
  }
}
#undef CHIMERA_NEXUS_ENDS

NexusOperation* NexusOperations::find(std::int64_t scheduled_id) {
  const auto found = open_.find(scheduled_id);
  return found == open_.end() ? nullptr : &found->second;
}

const NexusOperation* NexusOperations::find(std::int64_t scheduled_id) const {
  const auto found = open_.find(scheduled_id);
  return found == open_.end() ? nullptr : &found->second;
}

// --- How it goes on.

namespace nexus_operation {
namespace {

failure::Failure failure_of(const NexusOperation& operation, failure::Failure cause) {
  failure::Failure failure;
  failure.set_message("nexus operation completed unsuccessfully");
  auto& info = *failure.mutable_nexus_operation_execution_failure_info();
  info.set_endpoint(operation.attributes().endpoint());
  info.set_service(operation.attributes().service());
  info.set_operation(operation.attributes().operation());
  info.set_operation_token(operation.token);
  info.set_operation_id(operation.token);
  info.set_scheduled_event_id(operation.scheduled_id);
  *failure.mutable_cause() = std::move(cause);
  return failure;
}

void fill(const NexusOperation& operation, auto& a) {
  a.set_scheduled_event_id(operation.scheduled_id);
  a.set_request_id(operation.attributes().request_id());
}

}  // namespace

void started(Transition& t, const NexusOperation& operation, const std::string& token, Links links,
             WallTime at) {
  const std::int64_t id = operation.scheduled_id;
  HistoryEvent event = t.event(enums::EVENT_TYPE_NEXUS_OPERATION_STARTED);
  if (at != kUnset) set(event.mutable_event_time(), at);
  auto& a = *event.mutable_nexus_operation_started_event_attributes();
  fill(operation, a);
  a.set_operation_token(token);
  a.set_operation_id(token);
  event.mutable_links()->Swap(&links);
  t.external(std::move(event));
  const NexusOperation* now = t.open<NexusOperations>().find(id);
  if (now != nullptr && now->is_canceling())
    post(t.engine(), t.run(), id, nexus_invocation::cancel);
}

void completed(Transition& t, const NexusOperation& operation, common::Payload* result,
               Links links) {
  HistoryEvent event = t.event(enums::EVENT_TYPE_NEXUS_OPERATION_COMPLETED);
  auto& a = *event.mutable_nexus_operation_completed_event_attributes();
  fill(operation, a);
  if (result != nullptr) *a.mutable_result() = std::move(*result);
  event.mutable_links()->Swap(&links);
  t.external(std::move(event));
}

void ended_badly(Transition& t, const NexusOperation& operation, bool canceled,
                 failure::Failure cause) {
  const auto end = [&](auto& a) {
    fill(operation, a);
    *a.mutable_failure() = failure_of(operation, std::move(cause));
  };
  HistoryEvent event = t.event(canceled ? enums::EVENT_TYPE_NEXUS_OPERATION_CANCELED
                                        : enums::EVENT_TYPE_NEXUS_OPERATION_FAILED);
  canceled ? end(*event.mutable_nexus_operation_canceled_event_attributes())
           : end(*event.mutable_nexus_operation_failed_event_attributes());
  t.external(std::move(event));
}

void timed_out(Transition& t, const NexusOperation& operation, enums::TimeoutType type) {
  failure::Failure cause;
  cause.set_message("operation timed out");
  cause.mutable_timeout_failure_info()->set_timeout_type(type);
  HistoryEvent event = t.event(enums::EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT);
  auto& a = *event.mutable_nexus_operation_timed_out_event_attributes();
  fill(operation, a);
  *a.mutable_failure() = failure_of(operation, std::move(cause));
  t.external(std::move(event));
}

void cancel_requested(Transition& t, const NexusOperation& operation,
                      const failure::Failure* failure) {
  const auto fill_cancel = [&](auto& a) {
    a.set_scheduled_event_id(operation.scheduled_id);
    a.set_requested_event_id(operation.cancel.requested_id);
  };
  HistoryEvent event =
      t.event(failure == nullptr ? enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED
                                 : enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_FAILED);
  if (failure == nullptr) {
    fill_cancel(*event.mutable_nexus_operation_cancel_request_completed_event_attributes());
  } else {
    auto& a = *event.mutable_nexus_operation_cancel_request_failed_event_attributes();
    fill_cancel(a);
    *a.mutable_failure() = *failure;
  }
  event.set_worker_may_ignore(true);
  t.external(std::move(event));
}

}  // namespace nexus_operation
}  // namespace chimera::server
