// Interpreter, a run of a random program: the same activations give the same commands. All that the
// core tells it - results, order, time, random numbers - goes into a digest, and the digest into
// the commands' inputs and branches, so that a core that tells it something else is seen.
// Owned by a run's record; one thread.
#ifndef CHIMERA_TESTS_SIM_INTERPRETER_H_
#define CHIMERA_TESTS_SIM_INTERPRETER_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/language/activation.h"
#include "core/language/commands.h"
#include "tests/sim/program.h"
#include "tests/sim/rng.h"

namespace chimera::sim {

class Interpreter {
 public:
  // Borrows the program.
  explicit Interpreter(const Program& program) : program_(program) {}

  core::Completion activate(const core::Activation& activation);
  // What the core did that it must not: a result for nothing that is under way, and the like.
  const std::vector<std::string>& violations() const { return violations_; }
  // What the program waits for, for reports.
  std::string waiting() const;

 private:
  enum class Kind : std::uint8_t {
    kActivity,
    kTimer,
    kChild,
    kNexus,
    kSignal,
    kCancel,
    kLocal,
    kCount
  };
  struct Operation {
    Kind kind;
    std::uint32_t seq;
    bool started = false, done = false;
    std::string outcome;
  };
  struct Fiber {
    const Routine* routine;
    std::size_t at = 0;
    std::vector<std::size_t> operations;  // Not awaited yet.
    std::string update;                   // The one that it handles: its protocol instance id.
    std::uint64_t update_input = 0;
    bool done = false;
  };

  void take(const core::Job& job, const core::Activation& activation);
  void on(const core::InitializeWorkflow& job);
  void on(const core::FireTimer& job);
  void on(const core::UpdateRandomSeed& job);
  void on(const core::CancelWorkflow& job);
  void on(const core::SignalWorkflow& job);
  void on(const core::NotifyHasPatch& job);
  void on(const core::NotifyRecorded& job);
  void on(const core::DoUpdate& job);
  void on(const core::ResolveActivity& job);
  void on(const core::ResolveChildWorkflowExecutionStart& job);
  void on(const core::ResolveChildWorkflowExecution& job);
  void on(const core::ResolveNexusOperationStart& job);
  void on(const core::ResolveNexusOperation& job);
  void on(const core::ResolveSignalExternalWorkflow& job);
  void on(const core::ResolveRequestCancelExternalWorkflow& job);
  template <class Other>
  void on(const Other&) {}
  Operation* under_way(Kind kind, std::uint32_t seq);
  void resolve(Kind kind, std::uint32_t seq, const core::Job& job);

  void run_fibers();
  void react_to_cancellation();
  static std::optional<Kind> begun_by(Step::Kind step);
  bool step(Fiber& fiber);  // False: it waits.
  void begin(Kind kind, const Step& step, Fiber& fiber);
  void schedule_activity(const Step& step, std::uint32_t seq);
  void schedule_local(const Step& step, std::uint32_t seq);
  void start_child(const Step& step, std::uint32_t seq);
  void schedule_nexus(const Step& step, std::uint32_t seq);
  bool wait(Fiber& fiber, bool all);
  bool end_fiber(Fiber& fiber);
  void cancel(Operation& operation);
  void patch(const Step& step);
  // Side effects and versions: what history keeps of the value that the code makes here, or null.
  const std::string* kept_record(core::Recorded::Kind kind, const std::string& id,
                                 std::int64_t number, const std::string& made);
  void record(const Step& step);
  void side_effect();
  void mutable_side_effect(const Step& step);
  void version(const Step& step);
  void describe(const Step& step);  // The run itself.
  void end_run();
  void answer_queries(const core::Activation& activation);
  template <class C>
  void command(C variant) {
    commands_.push_back(core::Command{std::move(variant)});
  }
  api::common::v1::Payload payload() const;

  const Program& program_;
  std::vector<core::Command> commands_;
  std::vector<std::string> violations_;
  const core::Job* job_ = nullptr;  // Being taken.
  const core::Activation* activation_ = nullptr;

  std::uint64_t digest_ = 0, random_ = 0;
  std::vector<Operation> operations_;
  std::map<std::pair<Kind, std::uint32_t>, std::size_t> by_seq_;
  std::uint32_t seqs_[static_cast<std::size_t>(Kind::kCount)] = {};
  std::vector<Fiber> fibers_;
  std::vector<std::uint64_t> mailbox_;
  std::set<std::string> patches_notified_;
  std::map<std::string, bool> patches_;
  std::map<std::string, std::string> recorded_;  // Told by history or made, by name.
  std::map<std::string, std::int64_t> calls_;    // Of side effects; of mutable ones by id.
  std::map<std::string, std::string> kept_;      // The value of a mutable one.
  std::map<std::string, std::int64_t> versions_;
  bool cancelled_ = false, operations_cancelled_ = false, ended_ = false;
};

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_INTERPRETER_H_
