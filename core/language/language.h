// The border that every language speaks. Activities have theirs in activity_language.h.
//
// The core owns:                                  A language owns:
//   connections, polls, slots, retried calls        code of workflows and activities, its threads
//   history: pages, tasks, replay, determinism      the order in which code runs in an activation
//   what is sent: order, event ids, flags           numbers of operations (`seq`), a counter a kind
//   attempts of local activities                    what waits, and what resolving it wakes
//   when a run is activated, cached, evicted        handlers, and signals that wait for theirs
//   heartbeats, deadlines, cancellations            values and payloads, failures and exceptions
//
// The way of a task: WorkflowLanguage::create makes one WorkflowInstance for a run. The core calls
// `activate` with an Activation (activation.h): the time, and jobs in the order of what happened.
// The instance runs its code until nothing can go on, and answers with a Completion: commands
// (commands.h) in the order in which the code issued them. Each numbered command is resolved by one
// job with its `seq`, perhaps much later, perhaps in the next activation of the same task.
// A RemoveFromCache job comes alone and is answered with no commands.
//
// C++ runs fibers inline on the lane; Python's instances forward to its loop thread. No exception
// crosses this border.
#ifndef CHIMERA_CORE_LANGUAGE_LANGUAGE_H_
#define CHIMERA_CORE_LANGUAGE_LANGUAGE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

#include "core/language/activation.h"
#include "core/language/commands.h"

namespace chimera::core {

class PayloadCodec;  // core/converter/codec.h

// Any thread; the core posts it to the run's lane.
using ActivationDone = absl::AnyInvocable<void(Completion) &&>;

// One run's program. Made, activated and destroyed on the run's lane; one activation at a time.
// Destroying it without a RemoveFromCache job is allowed when the run has ended: it must then drop
// its code silently.
class WorkflowInstance {
 public:
  virtual ~WorkflowInstance() = default;
  // The answer, where it is at hand; `done` is then dropped. Nothing where it will come later:
  // `done` brings it then, exactly once, and never inside this call.
  virtual std::optional<Completion> activate(std::shared_ptr<const Activation> activation,
                                             ActivationDone done) = 0;
  // Approximate bytes that this instance holds, for the cache's bound. Called between activations.
  virtual std::size_t memory_bytes() const = 0;
};

// What a run is called and where it belongs; constant for the run's life.
struct RunContext {
  std::string workflow_id, run_id, workflow_type, task_queue, namespace_;
  // A task of this run has timed out or failed, as one does whose worker died of it; or it cannot
  // be seen whether one has.
  bool may_have_crashed = false;
};

// What a run in this language reports of itself, and how it writes.
struct LanguageIdentity {
  std::string sdk_name, sdk_version;  // WorkflowTaskCompleted.sdk_metadata
  std::string failure_source;         // Failure.source
  // Its code has side effects and versions: NotifyRecorded and RecordOnce are for it.
  bool has_side_effects = false;
  // With which other SDKs may have encoded what markers say, beside the values. Null: none.
  std::shared_ptr<const PayloadCodec> codec = nullptr;
  // What a Command::place says, for reports: "orders.cc:41 in Order::run"; may be slow. Any thread.
  // Null: places are not known.
  std::string (*place)(std::uint64_t place) = nullptr;
};

// Any lane may call, several at once.
class WorkflowLanguage {
 public:
  virtual ~WorkflowLanguage() = default;
  virtual const LanguageIdentity& identity() const = 0;
  // For messages to people: "C++", "Python".
  virtual std::string name() const { return identity().sdk_name; }
  // The type is one that this language registered. An error fails the workflow task, not the
  // workflow.
  virtual absl::StatusOr<std::unique_ptr<WorkflowInstance>> create(const RunContext& run) = 0;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_LANGUAGE_LANGUAGE_H_
