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
#include "server/engine/nexus/run_caller.h"
#include "server/engine/rules/enum_names.h"
#include "server/engine/standalone/operation_change.h"
#include "server/engine/standalone/operation_executions.h"

namespace chimera::server::nexus_invocation {
namespace {

using State = NexusOperation::State;
using Kind = StartOutcome::Kind;
using Action = void (*)(Engine&, const NexusCallerPtr&);
// With less time than this nobody is asked (genuine servers).
constexpr Nanos kShortestRequest = milliseconds{1500};

NexusBreakers::Destination destination(const NexusCaller& caller) {
  return {caller.ns().id, caller.operation()->attributes().endpoint()};
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

void fill_start(const NexusCaller& caller, nexus::Request& request) {
  const auto& a = caller.operation()->attributes();
  request.mutable_capabilities()->set_temporal_failure_responses(true);
  auto& start = *request.mutable_start_operation();
  start.set_service(a.service());
  start.set_operation(a.operation());
  start.set_request_id(a.request_id());
  if (a.has_input()) *start.mutable_payload() = a.input();
  start.set_callback(kSystemCallback);
  (*start.mutable_callback_header())[kCallbackToken] = caller.completion_token();
  *start.add_links() = caller.link();
  auto& header = *request.mutable_header();
  header["nexus-request-id"] = a.request_id();
  header["nexus-link"] =
      absl::StrCat("<", start.links(0).url(), ">; type=\"", start.links(0).type(), "\"");
}

// --- Answers to starts.

void take(Engine& engine, NexusChange& change, StartOutcome outcome) {
  Links links = from_nexus(outcome.links);
  switch (outcome.kind) {
    case Kind::kCompleted:
      return change.completed(outcome.has_result ? &outcome.result : nullptr, std::move(links));
    case Kind::kStarted:
      return change.started(outcome.token, std::move(links), /*at=*/kUnset);
    case Kind::kFailed:
    case Kind::kCanceled:
      return change.ended_badly(outcome.kind == Kind::kCanceled, std::move(outcome.failure));
    case Kind::kNotDone:
      break;
  }
  if (!is_retryable(outcome.failure))
    return change.ended_badly(/*canceled=*/false, std::move(outcome.failure));
  NexusOperation& operation = change.operation();
  operation.attempts.back_off(change.now(), std::move(outcome.failure), engine.ids().random());
  operation.state = State::kBackingOff;
}

StartOutcome outcome_of(NexusReply reply) {
  if (reply.response) return server::outcome_of(*reply.response->mutable_start_operation());
  StartOutcome outcome;
  outcome.failure = std::move(reply.failure);
  return outcome;
}

// Done if the operation is still where it was when the request went.
void start_answered(Engine& engine, const NexusCallerPtr& caller, int attempt,
                    StartOutcome outcome) {
  const NexusOperation* operation = caller->operation();
  if (operation == nullptr || operation->state != State::kScheduled ||
      operation->attempts.count != attempt)
    return;
  caller->change([&](NexusChange& change) { take(engine, change, std::move(outcome)); });
}

// --- Answers to cancels.

void take_cancel(Engine& engine, NexusChange& change, const failure::Failure* failure, bool final) {
  if (failure == nullptr || final) return change.cancel_requested(failure);
  auto& cancel = change.operation().cancel;
  cancel.attempts.back_off(change.now(), *failure, engine.ids().random());
  cancel.state = enums::NEXUS_OPERATION_CANCELLATION_STATE_BACKING_OFF;
}

void cancel_answered(Engine& engine, const NexusCallerPtr& caller, int attempt,
                     const failure::Failure* failure, bool final) {
  const NexusOperation* operation = caller->operation();
  if (operation == nullptr || !operation->is_canceling() ||
      operation->cancel.attempts.count != attempt)
    return;
  caller->change([&](NexusChange& change) { take_cancel(engine, change, failure, final); });
}

// Whether the destination may be asked; else the action runs again later.
bool allowed(Engine& engine, const NexusCallerPtr& caller, Action action) {
  return engine.nexus_breakers->allows(destination(*caller),
                                       [&engine, caller, action] { action(engine, caller); });
}

}  // namespace

void request_start(Engine& engine, const NexusCallerPtr& caller) {
  const NexusOperation* operation = caller->operation();
  if (operation == nullptr || operation->state != State::kScheduled) return;
  const WallTime now = caller->clock(engine.now());
  const int attempt = operation->attempts.count;
  StartOutcome none;
  const NexusEndpoint* endpoint = endpoint_of(engine, *operation, none.failure);
  if (endpoint == nullptr) return start_answered(engine, caller, attempt, std::move(none));
  const Patience patience = patience_to_start(engine, *operation, now);
  if (!patience.enough())
    return caller->change([&](NexusChange& change) { change.timed_out(patience.type); });
  if (!allowed(engine, caller, request_start)) return;
  NexusRequests::Ask ask = ask_of(*operation, *endpoint);
  ask.timeout = patience.timeout;
  const Nanos run_time = to_nanos(operation->attributes().start_to_close_timeout());
  ask.operation_deadline =
      caller->server_time(std::min(operation->close_by(), deadline_after(now, run_time)));
  fill_start(*caller, ask.request);
  engine.nexus_requests->send(
      std::move(ask), [&engine, to = destination(*caller), caller, attempt](NexusReply reply) {
        StartOutcome outcome = outcome_of(std::move(reply));
        engine.nexus_breakers->ended(
            to, outcome.kind != Kind::kNotDone || !is_retryable(outcome.failure));
        start_answered(engine, caller, attempt, std::move(outcome));
      });
}

void request_cancel(Engine& engine, const NexusCallerPtr& caller) {
  const NexusOperation* operation = caller->operation();
  if (operation == nullptr || !operation->is_canceling()) return;
  const int attempt = operation->cancel.attempts.count;
  failure::Failure failure;
  const NexusEndpoint* endpoint = endpoint_of(engine, *operation, failure);
  if (endpoint == nullptr)
    return cancel_answered(engine, caller, attempt, &failure, /*final=*/true);
  const Patience patience = patience_to_cancel(engine, *operation, caller->clock(engine.now()));
  if (!patience.enough()) {
    failure = call_failure(absl::StrCat("not enough time to execute another request before ",
                                        short_enum_name(enums::TimeoutType_Name(patience.type),
                                                        "TIMEOUT_TYPE_", patience.type),
                                        " timeout"),
                           /*retryable=*/false);
    return cancel_answered(engine, caller, attempt, &failure, /*final=*/true);
  }
  if (!allowed(engine, caller, request_cancel)) return;
  NexusRequests::Ask ask = ask_of(*operation, *endpoint);
  ask.timeout = patience.timeout;
  ask.request.mutable_capabilities();
  auto& request = *ask.request.mutable_cancel_operation();
  request.set_service(operation->attributes().service());
  request.set_operation(operation->attributes().operation());
  request.set_operation_token(operation->token);
  request.set_operation_id(operation->token);
  engine.nexus_requests->send(
      std::move(ask), [&engine, to = destination(*caller), caller, attempt](NexusReply reply) {
        const failure::Failure* problem = reply.response ? nullptr : &reply.failure;
        const bool final = problem == nullptr || !is_retryable(*problem);
        engine.nexus_breakers->ended(to, final);
        cancel_answered(engine, caller, attempt, problem, final);
      });
}

void start(Engine& engine, const Run& run, std::int64_t scheduled_id) {
  request_start(engine, caller_of(engine, run, scheduled_id));
}

void cancel(Engine& engine, const Run& run, std::int64_t scheduled_id) {
  request_cancel(engine, caller_of(engine, run, scheduled_id));
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
NexusCallerPtr run_of(Engine& engine, const Namespace& ns, const NexusToken& token,
                      absl::Status& why) {
  const Run* current = engine.runs().current(ns, token.workflow_id);
  for (const Run* run : {engine.runs().by_id(token.run_id), current}) {
    if (run == nullptr) continue;
    NexusCallerPtr caller = caller_of(engine, *run, token.scheduled_id);
    const NexusOperation* operation = caller->operation();
    if (operation != nullptr && operation->attributes().request_id() == token.request_id)
      return caller;
  }
  why = not_found(current == nullptr    ? "workflow execution not found"
                  : !current->running() ? "workflow execution already completed"
                                        : "operation not found");
  return nullptr;
}

NexusCallerPtr caller_by(Engine& engine, const NexusToken& token, absl::Status& why) {
  const Namespace* ns = engine.namespaces().find_by_id(token.namespace_id);
  if (ns == nullptr) {
    why = not_found(absl::StrCat("namespace \"", token.namespace_id, "\" not found"));
    return nullptr;
  }
  if (token.scheduled_id != 0) return run_of(engine, *ns, token, why);
  const OperationExecution* alone = engine.operation_executions->by_run_id(token.run_id);
  if (alone != nullptr && alone->open()) return caller_of(engine, *alone);
  // As the genuine server 1.32 says it.
  why = alone != nullptr
            ? invalid("bad request")
            : not_found(absl::StrCat("operation not found for ID: ", token.workflow_id));
  return nullptr;
}

}  // namespace

absl::Status complete(Engine& engine, const std::string& text, Completion completion) {
  const std::optional<NexusToken> token = NexusToken::decode(text);
  if (!token) return invalid("invalid callback token");
  absl::Status why;
  const NexusCallerPtr caller = caller_by(engine, *token, why);
  if (caller == nullptr) return why;
  caller->change([&](NexusChange& change) {
    if (!change.operation().is_started()) {
      const WallTime at = completion.started == kUnset ? kUnset : caller->clock(completion.started);
      change.started(completion.operation_token, std::move(completion.links), at);
    }
    if (completion.canceled || completion.failed)
      change.ended_badly(completion.canceled, std::move(completion.failure));
    else
      change.completed(completion.has_result ? &completion.result : nullptr, Links());
  });
  return absl::OkStatus();
}

}  // namespace chimera::server::nexus_invocation
