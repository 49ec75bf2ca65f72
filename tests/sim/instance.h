// SimInstance, the random program as the core sees it: checks what every activation must keep to,
// writes down what came and what was answered, and can be told to imitate a faulty core on the way.
#ifndef CHIMERA_TESTS_SIM_INSTANCE_H_
#define CHIMERA_TESTS_SIM_INSTANCE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/language/language.h"
#include "tests/sim/faults.h"
#include "tests/sim/interpreter.h"

namespace chimera::sim {

// One activation that means something to the program, and its answer.
struct ActivationRecord {
  std::int64_t history_length;
  std::string task;  // The token of the workflow task that it came with.
  bool replaying;
  std::string text;  // Time, jobs and commands, without what history does not keep.
};

// What the instances of a run leave behind. Owned by who drives the run; outlives the instances.
struct RunRecord {
  std::vector<std::vector<ActivationRecord>> instances;
  std::vector<std::string> violations;
  std::string waiting;  // What the program last waited for.

  std::function<std::string()> task = [] { return std::string(); };
  std::function<void(const core::Activation&)> told = [](const core::Activation&) {};
  // The language is to fail the task under way.
  std::function<bool()> language_fails = [] { return false; };
  // Whether the next answer comes later, and what takes it then.
  std::function<bool()> answers_later = [] { return false; };
  std::function<void(absl::AnyInvocable<void() &&>)> later;
};

class SimInstance : public core::WorkflowInstance {
 public:
  SimInstance(const Program& program, RunRecord& record, Fault fault);
  std::optional<core::Completion> activate(std::shared_ptr<const core::Activation> activation,
                                           core::ActivationDone done) override;
  std::size_t memory_bytes() const override { return 1000; }

 private:
  void check(const core::Activation& activation);
  void check_jobs(const core::Activation& activation);
  void violation(std::string what) { record_.violations.push_back(std::move(what)); }
  void write_down(const core::Activation& activation, const core::Completion& completion);

  RunRecord& record_;
  const std::size_t number_;  // Among the record's instances.
  FaultLayer faults_;
  Interpreter interpreter_;
  std::size_t violations_seen_ = 0;
  bool any_ = false, live_ = false, evicted_ = false;
  base::WallTime time_{};
  std::uint32_t history_length_ = 0;
};

class SimLanguage : public core::WorkflowLanguage {
 public:
  SimLanguage(const Program& program, RunRecord& record, Fault fault)
      : program_(program), record_(record), fault_(fault) {}
  const core::LanguageIdentity& identity() const override { return identity_; }
  absl::StatusOr<std::unique_ptr<core::WorkflowInstance>> create(const core::RunContext&) override {
    return std::make_unique<SimInstance>(program_, record_, fault_);
  }

 private:
  const Program& program_;
  RunRecord& record_;
  const Fault fault_;
  const core::LanguageIdentity identity_{"sim", "1.0", "Sim", /*has_side_effects=*/true};
};

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_INSTANCE_H_
