#include "core/nexus/nexus_manager.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "core/base/proto_time.h"
#include "core/telemetry/log.h"

namespace chimera::core {

namespace nexus = api::nexus::v1;
using std::chrono::nanoseconds;
using Headers = google::protobuf::Map<std::string, std::string>;

namespace {

constexpr char kRequestTimeout[] = "request-timeout";
// The protocol's types of handler errors, as far as the core makes them itself.
constexpr char kNotFound[] = "NOT_FOUND", kInternal[] = "INTERNAL", kBadRequest[] = "BAD_REQUEST";

bool has_capitals(const std::string& name) {
  return std::any_of(name.begin(), name.end(),
                     [](unsigned char c) { return absl::ascii_isupper(c); });
}

// Servers give them as the caller wrote them.
void to_small_letters(Headers& headers) {
  std::vector<std::string> capital;
  for (const auto& [name, value] : headers) {
    if (has_capitals(name)) capital.push_back(name);
  }
  for (const std::string& name : capital) {
    std::string value = std::move(headers[name]);
    headers.erase(name);
    headers[absl::AsciiStrToLower(name)] = std::move(value);
  }
}

NexusResult::Failed handler_failed(const char* type, std::string message) {
  NexusResult::Failed failed;
  failed.failure.set_message(std::move(message));
  failed.failure.mutable_nexus_handler_failure_info()->set_type(type);
  return failed;
}

// Of a start that failed as an operation; empty if it did not, or says so in no known form.
std::string failed_state(const nexus::Response& response) {
  const auto& start = response.start_operation();
  if (start.has_operation_error()) return start.operation_error().operation_state();
  if (!start.has_failure()) return "";
  return start.failure().has_canceled_failure_info() ? "canceled" : "failed";
}

// What is wrong with an answer to this request; empty: nothing.
std::string problem(const nexus::Request& request, const nexus::Response& response) {
  if (request.has_start_operation() != response.has_start_operation() ||
      request.has_cancel_operation() != response.has_cancel_operation())
    return "the handler's answer is not of the request's kind";
  const auto& start = response.start_operation();
  if (response.has_start_operation() &&
      start.variant_case() == nexus::StartOperationResponse::VARIANT_NOT_SET)
    return "the handler's answer to the start of an operation is empty";
  if (start.has_failure() && !start.failure().has_application_failure_info() &&
      !start.failure().has_canceled_failure_info())
    return "an operation fails with an application's failure or a cancellation only";
  return "";
}

}  // namespace

std::optional<nanoseconds> parse_nexus_duration(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  const std::size_t end = text.find_first_not_of("0123456789.");
  if (end == 0 || end == absl::string_view::npos) return std::nullopt;
  double value = 0;
  if (!absl::SimpleAtod(text.substr(0, end), &value)) return std::nullopt;
  const absl::string_view unit = text.substr(end);
  const double seconds = unit == "ms"  ? value / 1000
                         : unit == "s" ? value
                         : unit == "m" ? value * 60
                                       : -1;
  constexpr double kMost = 1e9;  // Seconds; what nanoseconds in 64 bits can still tell.
  if (seconds < 0 || seconds > kMost) return std::nullopt;
  return nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

NexusTarget target_of(const nexus::Request& request) {
  if (request.has_cancel_operation())
    return {request.cancel_operation().service(), request.cancel_operation().operation()};
  return {request.start_operation().service(), request.start_operation().operation()};
}

struct NexusManager::Instruments {
  explicit Instruments(const SdkMetrics& sdk)
      : metrics(sdk),
        schedule_to_start(sdk.duration("nexus_task_schedule_to_start_latency")),
        execution(sdk.duration("nexus_task_execution_latency")),
        end_to_end(sdk.duration("nexus_task_endtoend_latency")) {}
  void failed(const std::string& reason) const {
    metrics.counter("nexus_task_execution_failed", {{"failure_reason", reason}}).add();
  }

  const SdkMetrics& metrics;
  DurationHistogram schedule_to_start, execution, end_to_end;
};

// One task under way. Shared by the manager's map, the language (as its handle) and RPC callbacks.
class NexusManager::Running : public NexusHandle, public std::enable_shared_from_this<Running> {
 public:
  Running(NexusManager& manager, const Polled& task, std::shared_ptr<void> permit,
          NexusLanguage* language)
      : manager_(manager),
        task_(task),
        permit_(std::move(permit)),
        language_(language),
        started_(manager.timers_.now()) {}

  const std::string& token() const { return task_->task_token(); }

  void start() {
    std::optional<base::WallTime> deadline;
    if (const std::optional<nanoseconds> left = time_left()) {
      deadline = manager_.clock_.now() + *left;
      absl::MutexLock lock(&mutex_);
      timer_ = manager_.timers_.after(*left, [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->cancel(NexusCancelReason::kTimedOut);
      });
    }
    language_->start({.message = task_, .deadline = deadline, .handle = shared_from_this()});
  }

  void complete(NexusResult result) override {
    bool cancelled = false;
    {
      absl::MutexLock lock(&mutex_);
      if (ended_) return;
      ended_ = true;
      cancelled = cancel_told_;
      if (timer_ != 0) manager_.timers_.cancel(std::exchange(timer_, 0));
    }
    make_valid(result, cancelled);
    count(result);
    send(std::move(result));
  }

  // Tells the language, at most once.
  void cancel(NexusCancelReason reason) {
    {
      absl::MutexLock lock(&mutex_);
      if (ended_ || cancel_told_) return;
      cancel_told_ = true;
    }
    language_->cancel(token(), reason);
  }

 private:
  // Until the caller gives up.
  std::optional<nanoseconds> time_left() const {
    const auto& headers = task_->request().header();
    const auto found = headers.find(kRequestTimeout);
    if (found == headers.end()) return std::nullopt;
    const auto left = parse_nexus_duration(found->second);
    if (!left) {
      log(LogLevel::kWarn, "nexus",
          absl::StrCat("the header ", kRequestTimeout, " of a Nexus task has no duration: \"",
                       found->second, "\"; its handler is told of no deadline"));
    }
    return left;
  }

  void make_valid(NexusResult& result, bool cancelled) const {
    if (const auto* completed = std::get_if<NexusResult::Completed>(&result.status)) {
      const std::string wrong = problem(task_->request(), completed->response);
      if (!wrong.empty()) result.status = handler_failed(kInternal, wrong);
    } else if (auto* failed = std::get_if<NexusResult::Failed>(&result.status)) {
      if (!failed->failure.has_nexus_handler_failure_info())
        failed->failure.mutable_nexus_handler_failure_info()->set_type(kInternal);
    } else if (!cancelled) {
      result.status = handler_failed(
          kInternal, "The handler ended as cancelled, but nothing had asked for that");
    }
  }

  void count(const NexusResult& result) const {
    std::string reason;
    if (const auto* completed = std::get_if<NexusResult::Completed>(&result.status)) {
      const std::string state = failed_state(completed->response);
      if (!state.empty()) reason = absl::StrCat("operation_", state);
    } else if (const auto* failed = std::get_if<NexusResult::Failed>(&result.status)) {
      reason = absl::StrCat("handler_error_", failed->failure.nexus_handler_failure_info().type());
    } else {
      reason = "timeout";
    }
    if (TaskFigures* figures = manager_.options_.figures) figures->count(!reason.empty());
    if (!manager_.instruments_) return;
    manager_.instruments_->execution.record(manager_.timers_.now() - started_);
    if (!reason.empty()) manager_.instruments_->failed(reason);
  }

  void send(NexusResult result) {
    const auto done = [self = shared_from_this()](const absl::Status& status) {
      if (status.ok() && self->manager_.instruments_) {
        self->manager_.instruments_->end_to_end.record(
            self->manager_.clock_.now() -
            base::to_wall_time(self->task_->request().scheduled_time()));
      }
      self->gone();
    };
    NexusSink& sink = *manager_.sink_;
    if (auto* completed = std::get_if<NexusResult::Completed>(&result.status)) {
      sink.completed(task_, std::move(*completed), done);
    } else if (auto* failed = std::get_if<NexusResult::Failed>(&result.status)) {
      sink.failed(task_, std::move(*failed), done);
    } else {
      gone();
    }
  }

  void gone() {
    permit_.reset();
    manager_.running_.ended(token());  // May destroy the manager; `this` lives in the caller.
  }

  NexusManager& manager_;
  const NexusSink::Task task_;
  std::shared_ptr<void> permit_;
  NexusLanguage* const language_;
  const base::SteadyTime started_;

  absl::Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancel_told_ ABSL_GUARDED_BY(mutex_) = false;
  base::TimerId timer_ ABSL_GUARDED_BY(mutex_) = 0;  // When the caller gives up.
};

NexusManager::NexusManager(NexusManagerOptions options, std::shared_ptr<NexusSink> sink,
                           base::Timers& timers, base::Clock& clock)
    : options_(std::move(options)),
      sink_(std::move(sink)),
      timers_(timers),
      clock_(clock),
      instruments_(options_.metrics ? std::make_unique<Instruments>(*options_.metrics) : nullptr) {}

NexusManager::~NexusManager() {
  absl::MutexLock lock(&mutex_);
  if (grace_timer_ != 0) timers_.cancel(grace_timer_);
}

void NexusManager::start(const Polled& task, std::shared_ptr<void> permit) {
  nexus::Request& request = *task->mutable_request();
  to_small_letters(*request.mutable_header());
  if (request.has_start_operation())
    to_small_letters(*request.mutable_start_operation()->mutable_callback_header());
  if (instruments_) {
    instruments_->schedule_to_start.record(clock_.now() -
                                           base::to_wall_time(request.scheduled_time()));
  }
  const std::string& service = target_of(request).service;
  NexusLanguage* language = options_.language_of(service);
  auto running = std::make_shared<Running>(*this, task, std::move(permit), language);
  running_.add(running->token(), running);
  bool cancel_now = false;
  {
    absl::MutexLock lock(&mutex_);
    cancel_now = cancelling_;
  }
  if (request.variant_case() == nexus::Request::VARIANT_NOT_SET) {
    return running->complete({handler_failed(kBadRequest,
                                             "this worker knows requests to start or to cancel an "
                                             "operation only, and this is neither")});
  }
  if (language == nullptr) {
    // The beginning is nexus-rpc's.
    return running->complete({handler_failed(
        kNotFound, absl::StrCat("No handler for service '", service,
                                "'. This worker knows: ", options_.known_services))});
  }
  running->start();
  if (cancel_now) running->cancel(NexusCancelReason::kWorkerShutdown);
}

void NexusManager::begin_shutdown(nanoseconds grace) {
  if (grace.count() <= 0) return cancel_all();
  absl::MutexLock lock(&mutex_);
  if (grace_timer_ == 0) grace_timer_ = timers_.after(grace, [this] { cancel_all(); });
}

void NexusManager::cancel_all() {
  {
    absl::MutexLock lock(&mutex_);
    cancelling_ = true;
    grace_timer_ = 0;
  }
  for (const auto& running : running_.all()) running->cancel(NexusCancelReason::kWorkerShutdown);
}

}  // namespace chimera::core
