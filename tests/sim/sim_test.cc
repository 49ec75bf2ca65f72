// Random workflow programs with random evictions replay equal; and the simulation finds faults.
#include <cstdio>

#include "gtest/gtest.h"

#include "tests/sim/options.h"
#include "tests/sim/simulation.h"

namespace chimera::sim {
namespace {

TEST(Simulation, EvictedAndReplayedRunsDoTheSame) {
  int failures = 0;
  for (std::uint64_t i = 0; i < options().seeds && failures < 3; ++i) {
    const auto found = simulate(options().first_seed + i);
    if (!found) continue;
    ++failures;
    ADD_FAILURE() << found->report << "\nrun this one again: sim_test --seed " << found->seed;
  }
}

// The worlds that chance makes hold every kind of event that the core has to follow.
TEST(Simulation, ReachesEveryKindOfEvent) {
  if (options().seeds < 100) GTEST_SKIP() << "too few seeds";
  for (std::uint64_t seed = 501; coverage().seeds < 1000; ++seed) simulate(seed);
  for (const char* type : {"WorkflowExecutionStarted",
                           "WorkflowExecutionCompleted",
                           "WorkflowExecutionFailed",
                           "WorkflowExecutionCanceled",
                           "WorkflowExecutionContinuedAsNew",
                           "WorkflowExecutionTerminated",
                           "WorkflowExecutionSignaled",
                           "WorkflowExecutionCancelRequested",
                           "WorkflowTaskFailed",
                           "WorkflowTaskTimedOut",
                           "ActivityTaskScheduled",
                           "ActivityTaskStarted",
                           "ActivityTaskCompleted",
                           "ActivityTaskFailed",
                           "ActivityTaskTimedOut",
                           "ActivityTaskCancelRequested",
                           "ActivityTaskCanceled",
                           "TimerStarted",
                           "TimerFired",
                           "TimerCanceled",
                           "StartChildWorkflowExecutionInitiated",
                           "StartChildWorkflowExecutionFailed",
                           "ChildWorkflowExecutionStarted",
                           "ChildWorkflowExecutionCompleted",
                           "ChildWorkflowExecutionFailed",
                           "ChildWorkflowExecutionCanceled",
                           "ChildWorkflowExecutionTimedOut",
                           "ChildWorkflowExecutionTerminated",
                           "NexusOperationScheduled",
                           "NexusOperationStarted",
                           "NexusOperationCompleted",
                           "NexusOperationFailed",
                           "NexusOperationTimedOut",
                           "NexusOperationCanceled",
                           "NexusOperationCancelRequested",
                           "NexusOperationCancelRequestCompleted",
                           "NexusOperationCancelRequestFailed",
                           "SignalExternalWorkflowExecutionInitiated",
                           "SignalExternalWorkflowExecutionFailed",
                           "ExternalWorkflowExecutionSignaled",
                           "RequestCancelExternalWorkflowExecutionInitiated",
                           "RequestCancelExternalWorkflowExecutionFailed",
                           "ExternalWorkflowExecutionCancelRequested",
                           "MarkerRecorded",
                           "UpsertWorkflowSearchAttributes",
                           "WorkflowPropertiesModified",
                           "WorkflowExecutionUpdateAccepted",
                           "WorkflowExecutionUpdateCompleted"}) {
    EXPECT_TRUE(coverage().event_types.contains(type)) << type << " never happened";
  }
}

struct FaultRow {
  const char* name;
  Fault fault;
};

class PlantedFault : public testing::TestWithParam<FaultRow> {};

TEST_P(PlantedFault, IsFoundWithinFiftySeeds) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto found = simulate(seed, GetParam().fault);
    if (!found) continue;
    ASSERT_FALSE(simulate(seed).has_value()) << "the seed fails without the fault, too";
    std::printf("found by seed %d: %s\n", static_cast<int>(seed),
                found->what.substr(0, found->what.find('\n')).c_str());
    return;
  }
  FAIL() << "no seed finds it";
}

INSTANTIATE_TEST_SUITE_P(Faults, PlantedFault,
                         testing::Values(FaultRow{"1_TimerTwice", Fault::kTimerTwice},
                                         FaultRow{"1_TimerLost", Fault::kTimerLost},
                                         FaultRow{"2_ResultsBeforeSignals",
                                                  Fault::kResultsBeforeSignals},
                                         FaultRow{"2_SignalsSwapped", Fault::kSignalsSwapped},
                                         FaultRow{"3_WrongSeed", Fault::kWrongSeed},
                                         FaultRow{"3_WrongTime", Fault::kWrongTime},
                                         FaultRow{"4_PatchUntold", Fault::kPatchUntold},
                                         FaultRow{"5_LateResult", Fault::kLateResult},
                                         FaultRow{"5_CommandLost", Fault::kCommandLost}),
                         [](const auto& row) { return std::string("Fault") + row.param.name; });

}  // namespace
}  // namespace chimera::sim
