// Code that is compiled without -fstack-clash-protection.
#ifndef CHIMERA_TESTS_UNIT_SDK_CPP_STEP_OVER_GUARD_H_
#define CHIMERA_TESTS_UNIT_SDK_CPP_STEP_OVER_GUARD_H_

#include <cstddef>

namespace chimera::sdk {

// Moves the stack pointer so far without touching what it passes, and suspends the fiber there.
void step_over_guard(std::size_t bytes);

}  // namespace chimera::sdk

#endif  // CHIMERA_TESTS_UNIT_SDK_CPP_STEP_OVER_GUARD_H_
