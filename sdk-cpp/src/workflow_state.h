// What one run's code is made of: tasks (fibers), what they wait for, and the scopes that cancel
// them. Everything here belongs to one run and is touched on its lane only.
#ifndef CHIMERA_SDK_CPP_SRC_WORKFLOW_STATE_H_
#define CHIMERA_SDK_CPP_SRC_WORKFLOW_STATE_H_

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chimera/context.h"
#include "chimera/workflow.h"
#include "core/language/commands.h"
#include "sdk-cpp/src/fiber.h"

namespace chimera::detail {

// A part of the code that is cancelled together.
struct ScopeState {
  std::shared_ptr<ScopeState> parent;  // Null: nothing around it reaches in.
  bool cancelled = false;
  bool timed_out = false;
  std::string reason;
  std::optional<Duration> timeout;  // Of each run().
};

using ScopePtr = std::shared_ptr<ScopeState>;  // Shared by the scope's tasks and the user's handle.

// A scope that a task has entered, outermost first.
struct EnteredScope {
  std::shared_ptr<ScopeState> outer;  // The innermost scope before it.
  std::shared_ptr<Operation> timer;   // Of its timeout; may be null.
};

// One fiber of the run: the run method, a handler, or what spawn() started.
class TaskState final : public Waitable, public std::enable_shared_from_this<TaskState> {
 public:
  TaskState() : Waitable("Task") {}
  bool ready() const override { return finished; }

  std::string name;  // "run", "signal approve", ...
  std::function<void()> body;
  std::unique_ptr<sdk::Fiber> fiber;
  std::shared_ptr<ScopeState> scope;  // The innermost that it runs in now.
  std::shared_ptr<ScopeState> own_scope;
  std::vector<EnteredScope> entered;
  ScopeState* pending_cancel = nullptr;  // Delivered at the next wait; the scope that asked for it.
  // Cancelled while a detached scope shielded the task; due when that is left.
  std::vector<std::shared_ptr<ScopeState>> due_cancels;
  // Inherited by the tasks that it spawns:
  std::shared_ptr<const workflow::UpdateInfo> update;
  Context context;
  std::exception_ptr error;
  bool queued = false;
  bool finished = false;
  bool joined = false;
  const TaskState* joins = nullptr;            // For whose end it waits.
  bool owned = false;                          // By a Task of the user's, who may yet get its end.
  bool is_handler = false;                     // Of a signal or an update.
  std::shared_ptr<const HandlerType> handler;  // The one; null for an unknown update.
  const char* waiting_in = "start";  // The call of chimera::workflow that it was last seen in.
  std::uint64_t place = 0;           // Of its call that passes the user's interceptors now.
  bool continuing_as_new = false;    // Unwinds to the end of the run: nothing is compensated.
  // Eviction: how often the unwinding was thrown, and ended in a Saga that compensates, whether it
  // reached the top, and where throwing it is safe although another exception is under way.
  int unwindings = 0, ended_in_sagas = 0;
  bool unwound = false;
  int safe_exceptions = 0;
};

}  // namespace chimera::detail

namespace chimera::sdk {

// Unwinds a fiber whose run leaves the cache. No std::exception, so that ordinary handlers let it
// pass.
struct Unwinding {};

// Ends the run and starts the next.
struct ContinueAsNew {
  api::command::v1::ContinueAsNewWorkflowExecutionCommandAttributes attributes;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_WORKFLOW_STATE_H_
