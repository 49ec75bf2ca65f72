#include "sdk-cpp/src/overflow_exit.h"

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>

#include "absl/synchronization/mutex.h"
#include <link.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "sdk-cpp/src/sanitizers.h"

#if !defined(CHIMERA_ASAN) && !defined(CHIMERA_TSAN) && defined(__x86_64__)
#define CHIMERA_LEADS_OUT
#endif

namespace chimera::sdk {
namespace {

constexpr std::size_t kExitStackBytes = 64 * 1024;
constexpr int kGuardRemove = 103;  // MADV_GUARD_REMOVE; the headers here may be older.

// Code of workflows, read in signal handlers. More libraries than that are not told apart from the
// C library: who runs out of stack there ends the process.
struct Code {
  std::uintptr_t begin = 0, end = 0;
};
std::array<Code, 64> codes;
std::atomic<std::size_t> codes_count{0};

bool of_workflows(std::uintptr_t at) {
  const std::size_t count = codes_count.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < count; ++i) {
    if (at >= codes[i].begin && at < codes[i].end) return true;
  }
  return false;
}

// The part of a loaded object that holds `code->begin` and may be executed.
int find_code(dl_phdr_info* object, std::size_t, void* code) {
  Code& wanted = *static_cast<Code*>(code);
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& part = object->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
    const std::uintptr_t begin = object->dlpi_addr + part.p_vaddr;
    if (wanted.begin < begin || wanted.begin >= begin + part.p_memsz) continue;
    wanted = {begin, begin + part.p_memsz};
    return 1;
  }
  return 0;
}

struct ExitStack {
  ExitStack()
      : memory(mmap(nullptr, kExitStackBytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {}
  ~ExitStack() {
    top = nullptr;
    if (memory != MAP_FAILED) munmap(memory, kExitStackBytes);
  }
  void* const memory;
  static thread_local char* top;  // Null: this thread has none.
};
thread_local char* ExitStack::top = nullptr;

#ifdef CHIMERA_LEADS_OUT

constexpr greg_t kTrapFlag = 0x100;
// A call into the C library takes thousands of steps; what takes more does not come back.
constexpr int kStepsMax = 4'000'000;

struct Exit {
  const Stack* stack = nullptr;  // Null: this thread is not led out of one.
  void (*leave)() = nullptr;
  int steps = 0;
};
thread_local Exit led_out;
struct sigaction trap_before;

void go(ucontext_t* context) {
  auto& registers = context->uc_mcontext.gregs;
  registers[REG_EFL] &= ~kTrapFlag;
  // As after a call, which leaves the stack 8 bytes off its alignment.
  registers[REG_RSP] = reinterpret_cast<greg_t>(ExitStack::top - 8);
  registers[REG_RIP] = reinterpret_cast<greg_t>(led_out.leave);
  led_out = {};
}

// After each instruction of what has to come to its end.
void on_step(int signal, siginfo_t* info, void* context) {
  auto* const machine = static_cast<ucontext_t*>(context);
  auto& registers = machine->uc_mcontext.gregs;
  if (led_out.stack == nullptr) {  // Somebody else's.
    if ((trap_before.sa_flags & SA_SIGINFO) != 0)
      return trap_before.sa_sigaction(signal, info, context);
    sigaction(SIGTRAP, &trap_before, nullptr);
    raise(signal);
    return;
  }
  const auto* const at = reinterpret_cast<const char*>(registers[REG_RSP]);
  const Stack& stack = *led_out.stack;
  const bool on_it = at >= stack.low - stack.guard && at < stack.low + stack.size;
  if (on_it && of_workflows(static_cast<std::uintptr_t>(registers[REG_RIP]))) return go(machine);
  if (on_it && ++led_out.steps < kStepsMax) return;
  registers[REG_EFL] &= ~kTrapFlag;
  led_out = {};
}

void catch_steps() {
  static const bool once = [] {
    struct sigaction action{};
    action.sa_sigaction = on_step;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    return sigaction(SIGTRAP, &action, &trap_before) == 0;
  }();
  static_cast<void>(once);
}

#endif

}  // namespace

void note_workflow_code(const void* function) {
  static absl::Mutex mutex(absl::kConstInit);
  const absl::MutexLock lock(&mutex);
  Code code{reinterpret_cast<std::uintptr_t>(function), 0};
  const std::size_t count = codes_count.load(std::memory_order_relaxed);
  if (of_workflows(code.begin) || count == codes.size()) return;
  if (dl_iterate_phdr(find_code, &code) == 0) return;
  codes[count] = code;
  codes_count.store(count + 1, std::memory_order_release);
}

void prepare_overflow_exit() {
  thread_local const ExitStack own;
  if (own.memory != MAP_FAILED) ExitStack::top = static_cast<char*>(own.memory) + kExitStackBytes;
#ifdef CHIMERA_LEADS_OUT
  led_out = {};  // A handler must not be the first to use it on this thread: that may allocate.
#endif
}

bool leave_overflowed_stack([[maybe_unused]] void* context, [[maybe_unused]] const Stack& stack,
                            [[maybe_unused]] void (*leave)()) {
#ifdef CHIMERA_LEADS_OUT
  if (ExitStack::top == nullptr || led_out.stack != nullptr) return false;
  auto* const machine = static_cast<ucontext_t*>(context);
  led_out = {.stack = &stack, .leave = leave};
  if (of_workflows(static_cast<std::uintptr_t>(machine->uc_mcontext.gregs[REG_RIP]))) {
    go(machine);
    return true;
  }
  // Half of the guard; the rest remains one.
  char* const begin = stack.low - stack.guard / 2;
  madvise(begin, stack.guard / 2, kGuardRemove);
  if (mprotect(begin, stack.guard / 2, PROT_READ | PROT_WRITE) != 0) return false;
  catch_steps();
  machine->uc_mcontext.gregs[REG_EFL] |= kTrapFlag;
  return true;
#else
  return false;
#endif
}

}  // namespace chimera::sdk
