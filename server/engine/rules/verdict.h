// Verdict, what is wrong with a command of a workflow task. Pure.
#ifndef CHIMERA_SERVER_ENGINE_RULES_VERDICT_H_
#define CHIMERA_SERVER_ENGINE_RULES_VERDICT_H_

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "temporal/api/enums/v1/failed_cause.pb.h"

#include "server/base/types.h"

namespace chimera::server {

// Why a task fails, and nothing of it is applied.
struct TaskFailure {
  enums::WorkflowTaskFailedCause cause;
  std::string message;
  bool terminate = false;  // The workflow, too.
};

// None: the command is good.
using Verdict = std::optional<TaskFailure>;
using Cause = enums::WorkflowTaskFailedCause;

inline Verdict bad(Cause cause, std::string message) {
  return TaskFailure{cause, std::move(message)};
}

inline Verdict at_limit(Cause cause, const char* what, std::size_t pending, std::int64_t most) {
  if (pending < static_cast<std::size_t>(most)) return std::nullopt;
  return bad(cause, absl::StrCat("the number of pending ", what, ", ", pending,
                                 ", has reached the per-workflow limit of ", most));
}

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RULES_VERDICT_H_
