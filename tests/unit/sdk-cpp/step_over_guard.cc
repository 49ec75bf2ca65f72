#include "tests/unit/sdk-cpp/step_over_guard.h"

#include <alloca.h>

#include "sdk-cpp/src/fiber.h"

namespace chimera::sdk {

void step_over_guard(std::size_t bytes) {
  auto* const frame = static_cast<volatile char*>(alloca(bytes));
  Fiber::suspend();
  frame[bytes - 1] = 1;
}

}  // namespace chimera::sdk
