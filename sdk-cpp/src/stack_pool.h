// StackPool, the stacks of fibers: 64 KiB each, cut from 2 MiB slabs that are kept for ever. In dev
// and sanitizer builds each stack has a guard page; in release a slab has one, and each stack ends
// in a canary that every switch checks.
#ifndef CHIMERA_SDK_CPP_SRC_STACK_POOL_H_
#define CHIMERA_SDK_CPP_SRC_STACK_POOL_H_

#include <cstddef>

namespace chimera::sdk {

struct Stack {
  char* low = nullptr;  // The lowest usable byte.
  std::size_t size = 0;
};

inline constexpr std::size_t kStackBytes = 64 * 1024;
inline constexpr std::size_t kPageBytes = 4096;

// Any thread. A thread keeps a few stacks for itself, so that a lane takes no lock.
Stack take_stack();
void give_stack(Stack stack);

void write_canary(const Stack& stack);
bool canary_intact(const Stack& stack);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_STACK_POOL_H_
