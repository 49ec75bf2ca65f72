// Worker, which runs the workflows, activities and Nexus services that are added to it for one task
// queue.
#ifndef CHIMERA_WORKER_H_
#define CHIMERA_WORKER_H_

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chimera/activity.h"
#include "chimera/client.h"
#include "chimera/definition.h"
#include "chimera/slots.h"
#include "chimera/workflow.h"

namespace chimera {

class TestWorker;
namespace sdk {
class SessionWorker;
class WorkerInterceptor;
}  // namespace sdk

// A number of polls that follows the server's advice: 1 <= minimum <= initial <= maximum.
struct PollerAutoscaling {
  int minimum = 1, maximum = 100, initial = 5;
};

// Shares of memory and CPU, above 0 and at most 1, below which more tasks are taken: of the cgroup
// that the process is in, where that has limits, else of the machine.
struct ResourceTargets {
  double memory = 0.8, cpu = 0.9;
};

struct ResourceSlotLimits {  // 0 <= minimum <= maximum
  int minimum = 1;           // Whatever the load.
  int maximum = 500;
  std::chrono::milliseconds ramp_throttle{0};  // Beyond the minimum, between one slot and the next.
};

// Slots that follow the machine's load: another task is taken while memory and CPU are below their
// targets. A kind that is std::nullopt keeps its fixed number. Defaults are those of the official
// Python SDK.
struct ResourceTuner {
  ResourceTargets targets = {};
  std::optional<ResourceSlotLimits> workflow = ResourceSlotLimits{.minimum = 5};
  std::optional<ResourceSlotLimits> activity =
      ResourceSlotLimits{.ramp_throttle = std::chrono::milliseconds(50)};
  std::optional<ResourceSlotLimits> local_activity =
      ResourceSlotLimits{.ramp_throttle = std::chrono::milliseconds(50)};
  std::optional<ResourceSlotLimits> nexus =
      ResourceSlotLimits{.ramp_throttle = std::chrono::milliseconds(50)};
};

// Which version of which worker deployment a worker is. With use_worker_versioning it gets the
// tasks of that version alone, and each of its workflows needs a behavior: its definition's, or the
// default one here.
struct WorkerDeploymentConfig {
  WorkerDeploymentVersion version;
  bool use_worker_versioning = true;  // False: it is shown, and nothing else.
  VersioningBehavior default_versioning_behavior = VersioningBehavior::kUnspecified;
};

struct WorkerOptions {     // Counts are at least 1 and times not negative, where nothing is said.
  std::string task_queue;  // Up to 1000 bytes.
  std::string identity = {};
  std::string build_id = {};  // Of a worker without a deployment.
  std::optional<WorkerDeploymentConfig> deployment = {};
  std::size_t max_cached_workflows = 1000;              // 0: every task replays its whole history.
  std::size_t max_cached_bytes = std::size_t{1} << 30;  // At least 1 where runs are cached.
  int max_concurrent_workflow_tasks = 100;              // At least 2 where runs are cached.
  int max_concurrent_activities = 100;
  int max_concurrent_local_activities = 100;
  int max_concurrent_nexus_tasks = 100;
  std::optional<ResourceTuner> resource_tuner = {};  // In place of these numbers.
  // In place of the number of that kind: your own rules (slots.h).
  std::shared_ptr<SlotSupplier> workflow_slots = nullptr;
  std::shared_ptr<SlotSupplier> activity_slots = nullptr;
  std::shared_ptr<SlotSupplier> local_activity_slots = nullptr;
  std::shared_ptr<SlotSupplier> nexus_slots = nullptr;
  int max_concurrent_workflow_task_polls = 5;
  int max_concurrent_activity_task_polls = 5;
  int max_concurrent_nexus_task_polls = 5;
  // In place of the fixed numbers; of workflow tasks at each of the normal and the sticky queue.
  std::optional<PollerAutoscaling> workflow_poll_autoscaling = {};
  std::optional<PollerAutoscaling> activity_poll_autoscaling = {};
  std::optional<PollerAutoscaling> nexus_poll_autoscaling = {};
  double nonsticky_to_sticky_poll_ratio = 0.2;  // 0 to 1.
  std::chrono::milliseconds sticky_queue_schedule_to_start_timeout{10000};
  std::chrono::milliseconds graceful_shutdown_timeout{
      0};  // Until activities and Nexus handlers are told of the shutdown.
  std::chrono::milliseconds max_heartbeat_throttle_interval{60000};
  std::chrono::milliseconds default_heartbeat_throttle_interval{30000};
  double max_activities_per_second = 0;             // 0: no limit.
  double max_task_queue_activities_per_second = 0;  // Of all workers together. 0: no limit.
  bool no_remote_activities = false;
  bool disable_eager_activity_execution = false;
  int max_eager_activity_reservations_per_workflow_task = 3;  // At least 0.
  // Workflow code that does not yield for so long fails its task; 0: never.
  std::chrono::milliseconds deadlock_timeout{2000};
  // Between what the worker tells the server of itself, which lists show: 1 to 60 s; 0: nothing.
  std::chrono::milliseconds worker_heartbeat_interval{60000};
  // What a workflow may have on its stack, from 64 KiB to 1 GiB: address space of each run, of
  // which memory is what has been touched. A run of which a task has timed out gets at least 8 MiB.
  std::size_t workflow_stack_bytes = std::size_t{1} << 20;
  // Of single activities, by name: how many of them this worker begins in a second, local ones
  // included, at even distances. Those that wait for their turn have a slot, and their timeouts
  // run. Above 0; each must have been added.
  std::map<std::string, double> max_per_second_of_activity = {};
  // How many sessions (session.h) this worker has at a time; 0: it takes none. Their activities are
  // polled on a task queue of this worker's own, with as many slots again.
  int max_concurrent_sessions = 0;
  // What fails its workflows and their updates beside chimera's own failures, beside what their
  // definitions list; all other exceptions fail the task, which is tried again.
  FailureExceptions workflow_failure_exceptions = {};
  // Around its workflows, its activities and what they call, inside of the client's.
  std::vector<std::shared_ptr<Interceptor>> interceptors = {};
};

// Add, then run: a started worker takes nothing more. add() and add_activity() are Registry's. One
// thread uses a worker; shutdown() and replace_client() may come from any.
class Worker : public Registry {
 public:
  // Throws std::invalid_argument that names an option which is out of its range.
  Worker(const Client& client, WorkerOptions options);
  ~Worker();  // Shuts down and waits if it was started.
  Worker(Worker&&) noexcept;

  // Until SIGINT or SIGTERM, or shutdown(); then drains. A second signal ends the process at once.
  void run();
  // In the background, without signals. Throws if a name is registered twice or the namespace is
  // not there.
  void start();
  void shutdown();  // Returns at once.
  void wait();      // Until drained. Throws what ended the worker, if something did.

  // Of a started worker: its calls go through this client's connection from now on, with its keys
  // and headers; polls under way end where they began. The namespace, the codec and the
  // interceptors stay those of the client that it was made with. Throws std::invalid_argument for a
  // client of another namespace.
  void replace_client(const Client& client);

 private:
  friend class TestWorker;
  friend class sdk::SessionWorker;
  // Before start().
  void intercept(std::shared_ptr<sdk::WorkerInterceptor> interceptor);

  class State;
  std::unique_ptr<State> state_;
};

}  // namespace chimera

#endif  // CHIMERA_WORKER_H_
