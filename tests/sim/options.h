// What the command line asks of the simulation's tests.
#ifndef CHIMERA_TESTS_SIM_OPTIONS_H_
#define CHIMERA_TESTS_SIM_OPTIONS_H_

#include <cstdint>

namespace chimera::sim {

struct Options {
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 500;
  std::uint64_t whole_seeds = 100;  // Of the whole worker: each takes longer.
};
// Set by main() before the tests run.
Options& options();

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_OPTIONS_H_
