// Host, a worker process of the simulation: the real core::Worker with all its parts on the world's
// strands, timers and time, and languages that run random programs. It ends in order, or is killed
// and buried later. One thread, not from inside what the process runs.
#ifndef CHIMERA_TESTS_SIM_HOST_H_
#define CHIMERA_TESTS_SIM_HOST_H_

#include <memory>
#include <string>

#include "core/telemetry/metrics.h"
#include "core/worker/worker.h"
#include "tests/sim/activities.h"
#include "tests/sim/network.h"
#include "tests/sim/workflows.h"

namespace chimera::sim {

class Host {
 public:
  struct Setup {
    core::WorkerOptions options;
    NetworkLuck luck;
    PartFault fault = PartFault::kNone;
  };

  Host(World& world, std::string name, std::shared_ptr<base::Transport> server, Setup setup,
       SimWorkflows& workflows, ActivityBook& book);
  ~Host();  // After finish() or bury().

  void start();  // Connects, and starts the worker.
  bool up() const { return up_; }
  // Ends in order; ended() is true some time later.
  void shut_down();
  bool ended() const { return ended_; }
  const absl::Status& end_status() const { return end_status_; }
  // What a worker that has ended in order must not leave.
  std::vector<std::string> leftovers() const;
  // Nothing of it runs any more.
  void kill() { process_.kill(); }
  // Once it has ended: destroys the worker. False: not one that leaves lanes behind, since nobody
  // would have those then.
  bool finish();
  // Lets a worker go that was killed or hangs: it runs on without a server until it has ended.
  // False: it does not, or leaves lanes behind, because a fault has lost what it waits for.
  bool bury();

  // Starts the workflow through this process's connection, asking for its first task.
  void start_eagerly(const api::workflowservice::v1::StartWorkflowExecutionRequest& request);

  const Ledger& ledger() const { return ledger_; }
  bool had_eager_start() const { return had_eager_start_; }

 private:
  void connected(absl::StatusOr<std::shared_ptr<core::Connection>> connection);
  template <class Done>
  bool run_until(const Done& done);

  Process process_;
  const Setup setup_;
  SimWorkflows& workflows_;
  SimActivities activities_;
  Ledger ledger_;
  Rng rng_;
  const std::shared_ptr<core::Metrics> metrics_ = std::make_shared<core::Metrics>();
  const std::shared_ptr<Network> network_;
  std::shared_ptr<core::Connection> connection_;
  SimWorkflows::Language language_;
  std::unique_ptr<core::Worker> worker_;
  std::shared_ptr<core::WorkflowSlot> kept_slot_;  // By a fault.
  bool up_ = false, start_failed_ = false, shutting_down_ = false, ended_ = false;
  bool dying_ = false, unconnected_ = false, had_eager_start_ = false;
  bool struck_ = false;  // A fault that strikes once has.
  absl::Status end_status_;
};

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_HOST_H_
