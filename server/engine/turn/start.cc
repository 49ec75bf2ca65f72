#include "server/engine/turn/start.h"

#include "absl/strings/string_view.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/rules/cron.h"
#include "server/engine/rules/limits.h"
#include "server/engine/rules/retry.h"
#include "server/engine/run/transition.h"
#include "server/engine/turn/chain.h"
#include "server/engine/turn/workflow_task.h"
#include "server/visibility/attributes.h"

namespace chimera::server {
namespace {

constexpr Nanos kDefaultTaskTimeout = seconds{10};
constexpr Nanos kMaxTaskTimeout = seconds{120};

absl::Status check_id(absl::string_view what, const std::string& id) {
  if (id.empty()) return invalid(absl::StrCat(what, " is not set on request."));
  if (id.size() > kIdMax) {
    return invalid(
        absl::StrCat(what, " exceeds maximum allowed length (", id.size(), "/", kIdMax, ")"));
  }
  return absl::OkStatus();
}

absl::Status check_timeout(absl::string_view what, const google::protobuf::Duration& duration) {
  if (duration.seconds() >= 0 && duration.nanos() >= 0) return absl::OkStatus();
  return invalid(absl::StrCat("An invalid ", what, " is set on request. cause: negative duration"));
}

absl::Status check_policies(const wf::StartWorkflowExecutionRequest& request) {
  if (request.workflow_id_reuse_policy() == enums::WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING &&
      request.workflow_id_conflict_policy() != enums::WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED) {
    return invalid(
        "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be "
        "used "
        "together with a WorkflowIDConflictPolicy.");
  }
  if (request.workflow_id_reuse_policy() == enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE &&
      request.workflow_id_conflict_policy() ==
          enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING) {
    return invalid(
        "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be used "
        "together "
        "with WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING");
  }
  return absl::OkStatus();
}

// What only callers of Nexus operations set.
absl::Status check_nexus(const wf::StartWorkflowExecutionRequest& request) {
  constexpr char kText[] =
      " of a start are not available in this embedded server. Use a genuine Temporal server for "
      "Nexus operations.";
  if (request.completion_callbacks_size() > 0)
    return absl::UnimplementedError(absl::StrCat("completion_callbacks", kText));
  const auto& options = request.on_conflict_options();
  if (options.attach_request_id() || options.attach_completion_callbacks() ||
      options.attach_links()) {
    return absl::UnimplementedError(absl::StrCat("on_conflict_options", kText));
  }
  return absl::OkStatus();
}

void cap_timeouts(wf::StartWorkflowExecutionRequest& request) {
  Nanos task = to_nanos(request.workflow_task_timeout());
  if (task == Nanos{0}) task = kDefaultTaskTimeout;
  task = std::min(task, kMaxTaskTimeout);
  const Nanos execution = to_nanos(request.workflow_execution_timeout());
  Nanos run = to_nanos(request.workflow_run_timeout());
  if (execution > Nanos{0} && (run == Nanos{0} || run > execution)) run = execution;
  if (run > Nanos{0}) task = std::min(task, run);
  // What the caller left out stays out: workers tell "none" from zero.
  if (run != to_nanos(request.workflow_run_timeout()))
    set(request.mutable_workflow_run_timeout(), run);
  set(request.mutable_workflow_task_timeout(), task);
}

std::string run_text(const Run& run) {
  return absl::StrCat("WorkflowId: ", run.workflow_id, ", RunId: ", run.run_id, ".");
}

bool ended_badly(enums::WorkflowExecutionStatus status) {
  return status == enums::WORKFLOW_EXECUTION_STATUS_FAILED ||
         status == enums::WORKFLOW_EXECUTION_STATUS_CANCELED ||
         status == enums::WORKFLOW_EXECUTION_STATUS_TERMINATED ||
         status == enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT;
}

absl::Status refuse(const Run& run, const std::string& text) {
  return already_started(text, run.start_request_id, run.run_id, run.first_run_id);
}

}  // namespace

absl::Status validate_start(Engine& engine, wf::StartWorkflowExecutionRequest& request) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if ((*ns)->info.state() != enums::NAMESPACE_STATE_REGISTERED) {
    return namespace_in_state((*ns)->name(), (*ns)->info.state(),
                              {enums::NAMESPACE_STATE_REGISTERED});
  }
  if (absl::Status s = check_nexus(request); !s.ok()) return s;
  if (absl::Status s = check_id("WorkflowId", request.workflow_id()); !s.ok()) return s;
  const std::string& type = request.workflow_type().name();
  if (type.empty()) return invalid("WorkflowType is not set on request.");
  if (absl::Status s = check_length("WorkflowType", type); !s.ok()) return s;
  if (request.task_queue().name().empty()) return invalid("taskQueue is not set");
  if (request.task_queue().name().starts_with("/_sys/")) {
    return invalid("task queue name cannot start with reserved prefix /_sys/");
  }
  if (request.task_queue().name().size() > kIdMax) return invalid("taskQueue length exceeds limit");
  if (absl::Status s = check_length("RequestId", request.request_id()); !s.ok()) return s;
  for (const auto& [name, duration] :
       {std::pair{"WorkflowExecutionTimeoutSeconds", &request.workflow_execution_timeout()},
        std::pair{"WorkflowRunTimeoutSeconds", &request.workflow_run_timeout()},
        std::pair{"WorkflowTaskTimeoutSeconds", &request.workflow_task_timeout()},
        std::pair{"WorkflowStartDelay", &request.workflow_start_delay()}}) {
    if (absl::Status s = check_timeout(name, *duration); !s.ok()) return s;
  }
  if (request.has_retry_policy()) {
    const std::string problem = check_retry_policy(request.retry_policy());
    if (!problem.empty()) return invalid(problem);
    default_retry_policy(*request.mutable_retry_policy());
  }
  if (!request.cron_schedule().empty()) {
    if (request.has_workflow_start_delay()) {
      return invalid("CronSchedule and WorkflowStartDelay may not be used together.");
    }
    if (std::string problem = CronSchedule::problem(request.cron_schedule(), engine.now());
        !problem.empty())
      return invalid(problem);
  }
  if (absl::Status s = check_policies(request); !s.ok()) return s;
  if (absl::Status s = check_search_attributes((*ns)->search_attributes, (*ns)->name(),
                                               request.search_attributes());
      !s.ok())
    return s;
  if (absl::Status s = check_blob(request.input()); !s.ok()) return s;
  if (request.memo().ByteSizeLong() > kBlobBytesMax) return invalid("Memo size exceeds limit.");
  if (request.request_id().empty()) request.set_request_id(engine.ids().uuid());
  cap_timeouts(request);
  return absl::OkStatus();
}

absl::StatusOr<StartDecision> decide_start(Engine& engine, const Namespace& ns,
                                           const std::string& workflow_id,
                                           const std::string& request_id,
                                           enums::WorkflowIdReusePolicy reuse,
                                           enums::WorkflowIdConflictPolicy conflict) {
  const Run* current = engine.runs().current(ns, workflow_id);
  if (current == nullptr) return StartDecision{};
  if (current->start_request_id == request_id) return StartDecision{current, /*deduplicated=*/true};
  if (reuse == enums::WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING) {
    reuse = enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE;
    conflict = enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING;
  }
  if (current->running()) {
    if (conflict == enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING) return StartDecision{current};
    if (conflict == enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING)
      return StartDecision{.terminate = current};
    return refuse(*current,
                  absl::StrCat("Workflow execution is already running. ", run_text(*current)));
  }
  if (reuse == enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE) {
    return refuse(*current,
                  absl::StrCat("Workflow execution already finished. ", run_text(*current),
                               " Workflow Id reuse policy: reject duplicate workflow Id."));
  }
  if (reuse == enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY &&
      !ended_badly(current->status)) {
    return refuse(
        *current,
        absl::StrCat("Workflow execution already finished successfully. ", run_text(*current),
                     " Workflow Id reuse policy: allow duplicate workflow Id if last run failed."));
  }
  return StartDecision{};
}

StartSpec spec_of(Engine& engine, Namespace& ns, wf::StartWorkflowExecutionRequest& request) {
  StartSpec spec;
  spec.ns = &ns;
  spec.workflow_id = request.workflow_id();
  spec.run_id = engine.ids().run_id(engine.now());
  spec.request_id = request.request_id();
  auto& a = spec.attributes;
  *a.mutable_workflow_type() = std::move(*request.mutable_workflow_type());
  a.mutable_task_queue()->set_name(request.task_queue().name());
  if (request.has_input()) *a.mutable_input() = std::move(*request.mutable_input());
  if (request.has_workflow_execution_timeout())
    *a.mutable_workflow_execution_timeout() = request.workflow_execution_timeout();
  if (request.has_workflow_run_timeout())
    *a.mutable_workflow_run_timeout() = request.workflow_run_timeout();
  *a.mutable_workflow_task_timeout() = request.workflow_task_timeout();
  a.set_identity(request.identity());
  if (request.has_retry_policy()) *a.mutable_retry_policy() = request.retry_policy();
  a.set_cron_schedule(request.cron_schedule());
  if (request.has_memo()) *a.mutable_memo() = std::move(*request.mutable_memo());
  if (request.has_search_attributes()) {
    *a.mutable_search_attributes() =
        with_types(ns.search_attributes, std::move(*request.mutable_search_attributes()));
  }
  if (request.has_header()) *a.mutable_header() = std::move(*request.mutable_header());
  if (request.has_continued_failure())
    *a.mutable_continued_failure() = std::move(*request.mutable_continued_failure());
  if (request.has_last_completion_result()) {
    *a.mutable_last_completion_result() = std::move(*request.mutable_last_completion_result());
  }
  if (request.has_priority()) *a.mutable_priority() = request.priority();
  if (request.has_versioning_override())
    *a.mutable_versioning_override() = request.versioning_override();
  Nanos backoff = to_nanos(request.workflow_start_delay());
  if (const auto cron = CronSchedule::parse(request.cron_schedule()); cron) {
    backoff = cron->first_backoff(engine.now());
  }
  set(a.mutable_first_workflow_task_backoff(), backoff);
  spec.user_metadata = std::move(*request.mutable_user_metadata());
  spec.links.Swap(request.mutable_links());
  return spec;
}

const Run& create_run(Engine& engine, StartSpec spec) {
  Run& run = engine.runs().add(*spec.ns, spec.workflow_id, spec.run_id);
  run.start_request_id = spec.request_id;
  Transition t(engine, run);
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
  auto& a = *event.mutable_workflow_execution_started_event_attributes();
  a = std::move(spec.attributes);
  a.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  a.set_workflow_id(spec.workflow_id);
  a.set_original_execution_run_id(spec.run_id);
  if (a.first_execution_run_id().empty()) a.set_first_execution_run_id(spec.run_id);
  if (a.attempt() == 0) a.set_attempt(1);
  const Nanos backoff = to_nanos(a.first_workflow_task_backoff());
  const Nanos execution_timeout = to_nanos(a.workflow_execution_timeout());
  WallTime expires = spec.execution_expires;
  if (expires == kUnset)
    expires = deadline_after(add_saturated(engine.now(), backoff), execution_timeout);
  if (expires != kNever) set(a.mutable_workflow_execution_expiration_time(), expires);
  if (spec.user_metadata.has_summary() || spec.user_metadata.has_details()) {
    *event.mutable_user_metadata() = std::move(spec.user_metadata);
  }
  event.mutable_links()->Swap(&spec.links);
  t.write(std::move(event));
  if (spec.signal) {
    HistoryEvent signaled = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);
    *signaled.mutable_workflow_execution_signaled_event_attributes() = std::move(*spec.signal);
    t.write(std::move(signaled));
  }
  if (run.backoff_until == kUnset) t.want_task();
  t.commit();
  return run;
}

void write_terminated(Transition& t, const std::string& reason, const common::Payloads* details,
                      const std::string& identity) {
  end_task_by_force(t);
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
  auto& a = *event.mutable_workflow_execution_terminated_event_attributes();
  a.set_reason(reason);
  if (details != nullptr && details->payloads_size() > 0) *a.mutable_details() = *details;
  a.set_identity(identity);
  t.write(std::move(event));
}

void terminate_run(Engine& engine, const Run& run, const std::string& reason,
                   const common::Payloads* details, const std::string& identity) {
  Transition t(engine, run);
  write_terminated(t, reason, details, identity);
  t.commit();
}

absl::Status start_workflow(Engine& engine, wf::StartWorkflowExecutionRequest& request,
                            wf::StartWorkflowExecutionResponse& response) {
  if (absl::Status s = validate_start(engine, request); !s.ok()) return s;
  Namespace& ns = *engine.namespaces().find(request.namespace_());
  absl::StatusOr<StartDecision> decision =
      decide_start(engine, ns, request.workflow_id(), request.request_id(),
                   request.workflow_id_reuse_policy(), request.workflow_id_conflict_policy());
  if (!decision.ok()) return decision.status();
  auto answer = [&](const Run& run, bool started) {
    response.set_run_id(run.run_id);
    response.set_first_execution_run_id(run.first_run_id);
    response.set_started(started);
    response.set_status(run.status);
    auto& link = *response.mutable_link()->mutable_workflow_event();
    link.set_namespace_(ns.name());
    link.set_workflow_id(run.workflow_id);
    link.set_run_id(run.run_id);
    link.mutable_event_ref()->set_event_id(1);
    link.mutable_event_ref()->set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
  };
  if (decision->use != nullptr) {
    answer(*decision->use, decision->deduplicated);
    return absl::OkStatus();
  }
  const bool eager = request.request_eager_execution();
  const std::string identity = request.identity();
  StartSpec spec = spec_of(engine, ns, request);
  if (decision->terminate != nullptr) {
    common::Payloads details;
    auto& payload = *details.add_payloads();
    (*payload.mutable_metadata())["encoding"] = "json/plain";
    payload.set_data(absl::StrCat("\"terminated by new runID: ", spec.run_id, "\""));
    terminate_run(engine, *decision->terminate, "TerminateIfRunning WorkflowIdReusePolicy",
                  &details, "history-service");
  }
  const bool now = to_nanos(spec.attributes.first_workflow_task_backoff()) == Nanos{0};
  spec.attributes.set_eager_execution_accepted(eager && now);
  const Run& run = create_run(engine, std::move(spec));
  answer(run, true);
  if (eager && now) {
    Transition t(engine, run);
    start_task(t, identity, engine.ids().uuid(), /*on_sticky=*/false,
               *response.mutable_eager_workflow_task());
    t.commit();
  }
  return absl::OkStatus();
}

}  // namespace chimera::server
