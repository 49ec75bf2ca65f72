// Worker, one task queue's pollers, slots, lanes and cache, serving every language that registers
// with it. Build: create, register types, start. End: initiate_shutdown, then wait. Any thread
// unless said otherwise.
#ifndef CHIMERA_CORE_WORKER_WORKER_H_
#define CHIMERA_CORE_WORKER_WORKER_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

#include "core/base/timers.h"
#include "core/language/activity_language.h"
#include "core/language/language.h"
#include "core/rpc/connection.h"
#include "core/worker/options.h"

namespace chimera::core {

// A slot kept for the workflow task that the reply to a start may bring with it; the worker's end
// waits for it. Dropping it gives the slot back. Any thread.
class WorkflowSlot {
 public:
  virtual ~WorkflowSlot() = default;
  // Runs the task as if a poll had brought it. Once.
  virtual void run(
      std::shared_ptr<api::workflowservice::v1::PollWorkflowTaskQueueResponse> task) = 0;
};

// What a worker takes its time from. Borrowed; outlives the worker.
struct WorkerEnvironment {
  base::Clock* clock = &base::system_clock();
  base::Timers* timers = &base::system_timers();
};

class Worker {
 public:
  // No I/O. The error names the option that is wrong.
  static absl::StatusOr<std::unique_ptr<Worker>> create(std::shared_ptr<Connection> connection,
                                                        WorkerOptions options,
                                                        WorkerEnvironment environment = {});
  virtual ~Worker() =
      default;  // Requires that wait() has returned, or that start() was never called.

  // Before start(). A name registered twice is kAlreadyExists and names both places. Languages are
  // borrowed.
  virtual absl::Status add_workflow(std::string workflow_type, WorkflowLanguage& language) = 0;
  virtual absl::Status add_activity(std::string activity_type, ActivityLanguage& language) = 0;
  // Serves every type that nothing else serves; at most one of each.
  virtual absl::Status add_dynamic_workflow(WorkflowLanguage& language) = 0;
  virtual absl::Status add_dynamic_activity(ActivityLanguage& language) = 0;
  // NondeterminismError fails runs of this type (empty: of all types) instead of their task.
  virtual void set_nondeterminism_fails_workflow(std::string workflow_type) = 0;

  // Blocks for the namespace's validation, then polls in the background.
  virtual absl::Status start() = 0;
  // Stops polling, drains; returns at once. Again: no effect.
  virtual void initiate_shutdown() = 0;
  // Until everything has drained. The status is a fatal poll error, if one ended the worker.
  virtual absl::Status wait() = 0;
  // Called once, on a worker thread, when a fatal error makes the worker shut down.
  virtual void on_fatal(absl::AnyInvocable<void(absl::Status) &&> callback) = 0;

  // Null when no slot is free, or when the worker does not take workflow tasks now.
  virtual std::unique_ptr<WorkflowSlot> reserve_workflow_slot() = 0;
  // Calls go to `connection` from now on; polls under way end where they began.
  virtual void replace_connection(std::shared_ptr<Connection> connection) = 0;

  virtual const WorkerOptions& options() const = 0;
  virtual Connection& connection() = 0;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_WORKER_H_
