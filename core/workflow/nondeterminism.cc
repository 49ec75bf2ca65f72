#include "core/workflow/nondeterminism.h"

#include "absl/strings/str_cat.h"

#include "core/machines/describe.h"

namespace chimera::core {

std::string nondeterminism_message(const RunContext& run, const HistoryEvent* event,
                                   const std::string& command, const std::string& what,
                                   int commands_matched) {
  // The words up to the colon are those of the official SDKs: people search for them.
  std::string text = absl::StrCat("[TMPRL1100] Nondeterminism error: in workflow ",
                                  run.workflow_type, " (id ", run.workflow_id, ", run ", run.run_id,
                                  ") history and code disagree: ", what, ".\n");
  absl::StrAppend(&text, "  history: ", event ? describe_event(*event) : "no more events", "\n");
  absl::StrAppend(&text, "  code:    ",
                  command.empty() ? "no command"
                                  : absl::StrCat("command ", commands_matched + 1, ", ", command),
                  "\n");
  absl::StrAppend(&text, "  ", commands_matched, " command", commands_matched == 1 ? "" : "s",
                  " of this task before it matched.\n");
  absl::StrAppend(
      &text,
      "  Guard the change with patched(\"...\"), or reset the run. See docs/errors.md, TMPRL1100.");
  return text;
}

}  // namespace chimera::core
