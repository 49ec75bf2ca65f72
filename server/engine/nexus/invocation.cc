#include "server/engine/nexus/invocation.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "server/base/errors.h"
#include "server/base/tokens.h"
#include "server/engine/engine.h"
#include "server/engine/nexus/breakers.h"
#include "server/engine/nexus/endpoints.h"
#include "server/engine/nexus/requests.h"
#include "server/engine/pending/external.h"
#include "server/engine/pending/nexus_operation.h"
#include "server/engine/rules/enum_names.h"
#include "server/engine/run/transition.h"

namespace chimera::server::nexus_invocation {
namespace {

using State = NexusOperation::State;
using Kind = StartOutcome::Kind;
using Action = void (*)(Engine&, const Run&, std::int64_t);
// With less time than this nobody is asked (genuine servers).
constexpr Nanos kShortestRequest = milliseconds{1500};

const NexusOperation* find(const Run& run, std::int64_t id) {
  return run.running() ? run.open<NexusOperations>().find(id) : nullptr;
}

NexusBreakers::Destination destination(const Run& run, const NexusOperation& operation) {
  return {run.ns->id, operation.attributes().endpoint()};
}

// How long a request may take, and what has no time left if that is too short.
struct Patience {
  Nanos timeout{};
  enums::TimeoutType type = enums::TIMEOUT_TYPE_UNSPECIFIED;
  void cap(WallTime by, WallTime now, enums::TimeoutType of) {
    if (by == kNever) return;
    timeout = std::min<Nanos>(timeout, by - now);
    type = of;
  }
  bool enough() const { return timeout >= kShortestRequest; }
};

Patience patience_to_start(const Engine& engine, const NexusOperation& operation, WallTime now) {
  Patience patience{engine.config().nexus_request_timeout};
  if (operation.start_by() != kNever) {
    patience.cap(operation.start_by(), now, enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
  } else {
    patience.cap(operation.close_by(), now, enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
  }
  return patience;
}

Patience patience_to_cancel(const Engine& engine, const NexusOperation& operation, WallTime now) {
  Patience patience{engine.config().nexus_request_timeout};
  patience.cap(operation.end_by(), now, enums::TIMEOUT_TYPE_START_TO_CLOSE);
  patience.cap(operation.close_by(), now, enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
  return patience;
}

// The endpoint of the operation, perhaps made anew under its name. Null, and why.
const NexusEndpoint* endpoint_of(Engine& engine, const NexusOperation& operation,
                                 failure::Failure& why) {
  const auto& a = operation.attributes();
  const NexusEndpoint* endpoint = engine.nexus_endpoints->find(a.endpoint_id());
  if (endpoint == nullptr) endpoint = engine.nexus_endpoints->find_by_name(a.endpoint());
  if (endpoint == nullptr) {
    why = handler_failure("NOT_FOUND", "endpoint not registered");
    return nullptr;
  }
  if (endpoint->namespace_id.empty()) {
    why = handler_failure(
        "NOT_IMPLEMENTED",
        absl::StrCat("endpoint ", a.endpoint(),
                     " leads to a URL, which this embedded server does not call. Give it a "
                     "namespace and a task queue as its target."));
    return nullptr;
  }
  const Namespace* ns = engine.namespaces().find_by_id(endpoint->namespace_id);
  if (ns != nullptr && ns->info.state() != enums::NAMESPACE_STATE_DELETED) return endpoint;
  why = handler_failure(
      "NOT_FOUND", absl::StrCat("namespace not found: \"",
                                endpoint->message.spec().target().worker().namespace_(), "\""));
  return nullptr;
}

NexusRequests::Ask ask_of(const NexusOperation& operation, const NexusEndpoint& endpoint) {
  NexusRequests::Ask ask;
  ask.namespace_id = endpoint.namespace_id;
  ask.task_queue = endpoint.message.spec().target().worker().task_queue();
  ask.request.set_endpoint(endpoint.name());
  auto& header = *ask.request.mutable_header();
  for (const auto& [name, value] : operation.attributes().nexus_header()) header[name] = value;
  return ask;
}

common::Link::WorkflowEvent link_to(const Run& run, const HistoryEvent& event) {
  common::Link::WorkflowEvent link;
  link.set_namespace_(run.ns->name());
  link.set_workflow_id(run.workflow_id);
  link.set_run_id(run.run_id);
  link.mutable_event_ref()->set_event_id(event.event_id());
  link.mutable_event_ref()->set_event_type(event.event_type());
  return link;
}

void fill_start(const Run& run, const NexusOperation& operation, nexus::Request& request) {
  const auto& a = operation.attributes();
  request.mutable_capabilities()->set_temporal_failure_responses(true);
  auto& start = *request.mutable_start_operation();
  start.set_service(a.service());
  start.set_operation(a.operation());
  start.set_request_id(a.request_id());
  if (a.has_input()) *start.mutable_payload() = a.input();
  start.set_callback(kSystemCallback);
  (*start.mutable_callback_header())[kCallbackToken] =
      NexusToken{run.ns->id, run.workflow_id, run.run_id, operation.scheduled_id, a.request_id()}
          .encode();
  *start.add_links() = to_nexus(link_to(run, *operation.event));
  auto& header = *request.mutable_header();
  header["nexus-request-id"] = a.request_id();
  header["nexus-link"] =
      absl::StrCat("<", start.links(0).url(), ">; type=\"", start.links(0).type(), "\"");
}

// --- Answers to starts.

void take(Transition& t, NexusOperation& operation, StartOutcome outcome) {
  Links links = from_nexus(outcome.links);
  switch (outcome.kind) {
    case Kind::kCompleted:
      return nexus_operation::completed(
          t, operation, outcome.has_result ? &outcome.result : nullptr, std::move(links));
    case Kind::kStarted:
      return nexus_operation::started(t, operation, outcome.token, std::move(links));
    case Kind::kFailed:
    case Kind::kCanceled:
      return nexus_operation::ended_badly(t, operation, outcome.kind == Kind::kCanceled,
                                          std::move(outcome.failure));
    case Kind::kNotDone:
      break;
  }
  if (!is_retryable(outcome.failure)) {
    return nexus_operation::ended_badly(t, operation, /*canceled=*/false,
                                        std::move(outcome.failure));
  }
  operation.attempts.back_off(t.now(), std::move(outcome.failure), t.engine().ids().random());
  operation.state = State::kBackingOff;
}

StartOutcome outcome_of(NexusReply reply) {
  if (reply.response) return server::outcome_of(*reply.response->mutable_start_operation());
  StartOutcome outcome;
  outcome.failure = std::move(reply.failure);
  return outcome;
}

// Does `change` if the operation is still where it was when the request went; counts it if it
// leaves no event.
template <class Change>
void change(Engine& engine, const Run& run, std::int64_t id, Change change) {
  Transition t(engine, run);
  change(t, *t.open<NexusOperations>().find(id));
  t.commit();
}

void start_answered(Engine& engine, const Run& run, std::int64_t id, int attempt,
                    StartOutcome outcome) {
  const NexusOperation* operation = find(run, id);
  if (operation == nullptr || operation->state != State::kScheduled ||
      operation->attempts.count != attempt)
    return;
  change(engine, run, id,
         [&](Transition& t, NexusOperation& now) { take(t, now, std::move(outcome)); });
}

// --- Answers to cancels.

void take_cancel(Transition& t, NexusOperation& operation, const failure::Failure* failure,
                 bool final) {
  if (failure == nullptr || final) return nexus_operation::cancel_requested(t, operation, failure);
  operation.cancel.attempts.back_off(t.now(), *failure, t.engine().ids().random());
  operation.cancel.state = enums::NEXUS_OPERATION_CANCELLATION_STATE_BACKING_OFF;
}

void cancel_answered(Engine& engine, const Run& run, std::int64_t id, int attempt,
                     const failure::Failure* failure, bool final) {
  const NexusOperation* operation = find(run, id);
  if (operation == nullptr || !operation->is_canceling() ||
      operation->cancel.attempts.count != attempt)
    return;
  change(engine, run, id,
         [&](Transition& t, NexusOperation& now) { take_cancel(t, now, failure, final); });
}

// Whether the destination may be asked; else the action runs again later.
bool allowed(Engine& engine, const Run& run, const NexusOperation& operation, Action action) {
  return engine.nexus_breakers->allows(
      destination(run, operation),
      [&engine, weak = RunWeak(share(run)), id = operation.scheduled_id, action] {
        if (const RunPtr live = weak.lock()) action(engine, *live, id);
      });
}

}  // namespace

void start(Engine& engine, const Run& run, std::int64_t id) {
  const NexusOperation* operation = find(run, id);
  if (operation == nullptr || operation->state != State::kScheduled) return;
  const WallTime now = run.clock(engine.now());
  const int attempt = operation->attempts.count;
  StartOutcome none;
  const NexusEndpoint* endpoint = endpoint_of(engine, *operation, none.failure);
  if (endpoint == nullptr) return start_answered(engine, run, id, attempt, std::move(none));
  const Patience patience = patience_to_start(engine, *operation, now);
  if (!patience.enough()) {
    return change(engine, run, id, [&](Transition& t, NexusOperation& late) {
      nexus_operation::timed_out(t, late, patience.type);
    });
  }
  if (!allowed(engine, run, *operation, start)) return;
  NexusRequests::Ask ask = ask_of(*operation, *endpoint);
  ask.timeout = patience.timeout;
  const Nanos run_time = to_nanos(operation->attributes().start_to_close_timeout());
  ask.operation_deadline =
      run.server_time(std::min(operation->close_by(), deadline_after(now, run_time)));
  fill_start(run, *operation, ask.request);
  engine.nexus_requests->send(
      std::move(ask), [&engine, to = destination(run, *operation), weak = RunWeak(share(run)), id,
                       attempt](NexusReply reply) {
        StartOutcome outcome = outcome_of(std::move(reply));
        engine.nexus_breakers->ended(
            to, outcome.kind != Kind::kNotDone || !is_retryable(outcome.failure));
        if (const RunPtr live = weak.lock())
          start_answered(engine, *live, id, attempt, std::move(outcome));
      });
}

void cancel(Engine& engine, const Run& run, std::int64_t id) {
  const NexusOperation* operation = find(run, id);
  if (operation == nullptr || !operation->is_canceling()) return;
  const int attempt = operation->cancel.attempts.count;
  failure::Failure failure;
  const NexusEndpoint* endpoint = endpoint_of(engine, *operation, failure);
  if (endpoint == nullptr)
    return cancel_answered(engine, run, id, attempt, &failure, /*final=*/true);
  const Patience patience = patience_to_cancel(engine, *operation, run.clock(engine.now()));
  if (!patience.enough()) {
    failure = call_failure(absl::StrCat("not enough time to execute another request before ",
                                        short_enum_name(enums::TimeoutType_Name(patience.type),
                                                        "TIMEOUT_TYPE_", patience.type),
                                        " timeout"),
                           /*retryable=*/false);
    return cancel_answered(engine, run, id, attempt, &failure, /*final=*/true);
  }
  if (!allowed(engine, run, *operation, cancel)) return;
  NexusRequests::Ask ask = ask_of(*operation, *endpoint);
  ask.timeout = patience.timeout;
  ask.request.mutable_capabilities();
  auto& request = *ask.request.mutable_cancel_operation();
  request.set_service(operation->attributes().service());
  request.set_operation(operation->attributes().operation());
  request.set_operation_token(operation->token);
  request.set_operation_id(operation->token);
  engine.nexus_requests->send(
      std::move(ask), [&engine, to = destination(run, *operation), weak = RunWeak(share(run)), id,
                       attempt](NexusReply reply) {
        const failure::Failure* problem = reply.response ? nullptr : &reply.failure;
        const bool final = problem == nullptr || !is_retryable(*problem);
        engine.nexus_breakers->ended(to, final);
        if (const RunPtr live = weak.lock())
          cancel_answered(engine, *live, id, attempt, problem, final);
      });
}

void show_blocked(const Engine& engine, const Run& run,
                  wf::DescribeWorkflowExecutionResponse& response) {
  for (auto& info : *response.mutable_pending_nexus_operations()) {
    if (!engine.nexus_breakers->is_open({run.ns->id, info.endpoint()})) continue;
    if (info.state() == enums::PENDING_NEXUS_OPERATION_STATE_SCHEDULED) {
      info.set_state(enums::PENDING_NEXUS_OPERATION_STATE_BLOCKED);
      info.set_blocked_reason(kBreakerIsOpen);
    }
    if (info.cancellation_info().state() == enums::NEXUS_OPERATION_CANCELLATION_STATE_SCHEDULED) {
      info.mutable_cancellation_info()->set_state(
          enums::NEXUS_OPERATION_CANCELLATION_STATE_BLOCKED);
      info.mutable_cancellation_info()->set_blocked_reason(kBreakerIsOpen);
    }
  }
}

// --- Completions.

namespace {

// The operation's run or, when that was reset, the one that its workflow id has now.
const Run* run_of(Engine& engine, const NexusToken& token, absl::Status& why) {
  const auto has = [&](const Run* run) {
    const NexusOperation* operation = run == nullptr ? nullptr : find(*run, token.scheduled_id);
    return operation != nullptr && operation->attributes().request_id() == token.request_id;
  };
  const Namespace* ns = engine.namespaces().find_by_id(token.namespace_id);
  if (ns == nullptr) {
    why = not_found(absl::StrCat("namespace \"", token.namespace_id, "\" not found"));
    return nullptr;
  }
  const Run* run = engine.runs().by_id(token.run_id);
  if (has(run)) return run;
  const Run* current = engine.runs().current(*ns, token.workflow_id);
  if (has(current)) return current;
  why = not_found(current == nullptr    ? "workflow execution not found"
                  : !current->running() ? "workflow execution already completed"
                                        : "operation not found");
  return nullptr;
}

}  // namespace

absl::Status complete(Engine& engine, const std::string& text, Completion completion) {
  const std::optional<NexusToken> token = NexusToken::decode(text);
  if (!token) return invalid("invalid callback token");
  absl::Status why;
  const Run* run = run_of(engine, *token, why);
  if (run == nullptr) return why;
  Transition t(engine, *run);
  NexusOperations& operations = t.open<NexusOperations>();
  if (!operations.find(token->scheduled_id)->is_started()) {
    const WallTime at = completion.started == kUnset ? kUnset : run->clock(completion.started);
    nexus_operation::started(t, *operations.find(token->scheduled_id), completion.operation_token,
                             std::move(completion.links), at);
  }
  const NexusOperation& operation = *operations.find(token->scheduled_id);
  if (completion.canceled || completion.failed) {
    nexus_operation::ended_badly(t, operation, completion.canceled, std::move(completion.failure));
  } else {
    nexus_operation::completed(t, operation, completion.has_result ? &completion.result : nullptr,
                               Links());
  }
  t.commit();
  return absl::OkStatus();
}

}  // namespace chimera::server::nexus_invocation
