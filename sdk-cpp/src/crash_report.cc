#include "sdk-cpp/src/crash_report.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <limits>
#include <string_view>
#include <utility>

#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "sdk-cpp/src/overflow_exit.h"
#include "sdk-cpp/src/sanitizers.h"

namespace chimera::sdk {
namespace {

constexpr std::array kSignals = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
// Frames are looked for on it, by the unwinder and the demangler.
constexpr std::size_t kSignalStackBytes = 128 * 1024;
constexpr int kFramesMax = 40, kFramesShown = 12;

struct sigaction previous[64];
std::terminate_handler previous_terminate = nullptr;
thread_local Running running;
// This thread's own; empty where it cannot be known.
thread_local Stack thread_stack;

void put(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void put_number(std::uintptr_t number, int base) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), number, base).ptr;
  if (base == 16) put("0x");
  put({digits.data(), static_cast<std::size_t>(end - digits.begin())});
}

void put_overflow() {
  const Stack& stack = running.stack != nullptr ? *running.stack : thread_stack;
  put("chimera: stack overflow in ");
  put(*running.what);
  put(": its code needs more than the ");
  put_number(stack.size / 1024, 10);
  put(running.stack != nullptr
          ? " KiB of a workflow's stack; move large local variables and deep recursion to the heap "
            "or to an activity, or raise WorkerOptions::workflow_stack_bytes\n"
          : " KiB of its thread's stack (ulimit -s); move large local variables and deep recursion "
            "to the heap\n");
}

bool in_file(const void* address, std::string_view part) {
  Dl_info info{};
  return dladdr(address, &info) != 0 && info.dli_fname != nullptr &&
         std::string_view(info.dli_fname).find(part) != std::string_view::npos;
}

void put_frame(const void* address, bool demangle) {
  Dl_info info{};
  put("  at ");
  if (dladdr(address, &info) == 0) {
    put_number(reinterpret_cast<std::uintptr_t>(address), 16);
  } else if (info.dli_sname != nullptr) {
    int status = -1;
    char* const name =
        demangle ? abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status) : nullptr;
    put(status == 0 ? name : info.dli_sname);
  } else {
    const std::string_view path = info.dli_fname == nullptr ? "?" : info.dli_fname;
    put(path.substr(path.rfind('/') + 1));
    put("+");
    put_number(reinterpret_cast<std::uintptr_t>(address) -
                   reinterpret_cast<std::uintptr_t>(info.dli_fbase),
               16);
  }
  put("\n");
}

// From the one that was interrupted; `at` is null for the caller's.
void put_frames(const void* at) {
  // The demangler allocates, for which the C library must not have been at it.
  const bool demangle = at == nullptr || !in_file(at, "libc.so");
  if (at != nullptr) put_frame(at, demangle);
  std::array<void*, kFramesMax> frames;
  const int count = backtrace(frames.data(), kFramesMax);
  int next = 0;
  while (at != nullptr && next < count && frames[static_cast<std::size_t>(next)] != at) ++next;
  const int end = std::min(count, next + kFramesShown);
  for (++next; next < end; ++next) put_frame(frames[static_cast<std::size_t>(next)], demangle);
}

struct Interrupted {
  const char* stack_pointer = nullptr;
  const void* code = nullptr;
};

Interrupted interrupted_at(const void* context) {
  [[maybe_unused]] const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return {reinterpret_cast<const char*>(machine.gregs[REG_RSP]),
          reinterpret_cast<const void*>(machine.gregs[REG_RIP])};
#elif defined(__aarch64__)
  return {reinterpret_cast<const char*>(machine.sp), reinterpret_cast<const void*>(machine.pc)};
#else
  return {};
#endif
}

bool in_guard(const char* fault) {
  const Stack& stack = running.stack != nullptr ? *running.stack : thread_stack;
  return stack.low != nullptr && fault >= stack.low - stack.guard && fault < stack.low;
}

// In the guard, or anywhere after the stack pointer has left a fiber's stack downwards: however far
// code has stepped, it has no business there. (On a thread of its own, code may have other stacks.)
bool overflowed(const char* fault, const char* stack_pointer) {
  const Stack& stack = running.stack != nullptr ? *running.stack : thread_stack;
  if (stack.low == nullptr) return false;
  if (in_guard(fault)) return true;
  return running.stack != nullptr && stack_pointer != nullptr && stack_pointer < stack.low;
}

// Only async-signal-safe calls in here, until the first line has been written; the frames are worth
// more than being pure.
void on_crash(int signal, siginfo_t* info, void* context) {
  if (running.what != nullptr) {
    const Interrupted at = interrupted_at(context);
    const auto* const fault = static_cast<const char*>(info->si_addr);
    if ((signal == SIGSEGV || signal == SIGBUS) && overflowed(fault, at.stack_pointer)) {
      put_overflow();
      // Code that stepped over the guard may have overwritten anything.
      if (running.leave != nullptr && in_guard(fault) &&
          leave_overflowed_stack(context, *running.stack, running.leave)) {
        put_frames(at.code);
        return;
      }
    } else {
      put("chimera: crash (");
      put(signal == SIGSEGV ? "SIGSEGV" : signal == SIGABRT ? "SIGABRT" : "fatal signal");
      put(") in ");
      put(*running.what);
      put("\n");
    }
    running = {};
    put_frames(at.code);
  }
  sigaction(signal, &previous[signal], nullptr);
  if (signal == SIGABRT) raise(signal);  // The others come again by themselves.
}

// An exception came to a destructor or a noexcept function: on a fiber that ends its code, not the
// process. Whoever calls std::terminate() by themselves mean the process.
[[noreturn]] void on_terminate() {
  if (running.leave_by_exception != nullptr && std::current_exception() != nullptr)
    running.leave_by_exception();
  if (previous_terminate != nullptr) previous_terminate();
  std::abort();
}

void install() {
  void* frame = nullptr;
  backtrace(&frame, 1);  // Loads what the handler's own needs.
  struct sigaction action{};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (const int signal : kSignals) sigaction(signal, &action, &previous[signal]);
  previous_terminate = std::set_terminate(on_terminate);
}

Stack own_stack() {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return {};
  void* low = nullptr;
  Stack stack;
  pthread_attr_getstack(&attributes, &low, &stack.size);
  pthread_attr_getguardsize(&attributes, &stack.guard);
  pthread_attr_destroy(&attributes);
  stack.low = static_cast<char*>(low);
  // The first thread's has a gap of the kernel's below it, of which nothing is told.
  stack.guard = std::max<std::size_t>(stack.guard, 64 * 1024);
  return stack;
}

// Code that overflowed has no stack left for the handler.
struct SignalStack {
  SignalStack() {
    thread_stack = own_stack();
    stack_t now{};
    sigaltstack(nullptr, &now);
    if ((now.ss_flags & SS_DISABLE) == 0) return;  // Somebody else's; use it.
    // Mapped, so that it costs nothing until there is a crash.
    memory = mmap(nullptr, kSignalStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                  -1, 0);
    if (memory == MAP_FAILED) return;
    const stack_t ours{.ss_sp = memory, .ss_flags = 0, .ss_size = kSignalStackBytes};
    sigaltstack(&ours, nullptr);
  }
  ~SignalStack() {
    if (memory == MAP_FAILED) return;
    const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
    sigaltstack(&none, nullptr);
    munmap(memory, kSignalStackBytes);
  }
  void* memory = MAP_FAILED;
};

}  // namespace

void prepare_crash_report() {
  [[maybe_unused]] static const bool once = (install(), true);
  thread_local const SignalStack signal_stack;
  prepare_overflow_exit();
}

Running set_running(Running next) { return std::exchange(running, next); }

std::size_t stack_left() {
  const Stack& stack = running.stack != nullptr ? *running.stack : thread_stack;
  const auto* const here = static_cast<const char*>(__builtin_frame_address(0));
  const bool on_it = here >= stack.low && here < stack.low + stack.size;
  if (!on_it) return running.stack != nullptr ? 0 : std::numeric_limits<std::size_t>::max();
  return static_cast<std::size_t>(here - stack.low);
}

void report_overflow() {
  put_overflow();
  running = {};
  put_frames(nullptr);
  std::abort();
}

}  // namespace chimera::sdk
