// Inputs that nobody wrote, for whatever reads what comes from outside. A target takes bytes and
// says what came of them: a text, whose like being new makes the input a seed of others. It must
// neither crash, hang nor throw. All chance comes from the seed, so a number of an input is the
// input again.
#ifndef CHIMERA_TESTS_FUZZ_FUZZ_H_
#define CHIMERA_TESTS_FUZZ_FUZZ_H_

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/message.h"

namespace chimera::fuzz {

using Rng = std::mt19937_64;

struct Target {
  std::string name;
  std::vector<std::string> seeds;
  std::function<std::string(const std::string& input)> run;
  // Changes an input in its own terms; bytes are changed where there is none, and now and then.
  std::function<std::string(const std::string& input, Rng& rng)> mutate = {};
};

std::vector<Target> all_targets();

std::uint64_t below(Rng& rng, std::uint64_t bound);  // Of 0 to bound - 1; 0 if that is 0.
// Some bytes changed, taken out, doubled, or taken from `other`.
std::string mutate_bytes(std::string input, const std::string& other, Rng& rng);
// As bytes of such a message: fields of it or of what it has in it get other values or are cleared,
// elements are doubled, taken out, exchanged.
std::string mutate_message(const google::protobuf::Message& prototype, const std::string& input,
                           Rng& rng);

}  // namespace chimera::fuzz

#endif  // CHIMERA_TESTS_FUZZ_FUZZ_H_
