// What activity code calls, and where it is kept.
#include "sdk-cpp/src/activity_context.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "core/base/proto_time.h"
#include "core/base/timers.h"

namespace chimera::sdk {
namespace {

thread_local ActivityContext* current_activity = nullptr;

activity::Info make_info(const api::workflowservice::v1::PollActivityTaskQueueResponse& task,
                         const Codec& codec, const std::string& task_queue, bool is_local) {
  ProtoPayloads scratch;
  return {
      .activity_id = task.activity_id(),
      .activity_type = task.activity_type().name(),
      .task_queue = task_queue,
      .task_token = task.task_token(),
      .workflow_id = task.workflow_execution().workflow_id(),
      .workflow_run_id = task.workflow_execution().run_id(),
      .workflow_type = task.workflow_type().name(),
      .workflow_namespace = task.workflow_namespace(),
      .attempt = task.attempt(),
      .is_local = is_local,
      .scheduled_time = base::to_wall_time(task.scheduled_time()),
      .current_attempt_scheduled_time = base::to_wall_time(task.current_attempt_scheduled_time()),
      .started_time = base::to_wall_time(task.started_time()),
      .schedule_to_close_timeout = base::to_nanoseconds(task.schedule_to_close_timeout()),
      .start_to_close_timeout = base::to_nanoseconds(task.start_to_close_timeout()),
      .heartbeat_timeout = base::to_nanoseconds(task.heartbeat_timeout()),
      .priority = to_public(task.priority()),
      .heartbeat_details = Details(to_public(decoded(task.heartbeat_details(), codec, scratch)))};
}

core::PayloadContext values_of(const core::ActivityTask& task, const std::string& task_queue) {
  const auto& message = *task.message;
  return {.namespace_ = message.workflow_namespace(),
          .workflow_id = message.workflow_execution().workflow_id(),
          .workflow_type = message.workflow_type().name(),
          .activity = core::PayloadContext::Activity{.id = message.activity_id(),
                                                     .type = message.activity_type().name(),
                                                     .task_queue = task_queue,
                                                     .is_local = task.is_local}};
}

}  // namespace

LogFields log_fields(const activity::Info& info) {
  return {{"activity_type", info.activity_type},   {"activity_id", info.activity_id},
          {"attempt", absl::StrCat(info.attempt)}, {"workflow_id", info.workflow_id},
          {"run_id", info.workflow_run_id},        {"workflow_type", info.workflow_type},
          {"task_queue", info.task_queue}};
}

class ActivityContext::Reports final : public ActivityOutbound {
 public:
  explicit Reports(ActivityContext& context) : ActivityOutbound(nullptr), context_(context) {}
  void heartbeat(const HeartbeatInput& input) override {
    ProtoPayloads details = encode_arguments(input.details, context_.codec());
    {
      const absl::MutexLock lock(&context_.mutex_);
      context_.heartbeat_ = details;
    }
    context_.task().handle->heartbeat(std::move(details));
  }
  const activity::Info& info() override { return context_.info(); }

 private:
  ActivityContext& context_;
};

ActivityContext::ActivityContext(core::ActivityTask task, RegisteredActivity* registered,
                                 const Codec& codec, const std::string& task_queue,
                                 core::Metrics& metrics, const WorkerInterceptors& interceptors)
    : task_(std::move(task)),
      registered_(registered),
      task_queue_(task_queue),
      codec_(codec, values_of(task_, task_queue_)),
      metrics_(metrics),
      owner_(absl::StrCat("activity ", task_.message->activity_type().name(), " (id ",
                          task_.message->activity_id(), ", workflow ",
                          task_.message->workflow_execution().workflow_id(), ")")),
      interceptors_(interceptors) {
  // Details that cannot be read fail the attempt before its code runs.
  if (!task_.message->has_heartbeat_details()) return;
  try {
    info();
  } catch (const ConversionError& error) {
    throw ConversionError(absl::StrCat("Failed decoding heartbeat details: ", error.what()));
  }
}

const activity::Info& ActivityContext::info() {
  if (!info_) info_ = make_info(*task_.message, codec_, task_queue_, task_.is_local);
  return *info_;
}

ActivityOutbound& ActivityContext::outbound() {
  if (!outbound_) {
    if (reports_ != nullptr) return *reports_;  // An interceptor asks while it makes its link.
    reports_ = std::make_unique<Reports>(*this);
    try {
      outbound_.emplace(interceptors_, *reports_);
    } catch (...) {
      reports_ = nullptr;
      throw;
    }
  }
  return outbound_->first();
}

ActivityContext& ActivityContext::current(const char* call) {
  if (current_activity == nullptr) {
    throw std::logic_error(absl::StrCat(
        "chimera::activity::", call,
        " was called outside an activity; only the thread that runs one may, and those "
        "that have a ContextScope"));
  }
  if (current_activity->ended_.load()) {
    throw std::logic_error(absl::StrCat("chimera::activity::", call, " was called for ",
                                        current_activity->owner(), ", which has ended"));
  }
  return *current_activity;
}

ActivityContext* ActivityContext::current_or_null() { return current_activity; }

ActivityContext* ActivityContext::enter(ActivityContext* context) {
  return std::exchange(current_activity, context);
}

void ActivityContext::cancel(const core::ActivityCancellation& why) {
  {
    const absl::MutexLock lock(&mutex_);
    details_.not_found |= why.not_found;
    details_.cancel_requested |= why.cancelled;
    details_.paused |= why.paused;
    details_.timed_out |= why.timed_out;
    details_.worker_shutdown |= why.worker_shutdown;
    details_.reset |= why.reset;
  }
  cancelled_.request();
}

activity::CancellationDetails ActivityContext::cancellation() {
  const absl::MutexLock lock(&mutex_);
  return details_;
}

std::shared_ptr<ActivityContext> ActivityContext::share() {
  info();
  outbound();
  return shared_from_this();
}

void ActivityContext::repeat_heartbeat() {
  if (ended_.load()) return;
  ProtoPayloads details = task_.message->heartbeat_details();
  {
    const absl::MutexLock lock(&mutex_);
    if (heartbeat_) details = *heartbeat_;
  }
  task_.handle->heartbeat(std::move(details));
}

}  // namespace chimera::sdk

namespace chimera::activity {

using sdk::ActivityContext;

namespace {
thread_local bool visiting = false;  // This thread runs no activity of its own.
constexpr Duration kShortest = std::chrono::milliseconds(10);
constexpr Duration kWithoutTimeout = std::chrono::seconds(30);
}  // namespace

Context::Context()
    : context_(ActivityContext::current("Context").share()), values_(chimera::Context::current()) {}

ContextScope::ContextScope(const Context& context)
    : context_(context.context_),
      before_(ActivityContext::enter(context_.get())),
      visited_before_(std::exchange(visiting, true)),
      values_(context.values_) {}
ContextScope::~ContextScope() {
  ActivityContext::enter(before_);
  visiting = visited_before_;
}

// Beats on the thread of the process's timers, where nothing blocks.
class AutoHeartbeat::Beats : public std::enable_shared_from_this<Beats> {
 public:
  Beats(std::shared_ptr<ActivityContext> context, Duration interval)
      : context_(std::move(context)), interval_(interval) {}

  void start() {
    const absl::MutexLock lock(&mutex_);
    arm();
  }
  // After the beat under way, which may run code of a test's.
  void stop() {
    const absl::MutexLock lock(&mutex_);
    stopped_ = true;
    base::system_timers().cancel(timer_);
  }

 private:
  void arm() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    timer_ = base::system_timers().after(interval_, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self == nullptr) return;
      const absl::MutexLock lock(&self->mutex_);
      if (self->stopped_) return;
      self->context_->repeat_heartbeat();
      self->arm();
    });
  }

  const std::shared_ptr<ActivityContext> context_;
  const Duration interval_;
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  base::TimerId timer_ ABSL_GUARDED_BY(mutex_) = 0;
};

AutoHeartbeat::AutoHeartbeat(Duration interval) {
  ActivityContext& context = ActivityContext::current("AutoHeartbeat");
  if (interval.count() < 0)
    throw std::invalid_argument("AutoHeartbeat: interval must not be negative");
  if (interval.count() == 0) {
    const Duration timeout = context.info().heartbeat_timeout;
    interval = timeout.count() > 0 ? std::max(timeout / 3, kShortest) : kWithoutTimeout;
  }
  beats_ = std::make_shared<Beats>(context.share(), std::max(interval, kShortest));
  beats_->start();
}
AutoHeartbeat::~AutoHeartbeat() { beats_->stop(); }

const Info& info() { return ActivityContext::current("info").outbound().info(); }
bool is_cancelled() { return ActivityContext::current("is_cancelled").cancelled().requested(); }
bool is_worker_shutdown() {
  return ActivityContext::current("is_worker_shutdown").worker_shutdown().requested();
}
bool wait_for_worker_shutdown(Duration timeout) {
  return ActivityContext::current("wait_for_worker_shutdown").worker_shutdown().wait(timeout);
}
std::stop_token cancellation_token() {
  return ActivityContext::current("cancellation_token").cancelled().token();
}
std::stop_token worker_shutdown_token() {
  return ActivityContext::current("worker_shutdown_token").worker_shutdown().token();
}
CancellationDetails cancellation_details() {
  return ActivityContext::current("cancellation_details").cancellation();
}
bool wait_for_cancelled(Duration timeout) {
  return ActivityContext::current("wait_for_cancelled").cancelled().wait(timeout);
}
void throw_if_cancelled() {
  if (ActivityContext::current("throw_if_cancelled").cancelled().requested())
    throw CancelledError("Activity cancelled");
}

void raise_complete_async() {
  ActivityContext::current("raise_complete_async");
  if (visiting) {
    throw std::logic_error(
        "chimera::activity::raise_complete_async was called on another thread than the one that "
        "runs the activity, which must end by it");
  }
  throw CompleteAsync{};
}

void record_heartbeat(detail::Arguments details) {
  ActivityContext::current("heartbeat").outbound().heartbeat({details});
}

namespace {
void write_log(sdk::LogLevel level, std::string_view message) {
  const Info& info = ActivityContext::current("logger").info();
  if (sdk::log_enabled(level)) sdk::log(level, "activity", message, sdk::log_fields(info));
}
}  // namespace

void Logger::debug(std::string_view message) const { write_log(sdk::LogLevel::kDebug, message); }
void Logger::info(std::string_view message) const { write_log(sdk::LogLevel::kInfo, message); }
void Logger::warning(std::string_view message) const {
  write_log(sdk::LogLevel::kWarning, message);
}
void Logger::error(std::string_view message) const { write_log(sdk::LogLevel::kError, message); }

}  // namespace chimera::activity
