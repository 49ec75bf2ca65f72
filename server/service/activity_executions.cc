// Activities that stand alone, as clients see them: start, describe, wait for the outcome, cancel,
// terminate, delete. Texts are those of the genuine server 1.32, the first to have them.
#include <algorithm>

#include "absl/strings/str_replace.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include "server/base/tokens.h"
#include "server/engine/nexus/callbacks.h"
#include "server/engine/rules/retry.h"
#include "server/engine/standalone/activity_callbacks.h"
#include "server/engine/standalone/activity_change.h"
#include "server/engine/standalone/activity_view.h"
#include "server/service/activity_checks.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/service/queue_names.h"
#include "server/service/standalone_wait.h"
#include "server/visibility/attributes.h"

namespace chimera::server {
namespace {

constexpr std::size_t kLinksMax = 2000;  // Of one activity.

using StartRequest = wf::StartActivityExecutionRequest;

// --- Start.

absl::Status check_priority(const common::Priority& priority) {
  const std::string problem = priority_problem(priority);
  if (problem.empty()) return absl::OkStatus();
  return invalid(absl::StrCat("invalid priorities: ",
                              absl::StrReplaceAll(problem, {{"PriorityKey", "priority key"},
                                                            {"FairnessKey", "fairness key"},
                                                            {"FairnessWeight can't be negative",
                                                             "must be greater than zero"}})));
}

// What an attempt is made of.
absl::Status check_activity(StartRequest& request) {
  if (const std::string problem = duration_problem(request.start_delay()); !problem.empty())
    return invalid(absl::StrCat("invalid StartDelay: ", problem));
  if (request.has_start_delay()) cap_duration(request.mutable_start_delay());
  if (absl::Status s = check_queue(request); !s.ok()) return s;
  constexpr char kInternalQueue[] = "temporal-sys-per-ns-tq";
  if (request.task_queue().name() == kInternalQueue)
    return invalid(absl::StrCat("cannot use internal per-namespace task queue:", kInternalQueue));
  if (request.activity_id().empty()) return invalid("activityId is not set");
  if (request.activity_type().name().empty()) return invalid("activityType is not set");
  common::RetryPolicy& retry = *request.mutable_retry_policy();
  default_retry_policy(retry);
  if (const std::string problem = check_retry_policy(retry); !problem.empty())
    return invalid(problem);
  cap_durations(&retry);
  if (absl::Status s = check_limit("activityId", request.activity_id()); !s.ok()) return s;
  if (absl::Status s = check_limit("activityType", request.activity_type().name()); !s.ok())
    return s;
  if (absl::Status s = check_priority(request.priority()); !s.ok()) return s;
  return check_timeouts(request, request.activity_id(), request.activity_type().name());
}

absl::Status check_conflict_options(const StartRequest& request) {
  const auto& options = request.on_conflict_options();
  if (options.attach_completion_callbacks() && !options.attach_request_id()) {
    return invalid(
        "on_conflict_options: attach_completion_callbacks requires attach_request_id to be set");
  }
  if (options.attach_request_id() && request.completion_callbacks().empty() &&
      request.links().empty()) {
    return invalid(
        "on_conflict_options: attach_request_id requires at least one completion callback or link");
  }
  return absl::OkStatus();
}

absl::Status check_policies(const StartRequest& request) {
  if (!enums::ActivityIdReusePolicy_IsValid(request.id_reuse_policy())) {
    return invalid(
        absl::StrCat("unsupported ID reuse policy: ", static_cast<int>(request.id_reuse_policy())));
  }
  if (!enums::ActivityIdConflictPolicy_IsValid(request.id_conflict_policy())) {
    return invalid(absl::StrCat("unsupported ID conflict policy: ",
                                static_cast<int>(request.id_conflict_policy())));
  }
  return absl::OkStatus();
}

absl::Status check_callbacks(const DynamicConfig& config, StartRequest& request) {
  if (request.completion_callbacks().empty()) return absl::OkStatus();
  if (!config.activity_callbacks)
    return invalid("completion callbacks are not enabled for this namespace");
  return check_callbacks(config, *request.mutable_completion_callbacks());
}

absl::Status check_start(const DynamicConfig& config, const Namespace& ns, StartRequest& request) {
  if (absl::Status s = check_activity(request); !s.ok()) return s;
  if (absl::Status s = check_limit("request ID", request.request_id()); !s.ok()) return s;
  if (absl::Status s = check_limit("identity", request.identity()); !s.ok()) return s;
  if (request.input().ByteSizeLong() > kBlobBytesMax) return invalid("input exceeds length limit");
  if (absl::Status s = check_user_metadata(request.user_metadata()); !s.ok()) return s;
  if (absl::Status s =
          check_search_attributes(ns.search_attributes, ns.name(), request.search_attributes());
      !s.ok())
    return s;
  if (absl::Status s = check_callbacks(config, request); !s.ok()) return s;
  if (const std::string problem = links_problem(request.links()); !problem.empty())
    return invalid(problem);
  if (absl::Status s = check_conflict_options(request); !s.ok()) return s;
  return check_policies(request);
}

std::shared_ptr<ActivityExecution> execution_of(Engine& engine, Namespace& ns,
                                                StartRequest& request) {
  auto execution = std::make_shared<ActivityExecution>();
  execution->ns = &ns;
  execution->run_id = engine.ids().run_id(engine.now());
  auto& a = execution->attributes;
  a.set_activity_id(request.activity_id());
  *a.mutable_activity_type() = request.activity_type();
  a.mutable_task_queue()->set_name(request.task_queue().name());
  a.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  if (request.has_header()) a.mutable_header()->Swap(request.mutable_header());
  if (request.has_input()) a.mutable_input()->Swap(request.mutable_input());
  *a.mutable_schedule_to_close_timeout() = request.schedule_to_close_timeout();
  *a.mutable_schedule_to_start_timeout() = request.schedule_to_start_timeout();
  *a.mutable_start_to_close_timeout() = request.start_to_close_timeout();
  *a.mutable_heartbeat_timeout() = request.heartbeat_timeout();
  attempt::fill_activity_timeouts(Nanos{0}, a);
  *a.mutable_retry_policy() = request.retry_policy();
  if (request.has_priority()) *a.mutable_priority() = request.priority();
  execution->search_attributes = with_types(ns.search_attributes, request.search_attributes());
  execution->user_metadata.Swap(request.mutable_user_metadata());
  execution->nexus_context.Swap(request.mutable_propagated_nexus_serialization_context());
  execution->start_request_id = request.request_id();
  execution->asked_delay = to_nanos(request.start_delay());
  execution->scheduled = engine.now();
  return execution;
}

absl::Status already_there(const ActivityExecution& execution) {
  ::temporal::api::errordetails::v1::ActivityExecutionAlreadyStartedFailure detail;
  detail.set_start_request_id(execution.start_request_id);
  detail.set_run_id(execution.run_id);
  return error_with_detail(absl::StatusCode::kAlreadyExists, "activity execution already started",
                           detail);
}

// Whether the one that has the id stands for the start; an error refuses it.
absl::StatusOr<bool> decide(const ActivityExecution* current, const StartRequest& request) {
  if (current == nullptr) return false;
  if (current->start_request_id == request.request_id()) return true;
  if (current->open()) {
    if (request.id_conflict_policy() == enums::ACTIVITY_ID_CONFLICT_POLICY_USE_EXISTING)
      return true;
    return already_there(*current);
  }
  const auto policy = request.id_reuse_policy();
  const bool completed = current->status == enums::ACTIVITY_EXECUTION_STATUS_COMPLETED;
  if (policy == enums::ACTIVITY_ID_REUSE_POLICY_REJECT_DUPLICATE ||
      (policy == enums::ACTIVITY_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY && completed))
    return already_there(*current);
  return false;
}

absl::Status may_attach_links(const ActivityExecution& execution, const StartRequest& request) {
  if (!execution.open())
    return absl::FailedPreconditionError("cannot attach links to a closed activity");
  if (execution.links.size() + static_cast<std::size_t>(request.links_size()) > kLinksMax) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot attach more than ", kLinksMax, " links to an activity (",
                     execution.links.size(), " links already attached)"));
  }
  return absl::OkStatus();
}

// Once for each request: to the one that has begun it, nothing is added.
absl::Status attach(Engine& engine, const ActivityExecution& execution,
                    const StartRequest& request) {
  const auto& options = request.on_conflict_options();
  const auto& callbacks = request.completion_callbacks();
  const bool brings_callbacks = options.attach_completion_callbacks() && !callbacks.empty() &&
                                !has_callbacks_of(execution, request.request_id());
  const bool brings_links = options.attach_links() && !request.links().empty() &&
                            !execution.link_requests.contains(request.request_id());
  if (!brings_callbacks && !brings_links) return absl::OkStatus();
  if (brings_callbacks) {
    if (absl::Status s = may_attach_callbacks(engine, execution, callbacks.size()); !s.ok())
      return s;
  }
  if (brings_links) {
    if (absl::Status s = may_attach_links(execution, request); !s.ok()) return s;
  }
  ActivityChange change(engine, execution);
  if (brings_callbacks)
    attach_callbacks(change.execution(), callbacks, request.request_id(), change.now());
  if (brings_links) attach_links(change.execution(), request.links(), request.request_id());
  change.commit();
  return absl::OkStatus();
}

absl::Status start(Engine& engine, StartRequest& request,
                   wf::StartActivityExecutionResponse& response) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if (request.request_id().empty()) request.set_request_id(engine.ids().uuid());
  if (absl::Status s = check_start(engine.config(), **ns, request); !s.ok()) return s;
  ActivityExecutions& all = *engine.activity_executions;
  const ActivityExecution* execution = all.current(**ns, request.activity_id());
  const absl::StatusOr<bool> there = decide(execution, request);
  if (!there.ok()) return there.status();
  if (*there) {
    if (absl::Status s = attach(engine, *execution, request); !s.ok()) return s;
  } else {
    execution = &all.add(execution_of(engine, **ns, request));
    ActivityChange change(engine, *execution);
    attach_links(change.execution(), request.links(), request.request_id());
    attach_callbacks(change.execution(), request.completion_callbacks(), request.request_id(),
                     change.now());
    change.begin();
    change.commit();
  }
  response.set_run_id(execution->run_id);
  response.set_started(!*there);
  auto& link = *response.mutable_link()->mutable_activity();
  link.set_namespace_((*ns)->name());
  link.set_activity_id(request.activity_id());
  link.set_run_id(execution->run_id);
  return absl::OkStatus();
}

// --- Reads, which may wait.

using PollCall = TypedCall<wf::PollActivityExecutionRequest, wf::PollActivityExecutionResponse>;
using DescribeCall =
    TypedCall<wf::DescribeActivityExecutionRequest, wf::DescribeActivityExecutionResponse>;

// How an activity's state is named in the token of a long poll.
std::string poll_token(const ActivityExecution& execution) {
  return PageToken{execution.run_id, execution.transitions, 0, true, false}.encode();
}

void fill(const ActivityExecution& execution, wf::PollActivityExecutionResponse& response) {
  response.set_run_id(execution.run_id);
  if (execution.outcome != nullptr) *response.mutable_outcome() = *execution.outcome;
  if (execution.nexus_context.ByteSizeLong() > 0)
    *response.mutable_propagated_nexus_serialization_context() = execution.nexus_context;
}

void fill(const ActivityExecution& execution, Engine& engine,
          const wf::DescribeActivityExecutionRequest& request,
          wf::DescribeActivityExecutionResponse& response) {
  const Activity& activity = execution.activity;
  response.set_run_id(execution.run_id);
  auto& info = *response.mutable_info();
  describe(execution, engine.now(), info);
  if (request.include_heartbeat_details() && activity.heartbeat_details != nullptr)
    *info.mutable_heartbeat_details() = *activity.heartbeat_details;
  if (request.include_last_failure() && activity.last_failure != nullptr)
    *info.mutable_last_failure() = *activity.last_failure;
  if (request.include_input() && execution.attributes.has_input())
    *response.mutable_input() = execution.attributes.input();
  if (request.include_outcome() && execution.outcome != nullptr)
    *response.mutable_outcome() = *execution.outcome;
  describe_callbacks(execution, response);
  response.set_long_poll_token(poll_token(execution));
}

absl::Status poll(Engine& engine, PollCall call) {
  if (absl::Status s = check_activity_request(engine, call.request()); !s.ok()) return s;
  absl::StatusOr<const ActivityExecution*> found = find_activity(engine, call.request());
  if (!found.ok()) return found.status();
  answer_when(engine, call.raw(), **found, [call](const ActivityExecution& execution) mutable {
    if (execution.open()) return false;
    fill(execution, call.response());
    return true;
  });
  return absl::OkStatus();
}

absl::Status describe_call(Engine& engine, DescribeCall call) {
  auto& request = call.request();
  if (request.activity_id().empty()) return invalid("activity ID is required");
  if (!request.long_poll_token().empty() && request.run_id().empty())
    return invalid("run id is required when long poll token is provided");
  if (absl::Status s = check_activity_request(engine, request); !s.ok()) return s;
  absl::StatusOr<const ActivityExecution*> found = find_activity(engine, request);
  if (!found.ok()) return found.status();
  if (request.long_poll_token().empty()) {
    fill(**found, engine, request, call.response());
    engine.finish(call.raw(), absl::OkStatus());
    return absl::OkStatus();
  }
  const auto token = PageToken::decode(request.long_poll_token());
  if (!token) return invalid("invalid long poll token");
  if (token->run_id != (*found)->run_id) return invalid("long poll token does not match execution");
  answer_when(engine, call.raw(), **found,
              [&engine, call, seen = token->next_id](const ActivityExecution& execution) mutable {
                if (execution.transitions == seen) return false;
                fill(execution, engine, call.request(), call.response());
                return true;
              });
  return absl::OkStatus();
}

// --- Ends.

absl::Status request_cancel(Engine& engine, wf::RequestCancelActivityExecutionRequest& request,
                            wf::RequestCancelActivityExecutionResponse&) {
  if (absl::Status s = check_activity_request(engine, request); !s.ok()) return s;
  absl::StatusOr<const ActivityExecution*> found = find_activity(engine, request);
  if (!found.ok()) return found.status();
  const ActivityExecution& execution = **found;
  if (execution.cancel_request_id == request.request_id()) return absl::OkStatus();
  if (!execution.open()) {
    return absl::FailedPreconditionError(
        absl::StrCat("activity is in terminal state ", execution.state()));
  }
  if (execution.cancel_requested()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cancellation already requested with request ID ", execution.cancel_request_id));
  }
  ActivityChange change(engine, execution);
  change.request_cancel(request.reason(), request.identity(), request.request_id());
  change.commit();
  return absl::OkStatus();
}

absl::Status terminate(Engine& engine, wf::TerminateActivityExecutionRequest& request,
                       wf::TerminateActivityExecutionResponse&) {
  if (absl::Status s = check_activity_request(engine, request); !s.ok()) return s;
  absl::StatusOr<const ActivityExecution*> found = find_activity(engine, request);
  if (!found.ok()) return found.status();
  const ActivityExecution& execution = **found;
  if (execution.status == enums::ACTIVITY_EXECUTION_STATUS_TERMINATED) {
    if (execution.terminate_request_id == request.request_id()) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("already terminated with request ID ", execution.terminate_request_id));
  }
  if (!execution.open()) {
    return absl::FailedPreconditionError(
        absl::StrCat("invalid transition from ", execution.state()));
  }
  ActivityChange change(engine, execution);
  change.terminate(request.reason(), request.identity(), request.request_id());
  change.commit();
  return absl::OkStatus();
}

absl::Status delete_execution(Engine& engine, wf::DeleteActivityExecutionRequest& request,
                              wf::DeleteActivityExecutionResponse&) {
  if (absl::Status s = check_activity_request(engine, request); !s.ok()) return s;
  absl::StatusOr<const ActivityExecution*> found = find_activity(engine, request);
  if (!found.ok()) return found.status();
  engine.activity_executions->end_and_erase(**found);
  return absl::OkStatus();
}

}  // namespace

void register_activity_executions(MethodTable& table) {
  table.add("StartActivityExecution", start);
  table.add("DescribeActivityExecution", describe_call);
  table.add("PollActivityExecution", poll);
  table.add("RequestCancelActivityExecution", request_cancel);
  table.add("TerminateActivityExecution", terminate);
  table.add("DeleteActivityExecution", delete_execution);
}

}  // namespace chimera::server
