// Tasks and groups of them, as chimera/concurrency.h promises them.
#include <exception>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "sdk-cpp/src/calls.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/log.h"
#include "sdk-cpp/src/waiting.h"

namespace chimera::detail {

using sdk::require;
using sdk::Scheduler;
using sdk::Watching;
using sdk::WorkflowRuntime;

// What a TaskGroup and its tasks share.
struct GroupState final : Waitable {
  GroupState() : Waitable("TaskGroup") {}
  bool ready() const override { return running == 0; }

  ScopePtr scope;
  int running = 0;
  std::exception_ptr error;  // The first.
  bool joined = false;
  int exceptions_at_start = std::uncaught_exceptions();
};

namespace {

// A cancellation of the one that waits comes with its next wait, since this one must come to its
// end.
class Shielded {
 public:
  explicit Shielded(TaskState& task) : task_(task) { hold(); }
  ~Shielded() {
    if (task_.pending_cancel == nullptr) task_.pending_cancel = pending_;
  }
  Shielded(const Shielded&) = delete;
  Shielded& operator=(const Shielded&) = delete;
  void hold() {
    if (auto* const pending = std::exchange(task_.pending_cancel, nullptr)) pending_ = pending;
  }

 private:
  TaskState& task_;
  ScopeState* pending_ = nullptr;
};

// In destructors: until it is ready, or the run leaves the cache.
void wait_unmoved(WorkflowRuntime& run, TaskState& task, Waitable& state, const char* call) {
  Shielded shielded(task);
  while (!state.ready() && !run.run().evicting) {
    task.waiting_in = call;
    const Watching watching(state, task);
    run.scheduler().park_unmoved(task);
    shielded.hold();
  }
}

// Where a destructor can neither wait nor throw.
void log_left(const Waitable& state, const char* why) noexcept {
  sdk::log(sdk::LogLevel::kError, absl::StrCat("a ", state.what, " of a workflow was destroyed ",
                                               why, " while it ran; what it ran goes on alone"));
}

// The run, if a destructor may wait in it; else null, and that is logged.
WorkflowRuntime* run_to_wait_in(const Waitable& state) noexcept {
  WorkflowRuntime* const run = WorkflowRuntime::current_or_null();
  if (run == nullptr || run->run().number != state.run) {
    log_left(state, "outside its run");
    return nullptr;
  }
  if (run->run().evicting) return nullptr;
  if (run->run().read_only || run->scheduler().running() == nullptr) {
    log_left(state, "where nothing may wait, in a query, a condition or a constructor,");
    return nullptr;
  }
  return run;
}

bool within_cancelled(const ScopeState* scope) {
  while (scope != nullptr && !scope->cancelled) scope = scope->parent.get();
  return scope != nullptr;
}

void log_later_failure(const WorkflowRuntime& run) {
  if (run.run().quiet()) return;
  sdk::log(sdk::LogLevel::kError,
           absl::StrCat("a task of a TaskGroup of ", run.run().owner,
                        ", which had failed before, threw ", sdk::describe_current()));
}

// Of the exception that is being handled, of one of its tasks.
void note_failure(const std::shared_ptr<GroupState>& group) {
  WorkflowRuntime& run = WorkflowRuntime::current("TaskGroup");
  try {
    throw;
  } catch (const std::exception& error) {
    if (is_cancelled(error) && within_cancelled(group->scope.get())) return;
    if (group->error != nullptr) return log_later_failure(run);
  } catch (...) {
    if (group->error != nullptr) return log_later_failure(run);
  }
  group->error = std::current_exception();
  run.scheduler().cancel(group->scope, "another task of the group failed");
}

}  // namespace

std::shared_ptr<TaskState> spawn(std::function<void()> body) {
  std::shared_ptr<TaskState> task = sdk::call(sdk::SpawnInput{std::move(body)});
  task->owned = true;
  return task;
}

void join(const std::shared_ptr<TaskState>& task) {
  constexpr char kCall[] = "Task::get";
  require(task, "task");
  WorkflowRuntime& run = sdk::run_of(*task, kCall);
  task->joined = true;
  while (!task->finished) {
    TaskState& self = run.scheduler().waiting_task(kCall);
    if (&self == task.get()) refuse(kCall, "the task would wait for itself");
    for (const TaskState* at = task.get(); at != nullptr; at = at->joins)
      if (at == &self) refuse(kCall, "the tasks would wait for each other");
    struct Joining {
      TaskState& self;
      ~Joining() { self.joins = nullptr; }
    } const joining{self};
    self.joins = task.get();
    const Watching watching(*task, self);
    run.scheduler().park(self);
    // The waiter's cancellation becomes the task's, whose end is then waited for.
    if (!task->finished && Scheduler::take_cancel(self))
      run.scheduler().cancel(task->own_scope, "");
  }
  if (task->error != nullptr) std::rethrow_exception(task->error);
}

void cancel(const std::shared_ptr<TaskState>& task, std::string reason) {
  constexpr char kCall[] = "Task::cancel";
  require(task, "task");
  if (!may_change(*task, kCall)) return;
  WorkflowRuntime& run = sdk::run_of(*task, kCall);
  run.run().place = sdk::place_of(__builtin_return_address(0));
  run.scheduler().cancel(task->own_scope, std::move(reason));
}

bool finished(const std::shared_ptr<TaskState>& task) {
  require(task, "task");
  return task->finished;
}

void detach(const std::shared_ptr<TaskState>& task) {
  require(task, "task");
  task->owned = false;
  WorkflowRuntime& run = sdk::run_of(*task, "Task::detach");
  if (task->finished) run.scheduler().report_unjoined(*task);
}

void drop(const std::shared_ptr<TaskState>& task) noexcept {
  if (task == nullptr || !std::exchange(task->owned, false)) return;
  if (task->finished) {
    if (auto* const run = WorkflowRuntime::current_or_null();
        run != nullptr && run->run().number == task->run)
      run->scheduler().report_unjoined(*task);
    return;
  }
  WorkflowRuntime* const run = run_to_wait_in(*task);
  if (run == nullptr) return;
  run->scheduler().cancel(task->own_scope, "its Task was destroyed");
  TaskState& self = *run->scheduler().running();
  if (&self != task.get()) wait_unmoved(*run, self, *task, "~Task");
}

std::shared_ptr<GroupState> open_group() {
  constexpr char kCall[] = "TaskGroup";
  WorkflowRuntime& run = WorkflowRuntime::current(kCall);
  auto group = std::make_shared<GroupState>();
  group->scope = std::make_shared<ScopeState>();
  if (!run.run().evicting) group->scope->parent = run.scheduler().waiting_task(kCall).scope;
  return group;
}

void spawn(const std::shared_ptr<GroupState>& group, std::function<void()> body) {
  constexpr char kCall[] = "TaskGroup::spawn";
  WorkflowRuntime& run = sdk::run_of(*group, kCall);
  if (group->joined) refuse(kCall, "the group was joined before");
  const auto task = sdk::call(sdk::SpawnInput{[group, body = std::move(body)]() mutable {
    try {
      body();
    } catch (const sdk::Unwinding&) {
      throw;
    } catch (...) {
      note_failure(group);
    }
    body = nullptr;
    if (--group->running == 0) wake_watchers(*group);
  }});
  ++group->running;
  if (run.run().evicting) return;
  task->own_scope->parent = group->scope;
  if (group->scope->cancelled) task->pending_cancel = group->scope.get();
}

void cancel(const std::shared_ptr<GroupState>& group, std::string reason) {
  constexpr char kCall[] = "TaskGroup::cancel";
  if (!may_change(*group, kCall)) return;
  WorkflowRuntime& run = sdk::run_of(*group, kCall);
  run.run().place = sdk::place_of(__builtin_return_address(0));
  run.scheduler().cancel(group->scope, std::move(reason));
}

void join(const std::shared_ptr<GroupState>& group) {
  constexpr char kCall[] = "TaskGroup::join";
  WorkflowRuntime& run = sdk::run_of(*group, kCall);
  if (group->joined) refuse(kCall, "the group was joined before");
  bool cancelled = false;
  TaskState& self = run.scheduler().waiting_task(kCall);
  if (Scheduler::within(self.own_scope.get(), *group->scope))
    refuse(kCall, "one of its tasks would wait for itself");
  while (group->running > 0) {
    const Watching watching(*group, self);
    run.scheduler().park(self);
    if (!Scheduler::take_cancel(self)) continue;
    cancelled = true;
    run.scheduler().cancel(group->scope, "");
  }
  group->joined = true;
  if (group->error != nullptr) std::rethrow_exception(std::exchange(group->error, nullptr));
  if (cancelled) throw CancelledError();
}

void close(const std::shared_ptr<GroupState>& group) {
  if (group->joined) return;
  if (std::uncaught_exceptions() <= group->exceptions_at_start) {
    WorkflowRuntime* const run = WorkflowRuntime::current_or_null();
    if (run != nullptr && run->run().evicting && run->scheduler().running() == nullptr) return;
    return join(group);
  }
  WorkflowRuntime* const run = run_to_wait_in(*group);
  if (run == nullptr) return;
  group->joined = true;
  run->scheduler().cancel(group->scope, "an exception left the block of its TaskGroup");
  wait_unmoved(*run, *run->scheduler().running(), *group, "~TaskGroup");
  if (group->error == nullptr) return;
  try {
    std::rethrow_exception(group->error);
  } catch (...) {
    log_later_failure(*run);
  }
}

}  // namespace chimera::detail
