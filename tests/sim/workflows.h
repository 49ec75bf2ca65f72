// SimWorkflows, the workflows of the whole simulation and what their runs leave behind, whichever
// worker they run on: the random program, its children, and one that only waits. One thread.
#ifndef CHIMERA_TESTS_SIM_WORKFLOWS_H_
#define CHIMERA_TESTS_SIM_WORKFLOWS_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/instance.h"
#include "tests/sim/world.h"

namespace chimera::sim {

class SimWorkflows {
 public:
  explicit SimWorkflows(const Program& program) : program_(program) {}

  // One worker's way to them. Late answers come from a thread of the process.
  class Language : public core::WorkflowLanguage {
   public:
    Language(SimWorkflows& owner, Process& process, unsigned late_answers_percent)
        : owner_(owner), process_(process), late_answers_percent_(late_answers_percent) {}
    const core::LanguageIdentity& identity() const override { return identity_; }
    absl::StatusOr<std::unique_ptr<core::WorkflowInstance>> create(
        const core::RunContext& run) override;

   private:
    SimWorkflows& owner_;
    Process& process_;
    const unsigned late_answers_percent_;
    const core::LanguageIdentity identity_{"sim", "1.0", "Sim", /*has_side_effects=*/true};
  };

  const Program& program() const { return program_; }
  // Of the random program's run.
  const RunRecord* record(const std::string& run_id) const;
  std::vector<std::string> violations() const;
  int instances() const { return instances_; }

 private:
  const Program& program_;
  std::map<std::string, std::unique_ptr<RunRecord>> records_;
  int instances_ = 0;
};

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_WORKFLOWS_H_
