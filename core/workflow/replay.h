// Replay of a recorded history through workflow code, without a server: what the Replayers of both
// languages stand on.
#ifndef CHIMERA_CORE_WORKFLOW_REPLAY_H_
#define CHIMERA_CORE_WORKFLOW_REPLAY_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "core/language/language.h"
#include "core/workflow/run.h"

namespace chimera::core {

// The workflow task that a server would send for this history: the last one that was started.
// kInvalidArgument if the history has no beginning.
using RecordedTask = std::shared_ptr<const api::workflowservice::v1::PollWorkflowTaskQueueResponse>;
absl::StatusOr<RecordedTask> recorded_task(std::string workflow_id,
                                           api::history::v1::History history);

// Why the run left the replay; the history and the code agree if agrees() says so.
struct ReplayVerdict {
  EvictionReason reason;
  std::string message;

  bool agrees() const {
    return reason == EvictionReason::kLangRequested || reason == EvictionReason::kCacheFull ||
           reason == EvictionReason::kWorkflowExecutionEnding;
  }
};

// Steps a run through the whole history on the calling thread and waits for the language, which may
// answer from another one. `options.context` and `replay_only` are filled in from the task.
ReplayVerdict replay(RunOptions options, WorkflowLanguage& language, RecordedTask task);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_REPLAY_H_
