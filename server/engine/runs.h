// Runs, the index of all runs of a server: by run id, and by workflow id the current one. Loop
// thread.
#ifndef CHIMERA_SERVER_ENGINE_RUNS_H_
#define CHIMERA_SERVER_ENGINE_RUNS_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

#include "server/engine/run/namespaces.h"
#include "server/engine/run/run.h"

namespace chimera::server {

class Engine;

// Runs are given out const: they change in a Transition.
class Runs {
 public:
  explicit Runs(Engine& engine) : engine_(engine) {}

  // By run id, or the current run of the workflow id if that is empty.
  absl::StatusOr<const Run*> find(const Namespace& ns, const std::string& workflow_id,
                                  const std::string& run_id) const;
  absl::StatusOr<const Run*> find_running(const Namespace& ns,
                                          const common::WorkflowExecution& execution) const;
  const Run* current(const Namespace& ns, const std::string& workflow_id) const;
  const Run* by_id(const std::string& run_id) const;
  const absl::flat_hash_map<std::string, RunPtr>& all() const { return runs_; }

  // Becomes current.
  Run& add(Namespace& ns, const std::string& workflow_id, const std::string& run_id);
  void erase(const Run& run);
  void arm_timer(const Run& run);  // For its next deadline or, once closed, its deletion.
  void apply_retention(const Namespace& ns);  // After a change of it.

 private:
  struct Chain {
    const Run* current = nullptr;
    int runs = 0;
  };
  static std::string chain_key(const std::string& namespace_id, const std::string& workflow_id);
  void make_current(const Run& run);

  Engine& engine_;
  absl::flat_hash_map<std::string, RunPtr> runs_;   // By run id.
  absl::flat_hash_map<std::string, Chain> chains_;  // By namespace id and workflow id.
  std::uint64_t added_ = 0;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RUNS_H_
