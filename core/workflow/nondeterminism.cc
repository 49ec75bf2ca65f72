#include "core/workflow/nondeterminism.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace chimera::core {
namespace {

// Of several lines, the first one with its title.
void put(std::string& text, const std::string& title, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  const std::string indent(title.size() + 3, ' ');
  absl::StrAppend(&text, "  ", title, " ", absl::StrJoin(lines, absl::StrCat("\n", indent)), "\n");
}

}  // namespace

std::string surroundings(const Disagreement& disagreement) {
  std::string text;
  put(text, "before: ", disagreement.before);
  put(text, "after, history:", disagreement.history_after);
  put(text, "after, code:   ", disagreement.code_after);
  return text;
}

std::string nondeterminism_message(const RunContext& run, const Disagreement& disagreement) {
  const int matched = disagreement.commands_matched;
  // The words up to the colon are those of the official SDKs: people search for them.
  std::string text = absl::StrCat("[TMPRL1100] Nondeterminism error: in workflow ",
                                  run.workflow_type, " (id ", run.workflow_id, ", run ", run.run_id,
                                  ") history and code disagree: ", disagreement.what, ".\n");
  put(text, "history:", {disagreement.event.empty() ? "no more events" : disagreement.event});
  put(text, "code:   ",
      {disagreement.command.empty()
           ? "no command"
           : absl::StrCat("command ", matched + 1, ", ", disagreement.command)});
  absl::StrAppend(&text, "  ", matched, " command", matched == 1 ? "" : "s",
                  " of this task before it matched.\n");
  absl::StrAppend(&text, surroundings(disagreement));
  if (!disagreement.cause.empty()) absl::StrAppend(&text, "  Probably ", disagreement.cause, ".\n");
  absl::StrAppend(
      &text,
      "  Guard the change with patched(\"...\"), or reset the run. See docs/errors.md, TMPRL1100.");
  return text;
}

std::string_view first_line(std::string_view message) {
  return message.substr(0, message.find('\n'));
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
