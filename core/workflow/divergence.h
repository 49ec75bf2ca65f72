// Why history and code may have parted: a guess from the steps of both sides, for people.
#ifndef CHIMERA_CORE_WORKFLOW_DIVERGENCE_H_
#define CHIMERA_CORE_WORKFLOW_DIVERGENCE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace chimera::core {

enum class StepKind : std::uint8_t {
  kActivity,
  kLocalActivity,
  kTimer,
  kChildWorkflow,
  kNexusOperation,
  kSignal,  // To another workflow; so is the next.
  kCancelWorkflow,
  kCancelActivity,
  kCancelTimer,
  kCancelNexusOperation,
  kPatch,
  kVersion,
  kSideEffect,
  kMutableSideEffect,
  kSearchAttributes,
  kMemo,
  kUpdate,
  kEnd,
  kOther,
};

// One command: as history has it, or as the code issued it.
struct Step {
  StepKind kind = StepKind::kOther;
  // Of the activity, child, signal, patch or change; how the workflow ends. Empty: not known, or
  // there is none.
  std::string name = {};
  // Of the activity, child or update. Steps with different ids may be the same step.
  std::string id = {};
};

struct Divergence {
  // Of the task where they part, from there on. Empty: that side has no more there.
  std::vector<Step> history, code;
  // What history has in later tasks, as far as it is at hand.
  std::vector<Step> later = {};
};

// What has probably changed in the code, in a sentence that begins small and has no end; empty
// where the steps do not tell.
std::string likely_cause(const Divergence& divergence);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_DIVERGENCE_H_
