#include "sdk-cpp/src/activity_pool.h"

#include <stdexcept>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "core/base/utf8.h"
#include "core/converter/failure_size.h"
#include "core/converter/payload.h"
#include "core/telemetry/log.h"
#include "sdk-cpp/src/crash_report.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/log.h"

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

LogFields log_fields(const activity::Info& info) {
  return {{"activity_type", info.activity_type},   {"activity_id", info.activity_id},
          {"attempt", absl::StrCat(info.attempt)}, {"workflow_id", info.workflow_id},
          {"run_id", info.workflow_run_id},        {"workflow_type", info.workflow_type},
          {"task_queue", info.task_queue}};
}

// The last link: the function itself.
class ActivityCode final : public ActivityInbound {
 public:
  explicit ActivityCode(const detail::ActivityType& type) : ActivityInbound(nullptr), type_(type) {}
  void execute(const ExecuteActivityInput& input, PayloadSink& result) override {
    type_.call(PayloadList(&input.arguments), &result);
  }

 private:
  const detail::ActivityType& type_;
};

// What it means that the worker asked for it is the core's to say; a CancelledError that nobody
// asked for is a failure like others.
core::ActivityResult cancelled_result(ActivityContext& context, const CancelledError& error) {
  const activity::CancellationDetails why = context.cancellation();
  if (!why.cancel_requested && !why.worker_shutdown && !why.not_found && !why.timed_out &&
      !why.paused && !why.reset) {
    return {
        core::ActivityResult::Failed{to_failure(error, context.codec(), core::kFailureBytesMax)}};
  }
  ProtoPayloads details = to_proto(error.details().payloads());
  encode_in_place(details, context.codec());
  return {core::ActivityResult::Cancelled{std::move(details)}};
}

}  // namespace

class ActivityContext::Reports final : public ActivityOutbound {
 public:
  explicit Reports(ActivityContext& context) : ActivityOutbound(nullptr), context_(context) {}
  void heartbeat(const HeartbeatInput& input) override {
    context_.task().handle->heartbeat(encode_arguments(input.details, context_.codec()));
  }
  const activity::Info& info() override { return context_.info(); }

 private:
  ActivityContext& context_;
};

void Pace::took(std::chrono::nanoseconds time) {
  // Waking a thread takes about 20 us.
  constexpr std::chrono::microseconds kQuick{50}, kSlow{500};
  int credit = credit_.load(std::memory_order_relaxed);
  if (time < kQuick) {
    credit = std::min(credit + 1, kMost);
  } else {
    // One that was quick for long may have been interrupted: one more soon after loses that.
    credit = std::max(credit - (time > kSlow ? kSlowCosts : kNotQuickCosts), -kSlowCosts);
  }
  credit_.store(credit, std::memory_order_relaxed);
}

ActivityContext::ActivityContext(core::ActivityTask task, RegisteredActivity* registered,
                                 const Codec& codec, const std::string& task_queue,
                                 core::Metrics& metrics, const WorkerInterceptors& interceptors)
    : task_(std::move(task)),
      registered_(registered),
      codec_(codec),
      metrics_(metrics),
      task_queue_(task_queue),
      owner_(absl::StrCat("activity ", task_.message->activity_type().name(), " (id ",
                          task_.message->activity_id(), ", workflow ",
                          task_.message->workflow_execution().workflow_id(), ")")),
      interceptors_(interceptors) {
  // Details that cannot be read fail the attempt before its code runs.
  if (task_.message->has_heartbeat_details()) info();
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
  if (current_activity != nullptr) return *current_activity;
  throw std::logic_error(
      absl::StrCat("chimera::activity::", call,
                   " was called outside an activity; only the thread that runs one may"));
}

ActivityContext* ActivityContext::enter(ActivityContext* context) {
  return std::exchange(current_activity, context);
}

void ActivityContext::cancel(const core::ActivityCancellation& why) {
  const absl::MutexLock lock(&mutex_);
  cancelled_ = true;
  details_.not_found |= why.not_found;
  details_.cancel_requested |= why.cancelled;
  details_.paused |= why.paused;
  details_.timed_out |= why.timed_out;
  details_.worker_shutdown |= why.worker_shutdown;
  details_.reset |= why.reset;
}

activity::CancellationDetails ActivityContext::cancellation() {
  const absl::MutexLock lock(&mutex_);
  return details_;
}

bool ActivityContext::wait_for_cancelled(Duration timeout) {
  const absl::MutexLock lock(&mutex_);
  if (timeout.count() > 0) {
    mutex_.AwaitWithTimeout(absl::Condition(&cancelled_), absl::Nanoseconds(timeout.count()));
  }
  return cancelled_;
}

CppActivityLanguage::CppActivityLanguage(Codec codec, int threads_max)
    : codec_(std::move(codec)), threads_max_(static_cast<std::size_t>(std::max(threads_max, 1))) {}

CppActivityLanguage::~CppActivityLanguage() {
  std::vector<std::thread> threads;
  {
    const absl::MutexLock lock(&mutex_);
    stopping_ = true;
    threads.swap(threads_);
    changed_.SignalAll();
  }
  for (std::thread& thread : threads) thread.join();
}

void CppActivityLanguage::start(core::ActivityTask task) {
  std::shared_ptr<ActivityContext> context;
  const auto handle = task.handle;
  core::StartingThread* const here = std::exchange(task.here, nullptr);
  const auto type = types_.find(task.message->activity_type().name());
  RegisteredActivity* const registered = type == types_.end() ? nullptr : &type->second;
  try {
    context = std::make_shared<ActivityContext>(std::move(task), registered, codec_, task_queue_,
                                                *metrics_, interceptors_);
  } catch (const std::exception& error) {
    handle->complete({core::ActivityResult::Failed{to_failure(
        ApplicationError(absl::StrCat("Failed decoding heartbeat details: ", error.what()),
                         {.type = "ConversionError", .non_retryable = true}),
        nullptr)}});
    return;
  }
  if (here == nullptr || registered == nullptr || !registered->pace.quick())
    return enqueue(std::move(context));
  note(context);
  here->run([&] {
    prepare_crash_report();
    run(*context);
  });
}

void CppActivityLanguage::note(const std::shared_ptr<ActivityContext>& context) {
  const absl::MutexLock lock(&running_mutex_);
  running_[context->task().message->task_token()] = context;
}

void CppActivityLanguage::enqueue(std::shared_ptr<ActivityContext> context) {
  note(context);
  const absl::MutexLock lock(&mutex_);
  waiting_.push_back(std::move(context));
  if (waiting_.size() > idle_ && threads_.size() < threads_max_) {
    try {
      threads_.emplace_back([this] { work(); });
    } catch (const std::system_error& error) {
      // Where the machine gives no more, those that there are take it in turn.
      if (threads_.empty()) throw;
      core::log(core::LogLevel::kWarn, "worker",
                absl::StrCat("activities wait for ", threads_.size(),
                             " threads: the machine gives no more (", error.what(), ")"));
    }
  }
  changed_.Signal();
}

void CppActivityLanguage::cancel(const std::string& task_token,
                                 const core::ActivityCancellation& cancellation) {
  std::shared_ptr<ActivityContext> context;
  {
    const absl::MutexLock lock(&running_mutex_);
    const auto found = running_.find(task_token);
    if (found == running_.end()) return;  // It has ended.
    context = found->second;
  }
  context->cancel(cancellation);
}

void CppActivityLanguage::work() {
  prepare_crash_report();
  for (;;) {
    std::shared_ptr<ActivityContext> context;
    {
      const absl::MutexLock lock(&mutex_);
      ++idle_;
      while (!stopping_ && waiting_.empty()) changed_.Wait(&mutex_);
      --idle_;
      if (waiting_.empty()) return;
      context = std::move(waiting_.front());
      waiting_.pop_front();
    }
    run(*context);
  }
}

void CppActivityLanguage::run(ActivityContext& context) {
  const base::SteadyTime began = base::system_clock().steady();
  current_activity = &context;
  core::ActivityResult result = [&] {
    const RunningScope names_crashes(context.owner());
    return execute(context);
  }();
  current_activity = nullptr;
  if (context.registered() != nullptr)
    context.registered()->pace.took(base::system_clock().steady() - began);
  std::shared_ptr<ActivityContext> last;  // Released without the lock.
  {
    const absl::MutexLock lock(&running_mutex_);
    const auto found = running_.find(context.task().message->task_token());
    last = std::move(found->second);
    running_.erase(found);
  }
  context.task().handle->complete(std::move(result));
}

core::ActivityResult CppActivityLanguage::execute(ActivityContext& context) {
  try {
    return attempt(context);
  } catch (...) {  // Out of a codec, which may not read or write a failure's details either.
    log(LogLevel::kWarning, "activity", absl::StrCat("failed: ", describe_current()),
        log_fields(context.info()));
    return {core::ActivityResult::Failed{
        plain_failure(base::cut_utf8(describe_current(), core::kFailureBytesMax), current_type())}};
  }
}

core::ActivityResult CppActivityLanguage::attempt(ActivityContext& context) {
  try {
    if (context.registered() == nullptr) {
      throw ApplicationError(
          absl::StrCat("no C++ activity is called '", context.info().activity_type, "'"),
          {.type = "NotFoundError"});
    }
    ProtoPayloads scratch;
    ProtoPayload result;
    PayloadSink sink(&result);
    const auto& task = *context.task().message;
    ActivityCode code(context.registered()->type);
    Chain<ActivityInbound>(interceptors_, code)
        .first()
        .execute({decoded(task.input(), codec_, scratch), task.header()}, sink);
    encode_in_place(result, codec_);
    return {core::ActivityResult::Completed{std::move(result)}};
  } catch (const activity::CompleteAsync&) {
    return {core::ActivityResult::WillCompleteAsync{}};
  } catch (const CancelledError& error) {
    return cancelled_result(context, error);
  } catch (const ApplicationError& error) {
    const bool benign = error.category() == ApplicationErrorCategory::kBenign;
    log(benign ? LogLevel::kDebug : LogLevel::kWarning, "activity",
        absl::StrCat("failed: ", describe(error)), log_fields(context.info()));
    return {core::ActivityResult::Failed{to_failure(error, codec_, core::kFailureBytesMax)}};
  } catch (...) {
    log(LogLevel::kWarning, "activity", absl::StrCat("failed: ", describe_current()),
        log_fields(context.info()));
    return {core::ActivityResult::Failed{current_failure(codec_, core::kFailureBytesMax)}};
  }
}

}  // namespace chimera::sdk

namespace chimera::activity {

using sdk::ActivityContext;

const Info& info() { return ActivityContext::current("info").outbound().info(); }
bool is_cancelled() { return ActivityContext::current("is_cancelled").wait_for_cancelled({}); }
bool is_worker_shutdown() {
  return ActivityContext::current("is_worker_shutdown").cancellation().worker_shutdown;
}
CancellationDetails cancellation_details() {
  return ActivityContext::current("cancellation_details").cancellation();
}
bool wait_for_cancelled(Duration timeout) {
  return ActivityContext::current("wait_for_cancelled").wait_for_cancelled(timeout);
}
void throw_if_cancelled() {
  if (ActivityContext::current("throw_if_cancelled").wait_for_cancelled({})) {
    throw CancelledError("Activity cancelled");
  }
}

void raise_complete_async() {
  ActivityContext::current("raise_complete_async");
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
