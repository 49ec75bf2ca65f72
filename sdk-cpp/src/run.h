// Run, what all parts of one run's C++ side share: the facts about it, how far it is, and the
// commands that its code has issued in this activation. Plain data, since the parts trust each
// other; all of it belongs to the run's lane.
#ifndef CHIMERA_SDK_CPP_SRC_RUN_H_
#define CHIMERA_SDK_CPP_SRC_RUN_H_

#include <cstdint>
#include <exception>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"

#include "chimera/context.h"
#include "chimera/workflow.h"
#include "core/language/language.h"
#include "core/telemetry/metrics.h"
#include "sdk-cpp/src/payload_access.h"
#include "sdk-cpp/src/place.h"

namespace chimera::sdk {

struct Run {
  // `type` and `metrics` are borrowed; they outlive their runs.
  Run(const detail::WorkflowType& type, const core::RunContext& context, const Codec& codec,
      core::Metrics& metrics);

  void add_command(core::CommandVariant command, std::string_view summary = {},
                   std::string_view details = {});
  // For calls that do not wait. False while the run is being evicted: nothing that its code asks
  // for counts any more. Throws ReadOnlyContextError where nothing may change.
  bool may_change(const char* call) const;
  // The first of an activation wins; it fails the task, not the workflow.
  void set_task_error(std::string message, bool nondeterminism = false);
  // Neither logs nor metrics of what has happened before.
  bool quiet() const { return (info.is_replaying && !read_only) || evicting; }
  std::string make_uuid();
  std::string make_timed_uuid();  // Version 7.

  const detail::WorkflowType& type;
  const core::RunContext context;
  const ValueContext values;  // Its own, as the codec has them.
  const Codec codec;
  core::Metrics& metrics;
  const std::string owner;     // "workflow Order (id order-17, run 01a1...)"
  const std::uint64_t number;  // Of no other run of this process.
  workflow::Info info;
  base::WallTime now;
  std::shared_ptr<void> object;  // The user's; erased.
  std::mt19937_64 random;
  Context taskless;  // Of code that is no task's.

  std::vector<core::Command> commands;
  // Of the call that issues the next command (place.h); 0: none does.
  std::uint64_t place = 0;
  std::string task_error;
  bool disagrees = false;  // The error is that history and code disagree.
  std::string cancel_reason;
  bool cancel_requested = false;
  bool read_only = false;
  bool in_side_effect = false;  // That is why.
  bool evicting = false;
  // Its code was left in the middle: nothing of it runs or is destroyed any more.
  bool lost = false;
  // A part of it was left in the middle: the rest runs no further, and is destroyed.
  bool broken = false;
};

// --- How code ends ---

// What an exception out of the run method or a signal's handler does; of the one being handled.
void end_with_current_exception(Run& run);
// How code ended may be what cannot be told: a codec that refuses its failure.
void report_trouble(Run& run, absl::FunctionRef<void()> code);
// As what the exception that is being handled fails the workflow, or the update that it left: what
// the failure converter gives, where that is a FailureError, or one of both is in the definition's
// list. Null: it fails the task.
std::exception_ptr failing(const Run& run);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_RUN_H_
