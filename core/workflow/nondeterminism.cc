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

std::string cut_history_message(const RunContext& run, std::int64_t last_event_id,
                                const std::string& command) {
  return absl::StrCat(
      "the history of workflow ", run.workflow_type, " (id ", run.workflow_id, ", run ", run.run_id,
      ") ends at event ", last_event_id,
      ", within what a completed task commanded; the code goes on there with ", command,
      ".\n  Either the history is cut: fetch it whole. Or the code commands more than it did: "
      "guard "
      "the change with patched(\"...\"). See docs/errors.md, A history that ends within a task.");
}

}  // namespace chimera::core
