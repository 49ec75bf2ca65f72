// Driver, who starts the workflow of a whole simulation and whoever else acts on it: signals,
// updates, queries, a request to cancel; workers that come and go; and who reads the history at the
// end. One thread.
#ifndef CHIMERA_TESTS_SIM_DRIVER_H_
#define CHIMERA_TESTS_SIM_DRIVER_H_

#include <memory>
#include <string>
#include <vector>

#include "server/server.h"
#include "tests/sim/host.h"
#include "tests/sim/server.h"

namespace chimera::sim {

class Driver {
 public:
  Driver(std::uint64_t seed, const Program& program, PartFault fault);
  ~Driver();

  // Until the workflow has ended, its workers have, and its history is read; or something is wrong.
  void run();
  // Lets go of the workers that have not ended. False: one does not end even without a server.
  bool bury();

  const std::vector<std::string>& violations() const { return violations_; }
  const std::vector<EventPtr>& history() const { return history_; }
  const std::string& run_id() const { return run_id_; }
  const SimWorkflows& workflows() const { return workflows_; }
  const ActivityBook& book() const { return book_; }
  const World& world() const { return world_; }
  const std::vector<std::unique_ptr<Host>>& hosts() const { return hosts_; }
  int kills() const { return kills_; }
  int shutdowns() const { return shutdowns_; }

 private:
  void set_up();
  Host::Setup random_setup();
  void open_worker();
  void replace_worker();
  void worker_ended();
  void start_workflow(int tries);
  void find_first_run();
  void plan();
  void act();
  void signal(const std::string& name);
  void look();
  void read_history(std::string page);
  void end_chain();
  bool hangs();
  Host& host() { return *hosts_.back(); }
  template <class Reply, class Request>
  void call(std::string_view method, Request request,
            std::function<void(absl::StatusOr<std::shared_ptr<Reply>>)> done);

  const std::uint64_t seed_;
  const PartFault fault_;
  Rng rng_;
  World world_;
  Process server_process_, client_;
  std::unique_ptr<server::Server> server_;
  std::shared_ptr<Network> network_;
  std::shared_ptr<core::Connection> connection_;
  SimWorkflows workflows_;
  ActivityBook book_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<std::string> violations_;
  std::vector<EventPtr> history_;
  std::string run_id_;
  int replacements_ = 0, kills_ = 0, shutdowns_ = 0;
  int actions_ = 0, calls_ = 0;
  bool replacing_ = false, closed_ = false, read_ = false, over_ = false;
};

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_DRIVER_H_
