#include "sdk-cpp/src/scheduler.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <functional>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include <execinfo.h>

#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/log.h"
#include "sdk-cpp/src/place.h"

namespace chimera::sdk {
namespace {

// A run that throws this often while it is unwound has a loop around its catch (...).
constexpr int kUnwindingsMax = 100;
constexpr int kFramesMax = 50;  // Of one task in the answer to __stack_trace.

bool internal(const std::string& frame) {
  return frame.rfind("chimera::sdk::", 0) == 0 || frame.rfind("chimera::detail::", 0) == 0;
}

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

}  // namespace

void Scheduler::run_ready(bool conditions) {
  do {
    while (!ready_.empty() && run_.task_error.empty()) {
      Task& task = *ready_.front();
      ready_.pop_front();
      task.queued = false;
      resume(task);
    }
  } while (conditions && run_.task_error.empty() && ask_conditions());
}

bool Scheduler::ask(const std::function<bool()>& condition) {
  struct Restore {
    bool& read_only;
    const bool before;
    ~Restore() { read_only = before; }
  } restore{run_.read_only, std::exchange(run_.read_only, true)};
  return condition();
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
  if (error != nullptr) std::rethrow_exception(error);
}

bool Scheduler::ask_conditions() {
  if (conditions_.empty()) return false;
  bool woke = false;
  call([&] { woke = ask_each_condition(); });
  return woke;
}

// One pass: every condition sees the same state, and several may wake their tasks.
bool Scheduler::ask_each_condition() {
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

void Scheduler::resume(Task& task) {
  if (task.finished) return;
  if (const absl::Status stack = task.fiber->prepare(); !stack.ok())
    return set_no_stack(run_, stack);
  running_ = &task;
  task.fiber->resume();
  running_ = nullptr;
  run_.place = 0;
  if (task.fiber->overflowed()) return lose(run_, *task.fiber);
  if (!task.finished) return;
  if (task.queued) std::erase(ready_, &task);  // It woke itself and then ended.
  for (Task* joiner : task.joiners) wake(*joiner);
  if (task.error != nullptr && !task.joined && !run_.quiet()) report_unjoined(task);
  std::erase_if(tasks_, [&](const std::shared_ptr<Task>& each) { return each.get() == &task; });
}

void Scheduler::report_unjoined(const Task& task) const {
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

void Scheduler::park(Task& task) {
  // A cancellation that came while the task ran is delivered without waiting.
  if (!run_.evicting && task.pending_cancel == nullptr) Fiber::suspend();
  while (trace_ != nullptr) {  // Resumed only to say where it waits.
    trace_->resize(kFramesMax);
    trace_->resize(backtrace(trace_->data(), kFramesMax));
    Fiber::suspend();
  }
  if (run_.evicting) throw_unwinding(task);
}

void Scheduler::throw_unwinding(Task& task) {
  ++task.unwindings;
  // Throwing out of a destructor that runs while another exception is under way would end the
  // process; and code that catches the unwinding again and again would never end.
  if (std::uncaught_exceptions() > task.safe_exceptions || task.unwindings > kUnwindingsMax) {
    task.fiber->abandon();
    Fiber::suspend();
  }
  throw Unwinding{};
}

bool Scheduler::take_cancel(Task& task) {
  return std::exchange(task.pending_cancel, nullptr) != nullptr;
}

Scheduler::Task& Scheduler::waiting_task(const char* call) {
  if (!run_.may_change(call) && running_ != nullptr) throw_unwinding(*running_);
  if (running_ != nullptr) running_->waiting_in = call;
  if (running_ == nullptr) {
    throw ReadOnlyContextError(
        absl::StrCat("chimera::workflow::", call, " cannot wait in a constructor of ", run_.owner));
  }
  return *running_;
}

// As in the official Python SDK 1.35: a cancellation of the waiter becomes one of the operation,
// whose end is then waited for.
void Scheduler::wait_for(const OperationPtr& operation, Task& task) {
  while (!operation->done) {
    operation->waiting.push_back(&task);
    struct Leave {
      Operation& operation;
      Task* task;
      ~Leave() { std::erase(operation.waiting, task); }
    } leave{*operation, &task};
    park(task);
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
    const std::shared_ptr<Task> task = tasks_.front();
    tasks_.pop_front();
    unwind(*task);
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

void Scheduler::unwind(Task& task) {
  if (!task.fiber->started()) return;
  running_ = &task;
  task.fiber->resume();
  running_ = nullptr;
  if (task.fiber->overflowed()) return lose(run_, *task.fiber);
  if (task.finished && task.unwound && task.unwindings == 1) return;
  log(LogLevel::kError,
      absl::StrCat(run_.owner, ": the code of its ", task.name,
                   " swallowed the unwinding of a run that leaves the cache. A catch (...) around "
                   "a call that waits "
                   "must rethrow",
                   task.finished ? "" : ", and a destructor must not wait: its stack is given up"));
}

void Scheduler::resolve(Operation& operation, const api::common::v1::Payload* result) {
  operation.done = true;
  if (result != nullptr) {
    try {
      ProtoPayload scratch;
      operation.result = decoded(*result, run_.codec, scratch);
    } catch (const ConversionError& error) {
      run_.set_task_error(
          absl::StrCat("cannot decode a result for ", run_.owner, ": ", error.what()));
    }
  }
  wake_waiting(operation);
}

void Scheduler::resolve(Operation& operation, const api::failure::v1::Failure& failure) {
  operation.done = true;
  try {
    operation.failure = to_error(failure, run_.codec);
  } catch (const ConversionError& error) {
    run_.set_task_error(
        absl::StrCat("cannot decode a failure for ", run_.owner, ": ", error.what()));
  }
  wake_waiting(operation);
}

void Scheduler::wake_waiting(Operation& operation) {
  for (Task* task : std::exchange(operation.waiting, {})) wake(*task);
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
    for (void* address : frames) {
      const std::string frame = describe_frame(address);
      if (!internal(frame)) absl::StrAppend(&text, "  at ", frame, "\n");
    }
  }
  return text;
}

}  // namespace chimera::sdk
