#include "core/activity/activity_manager.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "core/base/proto_time.h"
#include "core/telemetry/log.h"

namespace chimera::core {

namespace wf = api::workflowservice::v1;
using std::chrono::nanoseconds;

namespace {
constexpr std::chrono::seconds kTimeoutBuffer{5};
// The server knows the task no more (sdk-core 1.35 says both).
constexpr ActivityCancellation kTimedOut{.not_found = true, .timed_out = true};
}  // namespace

// One task under way. Shared by the manager's map, the language (as its handle) and RPC callbacks.
class ActivityManager::Running : public ActivityHandle,
                                 public std::enable_shared_from_this<Running> {
 public:
  Running(ActivityManager& manager, Task task, std::shared_ptr<void> permit,
          std::shared_ptr<ActivitySink> sink, ActivityLanguage* language)
      : manager_(&manager),
        timers_(manager.timers_),
        task_(std::move(task)),
        permit_(std::move(permit)),
        sink_(std::move(sink)),
        language_(language),
        interval_(throttle_interval(manager.options_)),
        metrics_(manager.metrics_of(*task_, sink_->local())),
        started_(timers_.now()) {}

  const std::string& token() const { return task_->task_token(); }

  bool local() const { return sink_->local(); }

  void start(StartingThread* here) {
    if (!local()) watch_timeouts();
    language_->start(
        {.message = task_, .handle = shared_from_this(), .is_local = local(), .here = here});
  }

  void heartbeat(api::common::v1::Payloads details) override {
    absl::MutexLock lock(&mutex_);
    if (ended_ || local()) return;
    last_heartbeat_ = timers_.now();
    latest_ = std::move(details);
    if (!sending_ && timer_ == 0) send_heartbeat();
  }

  void complete(ActivityResult result) override {
    {
      absl::MutexLock lock(&mutex_);
      if (ended_) return;
      ended_ = true;
      for (base::TimerId* timer : {&timer_, &run_timer_, &silence_timer_}) {
        if (*timer != 0) timers_.cancel(std::exchange(*timer, 0));
      }
    }
    refuse_unasked_cancellation(result);
    count(result);
    report(std::move(result));
  }

  // Tells the language, at most once.
  void cancel(const ActivityCancellation& cancellation) {
    {
      absl::MutexLock lock(&mutex_);
      if (ended_ || cancel_told_) return;
      cancel_told_ = true;
      cancellation_ = cancellation;
    }
    language_->cancel(token(), cancellation);
  }

 private:
  // sdk-core 1.35: 80 % of the heartbeat timeout, the default when there is none, bounded above.
  nanoseconds throttle_interval(const ActivityManagerOptions& options) const {
    nanoseconds timeout = base::to_nanoseconds(task_->heartbeat_timeout());
    nanoseconds wanted =
        timeout.count() > 0 ? timeout / 10 * 8 : options.default_heartbeat_throttle_interval;
    return std::min(wanted, options.max_heartbeat_throttle_interval);
  }

  // The server has given up on a task that is past its timeouts, but tells only who heartbeats. So
  // its code is told here, a little later (sdk-core 1.35: 5 s).
  void watch_timeouts() {
    nanoseconds to_run = base::to_nanoseconds(task_->start_to_close_timeout());
    nanoseconds whole = base::to_nanoseconds(task_->schedule_to_close_timeout());
    if (to_run.count() == 0 || (whole.count() > 0 && whole < to_run)) to_run = whole;
    absl::MutexLock lock(&mutex_);
    last_heartbeat_ = started_;
    if (to_run.count() > 0) {
      run_timer_ = timers_.after(to_run + kTimeoutBuffer, [weak = weak_from_this()] {
        if (auto self = weak.lock()) self->cancel(kTimedOut);
      });
    }
    if (task_->heartbeat_timeout().seconds() > 0 || task_->heartbeat_timeout().nanos() > 0)
      watch_silence();
  }

  void watch_silence() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    nanoseconds limit = base::to_nanoseconds(task_->heartbeat_timeout()) + kTimeoutBuffer;
    nanoseconds left = last_heartbeat_ + limit - timers_.now();
    silence_timer_ = timers_.after(left, [weak = weak_from_this(), limit] {
      auto self = weak.lock();
      if (!self) return;
      {
        absl::MutexLock lock(&self->mutex_);
        self->silence_timer_ = 0;
        if (self->ended_) return;
        if (self->timers_.now() - self->last_heartbeat_ < limit) return self->watch_silence();
      }
      self->cancel(kTimedOut);
    });
  }

  // The server takes a cancellation only for one that it asked for; a worker that shuts down wants
  // the task to run elsewhere (sdk-core 1.35: failure type WorkerShutdown).
  void refuse_unasked_cancellation(ActivityResult& result) {
    if (!std::holds_alternative<ActivityResult::Cancelled>(result.status)) return;
    ActivityCancellation why;
    {
      absl::MutexLock lock(&mutex_);
      why = cancellation_;
    }
    if (why.cancelled || why.not_found || why.timed_out) return;
    ActivityResult::Failed failed;
    failed.failure.set_source(manager_->options_.failure_source);
    const char* type = "CancelledError";
    const char* message = "Activity ended as cancelled, but nothing had asked for that";
    if (why.worker_shutdown) {
      type = "WorkerShutdown";
      message = "Worker is shutting down and this activity did not complete in time";
    } else if (why.paused) {
      type = "ActivityPause";
      message = "Activity was paused";
    } else if (why.reset) {
      type = "ActivityReset";
      message = "Activity was reset";
    }
    failed.failure.set_message(message);
    failed.failure.mutable_application_failure_info()->set_type(type);
    result.status = std::move(failed);
  }

  void send_heartbeat() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    api::common::v1::Payloads details = *std::move(latest_);
    latest_.reset();
    sending_ = true;
    if (!ended_)
      timer_ = timers_.after(interval_, [self = shared_from_this()] { self->interval_over(); });
    sink_->heartbeat(
        task_, std::move(details),
        [self = shared_from_this()](absl::StatusOr<ActivitySink::HeartbeatReply> reply) {
          self->heartbeat_answered(reply);
        });
  }

  void interval_over() {
    absl::MutexLock lock(&mutex_);
    timer_ = 0;
    if (!ended_ && !sending_ && latest_) send_heartbeat();
  }

  void heartbeat_answered(const absl::StatusOr<ActivitySink::HeartbeatReply>& reply) {
    ActivityCancellation why;
    if (reply.ok()) {
      why.cancelled = reply->cancel_requested();
      why.reset = reply->activity_reset();
      why.paused = reply->activity_paused();
    } else if (absl::IsNotFound(reply.status())) {
      why.not_found = true;
    } else {
      log(LogLevel::kWarn, "activity",
          absl::StrCat("a heartbeat was not recorded: ", reply.status().message()),
          {{"activity_id", task_->activity_id()},
           {"activity_type", task_->activity_type().name()},
           {"workflow_id", task_->workflow_execution().workflow_id()}});
    }
    if (why.cancelled || why.reset || why.paused || why.not_found) cancel(why);
    absl::AnyInvocable<void() &&> report_now;
    {
      absl::MutexLock lock(&mutex_);
      sending_ = false;
      if (latest_ && (flushes_ || (!ended_ && timer_ == 0))) {
        send_heartbeat();
      } else if (ended_) {
        report_now = std::exchange(held_report_, nullptr);
      }
    }
    if (report_now) std::move(report_now)();
  }

  // The last heartbeat is answered before the end is reported, so that it cannot arrive after it.
  void when_quiet(absl::AnyInvocable<void() &&> report) {
    {
      absl::MutexLock lock(&mutex_);
      if (sending_) {
        held_report_ = std::move(report);
        return;
      }
    }
    std::move(report)();
  }

  void count(const ActivityResult& result) {
    const auto& options = manager_->options_;
    if (TaskFigures* figures = sink_->local() ? options.local_figures : options.figures)
      figures->count(std::holds_alternative<ActivityResult::Failed>(result.status));
    if (!metrics_) return;
    metrics_->execution_latency.record(timers_.now() - started_);
    if (std::holds_alternative<ActivityResult::Completed>(result.status)) {
      metrics_->succeed_endtoend_latency.record(manager_->clock_.now() -
                                                base::to_wall_time(task_->scheduled_time()));
    } else if (const auto* failed = std::get_if<ActivityResult::Failed>(&result.status)) {
      if (failed->failure.application_failure_info().category() !=
          api::enums::v1::APPLICATION_ERROR_CATEGORY_BENIGN)
        metrics_->failed.add();
    } else if (metrics_->cancelled &&
               std::holds_alternative<ActivityResult::Cancelled>(result.status)) {
      metrics_->cancelled->add();
    }
  }

  void report(ActivityResult result) {
    if (std::holds_alternative<ActivityResult::WillCompleteAsync>(result.status) && !sink_->local())
      return flush();
    std::optional<api::common::v1::Payloads> kept;
    if (std::holds_alternative<ActivityResult::Failed>(result.status)) {
      absl::MutexLock lock(&mutex_);
      kept = std::exchange(latest_, std::nullopt);  // The next attempt sees them.
    }
    when_quiet(
        [self = shared_from_this(), result = std::move(result), kept = std::move(kept)]() mutable {
          self->sink_->report(self->task_, std::move(result), std::move(kept),
                              [self](absl::Status) { self->gone(); });
        });
  }

  // A later attempt starts from what was heartbeated last, so that goes out although the interval
  // is not over.
  void flush() {
    {
      absl::MutexLock lock(&mutex_);
      flushes_ = true;
      if (latest_ && !sending_) send_heartbeat();
    }
    when_quiet([self = shared_from_this()] { self->gone(); });
  }

  void gone() {
    permit_.reset();
    manager_->running_.ended(token());  // May destroy the manager; `this` lives in the caller.
  }

  ActivityManager* const manager_;
  base::Timers& timers_;
  const Task task_;
  std::shared_ptr<void> permit_;
  const std::shared_ptr<ActivitySink> sink_;
  ActivityLanguage* const language_;
  const nanoseconds interval_;
  const std::shared_ptr<ActivityTypeMetrics> metrics_;  // Null when nothing is counted.
  const base::SteadyTime started_;

  absl::Mutex mutex_;
  std::optional<api::common::v1::Payloads> latest_ ABSL_GUARDED_BY(mutex_);
  bool sending_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool flushes_ ABSL_GUARDED_BY(mutex_) = false;  // A kept heartbeat goes out at once.
  bool cancel_told_ ABSL_GUARDED_BY(mutex_) = false;
  ActivityCancellation cancellation_ ABSL_GUARDED_BY(mutex_);
  base::SteadyTime last_heartbeat_ ABSL_GUARDED_BY(mutex_);
  base::TimerId timer_ ABSL_GUARDED_BY(mutex_) = 0;          // The heartbeat interval's end.
  base::TimerId run_timer_ ABSL_GUARDED_BY(mutex_) = 0;      // Start-to-close, schedule-to-close.
  base::TimerId silence_timer_ ABSL_GUARDED_BY(mutex_) = 0;  // Heartbeat timeout.
  absl::AnyInvocable<void() &&> held_report_ ABSL_GUARDED_BY(mutex_);
};

ActivityManager::ActivityManager(ActivityManagerOptions options, base::Timers& timers,
                                 base::Clock& clock)
    : options_(std::move(options)), timers_(timers), clock_(clock) {
  if (options_.metrics)
    schedule_to_start_ = options_.metrics->duration("activity_schedule_to_start_latency");
}

ActivityManager::~ActivityManager() {
  absl::MutexLock lock(&mutex_);
  if (grace_timer_ != 0) timers_.cancel(grace_timer_);
}

std::shared_ptr<ActivityTypeMetrics> ActivityManager::metrics_of(
    const wf::PollActivityTaskQueueResponse& task, bool local) {
  if (!options_.metrics) return nullptr;
  const std::string &activity = task.activity_type().name(),
                    &workflow = task.workflow_type().name();
  return (local ? local_types_ : types_).of(absl::StrCat(activity, "\n", workflow), [&] {
    return std::make_shared<ActivityTypeMetrics>(*options_.metrics, activity, workflow, local);
  });
}

void ActivityManager::start(Task task, std::shared_ptr<void> permit,
                            std::shared_ptr<ActivitySink> sink, bool eager, StartingThread* here) {
  const bool local = sink->local();
  if (std::shared_ptr<ActivityTypeMetrics> metrics = metrics_of(*task, local)) {
    (eager ? metrics->received_eagerly : metrics->received).add();
    if (!local) {
      schedule_to_start_->record(base::to_wall_time(task->started_time()) -
                                 base::to_wall_time(task->current_attempt_scheduled_time()));
    }
  }
  const std::string& type = task->activity_type().name();
  ActivityLanguage* language = options_.language_of(type);
  auto running =
      std::make_shared<Running>(*this, task, std::move(permit), std::move(sink), language);
  running_.add(running->token(), running);
  bool cancel_now = false;
  {
    absl::MutexLock lock(&mutex_);
    cancel_now = cancelling_ && !local;
  }
  if (language == nullptr) {
    ActivityResult::Failed failed;
    failed.failure.set_source(options_.failure_source);
    failed.failure.set_message(
        absl::StrCat("Activity type ", type, " is not registered on this worker. It knows: ",
                     options_.known_types.empty() ? "no activity" : options_.known_types));
    failed.failure.mutable_application_failure_info()->set_type("NotFoundError");
    running->complete({std::move(failed)});
    return;
  }
  running->start(here);
  if (cancel_now) running->cancel({.worker_shutdown = true});
}

void ActivityManager::begin_shutdown(nanoseconds grace) {
  if (grace.count() <= 0) return cancel_all();
  absl::MutexLock lock(&mutex_);
  if (grace_timer_ == 0) grace_timer_ = timers_.after(grace, [this] { cancel_all(); });
}

void ActivityManager::cancel_all() {
  {
    absl::MutexLock lock(&mutex_);
    cancelling_ = true;
    grace_timer_ = 0;
  }
  for (const auto& running : running_.all()) {
    if (!running->local()) running->cancel({.worker_shutdown = true});
  }
}

void ActivityManager::cancel(const std::string& task_token,
                             const ActivityCancellation& cancellation) {
  if (const auto running = running_.find(task_token)) running->cancel(cancellation);
}

}  // namespace chimera::core
