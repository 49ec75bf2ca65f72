#include "sdk-cpp/src/scheduler.h"

#include <algorithm>
#include <exception>
#include <functional>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/frames.h"
#include "sdk-cpp/src/log.h"
#include "sdk-cpp/src/place.h"

namespace chimera::sdk {
namespace {

// A run that throws this often while it is unwound has a loop around its catch (...).
constexpr int kUnwindingsMax = 100;

void set_no_stack(Run& run, const absl::Status& why) {
  run.set_task_error(absl::StrCat("cannot run ", run.owner, " now: ", std::string(why.message())));
}

// The run is over for this worker; the task fails, and its next attempt gets a larger stack.
void lose(Run& run, const Fiber& fiber) {
  run.lost = true;
  const std::size_t kib = fiber.give_up_stack() / 1024;
  run.set_task_error(absl::StrCat(
      "stack overflow in ", run.owner, ": its code needs more than the ", kib,
      " KiB of a workflow's stack; move large local variables and deep recursion to the heap or to "
      "an activity, or raise WorkerOptions::workflow_stack_bytes (the worker's standard error has "
      "the frames)"));
}

// Where an exception could not leave what it had to; `in` is the call that the code was in.
std::string where(const Fiber& fiber, const char* in) {
  constexpr std::size_t kShown = 12;
  std::vector<std::string> frames = describe_frames(fiber.given_up().frames);
  frames.resize(std::min(frames.size(), kShown));
  return absl::StrCat("It stood in ", in, ", at ", absl::StrJoin(frames, ", called by "));
}

// A part of the code has ended by itself, in the middle. The task fails, and begins anew.
void break_off(Run& run, const Fiber& fiber, const char* in) {
  run.broken = true;
  run.read_only = run.in_side_effect = false;  // Whose end it may not have come to.
  run.set_task_error(absl::StrCat(fiber.given_up().why,
                                  " could not leave a destructor or a "
                                  "noexcept function of ",
                                  run.owner,
                                  ", whose code runs no further; what waits in one must catch what "
                                  "the wait may throw. ",
                                  where(fiber, in)));
}

void log_stuck(const Run& run, const detail::TaskState& task) {
  log(LogLevel::kError,
      absl::StrCat(run.owner, " leaves the cache, but its ", task.name,
                   " could not be unwound: ", task.fiber->given_up().why,
                   ". Its stack is given up, and what stands on it is not destroyed. A catch (...) "
                   "around a call that waits must rethrow, and a destructor or a noexcept function "
                   "must not wait. ",
                   where(*task.fiber, task.waiting_in)));
}

}  // namespace

Scheduler::~Scheduler() {
  for (const auto& task : given_up_) task->fiber->give_up_stack();
}

void Scheduler::run_ready(bool ask_conditions) {
  bool woke = false;
  do {
    while (!ready_.empty() && run_.task_error.empty()) {
      Task& task = *ready_.front();
      ready_.pop_front();
      task.queued = false;
      resume(task);
    }
    woke = false;
    if (ask_conditions && run_.task_error.empty() && !conditions_.empty())
      call([&] { woke = conditions_.ask_all([this](Task& task) { wake(task); }); });
  } while (woke);
}

void Scheduler::call(absl::FunctionRef<void()> code) {
  if (Fiber::current() != nullptr) return code();
  std::exception_ptr error;
  const auto body = [&] {
    try {
      code();
    } catch (...) {
      error = std::current_exception();
    }
  };
  // As much as the lane's own thread has.
  Fiber fiber(std::cref(body), run_.owner, stacks_.large(), /*brief=*/true);
  if (const absl::Status stack = fiber.prepare(); !stack.ok()) {
    set_no_stack(run_, stack);
    throw std::runtime_error(run_.task_error);
  }
  fiber.resume();
  if (fiber.overflowed()) {
    lose(run_, fiber);
    throw std::runtime_error(run_.task_error);
  }
  if (fiber.abandoned()) {
    break_off(run_, fiber, "code that must not wait");
    fiber.give_up_stack();
    throw std::runtime_error(run_.task_error);
  }
  if (error != nullptr) std::rethrow_exception(error);
}

void Scheduler::resume(Task& task) {
  if (task.finished) return;
  if (const absl::Status stack = task.fiber->prepare(); !stack.ok())
    return set_no_stack(run_, stack);
  running_ = &task;
  task.fiber->resume();
  running_ = nullptr;
  run_.place = 0;
  if (task.fiber->overflowed()) return lose(run_, *task.fiber);
  if (task.fiber->abandoned()) return break_off(run_, *task.fiber, task.waiting_in);
  if (!task.finished) return;
  if (task.queued) std::erase(ready_, &task);  // It woke itself and then ended.
  wake_watchers(task);
  if (!task.owned) report_unjoined(task);
  std::erase_if(tasks_, [&](const std::shared_ptr<Task>& each) { return each.get() == &task; });
}

void Scheduler::report_unjoined(const Task& task) const {
  if (task.error == nullptr || task.joined || run_.quiet()) return;
  const auto* scope = task.own_scope.get();
  while (scope != nullptr && !scope->cancelled) scope = scope->parent.get();
  try {
    std::rethrow_exception(task.error);
  } catch (const std::exception& error) {
    // What was cancelled, and ended as that, did what it was asked to.
    if (scope != nullptr && is_cancelled(error)) return;
    log(LogLevel::kError, absl::StrCat("a task of ", run_.owner, " threw ", describe(error)));
  } catch (...) {
    log(LogLevel::kError, absl::StrCat("a task of ", run_.owner, " threw ", describe_current()));
  }
}

std::shared_ptr<Scheduler::Task> Scheduler::spawn(std::string name, std::function<void()> body,
                                                  const Scope& parent) {
  auto task = std::make_shared<Task>();
  task->name = std::move(name);
  task->body = std::move(body);
  task->own_scope = std::make_shared<detail::ScopeState>();
  task->own_scope->parent = parent;
  task->scope = task->own_scope;
  if (running_ != nullptr) {
    task->update = running_->update;
    task->context = running_->context;
  }
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
        raw->context = {};
        raw->finished = true;
      },
      run_.owner, stacks_);
  tasks_.push_back(task);
  wake(*raw);
  return task;
}

void Scheduler::wake(Task& task) {
  if (task.queued || task.finished) return;
  task.queued = true;
  ready_.push_back(&task);
}

void Scheduler::wake_watchers(detail::Waitable& ready) {
  for (Task* const task : ready.watchers) wake(*task);
}

void Scheduler::park(Task& task) {
  park_unmoved(task);
  if (run_.evicting) throw_unwinding(task);
}

void Scheduler::park_unmoved(Task& task) {
  // A cancellation that came while the task ran is delivered without waiting.
  if (!run_.evicting && task.pending_cancel == nullptr) Fiber::suspend();
  while (trace_ != nullptr) {  // Resumed only to say where it waits.
    *trace_ = frames_here();
    Fiber::suspend();
  }
}

void Scheduler::throw_unwinding(Task& task) {
  ++task.unwindings;
  // Code that catches the unwinding again and again would never end.
  if (task.unwindings > kUnwindingsMax) Fiber::abandon_here("a catch (...) in a loop");
  // It must not leave a destructor that runs while another exception is under way.
  if (std::uncaught_exceptions() > task.safe_exceptions)
    Fiber::abandon_here("a destructor that waits while an exception is under way");
  throw Unwinding{};
}

bool Scheduler::take_cancel(Task& task) {
  return std::exchange(task.pending_cancel, nullptr) != nullptr;
}

Scheduler::Task& Scheduler::waiting_task(const char* call) {
  if (!run_.may_change(call) && running_ != nullptr) throw_unwinding(*running_);
  if (running_ != nullptr) running_->waiting_in = call;
  if (running_ == nullptr) {
    throw ReadOnlyContextError(absl::StrCat("chimera::workflow::", call,
                                            " cannot wait in a constructor or destructor of ",
                                            run_.owner));
  }
  return *running_;
}

// As in the official Python SDK 1.35: a cancellation of the waiter becomes one of the operation,
// whose end is then waited for.
void Scheduler::wait_for(const OperationPtr& operation, Task& task) {
  while (!operation->done) {
    {
      const Watching watching(*operation, task);
      park(task);
    }
    if (!take_cancel(task)) continue;
    const bool was_done = operation->done;
    cancel(operation);
    if (was_done || operation->leaves_at_once()) throw CancelledError();
  }
}

bool Scheduler::within(const detail::ScopeState* at, const detail::ScopeState& scope) {
  while (at != nullptr && at != &scope) at = at->parent.get();
  return at != nullptr;
}

// One command per operation.
void Scheduler::cancel(const OperationPtr& operation) {
  if (operation->done || std::exchange(operation->cancel_sent, true)) return;
  operation->ask_to_end(run_);
  if (operation->done) wake_watchers(*operation);
}

void Scheduler::cancel(const Scope& scope, std::string reason) {
  if (std::exchange(scope->cancelled, true)) return;
  scope->reason = std::move(reason);
  for (const auto& task : tasks_) {
    if (within(task->scope.get(), *scope)) {
      task->pending_cancel = scope.get();
      if (task.get() != running_) wake(*task);
    } else if (std::any_of(task->entered.begin(), task->entered.end(), [&](const auto& entered) {
                 return within(entered.outer.get(), *scope);
               })) {
      task->due_cancels.push_back(scope);
    }
  }
}

void Scheduler::forget_all() {
  ready_.clear();
  tasks_.clear();
}

void Scheduler::evict() {
  if (std::exchange(run_.evicting, true)) return;
  ready_.clear();
  // A task that is unwound may wake or even start others; those are unwound in their turn.
  while (!tasks_.empty() && !run_.lost) {
    const std::shared_ptr<Task> task = tasks_.back();
    tasks_.pop_back();
    unwind(task);
    if (run_.lost) tasks_.push_back(task);
  }
  if (run_.lost) {
    for (const auto& task : tasks_) task->fiber->abandon();
    new std::list<std::shared_ptr<Task>>(std::move(tasks_));  // Kept for ever, as their stacks are.
    tasks_.clear();
  }
  conditions_.clear();
  run_.commands.clear();
}

void Scheduler::unwind(const std::shared_ptr<Task>& task) {
  const bool was_abandoned = task->fiber->abandoned();
  if (!was_abandoned && !task->fiber->started()) {
    // What the body captured may do anything as it goes.
    return destroy([&] { task->body = nullptr; });
  }
  if (!was_abandoned) {
    running_ = task.get();
    task->fiber->resume();
    running_ = nullptr;
    if (task->fiber->overflowed()) return lose(run_, *task->fiber);
  }
  if (task->fiber->abandoned()) {
    if (!was_abandoned) log_stuck(run_, *task);
    new std::function<void()>(std::move(task->body));  // Kept for ever: the code stands in it.
    return given_up_.push_back(task);
  }
  // Nothing was thrown where all that waited were destructors of tasks.
  if (task->unwindings <= task->ended_in_sagas + (task->unwound ? 1 : 0)) return;
  log(LogLevel::kError,
      absl::StrCat(run_.owner, ": the code of its ", task->name,
                   " swallowed the unwinding of a run that leaves the cache. A catch (...) around "
                   "a call that waits must rethrow"));
}

void Scheduler::destroy(absl::FunctionRef<void()> code) {
  const std::string before = std::exchange(run_.task_error, {});
  bool began = false;
  const auto body = [&] {
    began = true;
    code();
  };
  try {
    call(body);
  } catch (...) {
    if (began) {
      log(LogLevel::kError,
          absl::StrCat("as ", run_.owner, " was destroyed: ", describe_current()));
    }
  }
  if (!began) code();  // There is no stack to be had: on the lane's own.
  run_.task_error = before;
}

void Scheduler::resolve(Operation& operation, const api::common::v1::Payload* result) {
  operation.done = true;
  if (result != nullptr) {
    try {
      ProtoPayload scratch;
      operation.result = decoded(*result, *operation.codec, scratch);
    } catch (const ConversionError& error) {
      run_.set_task_error(
          absl::StrCat("cannot decode a result for ", run_.owner, ": ", error.what()));
    }
  }
  resolved(operation);
}

void Scheduler::resolve(Operation& operation, const api::failure::v1::Failure& failure) {
  operation.done = true;
  try {
    operation.failure = to_error(failure, *operation.codec);
  } catch (const ConversionError& error) {
    run_.set_task_error(
        absl::StrCat("cannot decode a failure for ", run_.owner, ": ", error.what()));
  }
  resolved(operation);
}

void Scheduler::resolved(Operation& operation) {
  wake_watchers(operation);
  if (operation.on_done) std::exchange(operation.on_done, nullptr)();
}

// Each parked task is resumed just to note its frames, and parks again.
std::string Scheduler::stack_traces() {
  std::string text;
  for (const auto& task : tasks_) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", task->name, " (in ", task->waiting_in, ")\n");
    if (!task->fiber->started()) continue;
    std::vector<void*> frames;
    trace_ = &frames;
    running_ = task.get();
    task->fiber->resume();
    running_ = nullptr;
    trace_ = nullptr;
    for (const std::string& frame : describe_frames(frames))
      absl::StrAppend(&text, "  at ", frame, "\n");
  }
  return text;
}

}  // namespace chimera::sdk
