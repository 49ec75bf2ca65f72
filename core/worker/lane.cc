#include "core/worker/lane.h"

#include <utility>

#include "absl/strings/match.h"

#include "core/base/proto_time.h"
#include "core/rpc/retry.h"
#include "core/telemetry/log.h"
#include "core/worker/rpc_call.h"

namespace chimera::core {

namespace wf = api::workflowservice::v1;
namespace enums = api::enums::v1;

namespace {

// Of an answer to a workflow task.
absl::Status lost(absl::Status status) {
  if (is_message_too_large(status)) {
    status.SetPayload(kAnswerTooLarge, absl::Cord());
  } else if (status.GetPayload(kNotStored)) {
    status.SetPayload(kValueNotStored, absl::Cord());
  } else if (status.GetPayload(kTooLarge)) {
    status.SetPayload(kValueTooLarge, absl::Cord());
  }
  return status;
}

}  // namespace

Lane::Lane(std::shared_ptr<const WorkerContext> context, TaskHandlerOptions options,
           std::function<void()> on_drained)
    : owner_(std::move(context)),
      context_(*owner_),
      types_(context_.metrics->sdk),
      handler_(std::move(options), *this, *this, *context_.environment.clock),
      on_drained_(std::move(on_drained)),
      strand_(context_.environment.executor->strand([this] { return after_work(); })) {}

Lane::~Lane() { strand_->stop(); }

base::Strand::Next Lane::after_work() {
  if (!local_.empty() && !run_local()) return base::Strand::Next::kLeave;
  look_whether_drained();
  return local_.empty() ? base::Strand::Next::kWait : base::Strand::Next::kAgain;
}

void Lane::look_whether_drained() {
  if (!draining_ || !handler_.drained() || queries_ > 0 || drained_.load()) return;
  drained_.store(true);
  on_drained_();
}

// Lets a language run a task on the lane's thread.
class Lane::Here final : public StartingThread {
 public:
  explicit Here(base::Strand& strand) : strand_(strand) {}
  void run(absl::FunctionRef<void()> work) override {
    owned_ = strand_.aside(work, std::move(relieved_));
  }
  void when_relieved(absl::AnyInvocable<void() &&> told) override { relieved_ = std::move(told); }
  bool owned() const { return owned_; }

 private:
  base::Strand& strand_;
  absl::AnyInvocable<void() &&> relieved_;
  bool owned_ = true;
};

// The next of them. False: the thread is not the lane's any more.
bool Lane::run_local() {
  auto next = std::move(local_.front());
  local_.pop_front();
  Here here(*strand_);
  std::move(next)(here);
  return here.owned();
}

void Lane::enqueue(WorkflowTask task) {
  strand_->post([this, task = std::move(task)]() mutable { handler_.handle(std::move(task)); });
}

void Lane::begin_drain() {
  strand_->post([this] {
    draining_ = true;
    handler_.begin_drain();
  });
}

void Lane::running(const RunContext* run, const wf::PollWorkflowTaskQueueResponse* task) {
  absl::MutexLock lock(&watch_mutex_);
  running_ = run;
  running_task_ = task;
  if (run != nullptr) {
    running_since_ = context_.environment.clock->steady();
  } else {
    quarantined_.store(false, std::memory_order_relaxed);
  }
}

void Lane::cache_size(std::size_t runs) {
  context_.metrics->cache_size.add(static_cast<double>(runs) - static_cast<double>(cached_runs_));
  context_.figures->cached_runs.fetch_add(
      static_cast<std::int32_t>(runs) - static_cast<std::int32_t>(cached_runs_),
      std::memory_order_relaxed);
  cached_runs_ = runs;
}

void Lane::task_failed(const TaskFailure& failure) {
  context_.figures->workflow_tasks.count(/*has_failed=*/true);
  context_.metrics->sdk
      .counter("workflow_task_execution_failed", {{"workflow_type", failure.run.workflow_type},
                                                  {"failure_reason", std::string(failure.reason)}})
      .add();
  log(LogLevel::kWarn, "worker::workflow", absl::StrCat("Failing workflow task: ", failure.message),
      {{"workflow_id", failure.run.workflow_id},
       {"run_id", failure.run.run_id},
       {"workflow_type", failure.run.workflow_type},
       {"task_queue", context_.options.task_queue},
       {"attempt", absl::StrCat(failure.attempt)}});
}

void Lane::task_done(const std::string& workflow_type, std::chrono::nanoseconds execution,
                     std::chrono::nanoseconds replay) {
  context_.figures->workflow_tasks.count(/*has_failed=*/false);
  WorkflowTypeMetrics& type = types_.of(workflow_type);
  type.task_execution_latency.record(execution);
  type.task_replay_latency.record(replay);
}

void Lane::workflow_ended(const std::string& workflow_type, enums::WorkflowExecutionStatus status,
                          std::chrono::nanoseconds end_to_end) {
  WorkflowTypeMetrics& type = types_.of(workflow_type);
  switch (status) {
    case enums::WORKFLOW_EXECUTION_STATUS_COMPLETED:
      type.completed.add();
      break;
    case enums::WORKFLOW_EXECUTION_STATUS_FAILED:
      type.failed.add();
      break;
    case enums::WORKFLOW_EXECUTION_STATUS_CANCELED:
      type.canceled.add();
      break;
    case enums::WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW:
      type.continue_as_new.add();
      break;
    default:
      break;
  }
  type.endtoend_latency.record(end_to_end);
}

std::optional<StuckRun> Lane::quarantine_if_stuck(std::chrono::nanoseconds limit) {
  absl::MutexLock lock(&watch_mutex_);
  if (running_ == nullptr) return std::nullopt;
  auto since = context_.environment.clock->steady() - running_since_;
  if (since < limit) return std::nullopt;
  quarantined_.store(true, std::memory_order_relaxed);
  return StuckRun{.run = *running_,
                  .task_token = running_task_ ? running_task_->task_token() : "",
                  .since = since};
}

void Lane::respond_completed(std::shared_ptr<wf::RespondWorkflowTaskCompletedRequest> request,
                             Done<CompletedReply> done) {
  context_.introduce(*request);
  // A worker that shuts down wants no more of the run: its next task is for anyone, at once.
  const bool keeps = context_.caches() && !context_.shutting_down.load();
  // A heartbeat wants its next task even so.
  request->set_return_new_workflow_task(keeps || request->return_new_workflow_task());
  request->mutable_capabilities()->set_discard_speculative_workflow_task_with_events(true);
  request->mutable_worker_version_stamp()->set_build_id(context_.options.build_id);
  context_.deploy(*request);
  // Of a worker without a version servers take no behavior.
  if (!context_.options.use_worker_versioning)
    request->clear_versioning_behavior();
  else if (request->versioning_behavior() == 0)
    request->set_versioning_behavior(context_.options.default_versioning_behavior);
  request->set_worker_instance_key(context_.instance_key);
  if (keeps) {
    auto* sticky = request->mutable_sticky_attributes();
    sticky->mutable_worker_task_queue()->set_name(context_.sticky_queue);
    sticky->mutable_worker_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
    sticky->mutable_worker_task_queue()->set_normal_name(context_.options.task_queue);
    base::set_duration(context_.options.sticky_queue_schedule_to_start_timeout,
                       *sticky->mutable_schedule_to_start_timeout());
  }
  Permits permits = ask_for_eager_activities(*request);
  send<CompletedReply>(
      *context_.connection, CHIMERA_WORKFLOW_SERVICE(RespondWorkflowTaskCompleted),
      std::move(request), context_.call_options(),
      [this, strand = strand_, permits = std::move(permits),
       done = std::move(done)](absl::StatusOr<std::shared_ptr<CompletedReply>> reply) mutable {
        if (reply.ok()) start_eager_activities(*reply, std::move(permits));
        if (!reply.ok()) reply = lost(reply.status());
        strand->post([done = std::move(done), reply = std::move(reply)]() mutable {
          std::move(done)(std::move(reply));
        });
      });
}

// Eager activities (sdk-core 1.35): the server starts those that we have slots for in its reply,
// which saves a poll. The core has marked the candidates.
Lane::Permits Lane::ask_for_eager_activities(
    wf::RespondWorkflowTaskCompletedRequest& request) const {
  Permits permits;
  const WorkerOptions& options = context_.options;
  bool allowed = context_.activities != nullptr && !options.disable_eager_activity_execution &&
                 !options.no_remote_activities && !context_.shutting_down.load() &&
                 options.max_task_queue_activities_per_second == 0;
  for (auto& command : *request.mutable_commands()) {
    if (!command.has_schedule_activity_task_command_attributes()) continue;
    auto& attributes = *command.mutable_schedule_activity_task_command_attributes();
    if (!attributes.request_eager_execution()) continue;
    base::SlotSupplier::Permit permit;
    if (allowed && static_cast<int>(permits.size()) <
                       options.max_eager_activity_reservations_per_workflow_task)
      permit =
          context_.activity_slots->try_take({.activity_type = &attributes.activity_type().name()});
    if (permit)
      permits.push_back(std::move(permit));
    else
      attributes.set_request_eager_execution(false);
  }
  return permits;
}

void Lane::start_eager_activities(const std::shared_ptr<CompletedReply>& reply, Permits permits) {
  for (const auto& task : reply->activity_tasks()) {
    base::SlotSupplier::Permit permit;
    if (!permits.empty()) {
      permit = std::move(permits.back());
      permits.pop_back();
      context_.activity_slots->use(permit, {task.activity_type().name()});
    }
    context_.activities->start(ActivityManager::Task(reply, &task), std::move(permit),
                               context_.activity_sink, /*eager=*/true);
  }
}

// New events that came before the answer, or a task that timed out: the run goes on with the next.
void Lane::answer_refused(const RunContext& run, const absl::Status& status) {
  const bool ordinary =
      absl::IsNotFound(status) || absl::StrContains(status.message(), "UnhandledCommand");
  log(ordinary ? LogLevel::kDebug : LogLevel::kWarn, "worker",
      absl::StrCat("the server did not take a workflow task's answer: ", status.ToString(),
                   "; the run begins anew with its next task"),
      {{"workflow_id", run.workflow_id},
       {"run_id", run.run_id},
       {"workflow_type", run.workflow_type}});
}

void Lane::respond_failed(std::unique_ptr<wf::RespondWorkflowTaskFailedRequest> request,
                          absl::AnyInvocable<void(absl::Status) &&> done) {
  context_.sign(*request);
  send<wf::RespondWorkflowTaskFailedResponse>(
      *context_.connection, CHIMERA_WORKFLOW_SERVICE(RespondWorkflowTaskFailed), std::move(request),
      context_.call_options(), [strand = strand_, done = std::move(done)](auto reply) mutable {
        WorkerContext::log_lost("a workflow task's failure", reply.status());
        strand->post([done = std::move(done), status = reply.status()]() mutable {
          std::move(done)(std::move(status));
        });
      });
}

void Lane::respond_query(std::unique_ptr<wf::RespondQueryTaskCompletedRequest> request,
                         absl::AnyInvocable<void(absl::Status) &&> done) {
  request->set_namespace_(context_.options.namespace_);
  ++queries_;
  send<wf::RespondQueryTaskCompletedResponse>(
      *context_.connection, CHIMERA_WORKFLOW_SERVICE(RespondQueryTaskCompleted), std::move(request),
      context_.call_options(),
      [this, strand = strand_, done = std::move(done)](auto reply) mutable {
        WorkerContext::log_lost("the answer to a query", reply.status());
        strand->post([this, done = std::move(done), status = reply.status()]() mutable {
          --queries_;
          std::move(done)(std::move(status));
        });
      });
}

void Lane::start_local_activity(LocalActivityStart start,
                                absl::AnyInvocable<void(LocalActivityOutcome) &&> done) {
  local_.push_back([&activities = *context_.local_activities, strand = strand_,
                    start = std::move(start),
                    done = std::move(done)](StartingThread& here) mutable {
    activities.start(
        start.run, start.seq, std::move(start.activity),
        [strand = std::move(strand), done = std::move(done)](LocalActivityOutcome outcome) mutable {
          strand->post([done = std::move(done), outcome = std::move(outcome)]() mutable {
            std::move(done)(std::move(outcome));
          });
        },
        &here);
  });
}

void Lane::cancel_local_activity(const RunContext& run, std::uint32_t seq) {
  // Behind its start.
  local_.push_back([&activities = *context_.local_activities, run_id = run.run_id,
                    seq](StartingThread&) { activities.cancel(run_id, seq); });
}

void Lane::wake_after(std::chrono::nanoseconds delay, absl::AnyInvocable<void() &&> wake) {
  context_.environment.timers->after(delay, [strand = strand_, wake = std::move(wake)]() mutable {
    strand->post(std::move(wake));
  });
}

void Lane::fetch_history(const api::common::v1::WorkflowExecution& execution,
                         std::string next_page_token, Done<HistoryReply> done) {
  auto request = std::make_unique<wf::GetWorkflowExecutionHistoryRequest>();
  request->set_namespace_(context_.options.namespace_);
  *request->mutable_execution() = execution;
  request->set_next_page_token(std::move(next_page_token));
  send<HistoryReply>(*context_.connection, CHIMERA_WORKFLOW_SERVICE(GetWorkflowExecutionHistory),
                     std::move(request), context_.call_options(),
                     [strand = strand_, done = std::move(done)](auto reply) mutable {
                       strand->post([done = std::move(done), reply = std::move(reply)]() mutable {
                         std::move(done)(std::move(reply));
                       });
                     });
}

}  // namespace chimera::core
