#include "server/engine/turn/chain.h"

#include <utility>

#include "server/engine/archival.h"
#include "server/engine/deployments/inheritance.h"
#include "server/engine/engine.h"
#include "server/engine/matched/query.h"
#include "server/engine/nexus/callbacks.h"
#include "server/engine/rules/cron.h"
#include "server/engine/rules/limits.h"
#include "server/engine/rules/retry.h"
#include "server/engine/rules/start_attributes.h"
#include "server/engine/schedules.h"
#include "server/engine/turn/start.h"
#include "server/engine/turn/update_registry.h"
#include "server/engine/turn/workflow_task.h"
#include "server/visibility/attributes.h"

namespace chimera::server {
namespace {

// The points to which a chain can be reset by the build that it ran in, for the run that follows:
// those of the run that ends are kept for as long as it is.
::temporal::api::workflow::v1::ResetPoints handed_on(const Run& run, WallTime now) {
  ::temporal::api::workflow::v1::ResetPoints points;
  for (const auto& point : run.reset_points.points()) {
    if (point.has_expire_time() && to_wall(point.expire_time()) < now) continue;
    auto& kept = *points.add_points() = point;
    if (point.run_id() == run.run_id)
      set(kept.mutable_expire_time(), add_saturated(now, run.ns->retention()));
  }
  return points;
}

// A successor takes over the chain's identity and what its predecessor started with, also of memo
// and search attributes (genuine servers 1.29, 1.32).
StartSpec successor(Transition& t, enums::ContinueAsNewInitiator initiator, Nanos backoff) {
  Run& run = t.run();
  StartSpec spec;
  spec.ns = run.ns;
  spec.workflow_id = run.workflow_id;
  spec.run_id = t.engine().ids().run_id(t.engine().now());
  spec.request_id = t.engine().ids().uuid();
  spec.attributes = run.start();
  auto& a = spec.attributes;
  a.set_first_execution_run_id(run.first_run_id);
  a.set_continued_execution_run_id(run.run_id);
  a.set_initiator(initiator);
  a.clear_continued_failure();
  a.clear_identity();  // Nobody has started it.
  run.open<Callbacks>().hand_on(a);
  a.set_attempt(1);
  *a.mutable_prev_auto_reset_points() = handed_on(run, t.engine().now());
  set(a.mutable_first_workflow_task_backoff(), backoff);
  spec.execution_expires = run.execution_expires;
  spec.user_metadata = run.user_metadata;
  if (run.skipped != nullptr) run.skipped->hand_on(a);
  return spec;
}

std::string post(Transition& t, StartSpec spec) {
  std::string run_id = spec.run_id;
  Engine& engine = t.engine();
  engine.follow_up(
      [&engine, spec = std::move(spec)]() mutable { create_run(engine, std::move(spec)); });
  return run_id;
}

// The next run of a cron workflow, or nothing.
std::string follow_cron(Transition& t, const common::Payloads* result,
                        const failure::Failure* failure) {
  const Run& run = t.run();
  const auto cron = CronSchedule::parse(run.start().cron_schedule());
  if (!cron) return {};
  const WallTime now = t.now();
  const WallTime next = cron->next_run(run.execution_time, now);
  if (next == kNever || (run.execution_expires != kNever && next > run.execution_expires))
    return {};
  StartSpec spec = successor(t, enums::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE, next - now);
  inherit_as_cron(run, spec.attributes);
  if (result != nullptr && result->payloads_size() > 0)
    *spec.attributes.mutable_last_completion_result() = *result;
  if (failure != nullptr) *spec.attributes.mutable_continued_failure() = *failure;
  return post(t, std::move(spec));
}

FollowUp follow_retry(Transition& t, const failure::Failure& failure) {
  const auto& start = t.run().start();
  if (!start.has_retry_policy()) return {};
  const RetryDecision decision = decide_retry(start.retry_policy(), start.attempt(), t.now(),
                                              t.run().execution_expires, failure);
  if (!decision.retry()) return {decision.state, ""};
  StartSpec spec = successor(t, enums::CONTINUE_AS_NEW_INITIATOR_RETRY, decision.delay);
  spec.attributes.set_attempt(start.attempt() + 1);
  inherit_as_retry(t.run(), spec.attributes);
  *spec.attributes.mutable_continued_failure() = failure;
  return {decision.state, post(t, std::move(spec))};
}

}  // namespace

FollowUp follow_after_failure(Transition& t, const failure::Failure& failure) {
  FollowUp follow = follow_retry(t, failure);
  if (follow.run_id.empty()) follow.run_id = follow_cron(t, nullptr, &failure);
  return follow;
}

std::string follow_after_completion(Transition& t, const common::Payloads& result) {
  return follow_cron(t, &result, nullptr);
}

void time_out_run(Transition& t) {
  Run& run = t.run();
  failure::Failure failure;
  failure.set_message("workflow timeout");
  failure.set_source("Server");
  failure.mutable_timeout_failure_info()->set_timeout_type(enums::TIMEOUT_TYPE_START_TO_CLOSE);
  FollowUp follow{enums::RETRY_STATE_TIMEOUT, ""};
  const bool whole_chain = run.execution_expires <= t.now();
  if (!whole_chain) follow = follow_after_failure(t, failure);
  end_task_by_force(t);
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT);
  auto& a = *event.mutable_workflow_execution_timed_out_event_attributes();
  a.set_retry_state(follow.state);
  a.set_new_execution_run_id(follow.run_id);
  t.write(std::move(event));
}

void continue_run(Transition& t, command::ContinueAsNewWorkflowExecutionCommandAttributes& from,
                  std::int64_t completed_id,
                  history::WorkflowExecutionContinuedAsNewEventAttributes& a) {
  const Nanos backoff = to_nanos(from.backoff_start_interval());
  const auto given = from.initiator();
  const auto initiator = from.initiator() == enums::CONTINUE_AS_NEW_INITIATOR_UNSPECIFIED
                             ? enums::CONTINUE_AS_NEW_INITIATOR_WORKFLOW
                             : from.initiator();
  StartSpec spec = successor(t, initiator, backoff);
  auto& next = spec.attributes;
  // The worker gives what is to go on (genuine servers 1.29, 1.32), but for names and timeouts.
  next.clear_input();
  next.clear_header();
  next.clear_memo();
  next.clear_search_attributes();
  next.clear_retry_policy();
  if (from.workflow_type().name().empty()) from.clear_workflow_type();
  if (to_nanos(from.workflow_run_timeout()) == Nanos{0}) from.clear_workflow_run_timeout();
  if (to_nanos(from.workflow_task_timeout()) == Nanos{0}) from.clear_workflow_task_timeout();
  copy_start(from, next);
  if (next.has_search_attributes()) {
    *next.mutable_search_attributes() =
        with_types(t.run().ns->search_attributes, std::move(*next.mutable_search_attributes()));
  }
  if (next.has_retry_policy()) default_retry_policy(*next.mutable_retry_policy());
  const Nanos run_timeout = capped_run_timeout(to_nanos(next.workflow_run_timeout()),
                                               to_nanos(next.workflow_execution_timeout()));
  // Present, as in the genuine server's events.
  set(next.mutable_workflow_run_timeout(), run_timeout);
  set(next.mutable_workflow_task_timeout(),
      capped_task_timeout(to_nanos(next.workflow_task_timeout()), run_timeout));
  copy_start(std::as_const(next), a);
  inherit_as_continued(t.engine(), t.run(), from.initial_versioning_behavior(), next);
  a.set_inherit_build_id(from.inherit_build_id());
  a.mutable_workflow_run_timeout();
  a.mutable_workflow_task_timeout();
  a.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  a.set_workflow_task_completed_event_id(completed_id);
  if (backoff > Nanos{0}) set(a.mutable_backoff_start_interval(), backoff);
  a.set_initiator(given);
  a.set_new_execution_run_id(post(t, std::move(spec)));
}

void after_close(Engine& engine, const Run& run) {
  end_updates(engine, run);
  release_queries(engine, run);
  engine.archival->closed(run);
  if (!run.reset_run_id.empty())
    return;  // The run that follows the reset has its children and its parent.
  Children::parent_closed(engine, run);
  if (!run.new_run_id.empty()) return;
  Children::tell_parent(engine, run);
  deliver_callbacks(engine, run);
  engine.schedules->run_closed(run);
}

}  // namespace chimera::server
