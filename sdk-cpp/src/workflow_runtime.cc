// The scheduler of a run's fibers.
#include "sdk-cpp/src/workflow_runtime.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include <execinfo.h>

#include "core/base/check.h"
#include "sdk-cpp/src/crash_report.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/log.h"

namespace chimera::sdk {
namespace {

thread_local WorkflowRuntime* current_runtime = nullptr;

// A run that throws this often while it is unwound has a loop around its catch (...).
constexpr int kUnwindingsMax = 100;
constexpr int kFramesMax = 50;  // Of one task in the answer to __stack_trace.
// A parked fiber touches one or two pages of its stack (measured for boost.context 1.74: 4 to 8
// KiB).
constexpr std::size_t kBytesPerFiber = 8 * 1024, kBytesPerRun = 3 * 1024;

bool in_handlers_set(const core::Job& job) {
  return std::holds_alternative<core::SignalWorkflow>(job) ||
         std::holds_alternative<core::DoUpdate>(job);
}

bool ends_run(const std::vector<core::Command>& commands) {
  return std::any_of(commands.begin(), commands.end(), [](const core::Command& command) {
    return std::holds_alternative<core::CompleteWorkflowExecution>(command.variant) ||
           std::holds_alternative<core::FailWorkflowExecution>(command.variant) ||
           std::holds_alternative<core::CancelWorkflowExecution>(command.variant) ||
           std::holds_alternative<core::ContinueAsNewWorkflowExecution>(command.variant);
  });
}

// Sets the thread's current run for the time of a call.
class Entered {
 public:
  explicit Entered(WorkflowRuntime* runtime) : before_(std::exchange(current_runtime, runtime)) {}
  ~Entered() { current_runtime = before_; }

 private:
  WorkflowRuntime* before_;
};

}  // namespace

WorkflowRuntime::WorkflowRuntime(const detail::WorkflowType& type, const core::RunContext& context,
                                 Codec codec, core::Metrics& metrics, StackPool& stacks)
    : type_(type),
      context_(context),
      codec_(std::move(codec)),
      metrics_(metrics),
      stacks_(stacks),
      owner_(absl::StrCat("workflow ", context.workflow_type, " (id ", context.workflow_id,
                          ", run ", context.run_id, ")")),
      root_scope_(std::make_shared<detail::ScopeState>()) {}

WorkflowRuntime::~WorkflowRuntime() {
  const RunningScope names_crashes(owner_);  // Of a destructor that throws, for example.
  evict();
  const Entered entered(this);  // For destructors of the user's object that ask info().
  object_.reset();
}

WorkflowRuntime* WorkflowRuntime::current_or_null() { return current_runtime; }

WorkflowRuntime& WorkflowRuntime::current(const char* call) {
  if (current_runtime != nullptr) return *current_runtime;
  throw std::logic_error(
      absl::StrCat("chimera::workflow::", call,
                   " was called outside a workflow; only code on a workflow's own fiber may"));
}

void refuse_in_workflow(const char* call) {
  if (current_runtime == nullptr) return;
  throw std::logic_error(absl::StrCat(call, " was called inside ", current_runtime->owner(),
                                      ": a replay would call it again; use an activity, or a "
                                      "handle of chimera::workflow"));
}

std::size_t WorkflowRuntime::memory_bytes() const {
  return kBytesPerRun + tasks_.size() * kBytesPerFiber + arguments_.SpaceUsedLong();
}

std::optional<core::Completion> WorkflowRuntime::activate(
    std::shared_ptr<const core::Activation> activation, core::ActivationDone) {
  return guarded_activation(*activation);
}

// Nothing may leave on the lane: what the code's own converters and codecs throw off its fibers
// fails the task.
core::Completion WorkflowRuntime::guarded_activation(const core::Activation& activation) {
  prepare_crash_report();
  const RunningScope names_crashes(owner_);
  try {
    return run_activation(activation);
  } catch (...) {
    running_ = nullptr;
    read_only_ = false;
    return failed_task(absl::StrCat("cannot run a task of ", owner_, ": ", describe_current()));
  }
}

core::Completion WorkflowRuntime::failed_task(std::string message) {
  return {core::Completion::Failure{.failure =
                                        plain_failure(std::move(message), "WorkflowTaskFailure")}};
}

core::Completion WorkflowRuntime::run_activation(const core::Activation& activation) {
  const Entered entered(this);
  begin(activation);
  if (!activation.jobs.empty() &&
      std::holds_alternative<core::RemoveFromCache>(activation.jobs.back())) {
    evict();
    return {core::Completion::Success{}};
  }
  const auto* query =
      activation.jobs.empty() ? nullptr : std::get_if<core::QueryWorkflow>(&activation.jobs[0]);
  if (query != nullptr) {
    for (const core::Job& job : activation.jobs) answer_query(std::get<core::QueryWorkflow>(job));
  } else {
    for (const Set set : {Set::kPatches, Set::kHandlers, Set::kRest}) {
      run_set(activation, set);
      if (!task_error_.empty()) break;
    }
  }
  if (task_error_.empty()) {
    if (ends_run(commands_)) warn_of_unfinished_handlers();
    return {core::Completion::Success{.commands = std::exchange(commands_, {})}};
  }
  return failed_task(task_error_);
}

void WorkflowRuntime::begin(const core::Activation& activation) {
  now_ = activation.time;
  info_.is_replaying = activation.is_replaying;
  info_.history_length = activation.history_length;
  info_.history_size = activation.history_size_bytes;
  info_.continue_as_new_suggested = activation.continue_as_new_suggested;
  commands_.clear();
  task_error_.clear();
  accepted_update_ = false;
  constructor_threw_ = false;
}

void WorkflowRuntime::run_set(const core::Activation& activation, Set wanted) {
  bool any = false, only_updates = true;
  // What the object is made from must be there before the first handler runs.
  for (const core::Job& job : activation.jobs) {
    if (const auto* init = std::get_if<core::InitializeWorkflow>(&job);
        init != nullptr && !initialized_)
      apply(*init);
  }
  for (const core::Job& job : activation.jobs) {
    const Set set = std::holds_alternative<core::NotifyHasPatch>(job) ? Set::kPatches
                    : in_handlers_set(job)                            ? Set::kHandlers
                                                                      : Set::kRest;
    if (set != wanted) continue;
    any = true;
    if (std::holds_alternative<core::InitializeWorkflow>(job)) {
      only_updates = false;
      spawn(
          "run", [this] { report_trouble([this] { run_main(); }); }, nullptr)
          ->scope = root_scope_;
      continue;
    }
    only_updates = only_updates && std::holds_alternative<core::DoUpdate>(job);
    std::visit([this](const auto& each) { apply(each); }, job);
    if (!task_error_.empty()) return;
  }
  if (!any) return;
  if (object_ == nullptr && initialized_) make_object();
  if (!task_error_.empty()) return;
  if (constructor_threw_) {  // The run has failed: there is nothing that its code could run on.
    ready_.clear();
    tasks_.clear();
    return;
  }
  run_ready(false);
  // A rejected update leaves no history, so it must not be able to move the workflow.
  if (wanted == Set::kPatches || (wanted == Set::kHandlers && only_updates && !accepted_update_))
    return;
  run_ready(true);
}

void WorkflowRuntime::run_ready(bool conditions) {
  do {
    while (!ready_.empty() && task_error_.empty()) {
      Task& task = *ready_.front();
      ready_.pop_front();
      task.queued = false;
      resume(task);
    }
  } while (conditions && task_error_.empty() && ask_conditions());
}

bool WorkflowRuntime::ask(const std::function<bool()>& condition) {
  struct Restore {
    bool& read_only;
    const bool before;
    ~Restore() { read_only = before; }
  } restore{read_only_, std::exchange(read_only_, true)};
  return condition();
}

// One pass: every condition sees the same state, and several may wake their tasks.
bool WorkflowRuntime::ask_conditions() {
  bool woke = false;
  for (auto at = conditions_.begin(); at != conditions_.end();) {
    Condition& condition = **at;
    try {
      condition.satisfied = ask(*condition.holds);
    } catch (...) {
      condition.error = std::current_exception();
    }
    if (!condition.satisfied && condition.error == nullptr) {
      ++at;
      continue;
    }
    at = conditions_.erase(at);
    wake(*condition.task);
    woke = true;
  }
  return woke;
}

void WorkflowRuntime::resume(Task& task) {
  if (task.finished) return;
  if (const absl::Status stack = task.fiber->prepare(); !stack.ok()) {
    set_task_error(absl::StrCat("cannot run ", owner_, " now: ", std::string(stack.message())));
    return;
  }
  running_ = &task;
  task.fiber->resume();
  running_ = nullptr;
  if (!task.finished) return;
  if (task.queued) std::erase(ready_, &task);  // It woke itself and then ended.
  for (Task* joiner : task.joiners) wake(*joiner);
  if (task.error != nullptr && !task.joined && !quiet()) report_unjoined(task);
  std::erase_if(tasks_, [&](const std::shared_ptr<Task>& each) { return each.get() == &task; });
}

void WorkflowRuntime::report_unjoined(const Task& task) const {
  const auto* scope = task.own_scope.get();
  while (scope != nullptr && !scope->cancelled) scope = scope->parent.get();
  try {
    std::rethrow_exception(task.error);
  } catch (const std::exception& error) {
    // What was cancelled, and ended as that, did what it was asked to.
    if (scope != nullptr && is_cancelled(error)) return;
    log(LogLevel::kError, absl::StrCat("a task of ", owner_, " threw ", describe(error)));
  } catch (...) {
    log(LogLevel::kError, absl::StrCat("a task of ", owner_, " threw ", describe_current()));
  }
}

std::shared_ptr<WorkflowRuntime::Task> WorkflowRuntime::spawn(std::string name,
                                                              std::function<void()> body,
                                                              const Scope& parent) {
  auto task = std::make_shared<Task>();
  task->name = std::move(name);
  task->body = std::move(body);
  task->own_scope = std::make_shared<detail::ScopeState>();
  task->own_scope->parent = parent;
  task->scope = task->own_scope;
  if (running_ != nullptr) task->update = running_->update;
  Task* const raw = task.get();
  task->fiber = std::make_unique<Fiber>(
      [raw] {
        try {
          raw->body();
        } catch (const Unwinding&) {
          raw->unwound = true;
        } catch (...) {
          raw->error = std::current_exception();
        }
        raw->body = nullptr;  // What it captured is destroyed on its own fiber.
        raw->finished = true;
      },
      owner_, stacks_);
  tasks_.push_back(task);
  wake(*raw);
  return task;
}

void WorkflowRuntime::wake(Task& task) {
  if (task.queued || task.finished) return;
  task.queued = true;
  ready_.push_back(&task);
}

void WorkflowRuntime::park(Task& task) {
  // A cancellation that came while the task ran is delivered without waiting.
  if (!evicting_ && task.pending_cancel == nullptr) Fiber::suspend();
  while (trace_ != nullptr) {  // Resumed only to say where it waits.
    trace_->resize(kFramesMax);
    trace_->resize(backtrace(trace_->data(), kFramesMax));
    Fiber::suspend();
  }
  if (evicting_) throw_unwinding(task);
}

void WorkflowRuntime::throw_unwinding(Task& task) {
  ++task.unwindings;
  // Throwing out of a destructor that runs while another exception is under way would end the
  // process; and code that catches the unwinding again and again would never end.
  if (std::uncaught_exceptions() > task.safe_exceptions || task.unwindings > kUnwindingsMax) {
    task.fiber->abandon();
    Fiber::suspend();
  }
  throw Unwinding{};
}

bool WorkflowRuntime::take_cancel(Task& task) {
  return std::exchange(task.pending_cancel, nullptr) != nullptr;
}

WorkflowRuntime::Task& WorkflowRuntime::waiting_task(const char* call) {
  if (!may_change(call) && running_ != nullptr) throw_unwinding(*running_);
  if (running_ != nullptr) running_->waiting_in = call;
  if (running_ == nullptr) {
    throw ReadOnlyContextError(
        absl::StrCat("chimera::workflow::", call, " cannot wait in a constructor of ", owner_));
  }
  return *running_;
}

bool WorkflowRuntime::may_change(const char* call) {
  if (!read_only_) return !evicting_;
  throw ReadOnlyContextError(absl::StrCat("chimera::workflow::", call,
                                          " is not allowed in a query, a validator or a "
                                          "wait condition of ",
                                          owner_));
}

void WorkflowRuntime::make_object() {
  if (constructor_threw_) return;
  try {
    ProtoPayloads scratch;
    object_ = type_.create(PayloadList(&decoded(arguments_, codec_, scratch)));
  } catch (...) {
    constructor_threw_ = true;
    finish_main_with_current_exception();
  }
}

// What an exception out of the main function or a signal handler does; as in the official Python
// SDK 1.35 (_WorkflowInstanceImpl).
void WorkflowRuntime::finish_main_with_current_exception() {
  try {
    throw;
  } catch (const Unwinding&) {
    throw;
  } catch (ContinueAsNew& next) {
    add_command(core::ContinueAsNewWorkflowExecution{std::move(next.attributes)});
  } catch (const FailureError& error) {
    if (cancel_requested_ && is_cancelled(error)) {
      add_command(core::CancelWorkflowExecution{});
    } else {
      add_command(core::FailWorkflowExecution{to_failure(error, codec_)});
    }
  } catch (...) {
    if (fails_workflow()) {
      add_command(core::FailWorkflowExecution{current_failure(codec_)});
      return;
    }
    set_task_error(absl::StrCat(describe_current(), " left ", owner_,
                                ". Only chimera's failures (ApplicationError and the like) fail a "
                                "workflow; the task is tried again."));
  }
}

// How code ended may be what cannot be told: a codec that refuses its failure.
void WorkflowRuntime::report_trouble(absl::FunctionRef<void()> code) {
  try {
    code();
  } catch (const Unwinding&) {
    throw;
  } catch (...) {
    set_task_error(
        absl::StrCat("cannot report how a part of ", owner_, " ended: ", describe_current()));
  }
}

// Of the exception that is being handled: one that the definition lists.
bool WorkflowRuntime::fails_workflow() const {
  return std::any_of(type_.failures.begin(), type_.failures.end(),
                     [](bool (*is)()) { return is(); });
}

void WorkflowRuntime::set_task_error(std::string message) {
  if (task_error_.empty()) task_error_ = std::move(message);
}

void WorkflowRuntime::evict() {
  if (std::exchange(evicting_, true)) return;
  const Entered entered(this);
  ready_.clear();
  // A task that is unwound may wake or even start others; those are unwound in their turn.
  while (!tasks_.empty()) {
    const std::shared_ptr<Task> task = tasks_.front();
    tasks_.pop_front();
    unwind(*task);
  }
  conditions_.clear();
  commands_.clear();
}

void WorkflowRuntime::unwind(Task& task) {
  if (!task.fiber->started()) return;
  running_ = &task;
  task.fiber->resume();
  running_ = nullptr;
  if (task.finished && task.unwound && task.unwindings == 1) return;
  log(LogLevel::kError,
      absl::StrCat(owner_, ": the code of its ", task.name,
                   " swallowed the unwinding of a run that leaves the cache. A catch (...) around "
                   "a call that waits "
                   "must rethrow",
                   task.finished ? "" : ", and a destructor must not wait: its stack is given up"));
}

}  // namespace chimera::sdk
