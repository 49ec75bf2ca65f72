// A native library of one workflow and one activity.
#include <string>

#include "chimera/library.h"

namespace {

std::string wrap(const std::string& what) { return "wrapped " + what; }

inline constexpr auto kWrap = chimera::define_activity<&wrap>("wrap");

class ShopWorkflow {
 public:
  std::string run(std::string what) {
    return chimera::workflow::execute_activity<kWrap>(
        {.start_to_close_timeout = std::chrono::seconds(5)}, what);
  }
};

const auto kShop = chimera::define_workflow<&ShopWorkflow::run>("Shop");

}  // namespace

CHIMERA_LIBRARY(library) { library.add(kShop).add(kWrap); }
