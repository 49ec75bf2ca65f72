// StackPool, the stacks of fibers: reservations that the kernel backs page by page as they are
// touched, each above a guard of its own, cut from slabs that are kept for ever. The guard is a
// light-weight guard region where the kernel has those (Linux 6.13; they cost no mapping), else
// pages that nothing may touch, which cost a mapping each. There is no stack without one.
#ifndef CHIMERA_SDK_CPP_SRC_STACK_POOL_H_
#define CHIMERA_SDK_CPP_SRC_STACK_POOL_H_

#include <atomic>
#include <cstddef>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace chimera::sdk {

struct Stack {
  char* low = nullptr;    // The lowest usable byte; the guard ends here.
  std::size_t size = 0;   // Usable.
  std::size_t guard = 0;  // Below `low`.
};

// Alternations of std::regex take 750 bytes for each character that they match.
inline constexpr std::size_t kStackBytes = std::size_t{1} << 20;
inline constexpr std::size_t kStackBytesMin = 64 * 1024;
inline constexpr std::size_t kStackBytesMax = std::size_t{1} << 30;
// Of runs that may have ended a process before.
inline constexpr std::size_t kLargeStackBytes = std::size_t{8} << 20;

// Throws std::invalid_argument that names the option workflow_stack_bytes.
void check_stack_bytes(std::size_t bytes);

enum class StackGuard { kRegion, kPages };
// What this kernel has; asked once.
StackGuard best_stack_guard();

// Any thread. A thread keeps a few stacks for itself, so that a lane takes no lock.
class StackPool {
 public:
  // The process's pool for stacks of at least so many usable bytes.
  static StackPool& of(std::size_t bytes);
  // A pool of its own, for tests; never destroyed.
  static StackPool& make(std::size_t bytes, StackGuard guard);

  // kResourceExhausted says which limit of the system is in the way, and what to do.
  absl::StatusOr<Stack> take();
  // What lies deeper than a parked fiber goes is given back to the system; not if it stays `warm`
  // for the next one of this thread.
  void give(Stack stack, bool warm = false);
  // Of a stack that is not to be used again: its memory is given back, its addresses are not.
  static void give_up(const Stack& stack);
  std::size_t stack_bytes() const { return bytes_; }
  // The process's pool for stacks of this size, and of kLargeStackBytes at least.
  StackPool& large();

 private:
  StackPool(std::size_t bytes, StackGuard guard);
  absl::Status add_slab() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void take_back(std::vector<Stack>& stacks);
  friend struct KeptStacks;

  const std::size_t bytes_, guard_bytes_;
  const StackGuard guard_;
  std::atomic<StackPool*> large_{nullptr};
  absl::Mutex mutex_;
  std::vector<Stack> free_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_STACK_POOL_H_
