// sim_test [--seed N | --first N --seeds COUNT]: one seed, or many. CHIMERA_SIM_SEED=N does as
// --seed N.
#include <cstdlib>
#include <cstring>

#include "gtest/gtest.h"

#include "tests/sim/options.h"

namespace chimera::sim {

Options& options() {
  static Options options;
  return options;
}

}  // namespace chimera::sim

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  auto& options = chimera::sim::options();
  const auto one = [&](const char* seed) {
    options.first_seed = std::strtoull(seed, nullptr, 10);
    options.seeds = options.whole_seeds = 1;
  };
  if (const char* seed = std::getenv("CHIMERA_SIM_SEED")) one(seed);
  for (int i = 1; i < argc; i += 2) {
    const bool has_value = i + 1 < argc;
    if (has_value && !std::strcmp(argv[i], "--seed")) {
      one(argv[i + 1]);
    } else if (has_value && !std::strcmp(argv[i], "--first")) {
      options.first_seed = std::strtoull(argv[i + 1], nullptr, 10);
    } else if (has_value && !std::strcmp(argv[i], "--seeds")) {
      options.seeds = options.whole_seeds = std::strtoull(argv[i + 1], nullptr, 10);
    } else {
      std::fprintf(stderr, "usage: sim_test [--seed N | --first N --seeds COUNT]\n");
      return 2;
    }
  }
  return RUN_ALL_TESTS();
}
