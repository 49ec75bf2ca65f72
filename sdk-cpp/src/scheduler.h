// Scheduler, the fibers of one run: what is ready, what waits, what is cancelled. Of what they wait
// for it knows operations (operations/operation.h) and conditions, and no kind of them.
#ifndef CHIMERA_SDK_CPP_SRC_SCHEDULER_H_
#define CHIMERA_SDK_CPP_SRC_SCHEDULER_H_

#include <algorithm>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"

#include "sdk-cpp/src/conditions.h"
#include "sdk-cpp/src/operations/operation.h"
#include "sdk-cpp/src/run.h"
#include "sdk-cpp/src/stack_pool.h"
#include "sdk-cpp/src/workflow_state.h"

namespace chimera::sdk {

// Wakes the task when something may be ready, as long as this lives.
class Watching {
 public:
  Watching(detail::Waitable& of, detail::TaskState& task) : of_(of), task_(task) {
    of_.watchers.push_back(&task_);
  }
  ~Watching() { of_.watchers.erase(std::find(of_.watchers.begin(), of_.watchers.end(), &task_)); }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;

 private:
  detail::Waitable& of_;
  detail::TaskState& task_;
};

class Scheduler {
 public:
  using Task = detail::TaskState;
  using Scope = std::shared_ptr<detail::ScopeState>;

  // Both borrowed; the pool outlives everything.
  Scheduler(Run& run, StackPool& stacks) : run_(run), stacks_(stacks), conditions_(run) {}
  ~Scheduler();  // Gives the memory of abandoned stacks back: nothing looks at them any more.

  // --- Tasks ---
  std::shared_ptr<Task> spawn(std::string name, std::function<void()> body, const Scope& parent);
  // Runs what is ready until nothing is, or the task has failed.
  void run_ready(bool ask_conditions);
  Task* running() const { return running_; }
  const std::list<std::shared_ptr<Task>>& tasks() const { return tasks_; }
  void forget_all();  // None has started.
  // Unwinds them all, the youngest first, since each may use what is around it where it was
  // started; nothing that their code asks for counts any more.
  void evict();
  std::string stack_traces();
  // After an exception off the fibers.
  void nothing_runs() { running_ = nullptr; }

  // --- Waiting, on the task that runs ---
  // That task; throws ReadOnlyContextError where waiting is not allowed, and Unwinding.
  Task& waiting_task(const char* call);
  // Parks it; throws Unwinding when the run is being evicted. The caller looks at what has changed.
  void park(Task& task);
  // As park(), for destructors: returns when the run is being evicted.
  void park_unmoved(Task& task);
  [[noreturn]] void throw_unwinding(Task& task);
  void wake(Task& task);
  void wake_watchers(detail::Waitable& ready);
  void wait_for(const OperationPtr& operation, Task& task);
  Conditions& conditions() { return conditions_; }
  // Runs the user's code that may not wait: where no task runs, on a stack that may overflow
  // without harm to the lane. What it throws comes out; after an overflow, std::runtime_error.
  void call(absl::FunctionRef<void()> code);
  // The same for destructors of the user's, off the fibers; logs what they throw.
  void destroy(absl::FunctionRef<void()> code);

  // --- Ends and cancellations ---
  void resolve(Operation& operation, const api::common::v1::Payload* result);
  void resolve(Operation& operation, const api::failure::v1::Failure& failure);
  // Asks for its end, once.
  void cancel(const OperationPtr& operation);
  void cancel(const Scope& scope, std::string reason);
  // The scope is `at` or one around it that reaches in.
  static bool within(const detail::ScopeState* at, const detail::ScopeState& scope);
  // True once for each delivered cancellation.
  static bool take_cancel(Task& task);
  // Logs how a task ended that nobody gets, unless it was cancelled.
  void report_unjoined(const Task& task) const;

 private:
  void resume(Task& task);
  void resolved(Operation& operation);
  void unwind(const std::shared_ptr<Task>& task);

  Run& run_;
  StackPool& stacks_;
  std::list<std::shared_ptr<Task>> tasks_;       // Shared with the user's Task handles.
  std::vector<std::shared_ptr<Task>> given_up_;  // Abandoned while the run was evicted.
  std::deque<Task*> ready_;
  Conditions conditions_;
  Task* running_ = nullptr;
  std::vector<void*>* trace_ = nullptr;  // Where a parked task that is resumed notes its stack.
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_SCHEDULER_H_
