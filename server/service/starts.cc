#include "server/service/starts.h"

#include <algorithm>

#include "absl/strings/string_view.h"
#include "google/protobuf/util/message_differencer.h"

#include "server/base/errors.h"
#include "server/engine/deployments/overrides.h"
#include "server/engine/engine.h"
#include "server/engine/nexus/callbacks.h"
#include "server/engine/rules/cron.h"
#include "server/engine/rules/failures.h"
#include "server/engine/rules/limits.h"
#include "server/engine/rules/nexus_links.h"
#include "server/engine/rules/retry.h"
#include "server/engine/rules/start_attributes.h"
#include "server/engine/run/transition.h"
#include "server/engine/turn/workflow_task.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/service/workflow_options.h"
#include "server/visibility/attributes.h"

namespace chimera::server {
namespace {

absl::Status check_id(absl::string_view what, const std::string& id) {
  if (id.empty()) return invalid(absl::StrCat(what, " is not set on request."));
  if (id.size() > kIdMax) {
    return invalid(
        absl::StrCat(what, " exceeds maximum allowed length (", id.size(), "/", kIdMax, ")"));
  }
  return absl::OkStatus();
}

absl::Status check_timeout(absl::string_view what, const google::protobuf::Duration& duration) {
  const std::string problem = duration_problem(duration);
  if (problem.empty()) return absl::OkStatus();
  return invalid(absl::StrCat("An invalid ", what, " is set on request. cause: ", problem));
}

absl::Status check_policies(const wf::StartWorkflowExecutionRequest& request) {
  if (request.workflow_id_reuse_policy() == enums::WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING &&
      request.workflow_id_conflict_policy() != enums::WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED) {
    return invalid(
        "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be "
        "used "
        "together with a WorkflowIDConflictPolicy");
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

// Links that a callback has are its own; all of them count.
absl::Status check_links(wf::StartWorkflowExecutionRequest& request) {
  Links of_callbacks;
  for (const auto& callback : request.completion_callbacks())
    of_callbacks.MergeFrom(callback.links());
  Links own;
  for (auto& link : *request.mutable_links()) {
    const bool known = std::any_of(of_callbacks.begin(), of_callbacks.end(), [&](const auto& each) {
      return google::protobuf::util::MessageDifferencer::Equals(each, link);
    });
    if (!known) *own.Add() = std::move(link);
  }
  request.mutable_links()->Swap(&own);
  of_callbacks.MergeFrom(request.links());
  const std::string problem = links_problem(of_callbacks);
  return problem.empty() ? absl::OkStatus() : invalid(problem);
}

// A start that is answered with a run attaches itself to it, as far as it wishes.
absl::Status attach(Engine& engine, const Run& run,
                    const wf::StartWorkflowExecutionRequest& request) {
  const auto& options = request.on_conflict_options();
  Attached attached;
  if (options.attach_request_id()) attached.request_id = request.request_id();
  if (options.attach_links()) attached.links = request.links();
  if (options.attach_completion_callbacks()) attached.callbacks = request.completion_callbacks();
  const std::size_t known = run.open<Callbacks>().all().size();
  const std::int64_t most = engine.config().callbacks_max;
  if (known + static_cast<std::size_t>(attached.callbacks.size()) >
      static_cast<std::size_t>(most)) {
    return absl::FailedPreconditionError(absl::StrCat("cannot attach more than ", most,
                                                      " callbacks to a workflow (", known,
                                                      " callbacks already attached)"));
  }
  attach_request(engine, run, std::move(attached));
  return absl::OkStatus();
}

void cap_timeouts(wf::StartWorkflowExecutionRequest& request) {
  if (request.has_workflow_execution_timeout())
    cap_duration(request.mutable_workflow_execution_timeout());
  if (request.has_workflow_run_timeout()) cap_duration(request.mutable_workflow_run_timeout());
  if (request.has_workflow_start_delay()) cap_duration(request.mutable_workflow_start_delay());
  cap_durations(request.has_retry_policy() ? request.mutable_retry_policy() : nullptr);
  const Nanos run = capped_run_timeout(to_nanos(request.workflow_run_timeout()),
                                       to_nanos(request.workflow_execution_timeout()));
  const Nanos task = capped_task_timeout(to_nanos(request.workflow_task_timeout()), run);
  // What the caller left out stays out: workers tell "none" from zero.
  if (run != to_nanos(request.workflow_run_timeout()))
    set(request.mutable_workflow_run_timeout(), run);
  set(request.mutable_workflow_task_timeout(), task);
}

absl::Status check_own_clock(const DynamicConfig& config,
                             wf::StartWorkflowExecutionRequest& request) {
  return request.has_time_skipping_config()
             ? check_time_skipping(config, *request.mutable_time_skipping_config())
             : absl::OkStatus();
}

}  // namespace

absl::Status validate_start(Engine& engine, wf::StartWorkflowExecutionRequest& request) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if ((*ns)->info.state() != enums::NAMESPACE_STATE_REGISTERED) {
    return namespace_in_state((*ns)->name(), (*ns)->info.state(),
                              {enums::NAMESPACE_STATE_REGISTERED});
  }
  if (absl::Status s = check_id("WorkflowId", request.workflow_id()); !s.ok()) return s;
  const std::string& type = request.workflow_type().name();
  if (type.empty()) return invalid("WorkflowType is not set on request.");
  if (absl::Status s = check_length("WorkflowType", type); !s.ok()) return s;
  if (request.task_queue().name().empty())
    return invalid(request.has_task_queue() ? "missing task queue name" : "taskQueue is not set");
  if (request.task_queue().name().starts_with("/_sys/")) {
    return invalid("task queue name cannot start with reserved prefix /_sys/");
  }
  if (request.task_queue().name().size() > kIdMax) return invalid("taskQueue length exceeds limit");
  if (absl::Status s = check_length("RequestId", request.request_id()); !s.ok()) return s;
  for (const auto& [name, duration] :
       {std::pair{"WorkflowExecutionTimeoutSeconds", &request.workflow_execution_timeout()},
        std::pair{"WorkflowRunTimeoutSeconds", &request.workflow_run_timeout()},
        std::pair{"WorkflowTaskTimeoutSeconds", &request.workflow_task_timeout()},
        std::pair{"WorkflowStartDelaySeconds", &request.workflow_start_delay()}}) {
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
  if (request.on_conflict_options().attach_completion_callbacks() &&
      !request.on_conflict_options().attach_request_id()) {
    return invalid("attaching request ID is required for attaching completion callbacks");
  }
  if (absl::Status s = check_search_attributes((*ns)->search_attributes, (*ns)->name(),
                                               request.search_attributes());
      !s.ok())
    return s;
  if (const std::string problem = priority_problem(request.priority()); !problem.empty())
    return invalid(problem);
  if (absl::Status s = check_callbacks(engine.config(), *request.mutable_completion_callbacks());
      !s.ok())
    return s;
  if (absl::Status s = check_links(request); !s.ok()) return s;
  if (request.has_versioning_override()) {
    if (absl::Status s = check_override(engine, **ns, request.task_queue().name(),
                                        request.versioning_override());
        !s.ok())
      return s;
  }
  if (absl::Status s = check_blob(request.input()); !s.ok()) return s;
  if (request.memo().ByteSizeLong() > kBlobBytesMax) return invalid("Memo size exceeds limit.");
  if (absl::Status s = check_own_clock(engine.config(), request); !s.ok()) return s;
  if (request.has_continued_failure()) cut_causes(*request.mutable_continued_failure());
  if (request.request_id().empty()) request.set_request_id(engine.ids().uuid());
  cap_timeouts(request);
  return absl::OkStatus();
}

StartSpec spec_of(Engine& engine, Namespace& ns, wf::StartWorkflowExecutionRequest& request) {
  StartSpec spec;
  spec.ns = &ns;
  spec.workflow_id = request.workflow_id();
  spec.run_id = engine.ids().run_id(engine.now());
  spec.request_id = request.request_id();
  auto& a = spec.attributes;
  copy_start(request, a);
  if (a.has_versioning_override()) {
    *a.mutable_versioning_override() = modern(a.versioning_override());
    note_override(engine, ns, a.versioning_override());
  }
  if (a.has_search_attributes()) {
    *a.mutable_search_attributes() =
        with_types(ns.search_attributes, std::move(*a.mutable_search_attributes()));
  }
  Nanos backoff = to_nanos(request.workflow_start_delay());
  if (const auto cron = CronSchedule::parse(request.cron_schedule()); cron) {
    backoff = cron->first_backoff(engine.now());
    a.set_initiator(enums::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE);
  }
  set(a.mutable_first_workflow_task_backoff(), backoff);
  spec.user_metadata = std::move(*request.mutable_user_metadata());
  spec.links.Swap(request.mutable_links());
  return spec;
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
    const Run& run = *decision->use;
    answer(run, decision->deduplicated);
    if (!request.has_on_conflict_options() || decision->deduplicated) return absl::OkStatus();
    if (request.on_conflict_options().attach_request_id()) {
      auto& link = *response.mutable_link()->mutable_workflow_event()->mutable_request_id_ref();
      link.set_request_id(request.request_id());
      link.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);
    }
    return run.attached_requests.contains(request.request_id()) ? absl::OkStatus()
                                                                : attach(engine, run, request);
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
    t.join_batch();
    start_task(t, {identity, engine.ids().uuid(), /*build_id=*/"", /*on_sticky=*/false},
               *response.mutable_eager_workflow_task());
    t.commit();
  }
  return absl::OkStatus();
}

void register_starts(MethodTable& table) { table.add("StartWorkflowExecution", start_workflow); }

}  // namespace chimera::server
