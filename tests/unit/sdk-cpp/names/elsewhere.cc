// A translation unit that does not include the definitions.
#include "tests/unit/sdk-cpp/names/order.h"

namespace chimera::names {

Names names_elsewhere() { return names_of_order(); }

}  // namespace chimera::names
