#include "sdk-cpp/src/stack_pool.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include <sys/mman.h>

#include "core/base/check.h"
#include "sdk-cpp/src/sanitizers.h"

namespace chimera::sdk {
namespace {

constexpr std::size_t kSlabBytes = std::size_t{2} << 20;
constexpr std::uint64_t kCanary = 0x436869'6d657261'21;  // "Chimera!"
constexpr std::size_t kCanaryWords = 8;
constexpr std::size_t kKeptPerThread = 64;
#ifdef CHIMERA_GUARD_EACH_STACK
constexpr bool kGuardEach = true;
#else
constexpr bool kGuardEach = false;
#endif

struct Shared {
  absl::Mutex mutex;
  std::vector<Stack> free;
};

Shared& shared() {
  static auto* const shared = new Shared;  // Outlives every thread.
  return *shared;
}

// What this thread keeps; given back when it ends.
struct Kept {
  std::vector<Stack> stacks;
  ~Kept() {
    absl::MutexLock lock(&shared().mutex);
    shared().free.insert(shared().free.end(), stacks.begin(), stacks.end());
  }
};
thread_local Kept kept;

std::vector<Stack> make_slab() {
  void* memory = mmap(nullptr, kSlabBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  CHIMERA_CHECK(memory != MAP_FAILED,
                absl::StrCat("no memory for workflow stacks: ", std::strerror(errno),
                             "; lower max_cached_workflows or raise vm.max_map_count"));
  char* const begin = static_cast<char*>(memory);
  std::vector<Stack> stacks;
  const std::size_t stride = kStackBytes + (kGuardEach ? kPageBytes : 0);
  for (std::size_t at = kGuardEach ? 0 : kPageBytes; at + stride <= kSlabBytes; at += stride) {
    if (kGuardEach) mprotect(begin + at, kPageBytes, PROT_NONE);
    stacks.push_back({begin + at + (kGuardEach ? kPageBytes : 0), kStackBytes});
  }
  if (!kGuardEach) mprotect(begin, kPageBytes, PROT_NONE);
  return stacks;
}

}  // namespace

Stack take_stack() {
  if (kept.stacks.empty()) {
    absl::MutexLock lock(&shared().mutex);
    auto& free = shared().free;
    if (free.empty()) free = make_slab();
    const std::size_t count = std::min<std::size_t>(free.size(), kKeptPerThread / 2);
    kept.stacks.assign(free.end() - static_cast<std::ptrdiff_t>(count), free.end());
    free.resize(free.size() - count);
  }
  const Stack stack = kept.stacks.back();
  kept.stacks.pop_back();
  return stack;
}

void give_stack(Stack stack) {
  if (kept.stacks.size() < kKeptPerThread) {
    kept.stacks.push_back(stack);
    return;
  }
  absl::MutexLock lock(&shared().mutex);
  shared().free.push_back(stack);
}

void write_canary(const Stack& stack) {
  auto* words = reinterpret_cast<std::uint64_t*>(stack.low);
  for (std::size_t i = 0; i < kCanaryWords; ++i) words[i] = kCanary;
}

bool canary_intact(const Stack& stack) {
  const auto* words = reinterpret_cast<const std::uint64_t*>(stack.low);
  for (std::size_t i = 0; i < kCanaryWords; ++i) {
    if (words[i] != kCanary) return false;
  }
  return true;
}

}  // namespace chimera::sdk
