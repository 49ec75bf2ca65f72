#include "sdk-cpp/src/crash_report.h"

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <unistd.h>

namespace chimera::sdk {
namespace {

constexpr std::array kSignals = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
constexpr std::size_t kSignalStackBytes = 64 * 1024;

struct sigaction previous[64];
thread_local const std::string* running = nullptr;
thread_local const Stack* running_stack = nullptr;

void put(const char* text) {
  if (write(STDERR_FILENO, text, std::strlen(text)) < 0) return;
}

void put_overflow(const char* what) {
  put("chimera: stack overflow in ");
  put(what);
  put(": its code needs more than the 64 KiB that a workflow has; move large local variables and "
      "deep recursion to the "
      "heap or to an activity\n");
}

bool in_guard(const void* address) {
  if (running_stack == nullptr) return false;
  const char* at = static_cast<const char*>(address);
  return at >= running_stack->low - kPageBytes && at < running_stack->low;
}

// Only async-signal-safe calls in here.
void on_crash(int signal, siginfo_t* info, void*) {
  if (running != nullptr) {
    if (signal == SIGSEGV && in_guard(info->si_addr)) {
      put_overflow(running->c_str());
    } else {
      put("chimera: crash (");
      put(signal == SIGSEGV ? "SIGSEGV" : signal == SIGABRT ? "SIGABRT" : "fatal signal");
      put(") in ");
      put(running->c_str());
      put("\n");
    }
    running = nullptr;
  }
  sigaction(signal, &previous[signal], nullptr);
  if (signal == SIGABRT) raise(signal);  // The others come again by themselves.
}

void install() {
  struct sigaction action{};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (const int signal : kSignals) sigaction(signal, &action, &previous[signal]);
}

// A fiber that overflowed has no stack left for the handler.
struct SignalStack {
  SignalStack() {
    stack_t now{};
    sigaltstack(nullptr, &now);
    if ((now.ss_flags & SS_DISABLE) == 0) return;  // Somebody else's; use it.
    memory = std::make_unique<char[]>(kSignalStackBytes);
    const stack_t ours{.ss_sp = memory.get(), .ss_flags = 0, .ss_size = kSignalStackBytes};
    sigaltstack(&ours, nullptr);
  }
  ~SignalStack() {
    if (memory == nullptr) return;
    const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
    sigaltstack(&none, nullptr);
  }
  std::unique_ptr<char[]> memory;
};

}  // namespace

void prepare_crash_report() {
  [[maybe_unused]] static const bool once = (install(), true);
  thread_local const SignalStack signal_stack;
}

void set_running(const std::string* what, const Stack* stack) {
  running = what;
  running_stack = stack;
}

void report_overflow(const std::string& what) {
  put_overflow(what.c_str());
  running = nullptr;
  std::abort();
}

}  // namespace chimera::sdk
