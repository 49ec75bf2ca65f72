#include "server/engine/turn/cross.h"

#include "server/base/errors.h"
#include "server/engine/rules/cron.h"
#include "server/engine/rules/retry.h"
#include "server/engine/turn/start.h"
#include "server/visibility/attributes.h"

namespace chimera::server {
namespace {

constexpr auto kSignalTargetGone =
    enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
constexpr auto kCancelTargetGone =
    enums::CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;

StartSpec child_spec(Engine& engine, const Run& parent, const Child& child, Namespace& ns) {
  const auto& from = child.attributes();
  StartSpec spec;
  spec.ns = &ns;
  spec.workflow_id = from.workflow_id();
  spec.run_id = engine.ids().run_id(engine.now());
  spec.request_id = absl::StrCat(parent.run_id, ":", child.initiated_id);
  auto& a = spec.attributes;
  *a.mutable_workflow_type() = from.workflow_type();
  a.mutable_task_queue()->set_name(from.task_queue().name());
  if (from.has_input()) *a.mutable_input() = from.input();
  *a.mutable_workflow_execution_timeout() = from.workflow_execution_timeout();
  *a.mutable_workflow_run_timeout() = from.workflow_run_timeout();
  *a.mutable_workflow_task_timeout() = from.workflow_task_timeout();
  if (from.has_retry_policy()) *a.mutable_retry_policy() = from.retry_policy();
  a.set_cron_schedule(from.cron_schedule());
  if (from.has_memo()) *a.mutable_memo() = from.memo();
  if (from.has_search_attributes()) *a.mutable_search_attributes() = from.search_attributes();
  if (from.has_header()) *a.mutable_header() = from.header();
  if (from.has_priority()) *a.mutable_priority() = from.priority();
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
  if (const auto cron = CronSchedule::parse(from.cron_schedule()); cron)
    backoff = cron->first_backoff(engine.now());
  set(a.mutable_first_workflow_task_backoff(), backoff);
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
  a.set_workflow_task_completed_event_id(from.workflow_task_completed_event_id());
  t.external(std::move(event));
  t.commit();
}

void start_child(Engine& engine, const Run& parent, std::int64_t initiated_id) {
  auto it = parent.children.find(initiated_id);
  const bool abandoned =
      it != parent.children.end() &&
      it->second.attributes().parent_close_policy() == enums::PARENT_CLOSE_POLICY_ABANDON;
  if (it == parent.children.end() || (!parent.running() && !abandoned)) return;
  const Child& child = it->second;
  const auto& from = child.attributes();
  Namespace* ns = engine.namespaces().find(from.namespace_());
  if (ns == nullptr) {
    if (!parent.running()) return;
    return fail_child_start(engine, parent, child,
                            enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND);
  }
  StartSpec spec = child_spec(engine, parent, child, *ns);
  absl::StatusOr<StartDecision> decision =
      decide_start(engine, *ns, spec.workflow_id, spec.request_id, from.workflow_id_reuse_policy(),
                   enums::WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED);
  if (!decision.ok()) {
    if (!parent.running()) return;
    return fail_child_start(
        engine, parent, child,
        enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS);
  }
  if (decision->terminate != nullptr) {
    terminate_run(engine, *decision->terminate, "TerminateIfRunning WorkflowIdReusePolicy", nullptr,
                  "history-service");
  }
  const Run& started = create_run(engine, std::move(spec));
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

// The target of a signal or cancel: running, not the sender, and its child if it must be.
const Run* external_target(Engine& engine, const Run& sender, const Namespace* ns,
                           const common::WorkflowExecution& execution, bool child_only) {
  if (ns == nullptr) return nullptr;
  const Run* target = execution.run_id().empty()
                          ? engine.runs().current(*ns, execution.workflow_id())
                          : engine.runs().by_id(execution.run_id());
  if (target == nullptr || target->ns != ns || target == &sender || !target->running() ||
      target->workflow_id != execution.workflow_id()) {
    return nullptr;
  }
  if (child_only && target->start().parent_workflow_execution().workflow_id() != sender.workflow_id)
    return nullptr;
  return target;
}

bool takes_no_more_signals(const Engine& engine, const Run& run) {
  return run.signal_count >= engine.config().signals_max;
}

// Posts the action again when something has happened to `target`.
void post_after_change(Engine& engine, const Run& target, const Run& run, std::int64_t id,
                       void (*action)(Engine&, const Run&, std::int64_t)) {
  target.waiting.history[engine.ids().next_stamp()] = [&engine, weak = RunWeak(share(run)), id,
                                                       action] {
    if (const RunPtr live = weak.lock()) action(engine, *live, id);
  };
}

enums::SignalExternalWorkflowExecutionFailedCause signal_failure(const Namespace* ns, bool full) {
  if (ns == nullptr)
    return enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND;
  if (full)
    return enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED;
  return kSignalTargetGone;
}

void deliver_signal(Engine& engine, const Run& run, std::int64_t initiated_id) {
  auto it = run.external_signals.find(initiated_id);
  const HistoryEvent& initiated = it != run.external_signals.end()
                                      ? *it->second
                                      : run.events.events(static_cast<int>(initiated_id) - 1);
  const auto& from = initiated.signal_external_workflow_execution_initiated_event_attributes();
  const Namespace* ns = engine.namespaces().find(from.namespace_());
  const Run* target =
      external_target(engine, run, ns, from.workflow_execution(), from.child_workflow_only());
  const bool full = target != nullptr && takes_no_more_signals(engine, *target);
  if (full) target = nullptr;
  // The genuine server's queue tries again: here when the target's task has ended.
  if (target != nullptr && target->is_closing())
    return post_after_change(engine, *target, run, initiated_id, deliver_signal);
  if (target != nullptr) {
    history::WorkflowExecutionSignaledEventAttributes a;
    a.set_signal_name(from.signal_name());
    if (from.has_input()) *a.mutable_input() = from.input();
    if (from.has_header()) *a.mutable_header() = from.header();
    a.set_identity("history-service");
    a.mutable_external_workflow_execution()->set_workflow_id(run.workflow_id);
    a.mutable_external_workflow_execution()->set_run_id(run.run_id);
    signal_run(engine, *target, std::move(a));
  }
  if (!run.running()) return;
  Transition t(engine, run);
  auto fill = [&](auto& a) {
    a.set_initiated_event_id(initiated_id);
    a.set_namespace_(from.namespace_());
    a.set_namespace_id(from.namespace_id());
    *a.mutable_workflow_execution() = from.workflow_execution();
    a.set_control(from.control());
  };
  HistoryEvent event =
      t.event(target != nullptr ? enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED
                                : enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED);
  if (target != nullptr) {
    fill(*event.mutable_external_workflow_execution_signaled_event_attributes());
  } else {
    auto& a = *event.mutable_signal_external_workflow_execution_failed_event_attributes();
    fill(a);
    a.set_workflow_task_completed_event_id(from.workflow_task_completed_event_id());
    a.set_cause(signal_failure(ns, full));
  }
  t.external(std::move(event));
  t.commit();
}

void deliver_cancel(Engine& engine, const Run& run, std::int64_t initiated_id) {
  const HistoryEvent& initiated = run.events.events(static_cast<int>(initiated_id) - 1);
  const auto& from =
      initiated.request_cancel_external_workflow_execution_initiated_event_attributes();
  const Namespace* ns = engine.namespaces().find(from.namespace_());
  const Run* target =
      external_target(engine, run, ns, from.workflow_execution(), from.child_workflow_only());
  if (target != nullptr && !target->cancel_requested) {
    history::WorkflowExecutionCancelRequestedEventAttributes a;
    a.set_cause(from.reason());
    a.set_external_initiated_event_id(initiated_id);
    a.mutable_external_workflow_execution()->set_workflow_id(run.workflow_id);
    a.mutable_external_workflow_execution()->set_run_id(run.run_id);
    a.set_identity("history-service");
    cancel_run(engine, *target, std::move(a));
  }
  if (!run.running()) return;
  Transition t(engine, run);
  auto fill = [&](auto& a) {
    a.set_initiated_event_id(initiated_id);
    a.set_namespace_(from.namespace_());
    a.set_namespace_id(from.namespace_id());
    *a.mutable_workflow_execution() = from.workflow_execution();
  };
  HistoryEvent event = t.event(
      target != nullptr ? enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED
                        : enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED);
  if (target != nullptr) {
    fill(*event.mutable_external_workflow_execution_cancel_requested_event_attributes());
  } else {
    auto& a = *event.mutable_request_cancel_external_workflow_execution_failed_event_attributes();
    fill(a);
    a.set_control(from.control());
    a.set_workflow_task_completed_event_id(from.workflow_task_completed_event_id());
    a.set_cause(ns == nullptr
                    ? enums::CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND
                    : kCancelTargetGone);
  }
  t.external(std::move(event));
  t.commit();
}

template <class Action>
void post(Engine& engine, const Run& run, std::int64_t id, Action action) {
  engine.follow_up([&engine, weak = RunWeak(share(run)), id, action] {
    if (const RunPtr live = weak.lock()) action(engine, *live, id);
  });
}

// Copies the end of a child into the event of its parent.
HistoryEvent child_result(const Transition& t, const Run& child, std::int64_t initiated_id,
                          const Child& known) {
  const HistoryEvent& last = child.last_event();
  auto fill = [&](auto& a) {
    a.set_namespace_(child.ns->name());
    a.set_namespace_id(child.ns->id);
    a.mutable_workflow_execution()->set_workflow_id(child.workflow_id);
    a.mutable_workflow_execution()->set_run_id(known.run_id);
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

}  // namespace

void initiate_child(Transition& t, command::StartChildWorkflowExecutionCommandAttributes& from,
                    std::int64_t completed_id,
                    history::StartChildWorkflowExecutionInitiatedEventAttributes& a) {
  const Run& run = t.run();
  set_target_namespace(t, from.namespace_(), a);
  a.set_workflow_id(from.workflow_id());
  *a.mutable_workflow_type() = from.workflow_type();
  a.mutable_task_queue()->set_name(from.task_queue().name().empty() ? run.task_queue
                                                                    : from.task_queue().name());
  a.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  if (from.has_input()) *a.mutable_input() = std::move(*from.mutable_input());
  const Nanos execution = to_nanos(from.workflow_execution_timeout());
  Nanos run_timeout = to_nanos(from.workflow_run_timeout());
  if (execution > Nanos{0} && (run_timeout == Nanos{0} || run_timeout > execution))
    run_timeout = execution;
  Nanos task = to_nanos(from.workflow_task_timeout());
  if (task == Nanos{0}) task = run.task_timeout;
  if (run_timeout > Nanos{0}) task = std::min(task, run_timeout);
  set(a.mutable_workflow_execution_timeout(), execution);
  set(a.mutable_workflow_run_timeout(), run_timeout);
  set(a.mutable_workflow_task_timeout(), task);
  a.set_parent_close_policy(from.parent_close_policy() == enums::PARENT_CLOSE_POLICY_UNSPECIFIED
                                ? enums::PARENT_CLOSE_POLICY_TERMINATE
                                : from.parent_close_policy());
  a.set_control(from.control());
  a.set_workflow_task_completed_event_id(completed_id);
  a.set_workflow_id_reuse_policy(from.workflow_id_reuse_policy() ==
                                         enums::WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED
                                     ? enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
                                     : from.workflow_id_reuse_policy());
  if (from.has_retry_policy()) {
    *a.mutable_retry_policy() = from.retry_policy();
    default_retry_policy(*a.mutable_retry_policy());
  }
  a.set_cron_schedule(from.cron_schedule());
  if (from.has_header()) *a.mutable_header() = std::move(*from.mutable_header());
  if (from.has_memo()) *a.mutable_memo() = std::move(*from.mutable_memo());
  if (from.has_search_attributes()) {
    *a.mutable_search_attributes() =
        with_types(run.ns->search_attributes, std::move(*from.mutable_search_attributes()));
  }
  if (run.start().has_priority()) *a.mutable_priority() = run.start().priority();
  if (from.has_priority()) a.mutable_priority()->MergeFrom(from.priority());
}

void post_child_start(Transition& t, std::int64_t initiated_id) {
  post(t.engine(), t.run(), initiated_id, start_child);
}

void post_external_signal(Transition& t, std::int64_t initiated_id) {
  post(t.engine(), t.run(), initiated_id, deliver_signal);
}

void post_external_cancel(Transition& t, std::int64_t initiated_id) {
  post(t.engine(), t.run(), initiated_id, deliver_cancel);
}

void post_unanswered(Engine& engine, const Run& run) {
  for (const auto& [id, event] : run.external_signals) post(engine, run, id, deliver_signal);
  for (const auto& [id, event] : run.external_cancels) post(engine, run, id, deliver_cancel);
}

absl::Status check_signal(const Engine& engine, const Run& run) {
  if (takes_no_more_signals(engine, run))
    return invalid("exceeded workflow execution limit for signal events");
  if (run.is_closing()) return closing();
  return absl::OkStatus();
}

bool signal_run(Engine& engine, const Run& run,
                history::WorkflowExecutionSignaledEventAttributes attributes,
                const std::string& request_id,
                google::protobuf::RepeatedPtrField<common::Link>* links) {
  if (!request_id.empty() && run.signal_request_ids.all().contains(request_id)) return false;
  Transition t(engine, run);
  if (!request_id.empty()) t.run().signal_request_ids.insert(request_id);
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);
  *event.mutable_workflow_execution_signaled_event_attributes() = std::move(attributes);
  if (links != nullptr) event.mutable_links()->Swap(links);
  t.external(std::move(event));
  t.commit();
  return true;
}

void cancel_run(Engine& engine, const Run& run,
                history::WorkflowExecutionCancelRequestedEventAttributes attributes) {
  Transition t(engine, run);
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED);
  *event.mutable_workflow_execution_cancel_requested_event_attributes() = std::move(attributes);
  t.external(std::move(event));
  // Unlike a signal, a cancel does not wait for a delayed first task.
  t.run().backoff_until = kUnset;
  if (!run.task.pending()) t.want_task();
  t.commit();
}

void wake_delayed(Engine& engine, const Run& run) {
  Transition t(engine, run);
  t.run().backoff_until = kUnset;
  if (!run.task.pending()) t.want_task();
  t.commit();
}

void notify_parent(Engine& engine, const Run& run) {
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
    auto known = parent->children.find(initiated_id);
    if (known == parent->children.end()) return;
    const Child copy = known->second;
    Transition t(engine, *parent);
    t.external(child_result(t, *child, initiated_id, copy));
    t.commit();
  });
}

void apply_parent_close_policy(Engine& engine, const Run& run) {
  for (const auto& [id, child] : run.children) {
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
