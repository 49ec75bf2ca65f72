// A random workflow program: routines of steps, made from a seed. The main routine runs from the
// start; handlers run when a signal or an update comes. Immutable once made.
#ifndef CHIMERA_TESTS_SIM_PROGRAM_H_
#define CHIMERA_TESTS_SIM_PROGRAM_H_

#include <cstdint>
#include <string>
#include <vector>

namespace chimera::sim {

struct Step {
  enum class Kind : std::uint8_t {
    kActivity,        // a: cancellation type
    kLocal,           // a: cancellation type; a local activity
    kTimer,           // a: milliseconds
    kChild,           // a: cancellation type
    kNexus,           // a: cancellation type
    kSignalExternal,  //
    kCancelExternal,  //
    kWaitAll,         // for every operation of the routine
    kWaitAny,         // for the next of them to end
    kCancel,          // a: which of the routine's operations, b: also when it has ended
    kWaitSignal,      // for a "go" that nobody took yet
    kPatch,           // a: which
    kDeprecatePatch,  // a: which
    kSideEffect,      //
    kMutable,         // a: which mutable side effect
    kVersion,         // a: which change
    kUpsert,          // a: which search attribute
    kMemo,            // a: which key
    kRandom,          //
    kTime,            //
    kSkipIf,          // a: bit of the digest, b: how many steps to leave out
    kCount,
  };
  Kind kind;
  std::uint32_t a = 0, b = 0;
};
using Routine = std::vector<Step>;

struct Program {
  enum class OnCancel : std::uint8_t { kIgnore, kCancelOperations, kEndAtOnce };
  enum class End : std::uint8_t { kComplete, kFail, kCancel, kContinueAsNew };

  Routine main;
  std::vector<Routine> handlers;
  OnCancel on_cancel = OnCancel::kIgnore;
  End end = End::kComplete;
  bool waits_for_handlers = true;
};

// `nexus`: with Nexus operations.
Program make_program(std::uint64_t seed, bool nexus = true);
// For people: a line per step.
std::string describe(const Program& program);

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_PROGRAM_H_
