// A shared library that includes the definitions, and registers nothing.
#include "tests/unit/sdk-cpp/names/definitions.h"

extern "C" [[gnu::visibility("default")]] void names_in_library(chimera::names::Names* order,
                                                                std::string* charge,
                                                                std::string* refund) {
  *order = chimera::names::names_of_order();
  *charge = chimera::names::kCharge.name();
  *refund = chimera::names::kRefund.name();
}
