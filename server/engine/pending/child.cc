#include "server/engine/pending/child.h"

#include <algorithm>

#include "server/engine/deployments/inheritance.h"
#include "server/engine/deployments/overrides.h"
#include "server/engine/engine.h"
#include "server/engine/pending/external.h"
#include "server/engine/pending/pending.h"
#include "server/engine/rules/cron.h"
#include "server/engine/rules/limits.h"
#include "server/engine/rules/retry.h"
#include "server/engine/rules/start_attributes.h"
#include "server/engine/run/transition.h"
#include "server/engine/turn/incoming.h"
#include "server/engine/turn/start.h"
#include "server/visibility/attributes.h"

namespace chimera::server {
namespace {

StartSpec child_spec(Engine& engine, const Run& parent, const Child& child, Namespace& ns) {
  const auto& from = child.attributes();
  StartSpec spec;
  spec.ns = &ns;
  spec.workflow_id = from.workflow_id();
  spec.run_id = engine.ids().run_id(engine.now());
  spec.request_id = absl::StrCat(parent.run_id, ":", child.initiated_id, ":0");  // And the version.
  auto& a = spec.attributes;
  copy_start(from, a);
  if (from.has_time_skipping_state_propagation())
    *a.mutable_time_skipping_state_propagation() = from.time_skipping_state_propagation();
  if (parent.has_priority()) {  // What it leaves open is its parent's.
    *a.mutable_priority() = parent.priority();
    a.mutable_priority()->MergeFrom(from.priority());
  }
  a.set_parent_workflow_namespace(parent.ns->name());
  a.set_parent_workflow_namespace_id(parent.ns->id);
  a.mutable_parent_workflow_execution()->set_workflow_id(parent.workflow_id);
  a.mutable_parent_workflow_execution()->set_run_id(parent.run_id);
  a.set_parent_initiated_event_id(child.initiated_id);
  if (parent.start().has_root_workflow_execution()) {
    *a.mutable_root_workflow_execution() = parent.start().root_workflow_execution();
  } else {
    a.mutable_root_workflow_execution()->set_workflow_id(parent.workflow_id);
    a.mutable_root_workflow_execution()->set_run_id(parent.run_id);
  }
  Nanos backoff{};
  if (const auto cron = CronSchedule::parse(from.cron_schedule()); cron) {
    backoff = cron->first_backoff(parent.clock(engine.now()));
    a.set_initiator(enums::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE);
  }
  set(a.mutable_first_workflow_task_backoff(), backoff);
  inherit_as_child(engine, parent, ns, a);
  spec.user_metadata = child.event->user_metadata();
  return spec;
}

void fail_child_start(Engine& engine, const Run& parent, const Child& child,
                      enums::StartChildWorkflowExecutionFailedCause cause) {
  Transition t(engine, parent);
  HistoryEvent event = t.event(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED);
  auto& a = *event.mutable_start_child_workflow_execution_failed_event_attributes();
  const auto& from = child.attributes();
  a.set_namespace_(from.namespace_());
  a.set_namespace_id(from.namespace_id());
  a.set_workflow_id(from.workflow_id());
  *a.mutable_workflow_type() = from.workflow_type();
  a.set_cause(cause);
  a.set_control(from.control());
  a.set_initiated_event_id(child.initiated_id);
  t.external(std::move(event));
  t.commit();
}

// The genuine server schedules the first task of a child after the parent knows of it.
void count_first_task(Engine& engine, const Run& child) {
  if (!child.task.pending()) return;
  Transition t(engine, child);
  t.count();
  t.commit_unseen();
}

void start_child(Engine& engine, const Run& parent, std::int64_t initiated_id) {
  const Child* pending = parent.open<Children>().find(initiated_id);
  // A parent that closes in the task that initiates it starts none, whatever its policy (genuine
  // servers 1.29, 1.32).
  if (pending == nullptr || !parent.running()) return;
  const Child& child = *pending;
  const auto& from = child.attributes();
  Namespace* ns = engine.namespaces().find(from.namespace_());
  if (ns == nullptr) {
    return fail_child_start(engine, parent, child,
                            enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND);
  }
  if (from.has_versioning_override() &&
      !check_override(engine, *ns, from.task_queue().name(), from.versioning_override()).ok()) {
    return fail_child_start(
        engine, parent, child,
        enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_INVALID_VERSIONING_OVERRIDE);
  }
  StartSpec spec = child_spec(engine, parent, child, *ns);
  absl::StatusOr<StartDecision> decision =
      decide_start(engine, *ns, spec.workflow_id, spec.request_id, from.workflow_id_reuse_policy(),
                   enums::WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED);
  if (!decision.ok()) {
    return fail_child_start(
        engine, parent, child,
        enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS);
  }
  if (decision->terminate != nullptr) {
    terminate_run(engine, *decision->terminate, "TerminateIfRunning WorkflowIdReusePolicy", nullptr,
                  "history-service");
  }
  const Run& started = create_run(engine, std::move(spec));
  count_first_task(engine, started);
  if (!parent.running()) return;
  Transition t(engine, parent);
  HistoryEvent event = t.event(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED);
  auto& a = *event.mutable_child_workflow_execution_started_event_attributes();
  a.set_namespace_(from.namespace_());
  a.set_namespace_id(from.namespace_id());
  a.set_initiated_event_id(initiated_id);
  a.mutable_workflow_execution()->set_workflow_id(started.workflow_id);
  a.mutable_workflow_execution()->set_run_id(started.run_id);
  *a.mutable_workflow_type() = from.workflow_type();
  if (from.has_header()) *a.mutable_header() = from.header();
  t.external(std::move(event));
  t.commit();
}

// Copies the end of a child into the event of its parent.
HistoryEvent child_result(const Transition& t, const Run& child, std::int64_t initiated_id,
                          const Child& known) {
  const HistoryEvent& last = child.last_event();
  auto fill = [&](auto& a) {
    a.set_namespace_(child.ns->name());
    a.set_namespace_id(child.ns->id);
    a.mutable_workflow_execution()->set_workflow_id(child.workflow_id);
    a.mutable_workflow_execution()->set_run_id(child.run_id);  // The last of its chain.
    a.mutable_workflow_type()->set_name(known.attributes().workflow_type().name());
    a.set_initiated_event_id(initiated_id);
    a.set_started_event_id(known.started_id);
  };
  HistoryEvent event;
  switch (child.status) {
    case enums::WORKFLOW_EXECUTION_STATUS_COMPLETED: {
      event = t.event(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED);
      auto& a = *event.mutable_child_workflow_execution_completed_event_attributes();
      fill(a);
      const auto& from = last.workflow_execution_completed_event_attributes();
      if (from.has_result()) *a.mutable_result() = from.result();
      break;
    }
    case enums::WORKFLOW_EXECUTION_STATUS_FAILED: {
      event = t.event(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED);
      auto& a = *event.mutable_child_workflow_execution_failed_event_attributes();
      fill(a);
      *a.mutable_failure() = last.workflow_execution_failed_event_attributes().failure();
      a.set_retry_state(last.workflow_execution_failed_event_attributes().retry_state());
      break;
    }
    case enums::WORKFLOW_EXECUTION_STATUS_CANCELED: {
      event = t.event(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED);
      auto& a = *event.mutable_child_workflow_execution_canceled_event_attributes();
      fill(a);
      const auto& from = last.workflow_execution_canceled_event_attributes();
      if (from.has_details()) *a.mutable_details() = from.details();
      break;
    }
    case enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT: {
      event = t.event(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT);
      auto& a = *event.mutable_child_workflow_execution_timed_out_event_attributes();
      fill(a);
      a.set_retry_state(last.workflow_execution_timed_out_event_attributes().retry_state());
      break;
    }
    default:
      event = t.event(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED);
      fill(*event.mutable_child_workflow_execution_terminated_event_attributes());
  }
  return event;
}

void initiate(Transition& t, command::StartChildWorkflowExecutionCommandAttributes& from,
              std::int64_t completed_id,
              history::StartChildWorkflowExecutionInitiatedEventAttributes& a) {
  const Run& run = t.run();
  copy_start(from, a);
  if (a.has_versioning_override())
    *a.mutable_versioning_override() = modern(a.versioning_override());
  set_target_namespace(t, target_namespace_name(run, from.namespace_()), a);
  a.set_workflow_task_completed_event_id(completed_id);
  if (a.task_queue().name().empty()) a.mutable_task_queue()->set_name(run.task_queue);
  a.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  const Nanos execution = to_nanos(a.workflow_execution_timeout());
  const Nanos run_timeout = capped_run_timeout(to_nanos(a.workflow_run_timeout()), execution);
  const Nanos task = capped_task_timeout(to_nanos(a.workflow_task_timeout()), run_timeout);
  if (a.has_workflow_execution_timeout()) set(a.mutable_workflow_execution_timeout(), execution);
  set(a.mutable_workflow_run_timeout(), run_timeout);
  set(a.mutable_workflow_task_timeout(), task);
  if (a.parent_close_policy() == enums::PARENT_CLOSE_POLICY_UNSPECIFIED)
    a.set_parent_close_policy(enums::PARENT_CLOSE_POLICY_TERMINATE);
  if (a.workflow_id_reuse_policy() == enums::WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED)
    a.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE);
  if (a.has_retry_policy()) default_retry_policy(*a.mutable_retry_policy());
  if (run.skipped != nullptr) run.skipped->hand_to_child(a);
  if (a.has_search_attributes()) {
    *a.mutable_search_attributes() =
        with_types(run.ns->search_attributes, std::move(*a.mutable_search_attributes()));
  }
}

constexpr char kCommand[] = "StartChildWorkflowExecutionCommand";

Verdict check_sizes(Cause cause, const command::StartChildWorkflowExecutionCommandAttributes& a,
                    const std::string& ns) {
  const std::string& id = a.workflow_id();
  const std::string& type = a.workflow_type().name();
  return either(
      too_long(cause, kCommand,
               {{"WorkflowId", id, "", "", absl::StrCat(" WorkflowType=", type, " Namespace=", ns)},
                {"WorkflowType", type, absl::StrCat("WorkflowId=", id, " "), "",
                 absl::StrCat(" Namespace=", ns)}}),
      too_big(cause, a.input().ByteSizeLong(),
              "StartChildWorkflowExecutionCommandAttributes. Input"));
}

// What a start of any kind may not have; empty: nothing.
std::string start_problem(const command::StartChildWorkflowExecutionCommandAttributes& a,
                          WallTime now) {
  for (const auto& [name, duration] :
       {std::pair("WorkflowExecutionTimeout", &a.workflow_execution_timeout()),
        std::pair("WorkflowRunTimeout", &a.workflow_run_timeout()),
        std::pair("WorkflowTaskTimeout", &a.workflow_task_timeout())}) {
    if (const std::string problem = duration_problem(*duration); !problem.empty())
      return absl::StrCat("Invalid ", name, " on ", kCommand, ": ", problem);
  }
  if (const std::string problem = check_retry_policy(a.retry_policy()); !problem.empty())
    return absl::StrCat("invalid WorkflowRetryPolicy on ", kCommand, ": ", problem);
  // Continue-as-new is not asked: as by the genuine server, a bad schedule only has no next run.
  if (const std::string problem = CronSchedule::problem(a.cron_schedule(), now); !problem.empty())
    return absl::StrCat("invalid CronSchedule on ", kCommand, ": ", problem);
  return "";
}

}  // namespace

bool Children::takes(enums::CommandType type) {
  return type == enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION;
}

Verdict Children::check(CommandCheck& check, const command::Command& command) {
  constexpr auto kCause = Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES;
  const auto& a = command.start_child_workflow_execution_command_attributes();
  const Namespace& ns = *check.run.ns;
  const std::string target = target_namespace_name(check.run, a.namespace_());
  if (Verdict verdict = check_sizes(kCause, a, target); verdict) return verdict;
  const std::string required = "Required field ";
  const std::string in = absl::StrCat(" Namespace=", target);
  if (a.workflow_id().empty()) {
    return bad(kCause, absl::StrCat(required, "WorkflowId is not set on ", kCommand,
                                    ". WorkflowType=", a.workflow_type().name(), in));
  }
  if (a.workflow_type().name().empty()) {
    return bad(kCause, absl::StrCat(required, "WorkflowType is not set on ", kCommand,
                                    ". WorkflowId=", a.workflow_id(), in));
  }
  const std::string which = absl::StrCat(". WorkflowId=", a.workflow_id(),
                                         " WorkflowType=", a.workflow_type().name(), in);
  if (const std::string problem = start_problem(a, check.engine.now()); !problem.empty())
    return bad(kCause, absl::StrCat(problem, which));
  if (absl::Status s =
          check_search_attributes(ns.search_attributes, ns.name(), a.search_attributes());
      !s.ok()) {
    return bad(Cause::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES, std::string(s.message()));
  }
  if (std::string problem = priority_problem(a.priority()); !problem.empty())
    return bad(kCause, std::move(problem));
  if (a.task_queue().name().size() > kIdMax) {
    return bad(kCause, absl::StrCat("invalid TaskQueue on ", kCommand,
                                    ": taskQueue length exceeds limit", which, " TaskQueue=name:\"",
                                    a.task_queue().name(), "\" kind:TASK_QUEUE_KIND_NORMAL"));
  }
  if (a.inherit_build_id() && !a.task_queue().name().empty() &&
      a.task_queue().name() != check.run.task_queue) {
    return bad(kCause,
               "StartChildWorkflowExecution with UseCompatibleVersion cannot run on different task "
               "queue.");
  }
  auto& started = check.batch<Children>().started;
  const std::size_t pending = check.run.open<Children>().open_.size() + started.size();
  started.insert(a.workflow_id());
  return at_limit(Cause::WORKFLOW_TASK_FAILED_CAUSE_PENDING_CHILD_WORKFLOWS_LIMIT_EXCEEDED,
                  "child workflow executions", pending, check.engine.config().children_max);
}

void Children::apply(CommandTurn& turn, command::Command& command) {
  HistoryEvent event =
      turn.event(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, command);
  initiate(turn.t, *command.mutable_start_child_workflow_execution_command_attributes(),
           turn.completed_id,
           *event.mutable_start_child_workflow_execution_initiated_event_attributes());
  post(turn.t.engine(), turn.t.run(), turn.t.write(std::move(event)).event_id(), start_child);
}

// What the events of a child that runs or has ended have in common.
#define CHIMERA_CHILD_ENDS(DO)                                               \
  DO(CHILD_WORKFLOW_EXECUTION_COMPLETED, child_workflow_execution_completed) \
  DO(CHILD_WORKFLOW_EXECUTION_FAILED, child_workflow_execution_failed)       \
  DO(CHILD_WORKFLOW_EXECUTION_CANCELED, child_workflow_execution_canceled)   \
  DO(CHILD_WORKFLOW_EXECUTION_TIMED_OUT, child_workflow_execution_timed_out) \
  DO(CHILD_WORKFLOW_EXECUTION_TERMINATED, child_workflow_execution_terminated)

bool Children::fold(const HistoryEvent& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: {
      Child& child = open_[event.event_id()];
      child.event = &event;
      child.initiated_id = event.event_id();
      return true;
    }
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: {
      const auto& a = event.child_workflow_execution_started_event_attributes();
      auto it = open_.find(a.initiated_event_id());
      if (it == open_.end()) return true;
      it->second.run_id = a.workflow_execution().run_id();
      it->second.started_id = event.event_id();
      return true;
    }
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
      open_.erase(
          event.start_child_workflow_execution_failed_event_attributes().initiated_event_id());
      return true;
#define CHIMERA_END(TYPE, field)                                        \
  case enums::EVENT_TYPE_##TYPE:                                        \
    open_.erase(event.field##_event_attributes().initiated_event_id()); \
    return true;
      CHIMERA_CHILD_ENDS(CHIMERA_END)
#undef CHIMERA_END
    default:
      return false;
  }
}

bool Children::is_result(enums::EventType type) {
  switch (type) {
#define CHIMERA_RESULT(TYPE, field) case enums::EVENT_TYPE_##TYPE:
    CHIMERA_CHILD_ENDS(CHIMERA_RESULT)
#undef CHIMERA_RESULT
    return true;
    default:
      return false;
  }
}

void Children::link(HistoryEvent& event, const FlushedStarts& starts) {
  auto link = [&starts](auto& a) {
    auto it = starts.find(a.initiated_event_id());
    if (a.started_event_id() == 0 && it != starts.end()) a.set_started_event_id(it->second);
  };
  switch (event.event_type()) {
#define CHIMERA_LINK(TYPE, field) \
  case enums::EVENT_TYPE_##TYPE:  \
    return link(*event.mutable_##field##_event_attributes());
    CHIMERA_CHILD_ENDS(CHIMERA_LINK)
#undef CHIMERA_LINK
    default:
      return;
  }
}

void Children::flushed(const HistoryEvent& event, FlushedStarts& starts) {
  if (event.event_type() != enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED) return;
  const std::int64_t initiated =
      event.child_workflow_execution_started_event_attributes().initiated_event_id();
  starts[initiated] = event.event_id();
  auto child = open_.find(initiated);
  if (child != open_.end()) child->second.started_id = event.event_id();
}

void Children::describe(WallTime, wf::DescribeWorkflowExecutionResponse& response) const {
  for (const auto& [id, child] : open_) {
    auto& info = *response.add_pending_children();
    info.set_workflow_id(child.attributes().workflow_id());
    info.set_run_id(child.run_id);
    info.set_workflow_type_name(child.attributes().workflow_type().name());
    info.set_initiated_id(id);
    info.set_parent_close_policy(child.attributes().parent_close_policy());
  }
}

// How a child went on that the run knows. Attributes point at the new run's events.
bool Children::carry_over(Transition& t, const HistoryEvent& event) {
  HistoryEvent again = t.event(event.event_type());
  auto copy = [&](const auto& from, auto& to) {
    if (const Child* child = t.run().open<Children>().find(from.initiated_event_id())) {
      to = from;
      if constexpr (requires { to.set_started_event_id(0); })
        to.set_started_event_id(child->started_id);
      t.write(std::move(again));
    }
    return true;
  };
  switch (event.event_type()) {
#define CHIMERA_COPY(TYPE, field) \
  case enums::EVENT_TYPE_##TYPE:  \
    return copy(event.field##_event_attributes(), *again.mutable_##field##_event_attributes());
    CHIMERA_COPY(START_CHILD_WORKFLOW_EXECUTION_FAILED, start_child_workflow_execution_failed)
    CHIMERA_COPY(CHILD_WORKFLOW_EXECUTION_STARTED, child_workflow_execution_started)
    CHIMERA_CHILD_ENDS(CHIMERA_COPY)
#undef CHIMERA_COPY
    default:
      return false;
  }
}
#undef CHIMERA_CHILD_ENDS

const Child* Children::find(std::int64_t initiated_id) const {
  auto it = open_.find(initiated_id);
  return it == open_.end() ? nullptr : &it->second;
}

void Children::tell_parent(Engine& engine, const Run& run) {
  const auto& start = run.start();
  if (!start.has_parent_workflow_execution()) return;
  engine.follow_up([&engine, weak = RunWeak(share(run)),
                    parent_id = start.parent_workflow_execution().run_id(),
                    initiated_id = start.parent_initiated_event_id()] {
    const RunPtr child = weak.lock();
    const Run* parent = engine.runs().by_id(parent_id);
    while (parent != nullptr && !parent->running() && !parent->reset_run_id.empty()) {
      parent = engine.runs().by_id(
          parent->reset_run_id);  // Children of a run that was reset report to the new one.
    }
    if (child == nullptr || parent == nullptr || !parent->running()) return;
    const Child* known = parent->open<Children>().find(initiated_id);
    if (known == nullptr) return;
    const Child copy = *known;
    Transition t(engine, *parent);
    t.external(child_result(t, *child, initiated_id, copy));
    t.commit();
  });
}

void Children::parent_closed(Engine& engine, const Run& run) {
  for (const auto& [id, child] : run.open<Children>().open_) {
    const auto policy = child.attributes().parent_close_policy();
    if (policy == enums::PARENT_CLOSE_POLICY_ABANDON || child.run_id.empty()) continue;
    engine.follow_up([&engine, policy, first_run_id = child.run_id,
                      workflow_id = child.attributes().workflow_id(),
                      ns_name = child.attributes().namespace_(), parent_workflow = run.workflow_id,
                      parent_run = run.run_id] {
      const Namespace* ns = engine.namespaces().find(ns_name);
      const Run* target = ns == nullptr ? nullptr : engine.runs().current(*ns, workflow_id);
      if (target == nullptr || !target->running() || target->first_run_id != first_run_id) return;
      if (policy == enums::PARENT_CLOSE_POLICY_REQUEST_CANCEL) {
        if (target->cancel_requested) return;
        history::WorkflowExecutionCancelRequestedEventAttributes a;
        a.set_identity("history-service");
        a.mutable_external_workflow_execution()->set_workflow_id(parent_workflow);
        a.mutable_external_workflow_execution()->set_run_id(parent_run);
        cancel_run(engine, *target, std::move(a));
      } else {
        terminate_run(engine, *target, "by parent close policy", nullptr, "history-service");
      }
    });
  }
}

}  // namespace chimera::server
