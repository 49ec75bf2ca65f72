// What chimera/workflow.h promises to workflow code, over the runtime of the run that calls.
#include <exception>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "chimera/workflow.h"
#include "sdk-cpp/src/calls.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/log.h"

namespace chimera {

using sdk::WorkflowRuntime;

namespace detail {
using sdk::place_of, sdk::require;

void continue_as_new(const ContinueAsNewOptions& options, Arguments arguments) {
  sdk::call(sdk::ContinueAsNewInput{options, arguments});
  throw std::logic_error("continue_as_new() was swallowed on its way out");
}

bool finished(const OperationPtr& operation) {
  require(operation, "handle");
  return operation->done;
}

void cancel(const OperationPtr& operation) {
  require(operation, "handle");
  WorkflowRuntime& run = WorkflowRuntime::current("cancel");
  run.run().place = place_of(__builtin_return_address(0));
  if (run.run().may_change("cancel")) run.scheduler().cancel(operation);
}

void wait(const OperationPtr& given, void (*decode_into)(const PayloadSource&, void*), void* out) {
  require(given, "handle");
  const OperationPtr operation = given;  // While this waits, the user's may go.
  WorkflowRuntime& run = WorkflowRuntime::current("get");
  if (!operation->done) run.scheduler().wait_for(operation, run.scheduler().waiting_task("get"));
  sdk::throw_if_failed(*operation);
  if (decode_into == nullptr) return;
  if (!operation->result)
    throw ConversionError("a result was expected, but the activity or workflow returned none");
  // An interceptor's own answer has none.
  const sdk::Converting converting(operation->codec == nullptr ? &run.run().values
                                                               : operation->codec->context());
  decode_into(PayloadSource(&*operation->result), out);
}

std::shared_ptr<ScopeState> open_scope(bool detached, std::optional<Duration> timeout) {
  WorkflowRuntime& run = WorkflowRuntime::current("CancellationScope");
  auto scope = std::make_shared<ScopeState>();
  scope->timeout = timeout;
  if (!detached && !run.run().evicting)
    scope->parent = run.scheduler().waiting_task("CancellationScope").scope;
  return scope;
}

void enter_scope(const std::shared_ptr<ScopeState>& scope) {
  require(scope, "CancellationScope");
  WorkflowRuntime& run = WorkflowRuntime::current("CancellationScope");
  if (run.run().evicting && run.scheduler().running() == nullptr) return;  // As leave_scope().
  TaskState& task = run.run().evicting ? *run.scheduler().running()
                                       : run.scheduler().waiting_task("CancellationScope");
  EnteredScope& entered = task.entered.emplace_back();
  entered.outer = std::exchange(task.scope, scope);
  if (scope->cancelled) task.pending_cancel = scope.get();
  if (!scope->timeout || run.run().evicting) return;
  const auto time_out = [&run, scope] {
    scope->timed_out = !scope->cancelled;
    run.scheduler().cancel(scope, "timeout");
  };
  if (scope->timeout->count() <= 0) return time_out();  // As late as a deadline that has passed.
  run.run().place = place_of(__builtin_return_address(0));
  OperationPtr timer;
  try {
    timer = run.start_timer(*scope->timeout);
  } catch (...) {  // Out of an interceptor: nothing was entered.
    leave_scope(scope);
    throw;
  }
  task.entered.back().timer = timer;  // (Such a link may have entered others, and left them.)
  if (timer->done) return time_out();
  timer->on_done = time_out;
}

void leave_scope(const std::shared_ptr<ScopeState>& scope) noexcept {
  WorkflowRuntime* const run = WorkflowRuntime::current_or_null();
  if (run == nullptr || run->scheduler().running() == nullptr) return;
  TaskState& task = *run->scheduler().running();
  if (task.pending_cancel == scope.get()) task.pending_cancel = nullptr;
  if (task.entered.empty()) return;
  const EnteredScope entered = std::move(task.entered.back());
  task.entered.pop_back();
  task.scope = entered.outer;
  if (entered.timer != nullptr && !run->run().evicting) {
    entered.timer->on_done = nullptr;
    run->scheduler().cancel(entered.timer);
  }
  std::erase_if(task.due_cancels, [&](const std::shared_ptr<ScopeState>& due) {
    if (!sdk::Scheduler::within(task.scope.get(), *due)) return false;
    task.pending_cancel = due.get();
    return true;
  });
}

void cancel(const std::shared_ptr<ScopeState>& scope, std::string reason) {
  require(scope, "CancellationScope");
  WorkflowRuntime& run = WorkflowRuntime::current("CancellationScope::cancel");
  run.run().place = place_of(__builtin_return_address(0));
  if (run.run().may_change("CancellationScope::cancel"))
    run.scheduler().cancel(scope, std::move(reason));
}

bool timed_out(const std::shared_ptr<ScopeState>& scope) {
  require(scope, "CancellationScope");
  return scope->timed_out;
}

void read_last_completion_result(void (*decode_into)(const PayloadSource&, void*), void* out) {
  WorkflowRuntime& run = WorkflowRuntime::current("last_completion_result");
  sdk::ProtoPayloads scratch;
  const sdk::ProtoPayloads& all =
      sdk::decoded(run.last_completion_result(), run.run().codec, scratch);
  if (all.payloads_size() == 0) return;
  const sdk::Converting converting(&run.run().values);
  decode_into(PayloadSource(&all.payloads(0)), out);
}

OperationPtr start_timer(Duration duration, std::string_view summary) {
  return sdk::call(sdk::StartTimerInput{duration, summary});
}

void set_handler(HandlerKind kind, HandlerType handler) {
  constexpr const char* kCalls[] = {"set_signal_handler", "set_query_handler",
                                    "set_update_handler"};
  const char* const call = kCalls[static_cast<int>(kind)];
  WorkflowRuntime& run = WorkflowRuntime::current(call);
  if (!run.run().may_change(call)) return;
  sdk::SetHandlerInput input{kind, std::move(handler)};
  run.outbound().call(input);
}

}  // namespace detail

namespace workflow {

Time now() { return sdk::call(sdk::NowInput{}); }

void sleep(Duration duration) { sdk::call(sdk::SleepInput{duration}); }

void wait_condition(const std::function<bool()>& condition) {
  sdk::call(sdk::WaitConditionInput{condition});
}
bool wait_condition(const std::function<bool()>& condition, Duration timeout) {
  return sdk::call(sdk::WaitConditionInput{condition, timeout});
}

Saga::Saga() : exceptions_at_start_(std::uncaught_exceptions()) {}

Saga::~Saga() {
  WorkflowRuntime* const run = WorkflowRuntime::current_or_null();
  if (std::uncaught_exceptions() <= exceptions_at_start_ || run == nullptr || run->run().evicting)
    return;
  detail::TaskState& task = *run->scheduler().running();
  if (task.continuing_as_new) return;
  const int before = std::exchange(task.safe_exceptions, std::uncaught_exceptions());
  try {
    compensate();
  } catch (const sdk::Unwinding&) {
    ++task.ended_in_sagas;  // The exception that brought us here goes on.
  } catch (...) {
    sdk::log(sdk::LogLevel::kError,
             absl::StrCat(run->run().owner, ": compensation stopped: ", sdk::describe_current()));
  }
  task.safe_exceptions = before;
}

void Saga::compensate() {
  WorkflowRuntime& run = WorkflowRuntime::current("Saga::compensate");
  if (run.run().evicting) return;
  while (!compensations_.empty()) {
    const std::function<void()> compensation = std::move(compensations_.back());
    compensations_.pop_back();
    try {
      CancellationScope::detached().run(compensation);
    } catch (const sdk::Unwinding&) {
      throw;
    } catch (...) {
      if (!run.run().quiet()) {
        sdk::log(
            sdk::LogLevel::kError,
            absl::StrCat(run.run().owner, ": a compensation failed: ", sdk::describe_current()));
      }
    }
  }
}

bool patched(std::string_view id) { return sdk::call(sdk::PatchedInput{id}); }
void deprecate_patch(std::string_view id) {
  WorkflowRuntime& run = WorkflowRuntime::current("deprecate_patch");
  sdk::PatchedInput input{id, /*deprecated=*/true};
  run.run().place = sdk::place_of(__builtin_return_address(0));
  run.outbound().call(input);
}

std::mt19937_64& random() {
  WorkflowRuntime& run = WorkflowRuntime::current("random");
  run.run().may_change("random");
  return run.run().random;
}

std::string uuid4() {
  WorkflowRuntime& run = WorkflowRuntime::current("uuid4");
  run.run().may_change("uuid4");
  return run.run().make_uuid();
}

std::string uuid7() {
  WorkflowRuntime& run = WorkflowRuntime::current("uuid7");
  run.run().may_change("uuid7");
  return run.run().make_timed_uuid();
}

std::int64_t random_int(std::int64_t lo, std::int64_t hi) {
  if (lo > hi) {
    throw std::invalid_argument(absl::StrCat("chimera::workflow::random_int(", lo, ", ", hi,
                                             "): no number is from the one to the other"));
  }
  std::mt19937_64& numbers = random();
  const std::uint64_t count = static_cast<std::uint64_t>(hi) - static_cast<std::uint64_t>(lo) + 1;
  if (count == 0) return static_cast<std::int64_t>(numbers());  // All that there are.
  // Of the numbers above the last multiple, some remainders would come more often.
  const std::uint64_t unfair = (std::uint64_t{0} - count) % count;
  std::uint64_t number = numbers();
  while (number < unfair) number = numbers();
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(lo) + number % count);
}

double random_double() { return static_cast<double>(random()() >> 11) * 0x1p-53; }

const Info& info() { return sdk::call(sdk::InfoInput{}); }

const UpdateInfo* current_update_info() { return sdk::call(sdk::CurrentUpdateInfoInput{}); }

bool cancel_requested() {
  return WorkflowRuntime::current("cancel_requested").run().cancel_requested;
}
std::optional<std::string> cancellation_reason() {
  const sdk::Run& run = WorkflowRuntime::current("cancellation_reason").run();
  if (!run.cancel_requested) return std::nullopt;
  return run.cancel_reason;
}

std::shared_ptr<const FailureError> last_failure() {
  WorkflowRuntime& run = WorkflowRuntime::current("last_failure");
  if (run.last_failure() == nullptr) return nullptr;
  return sdk::to_error(*run.last_failure(), run.run().codec);
}

bool all_handlers_finished() {
  return !WorkflowRuntime::current("all_handlers_finished").messages().handlers_running();
}

void set_current_details(std::string text) {
  WorkflowRuntime& run = WorkflowRuntime::current("set_current_details");
  if (run.run().may_change("set_current_details"))
    run.messages().set_current_details(std::move(text));
}

std::string current_details() {
  return WorkflowRuntime::current("current_details").messages().current_details();
}

void upsert_search_attributes(const SearchAttributes& attributes) {
  sdk::call(sdk::UpsertSearchAttributesInput{attributes});
}
void upsert_memo(const Memo& memo) { sdk::call(sdk::UpsertMemoInput{memo}); }
MetricMeter metric_meter() { return sdk::call(sdk::MetricMeterInput{}); }

namespace {
void write_log(sdk::LogLevel level, std::string_view message) {
  WorkflowRuntime& run = WorkflowRuntime::current("logger");
  if (run.run().quiet() || !sdk::log_enabled(level)) return;
  sdk::LogInput input{level, message};
  run.outbound().call(input);
}
}  // namespace

void Logger::debug(std::string_view message) const { write_log(sdk::LogLevel::kDebug, message); }
void Logger::info(std::string_view message) const { write_log(sdk::LogLevel::kInfo, message); }
void Logger::warning(std::string_view message) const {
  write_log(sdk::LogLevel::kWarning, message);
}
void Logger::error(std::string_view message) const { write_log(sdk::LogLevel::kError, message); }

}  // namespace workflow
}  // namespace chimera
