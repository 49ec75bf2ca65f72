// Whole workers on the embedded server, in virtual time, replaced and killed at random; and the
// simulation finds faults of the worker's parts.
#include "tests/sim/whole.h"

#include <cstdio>

#include "gtest/gtest.h"

#include "tests/sim/options.h"

namespace chimera::sim {
namespace {

TEST(WholeWorker, WhatItDidFollowsFromTheHistoryAndNothingIsLeft) {
  int failures = 0;
  for (std::uint64_t i = 0; i < options().whole_seeds && failures < 3; ++i) {
    const WholeCourse course = simulate_whole(options().first_seed + i);
    if (!course.found) continue;
    ++failures;
    ADD_FAILURE() << course.found->report << "\nrun this one again: sim_test --seed "
                  << course.found->seed << " --gtest_filter=WholeWorker.What*";
  }
}

// Or a seed would be worth nothing.
TEST(WholeWorker, TheSameSeedIsTheSameCourse) {
  for (std::uint64_t seed = options().first_seed; seed < options().first_seed + 8; ++seed) {
    const WholeCourse once = simulate_whole(seed), again = simulate_whole(seed);
    EXPECT_EQ(once.steps, again.steps) << "seed " << seed;
    EXPECT_EQ(once.trace, again.trace) << "seed " << seed;
    EXPECT_EQ(once.history, again.history) << "seed " << seed;
  }
}

TEST(WholeWorker, EverythingHappens) {
  if (options().whole_seeds < 50) GTEST_SKIP() << "too few seeds";
  for (std::uint64_t seed = 1; whole_coverage().seeds < 400 && seed < 800; ++seed)
    simulate_whole(seed);
  const WholeCoverage& seen = whole_coverage();
  EXPECT_GT(seen.kills, 0u);
  EXPECT_GT(seen.shutdowns, 0u);
  EXPECT_GT(seen.eager_starts, 0u);
  EXPECT_GT(seen.eager_activities, 0u);
  EXPECT_GT(seen.inline_tasks, 0u);
  EXPECT_GT(seen.activities, 0u);
  EXPECT_GT(seen.local_activities, 0u);
  EXPECT_GT(seen.cancelled_activities, 0u);
  EXPECT_GT(seen.rebuilt_runs, 0u);
  for (const char* type :
       {"WorkflowTaskTimedOut", "ActivityTaskCompleted", "ActivityTaskFailed",
        "ActivityTaskCanceled", "TimerFired", "TimerCanceled", "MarkerRecorded",
        "ChildWorkflowExecutionCompleted", "StartChildWorkflowExecutionInitiated",
        "SignalExternalWorkflowExecutionInitiated", "WorkflowExecutionUpdateCompleted",
        "WorkflowExecutionSignaled", "WorkflowExecutionCancelRequested"}) {
    EXPECT_TRUE(seen.event_types.contains(type)) << type << " never happened";
  }
}

struct PartFaultRow {
  const char* name;
  PartFault fault;
};

class PlantedPartFault : public testing::TestWithParam<PartFaultRow> {};

constexpr std::uint64_t kSeedsMax = 150;

TEST_P(PlantedPartFault, IsFoundWithinAFewSeeds) {
  for (std::uint64_t seed = 1; seed <= kSeedsMax; ++seed) {
    const WholeCourse course = simulate_whole(seed, GetParam().fault);
    if (!course.found) continue;
    ASSERT_FALSE(simulate_whole(seed).found.has_value()) << "the seed fails without the fault, too";
    std::printf("found by seed %d: %s\n", static_cast<int>(seed),
                course.found->what.substr(0, course.found->what.find('\n')).c_str());
    return;
  }
  FAIL() << "no seed finds it";
}

INSTANTIATE_TEST_SUITE_P(
    PartFaults, PlantedPartFault,
    testing::Values(PartFaultRow{"PollLost", PartFault::kPollLost},
                    PartFaultRow{"LateTaskDropped", PartFault::kLateTaskDropped},
                    PartFaultRow{"WorkLostAtShutdown", PartFault::kWorkLostAtShutdown},
                    PartFaultRow{"EagerActivityLost", PartFault::kEagerActivityLost},
                    PartFaultRow{"LostAnswerTaken", PartFault::kLostAnswerTaken},
                    PartFaultRow{"InlineTaskLost", PartFault::kInlineTaskLost},
                    PartFaultRow{"TimerLost", PartFault::kTimerLost},
                    PartFaultRow{"SlotKept", PartFault::kSlotKept}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace chimera::sim
