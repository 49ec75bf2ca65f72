#include "sdk-cpp/src/activity_pool.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "core/base/timers.h"
#include "core/base/utf8.h"
#include "core/converter/failure_size.h"
#include "core/converter/payload.h"
#include "sdk-cpp/src/crash_report.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/log.h"

namespace chimera::sdk {
namespace {

// The last link: the function itself.
class ActivityCode final : public ActivityInbound {
 public:
  explicit ActivityCode(const detail::ActivityType& type) : ActivityInbound(nullptr), type_(type) {}
  void execute(const ExecuteActivityInput& input, PayloadSink& result) override {
    ProtoPayloads scratch;
    const ProtoPayloads& arguments =
        type_.dynamic ? with_name(activity::info().activity_type, input.arguments, scratch)
                      : input.arguments;
    type_.call(PayloadList(&arguments), &result);
  }

 private:
  const detail::ActivityType& type_;
};

core::ActivityResult failed_result(ActivityContext& context, const std::exception_ptr& error) {
  return {core::ActivityResult::Failed{to_failure(error, context.codec(), core::kFailureBytesMax)}};
}

// What it means that the worker asked for it is the core's to say; a CancelledError that nobody
// asked for is a failure like others.
core::ActivityResult cancelled_result(ActivityContext& context, const CancelledError& error) {
  const activity::CancellationDetails why = context.cancellation();
  if (!why.cancel_requested && !why.worker_shutdown && !why.not_found && !why.timed_out &&
      !why.paused && !why.reset)
    return failed_result(context, std::current_exception());
  ProtoPayloads details = to_proto(error.details().payloads());
  encode_in_place(details, context.codec());
  return {core::ActivityResult::Cancelled{std::move(details)}};
}

// Of what the code threw.
core::ActivityResult result_of_current(ActivityContext& context) {
  try {
    std::rethrow_exception(context.codec().to_failure(std::current_exception()));
  } catch (const CancelledError& error) {
    return cancelled_result(context, error);
  } catch (const ApplicationError& error) {
    const bool benign = error.category() == ApplicationErrorCategory::kBenign;
    log(benign ? LogLevel::kDebug : LogLevel::kWarning, "activity",
        absl::StrCat("failed: ", describe(error)), log_fields(context.info()));
    return failed_result(context, std::current_exception());
  } catch (...) {
    log(LogLevel::kWarning, "activity", absl::StrCat("failed: ", describe_current()),
        log_fields(context.info()));
    return failed_result(context, std::current_exception());
  }
}

}  // namespace

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

CppActivityLanguage::CppActivityLanguage(Codec codec, int threads_max)
    : codec_(std::move(codec)),
      threads_("activities", threads_max,
               [this](const std::shared_ptr<ActivityContext>& context) { run(*context); }) {}

void CppActivityLanguage::start(core::ActivityTask task) {
  std::shared_ptr<ActivityContext> context;
  const auto handle = task.handle;
  core::StartingThread* const here = std::exchange(task.here, nullptr);
  auto type = types_.find(task.message->activity_type().name());
  if (type == types_.end()) type = types_.find("");  // The dynamic one.
  RegisteredActivity* const registered = type == types_.end() ? nullptr : &type->second;
  try {
    context = std::make_shared<ActivityContext>(std::move(task), registered, codec_, task_queue_,
                                                *metrics_, interceptors_);
  } catch (const std::exception& error) {
    handle->complete({core::ActivityResult::Failed{to_failure(
        ApplicationError(error.what(), {.type = "ConversionError", .non_retryable = true}),
        nullptr)}});
    return;
  }
  if (registered != nullptr && registered->rate && wait_for_turn(context, *registered->rate))
    return;
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
  if (shutting_down_) context->worker_shutdown().request();
}

void CppActivityLanguage::begin_shutdown() {
  std::vector<std::shared_ptr<ActivityContext>> running, begin;
  {
    const absl::MutexLock lock(&running_mutex_);
    shutting_down_ = true;
    for (const auto& [token, context] : running_) {
      running.push_back(context);
      if (!context->task().is_local) continue;
      // The worker's end waits for it, and nobody cancels it.
      const auto turn = turns_.find(token);
      if (turn == turns_.end() || !base::system_timers().cancel(turn->second)) continue;
      turns_.erase(turn);
      begin.push_back(context);
    }
  }
  for (const auto& context : running) context->worker_shutdown().request();
  for (const auto& context : begin) enqueue(context);
}

bool CppActivityLanguage::wait_for_turn(const std::shared_ptr<ActivityContext>& context,
                                        ActivityRate& rate) {
  const std::chrono::nanoseconds delay = rate.take(base::system_timers().now());
  if (delay.count() <= 0) return false;
  note(context);
  const std::string& token = context->task().message->task_token();
  const absl::MutexLock lock(&running_mutex_);
  if (shutting_down_ && context->task().is_local) return false;  // As in begin_shutdown().
  turns_[token] = base::system_timers().after(delay, [this, context] {
    {
      const absl::MutexLock lock(&running_mutex_);
      turns_.erase(context->task().message->task_token());
    }
    enqueue(context);
  });
  return true;
}

void CppActivityLanguage::enqueue(std::shared_ptr<ActivityContext> context) {
  note(context);
  threads_.add(std::move(context));
}

void CppActivityLanguage::cancel(const std::string& task_token,
                                 const core::ActivityCancellation& cancellation) {
  std::shared_ptr<ActivityContext> context;
  bool waits = false;  // For its turn; its code has not begun.
  {
    const absl::MutexLock lock(&running_mutex_);
    const auto found = running_.find(task_token);
    if (found == running_.end()) return;  // It has ended.
    context = found->second;
    const auto turn = turns_.find(task_token);
    waits = turn != turns_.end() && base::system_timers().cancel(turn->second);
    if (waits) {
      turns_.erase(turn);
      running_.erase(found);
    }
  }
  context->cancel(cancellation);
  if (waits) context->task().handle->complete({core::ActivityResult::Cancelled{}});
}

void CppActivityLanguage::run(ActivityContext& context) {
  const base::SteadyTime began = base::system_clock().steady();
  ActivityContext::enter(&context);
  core::ActivityResult result = [&] {
    const RunningScope names_crashes(context.owner());
    return execute(context);
  }();
  ActivityContext::enter(nullptr);
  context.end();
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
    const Codec& codec = context.codec();
    const auto& task = *context.task().message;
    ActivityCode code(context.registered()->type);
    Chain<ActivityInbound>(interceptors_, code)
        .first()
        .execute({decoded(task.input(), codec, scratch), task.header()}, sink);
    encode_in_place(result, codec);
    return {core::ActivityResult::Completed{std::move(result)}};
  } catch (const activity::CompleteAsync&) {
    return {core::ActivityResult::WillCompleteAsync{}};
  } catch (...) {
    return result_of_current(context);
  }
}

}  // namespace chimera::sdk
