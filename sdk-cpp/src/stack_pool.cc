#include "sdk-cpp/src/stack_pool.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace chimera::sdk {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kSlabBytes = std::size_t{8} << 20;
// Code that is compiled without -fstack-clash-protection may step over a guard: it is wide, but
// each page of it takes an entry of a page table.
constexpr std::size_t kGuardBytesMin = 64 * 1024, kGuardBytesMax = 128 * 1024;
constexpr std::size_t kKeptPerThread = 64;
// What a parked fiber may keep of its stack for the next one.
constexpr std::size_t kKeptBytes = 16 * 1024;
constexpr int kGuardInstall = 102;  // MADV_GUARD_INSTALL; the headers here may be older.

std::size_t rounded_up(std::size_t bytes, std::size_t to) { return (bytes + to - 1) / to * to; }

void* map_pages(std::size_t bytes) {
  return mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
}

// Whether the kernel itself can read there. A system that takes advice that it does not know would
// leave stacks without a guard.
bool readable(const void* address) {
  return syscall(SYS_rt_sigprocmask, SIG_BLOCK, address, nullptr, sizeof(std::uint64_t)) == 0;
}

bool guard_regions_work() {
  void* const page = map_pages(kPageBytes);
  if (page == MAP_FAILED) return false;
  const bool work = madvise(page, kPageBytes, kGuardInstall) == 0 && !readable(page);
  munmap(page, kPageBytes);
  return work;
}

bool install_guard(char* begin, std::size_t bytes, StackGuard guard) {
  // Refused for locked memory (mlockall), for example.
  if (guard == StackGuard::kRegion && madvise(begin, bytes, kGuardInstall) == 0) return true;
  return mprotect(begin, bytes, PROT_NONE) == 0;
}

absl::Status no_stack(const char* call, int error) {
  std::string limit = "unknown";
  std::ifstream("/proc/sys/vm/max_map_count") >> limit;
  return absl::ResourceExhaustedError(absl::StrCat(
      "no memory for the stack of a workflow: ", call, ": ", std::strerror(error),
      ". Each cached run needs mappings, of which a process may have vm.max_map_count (", limit,
      "): raise that with sysctl, raise the limit on the address space, or lower "
      "max_cached_workflows"));
}

}  // namespace

void check_stack_bytes(std::size_t bytes) {
  if (bytes >= kStackBytesMin && bytes <= kStackBytesMax) return;
  throw std::invalid_argument(absl::StrCat("workflow_stack_bytes is ", bytes,
                                           ", which is not from ", kStackBytesMin, " to ",
                                           kStackBytesMax));
}

StackGuard best_stack_guard() {
  static const StackGuard best = guard_regions_work() ? StackGuard::kRegion : StackGuard::kPages;
  return best;
}

// What this thread keeps of each pool; given back when it ends.
struct KeptStacks {
  struct OfPool {
    StackPool* pool;
    std::vector<Stack> stacks;
  };
  std::vector<OfPool> pools;  // One, seldom more.

  std::vector<Stack>& of(StackPool& pool) {
    for (OfPool& each : pools) {
      if (each.pool == &pool) return each.stacks;
    }
    return pools.emplace_back(OfPool{&pool, {}}).stacks;
  }
  ~KeptStacks() {
    for (OfPool& each : pools) each.pool->take_back(each.stacks);
  }
};

namespace {
thread_local KeptStacks kept;
}  // namespace

StackPool::StackPool(std::size_t bytes, StackGuard guard)
    : bytes_(rounded_up(bytes, kPageBytes)),
      guard_bytes_(rounded_up(std::clamp(bytes_ / 4, kGuardBytesMin, kGuardBytesMax), kPageBytes)),
      guard_(guard) {}

StackPool& StackPool::make(std::size_t bytes, StackGuard guard) {
  return *new StackPool(bytes, guard);  // Outlives every thread.
}

StackPool& StackPool::of(std::size_t bytes) {
  static absl::Mutex mutex(absl::kConstInit);
  static auto* const pools = new std::map<std::size_t, StackPool*>;
  const absl::MutexLock lock(&mutex);
  StackPool*& pool = (*pools)[rounded_up(bytes, kPageBytes)];
  if (pool == nullptr) pool = &make(bytes, best_stack_guard());
  return *pool;
}

StackPool& StackPool::large() {
  StackPool* known = large_.load(std::memory_order_acquire);
  if (known == nullptr) {
    known = &of(std::max(bytes_, kLargeStackBytes));
    large_.store(known, std::memory_order_release);
  }
  return *known;
}

absl::Status StackPool::add_slab() {
  const std::size_t stride = guard_bytes_ + bytes_;
  const std::size_t slab = std::max<std::size_t>(1, kSlabBytes / stride) * stride;
  void* const memory = map_pages(slab);
  if (memory == MAP_FAILED) return no_stack("mmap", errno);
  // A huge page for the few that a stack touches would cost more than all of them. Newer kernels
  // know MAP_STACK.
  madvise(memory, slab, MADV_NOHUGEPAGE);
  char* const begin = static_cast<char*>(memory);
  for (std::size_t at = 0; at < slab; at += stride) {
    if (install_guard(begin + at, guard_bytes_, guard_)) {
      free_.push_back({begin + at + guard_bytes_, bytes_, guard_bytes_});
      continue;
    }
    const int error = errno;
    munmap(begin + at, slab - at);
    if (at == 0) return no_stack("mprotect", error);
    break;
  }
  return absl::OkStatus();
}

absl::StatusOr<Stack> StackPool::take() {
  std::vector<Stack>& mine = kept.of(*this);
  if (mine.empty()) {
    const absl::MutexLock lock(&mutex_);
    if (free_.empty()) {
      if (absl::Status status = add_slab(); !status.ok()) return status;
    }
    const std::size_t count = std::min<std::size_t>(free_.size(), kKeptPerThread / 2);
    mine.assign(free_.end() - static_cast<std::ptrdiff_t>(count), free_.end());
    free_.resize(free_.size() - count);
  }
  const Stack stack = mine.back();
  mine.pop_back();
  return stack;
}

void StackPool::give(Stack stack, bool warm) {
  std::vector<Stack>& mine = kept.of(*this);
  if (stack.size > kKeptBytes && (!warm || mine.size() == kKeptPerThread))
    madvise(stack.low, stack.size - kKeptBytes, MADV_DONTNEED);
  if (mine.size() < kKeptPerThread) {
    mine.push_back(stack);
    return;
  }
  const absl::MutexLock lock(&mutex_);
  free_.push_back(stack);
}

void StackPool::give_up(const Stack& stack) { madvise(stack.low, stack.size, MADV_DONTNEED); }

void StackPool::take_back(std::vector<Stack>& stacks) {
  const absl::MutexLock lock(&mutex_);
  free_.insert(free_.end(), stacks.begin(), stacks.end());
}

}  // namespace chimera::sdk
