#include "tests/sim/program.h"

#include <array>

#include "absl/strings/str_cat.h"

#include "tests/sim/rng.h"

namespace chimera::sim {
namespace {

using Kind = Step::Kind;

struct KindRow {
  Kind kind;
  const char* name;
  std::uint32_t weight;
  std::uint32_t a_end, b_end;  // The arguments are drawn below these.
};
constexpr std::array<KindRow, static_cast<std::size_t>(Kind::kCount)> kKinds{{
    {Kind::kActivity, "activity", 16, 3, 1},
    {Kind::kLocal, "local activity", 10, 3, 1},
    {Kind::kTimer, "timer", 12, 8000, 1},
    {Kind::kChild, "child", 9, 4, 1},
    {Kind::kNexus, "Nexus operation", 8, 4, 1},
    {Kind::kSignalExternal, "signal external", 4, 1, 1},
    {Kind::kCancelExternal, "cancel external", 3, 1, 1},
    {Kind::kWaitAll, "wait for all", 5, 1, 1},
    {Kind::kWaitAny, "wait for any", 12, 1, 1},
    {Kind::kCancel, "cancel", 14, 6, 3},
    {Kind::kWaitSignal, "wait for a signal", 4, 1, 1},
    {Kind::kPatch, "patch", 5, 4, 1},
    {Kind::kDeprecatePatch, "deprecate patch", 2, 4, 1},
    {Kind::kSideEffect, "side effect", 3, 1, 1},
    {Kind::kMutable, "mutable side effect", 4, 2, 1},
    {Kind::kVersion, "version", 3, 4, 1},
    {Kind::kUpsert, "upsert search attribute", 3, 3, 1},
    {Kind::kMemo, "modify memo", 3, 3, 1},
    {Kind::kRandom, "random number", 4, 1, 1},
    {Kind::kTime, "time", 4, 1, 1},
    {Kind::kSkipIf, "skip if", 6, 16, 4},
}};

bool lasts(Kind kind) {
  return kind == Kind::kActivity || kind == Kind::kLocal || kind == Kind::kChild ||
         kind == Kind::kNexus;
}

// What is cancelled in the task that began it never reaches the server: now and then there is time.
void cancel_later(Rng& rng, Routine& routine) {
  routine.push_back({Kind::kTimer, static_cast<std::uint32_t>(rng.below(500)), 0});
  routine.push_back({Kind::kWaitAny, 0, 0});
  routine.push_back({Kind::kCancel, static_cast<std::uint32_t>(rng.below(2)), 1});
}

Routine make_routine(Rng& rng, std::size_t length, bool nexus) {
  std::uint32_t total = 0;
  for (const KindRow& row : kKinds) total += row.weight;
  Routine routine;
  while (routine.size() < length) {
    std::uint64_t at = rng.below(total);
    const KindRow* row = kKinds.data();
    while (at >= row->weight) at -= row++->weight;
    if (row->kind == Kind::kNexus && !nexus) continue;
    routine.push_back({row->kind, static_cast<std::uint32_t>(rng.below(row->a_end)),
                       static_cast<std::uint32_t>(rng.below(row->b_end))});
    if (lasts(row->kind) && rng.percent(15)) cancel_later(rng, routine);
  }
  return routine;
}

void describe(const char* name, const Routine& routine, std::string& out) {
  absl::StrAppend(&out, name, ":\n");
  for (const Step& step : routine) {
    const KindRow& row = kKinds[static_cast<std::size_t>(step.kind)];
    absl::StrAppend(&out, "  ", row.name);
    if (row.a_end > 1) absl::StrAppend(&out, " ", step.a);
    if (row.b_end > 1) absl::StrAppend(&out, ", ", step.b);
    absl::StrAppend(&out, "\n");
  }
}

}  // namespace

Program make_program(std::uint64_t seed, bool nexus) {
  Rng rng(seed, "program");
  Program program;
  program.main = make_routine(rng, rng.between(2, 24), nexus);
  for (std::uint64_t count = rng.between(1, 3); count > 0; --count) {
    program.handlers.push_back(make_routine(rng, rng.below(7), nexus));
  }
  const std::uint64_t on_cancel = rng.below(10);
  program.on_cancel = on_cancel < 2   ? Program::OnCancel::kIgnore
                      : on_cancel < 8 ? Program::OnCancel::kCancelOperations
                                      : Program::OnCancel::kEndAtOnce;
  const std::uint64_t end = rng.below(10);
  program.end = end < 6   ? Program::End::kComplete
                : end < 8 ? Program::End::kFail
                : end < 9 ? Program::End::kCancel
                          : Program::End::kContinueAsNew;
  program.waits_for_handlers = rng.percent(80);
  return program;
}

std::string describe(const Program& program) {
  constexpr const char* kOnCancel[] = {"ignored", "cancels the operations", "ends the run at once"};
  constexpr const char* kEnd[] = {"complete", "fail", "cancel", "continue as new"};
  std::string out = absl::StrCat(
      "a request to cancel: ", kOnCancel[static_cast<int>(program.on_cancel)],
      "\nend: ", kEnd[static_cast<int>(program.end)],
      program.waits_for_handlers ? ", after the handlers\n" : ", without waiting for handlers\n");
  describe("main", program.main, out);
  for (std::size_t i = 0; i < program.handlers.size(); ++i) {
    describe(absl::StrCat("handler ", i).c_str(), program.handlers[i], out);
  }
  return out;
}

}  // namespace chimera::sim
