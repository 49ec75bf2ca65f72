// FaultLayer, between a run and its program: imitates a core with a fault in it, to show that the
// simulation's checks find it. Knows nothing of the checks.
#ifndef CHIMERA_TESTS_SIM_FAULTS_H_
#define CHIMERA_TESTS_SIM_FAULTS_H_

#include <memory>
#include <set>

#include "core/language/activation.h"
#include "core/language/commands.h"

namespace chimera::sim {

enum class Fault {
  kNone,
  kTimerTwice,            // 1: on replay, a timer's job comes twice,
  kTimerLost,             //    or never.
  kResultsBeforeSignals,  // 2: on replay, results come before the signals of their task,
  kSignalsSwapped,        //    or signals in another order.
  kWrongSeed,             // 3: on replay, another randomness seed,
  kWrongTime,             //    or another time.
  kPatchUntold,           // 4: on replay, a patch of the history is not told.
  kLateResult,            // 5: what a cancelled activity says later reaches the program,
  kCommandLost,           //    and: the last command of the first task after a replay is lost.
};

// Owned by one instance.
class FaultLayer {
 public:
  explicit FaultLayer(Fault fault) : fault_(fault) {}
  std::shared_ptr<const core::Activation> deliver(std::shared_ptr<const core::Activation> original);
  void answer(const core::Activation& activation, core::Completion& completion);

 private:
  void spoil(core::Activation& activation);
  void repeat_timer(core::Activation& activation);

  const Fault fault_;
  bool done_ = false;  // Faults that strike once.
  bool replayed_ = false;
  std::set<std::uint32_t> cancelled_;
  bool late_is_due_ = false;
};

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_FAULTS_H_
