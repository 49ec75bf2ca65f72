// A library that claims another version and would end the process if anything of it ran.
#include <cstdlib>

#include "chimera/library.h"

#undef CHIMERA_LIBRARY_VERSION
#define CHIMERA_LIBRARY_VERSION "0.0"

namespace {
const int kRan = (std::abort(), 0);
}

CHIMERA_LIBRARY(library) { library.add_activity_type({}); }
