// One seed of the simulation: its program runs once without any eviction and once with many, and
// its history is replayed in every way; all must say the same.
#ifndef CHIMERA_TESTS_SIM_SIMULATION_H_
#define CHIMERA_TESTS_SIM_SIMULATION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "tests/sim/faults.h"

namespace chimera::sim {

struct Finding {
  std::uint64_t seed;
  std::string what;    // The first difference, or the rule that was broken.
  std::string report;  // With the program and the history, to work with.
};

// Nothing if all is well. The fault is in the core of the run with evictions and of the replays.
std::optional<Finding> simulate(std::uint64_t seed, Fault fault = Fault::kNone);

// What the seeds seen so far brought about, to show that nothing is left out.
struct Coverage {
  std::uint64_t seeds = 0, events = 0, tasks = 0, replays = 0;
  std::map<std::string, std::uint64_t> event_types;
};
const Coverage& coverage();

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_SIMULATION_H_
