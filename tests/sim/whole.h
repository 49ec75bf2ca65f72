// One seed of the whole simulation: random programs on real workers - pollers, lanes, slots,
// activities, local activities - over a network with mishaps to the real embedded server, on
// virtual time. Workers end in order or are killed on the way, and new ones go on. At the end all
// that the workers did must follow from the history, and nothing may be left over.
#ifndef CHIMERA_TESTS_SIM_WHOLE_H_
#define CHIMERA_TESTS_SIM_WHOLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "tests/sim/part_faults.h"
#include "tests/sim/simulation.h"

namespace chimera::sim {

// What one seed was like. Equal for equal seeds.
struct WholeCourse {
  std::optional<Finding> found;  // Nothing if all is well.
  std::uint64_t trace = 0, steps = 0;
  std::string history;  // A line for each event.
};
WholeCourse simulate_whole(std::uint64_t seed, PartFault fault = PartFault::kNone);

// What the seeds seen so far brought about.
struct WholeCoverage {
  std::uint64_t seeds = 0, events = 0, kills = 0, shutdowns = 0, eager_starts = 0,
                eager_activities = 0, inline_tasks = 0, activities = 0, local_activities = 0,
                cancelled_activities = 0, rebuilt_runs = 0;
  std::map<std::string, std::uint64_t> event_types;
};
const WholeCoverage& whole_coverage();

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_WHOLE_H_
