#include "core/worker/watchdog.h"

#include "absl/strings/str_format.h"

#include "core/telemetry/log.h"
#include "core/worker/rpc_call.h"

namespace chimera::core {

void Watchdog::start() {
  absl::MutexLock lock(&mutex_);
  set_timer();
}

void Watchdog::stop() {
  std::shared_ptr<base::Strand> reporter;
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    context_.environment.timers->cancel(timer_);
    reporter.swap(reporter_);
  }
  if (reporter) reporter->stop();
}

void Watchdog::set_timer() {
  const std::chrono::nanoseconds period = context_.options.deadlock_timeout;
  timer_ = context_.environment.timers->after(period / 8, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->look_at_all();
  });
}

void Watchdog::look_at_all() {
  absl::MutexLock lock(&mutex_);
  if (stopped_) return;
  for (const auto& lane : lanes_) look(*lane);
  set_timer();
}

void Watchdog::look(Lane& lane) {
  std::optional<StuckRun> stuck = lane.quarantine_if_stuck(context_.options.deadlock_timeout);
  if (!stuck) return;
  const bool in_task = !stuck->task_token.empty();  // Else it leaves the cache.
  if (!told_.insert(in_task ? stuck->task_token : stuck->run.run_id).second) return;
  if (!reporter_) reporter_ = context_.environment.executor->strand();
  reporter_->post([this, &lane, stuck = *std::move(stuck)] { report(lane, stuck); });
}

void Watchdog::report(const Lane& lane, const StuckRun& stuck) {
  std::string message = absl::StrFormat(
      "[TMPRL1101] Potential deadlock detected: workflow %s (id %s, run %s) didn't yield within "
      "%.1f second(s). It loops or blocks; use the workflow API to wait, and activities for slow "
      "work.",
      stuck.run.workflow_type, stuck.run.workflow_id, stuck.run.run_id,
      std::chrono::duration<double>(context_.options.deadlock_timeout).count());
  std::string stack = lane.stack();
  log(LogLevel::kError, "worker", message,
      {{"workflow_id", stuck.run.workflow_id},
       {"run_id", stuck.run.run_id},
       {"workflow_type", stuck.run.workflow_type},
       {"task_queue", context_.options.task_queue},
       {"stack", stack}});
  if (stuck.task_token.empty()) return;  // It leaves the cache.
  context_.metrics->sdk
      .counter("workflow_task_execution_failed",
               {{"workflow_type", stuck.run.workflow_type}, {"failure_reason", "WorkflowError"}})
      .add();
  auto request = std::make_unique<api::workflowservice::v1::RespondWorkflowTaskFailedRequest>();
  context_.sign(*request);
  request->set_task_token(stuck.task_token);
  request->set_cause(api::enums::v1::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE);
  request->mutable_failure()->set_message(std::move(message));
  request->mutable_failure()->set_stack_trace(std::move(stack));
  request->mutable_failure()->mutable_application_failure_info()->set_type("DeadlockError");
  send<api::workflowservice::v1::RespondWorkflowTaskFailedResponse>(
      *context_.connection, CHIMERA_WORKFLOW_SERVICE(RespondWorkflowTaskFailed), std::move(request),
      context_.call_options(RetryClass::kNone), [](const auto&) {});
}

}  // namespace chimera::core
