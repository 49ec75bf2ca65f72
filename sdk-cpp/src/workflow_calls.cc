// What chimera/workflow.h promises to workflow code, over the runtime of the run that calls.
#include <exception>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "chimera/workflow.h"
#include "core/converter/payload.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/log.h"
#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera {

using sdk::WorkflowRuntime;

namespace detail {
namespace {

// Waits for an operation whose result nobody reads.
void wait_done(WorkflowRuntime& run, const OperationPtr& operation, const char* call) {
  run.wait_for(operation, run.waiting_task(call));
  if (operation->failure != nullptr) operation->failure->raise();
}

// A handle that was moved from, or a Task that was never started.
template <class T>
void require(const std::shared_ptr<T>& state, const char* what) {
  if (state != nullptr) return;
  throw std::logic_error(
      absl::StrCat("this ", what, " is empty: it was made by its default, or moved from"));
}

}  // namespace

OperationPtr schedule_activity(std::string_view name, const ActivityOptions& options,
                               Arguments arguments) {
  return WorkflowRuntime::current("start_activity").schedule_activity(name, options, arguments);
}

OperationPtr start_child(std::string_view type, const ChildWorkflowOptions& options,
                         Arguments arguments) {
  WorkflowRuntime& run = WorkflowRuntime::current("start_child_workflow");
  const OperationPtr start = run.start_child(type, options, arguments);
  wait_done(run, start, "start_child_workflow");
  return start->child;
}

const std::string& child_id(const OperationPtr& child) {
  require(child, "handle");
  return child->child_id;
}
const std::string& child_run_id(const OperationPtr& child) {
  require(child, "handle");
  return child->child_run_id;
}

const std::string& child_type(const OperationPtr& child) {
  require(child, "handle");
  return child->child_type;
}

void signal_child(const OperationPtr& child, std::string_view name, Arguments arguments) {
  require(child, "handle");
  WorkflowRuntime& run = WorkflowRuntime::current("signal");
  wait_done(run, run.signal_external(child->child_id, "", true, name, arguments), "signal");
}

void signal_external(const std::string& id, const std::string& run_id, std::string_view name,
                     Arguments arguments) {
  WorkflowRuntime& run = WorkflowRuntime::current("signal");
  wait_done(run, run.signal_external(id, run_id, false, name, arguments), "signal");
}

void cancel_external(const std::string& id, const std::string& run_id, const std::string& reason) {
  WorkflowRuntime& run = WorkflowRuntime::current("cancel");
  wait_done(run, run.cancel_external(id, run_id, reason), "cancel");
}

void continue_as_new(const ContinueAsNewOptions& options, Arguments arguments) {
  WorkflowRuntime& run = WorkflowRuntime::current("continue_as_new");
  if (!run.may_change("continue_as_new") && run.running() != nullptr)
    run.throw_unwinding(*run.running());
  sdk::ContinueAsNew next;
  auto& attributes = next.attributes;
  if (!options.workflow_type.empty())
    attributes.mutable_workflow_type()->set_name(options.workflow_type);
  if (!options.task_queue.empty()) attributes.mutable_task_queue()->set_name(options.task_queue);
  if (!arguments.empty())
    *attributes.mutable_input() = sdk::encode_arguments(arguments, run.codec());
  if (options.run_timeout.count() > 0) {
    core::set_duration(*attributes.mutable_workflow_run_timeout(), options.run_timeout);
  }
  if (options.task_timeout.count() > 0) {
    core::set_duration(*attributes.mutable_workflow_task_timeout(), options.task_timeout);
  }
  if (options.retry_policy)
    *attributes.mutable_retry_policy() = sdk::to_proto(*options.retry_policy);
  if (!options.memo.empty()) *attributes.mutable_memo() = sdk::to_proto(options.memo, run.codec());
  if (!options.search_attributes.empty()) {
    *attributes.mutable_search_attributes() = sdk::to_proto(options.search_attributes);
  }
  if (run.running() != nullptr) run.running()->continuing_as_new = true;
  throw next;
}

bool finished(const OperationPtr& operation) {
  require(operation, "handle");
  return operation->done;
}

void cancel(const OperationPtr& operation) {
  require(operation, "handle");
  WorkflowRuntime& run = WorkflowRuntime::current("cancel");
  if (run.may_change("cancel")) run.cancel_operation(operation);
}

void wait(const OperationPtr& operation, void (*decode_into)(const PayloadSource&, void*),
          void* out) {
  require(operation, "handle");
  WorkflowRuntime& run = WorkflowRuntime::current("get");
  if (!operation->done) run.wait_for(operation, run.waiting_task("get"));
  if (operation->failure != nullptr) operation->failure->raise();
  if (decode_into == nullptr) return;
  if (!operation->result)
    throw ConversionError("a result was expected, but the activity or workflow returned none");
  decode_into(PayloadSource(&*operation->result), out);
}

std::shared_ptr<TaskState> spawn(std::function<void()> body) {
  WorkflowRuntime& run = WorkflowRuntime::current("spawn");
  if (run.evicting()) return run.spawn("task", std::move(body), nullptr);  // Never starts.
  return run.spawn("task", std::move(body), run.waiting_task("spawn").scope);
}

void join(const std::shared_ptr<TaskState>& task) {
  require(task, "task");
  WorkflowRuntime& run = WorkflowRuntime::current("Task::get");
  task->joined = true;
  while (!task->finished) {
    TaskState& self = run.waiting_task("Task::get");
    task->joiners.push_back(&self);
    struct Leave {
      TaskState& task;
      TaskState* self;
      ~Leave() { std::erase(task.joiners, self); }
    } leave{*task, &self};
    run.park(self);
    // The waiter's cancellation becomes the task's, whose end is then waited for.
    if (!task->finished && WorkflowRuntime::take_cancel(self))
      run.cancel_scope(task->own_scope, "");
  }
  if (task->error != nullptr) std::rethrow_exception(task->error);
}

void cancel(const std::shared_ptr<TaskState>& task) {
  require(task, "task");
  WorkflowRuntime& run = WorkflowRuntime::current("Task::cancel");
  if (run.may_change("Task::cancel")) run.cancel_scope(task->own_scope, "");
}

bool finished(const std::shared_ptr<TaskState>& task) {
  require(task, "task");
  return task->finished;
}

std::shared_ptr<ScopeState> open_scope(bool detached, std::optional<Duration> timeout) {
  WorkflowRuntime& run = WorkflowRuntime::current("CancellationScope");
  auto scope = std::make_shared<ScopeState>();
  scope->timeout = timeout;
  if (!detached && !run.evicting()) scope->parent = run.waiting_task("CancellationScope").scope;
  return scope;
}

void enter_scope(const std::shared_ptr<ScopeState>& scope) {
  require(scope, "CancellationScope");
  WorkflowRuntime& run = WorkflowRuntime::current("CancellationScope");
  if (run.evicting() && run.running() == nullptr) return;  // As leave_scope().
  TaskState& task = run.evicting() ? *run.running() : run.waiting_task("CancellationScope");
  EnteredScope& entered = task.entered.emplace_back();
  entered.outer = std::exchange(task.scope, scope);
  if (scope->cancelled) task.pending_cancel = scope.get();
  if (!scope->timeout || run.evicting()) return;
  const auto time_out = [&run, scope] {
    scope->timed_out = !scope->cancelled;
    run.cancel_scope(scope, "timeout");
  };
  if (scope->timeout->count() <= 0) return time_out();  // As late as a deadline that has passed.
  entered.timer = run.start_timer(*scope->timeout);
  entered.timer->on_done = time_out;
}

void leave_scope(const std::shared_ptr<ScopeState>& scope) noexcept {
  WorkflowRuntime* const run = WorkflowRuntime::current_or_null();
  if (run == nullptr || run->running() == nullptr) return;
  TaskState& task = *run->running();
  if (task.pending_cancel == scope.get()) task.pending_cancel = nullptr;
  if (task.entered.empty()) return;
  const EnteredScope entered = std::move(task.entered.back());
  task.entered.pop_back();
  task.scope = entered.outer;
  if (entered.timer != nullptr && !run->evicting()) {
    entered.timer->on_done = nullptr;
    run->cancel_operation(entered.timer);
  }
  std::erase_if(task.due_cancels, [&](const std::shared_ptr<ScopeState>& due) {
    if (!WorkflowRuntime::within(task.scope.get(), *due)) return false;
    task.pending_cancel = due.get();
    return true;
  });
}

void cancel(const std::shared_ptr<ScopeState>& scope, std::string reason) {
  require(scope, "CancellationScope");
  WorkflowRuntime& run = WorkflowRuntime::current("CancellationScope::cancel");
  if (run.may_change("CancellationScope::cancel")) run.cancel_scope(scope, std::move(reason));
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
  if (run.may_change(call)) run.set_handler(kind, std::move(handler));
}

}  // namespace detail

namespace workflow {

Time now() { return WorkflowRuntime::current("now").now(); }

void sleep(Duration duration) {
  WorkflowRuntime& run = WorkflowRuntime::current("sleep");
  detail::TaskState& task = run.waiting_task("sleep");
  if (duration.count() <= 0) {  // Lets the others go first, without a timer.
    if (WorkflowRuntime::take_cancel(task)) throw CancelledError();
    run.wake(task);
    run.park(task);
    if (WorkflowRuntime::take_cancel(task)) throw CancelledError();
    return;
  }
  run.wait_for(run.start_timer(duration), task);
}

namespace {

bool wait_for_condition(const std::function<bool()>& condition, const Duration* timeout) {
  WorkflowRuntime& run = WorkflowRuntime::current("wait_condition");
  detail::TaskState& task = run.waiting_task("wait_condition");
  if (run.ask(condition)) return true;
  if (timeout != nullptr && timeout->count() <= 0) return false;
  detail::OperationPtr timer;
  if (timeout != nullptr) timer = run.start_timer(*timeout);
  sdk::Condition waiting{.holds = &condition, .task = &task};
  struct Leave {
    WorkflowRuntime& run;
    sdk::Condition& condition;
    const detail::OperationPtr& timer;
    ~Leave() {
      run.remove_condition(condition);
      if (timer == nullptr) return;
      timer->waiting.clear();
      run.cancel_operation(timer);
    }
  } leave{run, waiting, timer};
  run.add_condition(waiting);
  if (timer != nullptr) timer->waiting.push_back(&task);
  for (;;) {
    run.park(task);
    if (WorkflowRuntime::take_cancel(task)) throw CancelledError();
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
  if (std::uncaught_exceptions() <= exceptions_at_start_ || run == nullptr || run->evicting())
    return;
  detail::TaskState& task = *run->running();
  if (task.continuing_as_new) return;
  const int before = std::exchange(task.safe_exceptions, std::uncaught_exceptions());
  try {
    compensate();
  } catch (const sdk::Unwinding&) {
    task.unwound = true;  // The exception that brought us here goes on to the top.
  } catch (...) {
    sdk::log(sdk::LogLevel::kError,
             absl::StrCat(run->owner(), ": compensation stopped: ", sdk::describe_current()));
  }
  task.safe_exceptions = before;
}

void Saga::compensate() {
  WorkflowRuntime& run = WorkflowRuntime::current("Saga::compensate");
  if (run.evicting()) return;
  while (!compensations_.empty()) {
    const std::function<void()> compensation = std::move(compensations_.back());
    compensations_.pop_back();
    try {
      CancellationScope::detached().run(compensation);
    } catch (const sdk::Unwinding&) {
      throw;
    } catch (...) {
      if (!run.quiet()) {
        sdk::log(sdk::LogLevel::kError,
                 absl::StrCat(run.owner(), ": a compensation failed: ", sdk::describe_current()));
      }
    }
  }
}

bool patched(std::string_view id) { return WorkflowRuntime::current("patched").patched(id, false); }
void deprecate_patch(std::string_view id) {
  WorkflowRuntime::current("deprecate_patch").patched(id, true);
}

std::mt19937_64& random() {
  WorkflowRuntime& run = WorkflowRuntime::current("random");
  run.may_change("random");
  return run.random();
}

std::string uuid4() {
  WorkflowRuntime& run = WorkflowRuntime::current("uuid4");
  run.may_change("uuid4");
  return run.make_uuid();
}

const Info& info() { return WorkflowRuntime::current("info").info(); }

const UpdateInfo* current_update_info() {
  WorkflowRuntime& run = WorkflowRuntime::current("current_update_info");
  return run.running() == nullptr ? nullptr : run.running()->update.get();
}

bool cancel_requested() { return WorkflowRuntime::current("cancel_requested").cancel_requested(); }
bool all_handlers_finished() {
  return !WorkflowRuntime::current("all_handlers_finished").handlers_running();
}

void set_current_details(std::string text) {
  WorkflowRuntime& run = WorkflowRuntime::current("set_current_details");
  if (run.may_change("set_current_details")) run.set_current_details(std::move(text));
}

void upsert_search_attributes(const SearchAttributes& attributes) {
  WorkflowRuntime& run = WorkflowRuntime::current("upsert_search_attributes");
  if (!run.may_change("upsert_search_attributes")) return;
  core::UpsertWorkflowSearchAttributes command{sdk::to_proto(attributes)};
  for (const auto& [key, value] : command.search_attributes.indexed_fields()) {
    if (std::holds_alternative<std::monostate>(attributes.at(key))) {
      run.info().search_attributes.erase(key);
      continue;
    }
    run.info().search_attributes[key] = sdk::to_public(value);
  }
  run.add_command(std::move(command));
}

void upsert_memo(const Memo& memo) {
  WorkflowRuntime& run = WorkflowRuntime::current("upsert_memo");
  if (!run.may_change("upsert_memo")) return;
  for (const auto& [key, value] : memo) {
    if (value.metadata.empty() && value.data.empty()) {
      run.info().memo.erase(key);
    } else {
      run.info().memo[key] = value;
    }
  }
  run.add_command(core::ModifyWorkflowProperties{sdk::to_proto(memo, run.codec())});
}

namespace {
void write_log(sdk::LogLevel level, std::string_view message) {
  WorkflowRuntime& run = WorkflowRuntime::current("logger");
  if (run.quiet() || !sdk::log_enabled(level)) return;
  const Info& info = run.info();
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
