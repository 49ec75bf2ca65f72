// Worker, one task queue's pollers, slots, lanes and cache, serving every language that registers
// with it. Build: create, register types, start. End: initiate_shutdown, then wait. Any thread
// unless said otherwise.
#ifndef CHIMERA_CORE_WORKER_WORKER_H_
#define CHIMERA_CORE_WORKER_WORKER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

#include "core/base/executor.h"
#include "core/base/timers.h"
#include "core/language/activity_language.h"
#include "core/language/language.h"
#include "core/language/nexus_language.h"
#include "core/rpc/connection.h"
#include "core/worker/options.h"

namespace chimera::core {

// What a worker takes its time, its threads and its chance from; with the connection's transport it
// is all that a worker knows of the world. Borrowed; outlives the worker. Clock and timers show the
// same time.
struct WorkerEnvironment {
  base::Clock* clock = &base::system_clock();
  base::Timers* timers = &base::system_timers();
  base::Executor* executor = &base::thread_executor();
  std::function<std::uint32_t()> random = [] { return std::random_device()(); };  // Any thread.
};

class Worker {
 public:
  // No I/O. The error names the option that is wrong.
  static absl::StatusOr<std::unique_ptr<Worker>> create(std::shared_ptr<Connection> connection,
                                                        WorkerOptions options,
                                                        WorkerEnvironment environment = {});
  using Started = absl::AnyInvocable<void(absl::Status) &&>;
  using Ended = absl::AnyInvocable<void(absl::Status) &&>;

  // Requires that wait() has returned or when_ended() has told the end, or that start() was never
  // called. Not on a thread of the worker's own.
  virtual ~Worker() = default;

  // Before start(). A name registered twice is kAlreadyExists and names both places. Languages are
  // borrowed.
  virtual absl::Status add_workflow(std::string workflow_type, WorkflowLanguage& language) = 0;
  virtual absl::Status add_activity(std::string activity_type, ActivityLanguage& language) = 0;
  // All operations of the service are the language's.
  virtual absl::Status add_nexus_service(std::string service, NexusLanguage& language) = 0;
  // Serves every type that nothing else serves; at most one of each.
  virtual absl::Status add_dynamic_workflow(WorkflowLanguage& language) = 0;
  virtual absl::Status add_dynamic_activity(ActivityLanguage& language) = 0;
  // NondeterminismError fails runs of this type (empty: of all types) instead of their task.
  virtual void set_nondeterminism_fails_workflow(std::string workflow_type) = 0;

  // Blocks for the namespace's validation, then polls in the background.
  virtual absl::Status start() = 0;
  // The same without blocking: `done` runs once, on a thread of the transport or of the timers, and
  // the worker must not be destroyed before.
  virtual void start_async(Started done) = 0;
  // Stops polling, drains; returns at once. Again: no effect.
  virtual void initiate_shutdown() = 0;
  // Until everything has drained. The status is a fatal poll error, if one ended the worker.
  virtual absl::Status wait() = 0;
  // The same without blocking: `done` runs once, on a thread of the worker's own or inside this
  // call. Nothing of the worker runs any more then, but it must not be destroyed in there.
  virtual void when_ended(Ended done) = 0;
  // Called once, on a worker thread, when a fatal error makes the worker shut down.
  virtual void on_fatal(absl::AnyInvocable<void(absl::Status) &&> callback) = 0;

  // Eager starts over the connection that can wait do so from now on until start() has ended, or
  // the worker has. From its start to its shutdown a worker with workflows takes their first tasks.
  virtual void announce() = 0;
  // Calls go to `connection` from now on, and eager starts come from there; polls under way end
  // where they began.
  virtual void replace_connection(std::shared_ptr<Connection> connection) = 0;

  virtual const WorkerOptions& options() const = 0;
  virtual Connection& connection() = 0;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_WORKER_H_
