#include "core/workflow/divergence.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace chimera::core {
namespace {

using Steps = absl::Span<const Step>;

bool same(const Step& a, const Step& b) { return a.kind == b.kind && a.name == b.name; }
bool holds(Steps steps, const Step& wanted) {
  return std::any_of(steps.begin(), steps.end(),
                     [&](const Step& step) { return same(step, wanted); });
}
Steps rest(const std::vector<Step>& steps) { return Steps(steps).subspan(steps.empty() ? 0 : 1); }

const char* kind_in_words(StepKind kind) {
  switch (kind) {
    case StepKind::kActivity:
      return "activity";
    case StepKind::kLocalActivity:
      return "local activity";
    case StepKind::kTimer:
      return "timer";
    case StepKind::kChildWorkflow:
      return "child workflow";
    case StepKind::kNexusOperation:
      return "Nexus operation";
    case StepKind::kSignal:
      return "signal to another workflow";
    case StepKind::kCancelWorkflow:
      return "cancellation of another workflow";
    case StepKind::kCancelActivity:
      return "cancellation of an activity";
    case StepKind::kCancelTimer:
      return "cancellation of a timer";
    case StepKind::kCancelNexusOperation:
      return "cancellation of a Nexus operation";
    case StepKind::kPatch:
      return "patch";
    case StepKind::kVersion:
      return "version of the change";
    case StepKind::kSideEffect:
      return "side effect";
    case StepKind::kMutableSideEffect:
      return "mutable side effect";
    case StepKind::kSearchAttributes:
      return "change of search attributes";
    case StepKind::kMemo:
      return "change of the memo";
    case StepKind::kUpdate:
      return "answer to an update";
    case StepKind::kEnd:
      return "workflow's end";
    case StepKind::kOther:
      break;
  }
  return "command";
}

// "the activity 'charge'".
std::string in_words(const Step& step) {
  if (step.kind == StepKind::kEnd)
    return absl::StrCat("the workflow's end", step.name.empty() ? "" : " ", step.name);
  return absl::StrCat("the ", kind_in_words(step.kind),
                      step.name.empty() ? "" : absl::StrCat(" '", step.name, "'"));
}

// What may be told of one name in two kinds.
bool runs_code(StepKind kind) {
  return kind == StepKind::kActivity || kind == StepKind::kLocalActivity ||
         kind == StepKind::kChildWorkflow;
}

// Commands that the code issues by itself, and not because something else was said to it.
bool is_own(const Step& step) {
  return step.kind != StepKind::kUpdate && step.kind != StepKind::kOther;
}

std::string marker_without_call(const Step& marker, const std::vector<Step>& code) {
  if (holds(code, marker)) return absl::StrCat(in_words(marker), " is asked for later than it was");
  if (marker.kind == StepKind::kPatch) {
    return absl::StrCat("patched(\"", marker.name,
                        "\") was removed, though runs that were made with it are still open: keep "
                        "it, or deprecate_patch(\"",
                        marker.name, "\"), until they have ended");
  }
  return "a call of side_effect() was removed";
}

std::string only_in_code(const Divergence& divergence, const Step& code) {
  if (code.kind == StepKind::kEnd) {
    return divergence.later.empty() ? "the code ends here, where it went on waiting"
                                    : absl::StrCat("the code ends here, where it went on to ",
                                                   in_words(divergence.later[0]));
  }
  if (!divergence.later.empty() && same(divergence.later[0], code)) {
    return absl::StrCat("something that the code waited for before ", in_words(code),
                        " was removed");
  }
  return absl::StrCat(in_words(code), " was added");
}

// Neither is among what the other side has next.
std::string instead(const Step& history, const Step& code) {
  if (history.kind == StepKind::kEnd && code.kind == StepKind::kEnd)
    return absl::StrCat("the code ends otherwise: ", history.name, " before, now ", code.name);
  if (history.kind == StepKind::kEnd)
    return absl::StrCat(in_words(code), " was added before the workflow's end");
  if (code.kind == StepKind::kEnd)
    return absl::StrCat("the code ends here, where it went on to ", in_words(history));
  if (runs_code(history.kind) && runs_code(code.kind) && history.kind != code.kind &&
      history.name == code.name && !code.name.empty()) {
    return absl::StrCat(in_words(history), " became a ", kind_in_words(code.kind));
  }
  if (history.kind == code.kind && !history.name.empty() && !code.name.empty()) {
    return absl::StrCat(in_words(history), " was renamed to '", code.name,
                        "', or that one is called in its place");
  }
  return absl::StrCat("the code takes another way here: ", in_words(code), " stands before or for ",
                      in_words(history));
}

std::string between(const Divergence& divergence, const Step& history, const Step& code) {
  if (same(history, code)) {
    if (history.id == code.id || history.id.empty() || code.id.empty()) return "";
    return absl::StrCat("the id of ", in_words(history), " is made otherwise, or was changed: '",
                        history.id, "' before, now '", code.id, "'");
  }
  std::vector<Step> behind(rest(divergence.history).begin(), rest(divergence.history).end());
  behind.insert(behind.end(), divergence.later.begin(), divergence.later.end());
  const bool code_is_next = !behind.empty() && same(behind[0], code);
  const bool history_comes = holds(rest(divergence.code), history);
  if (holds(rest(divergence.history), code) && history_comes)
    return absl::StrCat(in_words(history), " and ", in_words(code), " have changed places");
  if (history_comes) return absl::StrCat(in_words(code), " was added before ", in_words(history));
  if (code_is_next) {
    return absl::StrCat(in_words(history), " was removed, or has moved behind ", in_words(code));
  }
  return instead(history, code);
}

}  // namespace

std::string likely_cause(const Divergence& divergence) {
  const Step* history = divergence.history.empty() ? nullptr : &divergence.history[0];
  const Step* code = divergence.code.empty() ? nullptr : &divergence.code[0];
  if ((history && !is_own(*history)) || (code && !is_own(*code))) return "";
  if (history && (history->kind == StepKind::kPatch || history->kind == StepKind::kSideEffect))
    return marker_without_call(*history, divergence.code);
  if (history && code) return between(divergence, *history, *code);
  if (code) return only_in_code(divergence, *code);
  if (!history) return "";
  return absl::StrCat(in_words(*history),
                      " was removed, or the code waits for something before it");
}

}  // namespace chimera::core
