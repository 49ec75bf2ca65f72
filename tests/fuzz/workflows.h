// Workflow code with a bit of everything, whose histories are what the fuzzers begin with.
#ifndef CHIMERA_TESTS_FUZZ_WORKFLOWS_H_
#define CHIMERA_TESTS_FUZZ_WORKFLOWS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chimera/client.h"
#include "chimera/workflow.h"

namespace chimera::fuzz {

struct Part {
  std::string name;
  std::int64_t quantity = 0;
  std::optional<double> weight = {};
  std::vector<Part> inside = {};
  std::map<std::string, std::string> notes = {};
};

Part weigh(Part part);
std::string greet(std::string name);

// Gives the registry what follows.
void add_to(Registry& registry);

// What the workflows did, as histories in protobuf, each in its binary form.
std::vector<std::string> record_histories();

}  // namespace chimera::fuzz

#endif  // CHIMERA_TESTS_FUZZ_WORKFLOWS_H_
