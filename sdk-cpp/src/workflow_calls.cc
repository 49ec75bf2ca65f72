// What chimera/workflow.h promises to workflow code, over the runtime of the run that calls.
#include <exception>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "chimera/workflow.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/log.h"
#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera {

using sdk::WorkflowRuntime;

namespace detail {
namespace {

// Waits for an operation whose result nobody reads.
void wait_done(WorkflowRuntime& run, const OperationPtr& operation, const char* call) {
  run.scheduler().wait_for(operation, run.scheduler().waiting_task(call));
  if (operation->failure != nullptr) operation->failure->raise();
}

// A handle that was moved from, or a Task that was never started.
template <class T>
void require(const std::shared_ptr<T>& state, const char* what) {
  if (state != nullptr) return;
  throw std::logic_error(
      absl::StrCat("this ", what, " is empty: it was made by its default, or moved from"));
}

const sdk::Child& as_child(const OperationPtr& operation) {
  require(operation, "handle");
  return static_cast<const sdk::Child&>(*operation);
}

const std::string kAnyRun;

void send_signal(sdk::SignalExternalInput input) {
  WorkflowRuntime& run = WorkflowRuntime::current("signal");
  wait_done(run, run.outbound().signal_external(input), "signal");
}

}  // namespace

OperationPtr schedule_activity(std::string_view name, const ActivityOptions& options,
                               Arguments arguments) {
  sdk::StartActivityInput input{name, options, arguments};
  return WorkflowRuntime::current("start_activity").outbound().start_activity(input);
}

OperationPtr schedule_local_activity(std::string_view name, const LocalActivityOptions& options,
                                     Arguments arguments) {
  sdk::StartLocalActivityInput input{name, options, arguments};
  return WorkflowRuntime::current("start_local_activity").outbound().start_local_activity(input);
}

OperationPtr start_child(std::string_view type, const ChildWorkflowOptions& options,
                         Arguments arguments) {
  WorkflowRuntime& run = WorkflowRuntime::current("start_child_workflow");
  sdk::StartChildInput input{type, options, arguments};
  const OperationPtr start = run.outbound().start_child(input);
  wait_done(run, start, "start_child_workflow");
  return static_cast<const sdk::ChildStart&>(*start).child;
}

const std::string& child_id(const OperationPtr& child) { return as_child(child).id; }
const std::string& child_run_id(const OperationPtr& child) { return as_child(child).run_id; }
const std::string& child_type(const OperationPtr& child) { return as_child(child).type; }

void signal_child(const OperationPtr& child, std::string_view name, Arguments arguments) {
  send_signal({as_child(child).id, kAnyRun, true, name, arguments});
}

void signal_external(const std::string& id, const std::string& run_id, std::string_view name,
                     Arguments arguments) {
  send_signal({id, run_id, false, name, arguments});
}

void cancel_external(const std::string& id, const std::string& run_id, const std::string& reason) {
  WorkflowRuntime& run = WorkflowRuntime::current("cancel");
  sdk::CancelExternalInput input{id, run_id, reason};
  wait_done(run, run.outbound().cancel_external(input), "cancel");
}

void continue_as_new(const ContinueAsNewOptions& options, Arguments arguments) {
  sdk::ContinueAsNewInput input{options, arguments};
  WorkflowRuntime::current("continue_as_new").outbound().continue_as_new(input);
  throw std::logic_error("continue_as_new() was swallowed on its way out");
}

bool finished(const OperationPtr& operation) {
  require(operation, "handle");
  return operation->done;
}

void cancel(const OperationPtr& operation) {
  require(operation, "handle");
  WorkflowRuntime& run = WorkflowRuntime::current("cancel");
  if (run.run().may_change("cancel")) run.scheduler().cancel(operation);
}

void wait(const OperationPtr& operation, void (*decode_into)(const PayloadSource&, void*),
          void* out) {
  require(operation, "handle");
  WorkflowRuntime& run = WorkflowRuntime::current("get");
  if (!operation->done) run.scheduler().wait_for(operation, run.scheduler().waiting_task("get"));
  if (operation->failure != nullptr) operation->failure->raise();
  if (decode_into == nullptr) return;
  if (!operation->result)
    throw ConversionError("a result was expected, but the activity or workflow returned none");
  decode_into(PayloadSource(&*operation->result), out);
}

std::shared_ptr<TaskState> spawn(std::function<void()> body) {
  WorkflowRuntime& run = WorkflowRuntime::current("spawn");
  if (run.run().evicting)
    return run.scheduler().spawn("task", std::move(body), nullptr);  // Never starts.
  return run.scheduler().spawn("task", std::move(body),
                               run.scheduler().waiting_task("spawn").scope);
}

void join(const std::shared_ptr<TaskState>& task) {
  require(task, "task");
  WorkflowRuntime& run = WorkflowRuntime::current("Task::get");
  task->joined = true;
  while (!task->finished) {
    TaskState& self = run.scheduler().waiting_task("Task::get");
    task->joiners.push_back(&self);
    struct Leave {
      TaskState& task;
      TaskState* self;
      ~Leave() { std::erase(task.joiners, self); }
    } leave{*task, &self};
    run.scheduler().park(self);
    // The waiter's cancellation becomes the task's, whose end is then waited for.
    if (!task->finished && sdk::Scheduler::take_cancel(self))
      run.scheduler().cancel(task->own_scope, "");
  }
  if (task->error != nullptr) std::rethrow_exception(task->error);
}

void cancel(const std::shared_ptr<TaskState>& task) {
  require(task, "task");
  WorkflowRuntime& run = WorkflowRuntime::current("Task::cancel");
  if (run.run().may_change("Task::cancel")) run.scheduler().cancel(task->own_scope, "");
}

bool finished(const std::shared_ptr<TaskState>& task) {
  require(task, "task");
  return task->finished;
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
  entered.timer = run.start_timer(*scope->timeout);
  entered.timer->on_done = time_out;
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
  if (run.run().may_change("CancellationScope::cancel"))
    run.scheduler().cancel(scope, std::move(reason));
}

bool timed_out(const std::shared_ptr<ScopeState>& scope) {
  require(scope, "CancellationScope");
  return scope->timed_out;
}

void set_handler(HandlerKind kind, HandlerType handler) {
  constexpr const char* kCalls[] = {"set_signal_handler", "set_query_handler",
                                    "set_update_handler"};
  const char* const call = kCalls[static_cast<int>(kind)];
  WorkflowRuntime& run = WorkflowRuntime::current(call);
  if (run.run().may_change(call)) run.messages().set_handler(kind, std::move(handler));
}

}  // namespace detail

namespace workflow {

Time now() { return WorkflowRuntime::current("now").run().now; }

void sleep(Duration duration) {
  WorkflowRuntime& run = WorkflowRuntime::current("sleep");
  detail::TaskState& task = run.scheduler().waiting_task("sleep");
  if (duration.count() <= 0) {  // Lets the others go first, without a timer.
    if (sdk::Scheduler::take_cancel(task)) throw CancelledError();
    run.scheduler().wake(task);
    run.scheduler().park(task);
    if (sdk::Scheduler::take_cancel(task)) throw CancelledError();
    return;
  }
  run.scheduler().wait_for(run.start_timer(duration), task);
}

namespace {

bool wait_for_condition(const std::function<bool()>& condition, const Duration* timeout) {
  WorkflowRuntime& run = WorkflowRuntime::current("wait_condition");
  detail::TaskState& task = run.scheduler().waiting_task("wait_condition");
  if (run.scheduler().ask(condition)) return true;
  if (timeout != nullptr && timeout->count() <= 0) return false;
  detail::OperationPtr timer;
  if (timeout != nullptr) timer = run.start_timer(*timeout);
  sdk::Condition waiting{.holds = &condition, .task = &task};
  struct Leave {
    WorkflowRuntime& run;
    sdk::Condition& condition;
    const detail::OperationPtr& timer;
    ~Leave() {
      run.scheduler().remove_condition(condition);
      if (timer == nullptr) return;
      timer->waiting.clear();
      run.scheduler().cancel(timer);
    }
  } leave{run, waiting, timer};
  run.scheduler().add_condition(waiting);
  if (timer != nullptr) timer->waiting.push_back(&task);
  for (;;) {
    run.scheduler().park(task);
    if (sdk::Scheduler::take_cancel(task)) throw CancelledError();
    if (waiting.error != nullptr) std::rethrow_exception(waiting.error);
    if (waiting.satisfied) return true;
    if (timer != nullptr && timer->done) return false;
  }
}

}  // namespace

void wait_condition(const std::function<bool()>& condition) {
  wait_for_condition(condition, nullptr);
}
bool wait_condition(const std::function<bool()>& condition, Duration timeout) {
  return wait_for_condition(condition, &timeout);
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
    task.unwound = true;  // The exception that brought us here goes on to the top.
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

bool patched(std::string_view id) {
  WorkflowRuntime& run = WorkflowRuntime::current("patched");
  return run.patches().patched(run.run(), id, false);
}
void deprecate_patch(std::string_view id) {
  WorkflowRuntime& run = WorkflowRuntime::current("deprecate_patch");
  run.patches().patched(run.run(), id, true);
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

const Info& info() { return WorkflowRuntime::current("info").run().info; }

const UpdateInfo* current_update_info() {
  WorkflowRuntime& run = WorkflowRuntime::current("current_update_info");
  return run.scheduler().running() == nullptr ? nullptr : run.scheduler().running()->update.get();
}

bool cancel_requested() {
  return WorkflowRuntime::current("cancel_requested").run().cancel_requested;
}
bool all_handlers_finished() {
  return !WorkflowRuntime::current("all_handlers_finished").messages().handlers_running();
}

void set_current_details(std::string text) {
  WorkflowRuntime& run = WorkflowRuntime::current("set_current_details");
  if (run.run().may_change("set_current_details"))
    run.messages().set_current_details(std::move(text));
}

void upsert_search_attributes(const SearchAttributes& attributes) {
  WorkflowRuntime& run = WorkflowRuntime::current("upsert_search_attributes");
  if (!run.run().may_change("upsert_search_attributes")) return;
  core::UpsertWorkflowSearchAttributes command{sdk::to_proto(attributes)};
  for (const auto& [key, value] : command.search_attributes.indexed_fields()) {
    if (std::holds_alternative<std::monostate>(attributes.at(key))) {
      run.run().info.search_attributes.erase(key);
      continue;
    }
    run.run().info.search_attributes[key] = sdk::to_public(value);
  }
  run.run().add_command(std::move(command));
}

void upsert_memo(const Memo& memo) {
  WorkflowRuntime& run = WorkflowRuntime::current("upsert_memo");
  if (!run.run().may_change("upsert_memo")) return;
  for (const auto& [key, value] : memo) {
    if (value.metadata.empty() && value.data.empty()) {
      run.run().info.memo.erase(key);
    } else {
      run.run().info.memo[key] = value;
    }
  }
  run.run().add_command(core::ModifyWorkflowProperties{sdk::to_proto(memo, run.run().codec)});
}

namespace {
void write_log(sdk::LogLevel level, std::string_view message) {
  WorkflowRuntime& run = WorkflowRuntime::current("logger");
  if (run.run().quiet() || !sdk::log_enabled(level)) return;
  const Info& info = run.run().info;
  sdk::log(level, "workflow", message,
           {{"workflow_id", info.workflow_id},
            {"run_id", info.run_id},
            {"workflow_type", info.workflow_type},
            {"task_queue", info.task_queue},
            {"attempt", absl::StrCat(info.attempt)}});
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
