#include "core/worker/thread_stack.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include <cxxabi.h>
#include <execinfo.h>
#include <semaphore.h>

namespace chimera::core {
namespace {

constexpr int kFrames = 48;

// Written by the interrupted thread, read by the asking one after `ready`.
struct Answer {
  std::array<void*, kFrames> frames;
  int count = 0;
  sem_t ready;
  std::atomic<bool> wanted{false};
};
Answer& answer() {
  static Answer& one = *[] {
    auto* made = new Answer;
    sem_init(&made->ready, 0, 0);
    return made;
  }();
  return one;
}

void on_signal(int) {
  const int saved = errno;
  Answer& mine = answer();
  if (mine.wanted.exchange(false)) {
    mine.count = backtrace(mine.frames.data(), kFrames);
    sem_post(&mine.ready);
  }
  errno = saved;
}

int install() {
  const int number = SIGRTMIN + 4;
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART | SA_ONSTACK;  // A fiber's stack has no room for the unwinder.
  sigaction(number, &action, nullptr);
  std::array<void*, 1> warm_up;  // Loads the unwinder now: a handler must not.
  backtrace(warm_up.data(), 1);
  answer();
  return number;
}

// "prog(_ZN1a1bEv+0x12) [0x1234]" with its name in plain.
std::string readable(const char* symbol) {
  std::string text(symbol);
  std::size_t begin = text.find('('), end = text.find('+', begin);
  if (begin == std::string::npos || end == std::string::npos || end == begin + 1) return text;
  int status = 0;
  std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(text.substr(begin + 1, end - begin - 1).c_str(), nullptr, nullptr,
                          &status),
      std::free);
  if (status != 0 || !name) return text;
  return absl::StrCat(name.get(), " ", text.substr(end, text.find(')', end) - end));
}

}  // namespace

std::string stack_of(pthread_t thread) {
  static absl::Mutex& one_at_a_time = *new absl::Mutex;
  static const int number = install();
  absl::MutexLock lock(&one_at_a_time);
  Answer& theirs = answer();
  while (sem_trywait(&theirs.ready) == 0) {  // An answer that came too late last time.
  }
  theirs.wanted.store(true);
  if (pthread_kill(thread, number) != 0) return "";
  timespec until{};
  clock_gettime(CLOCK_REALTIME, &until);
  ++until.tv_sec;
  if (sem_timedwait(&theirs.ready, &until) != 0 && theirs.wanted.exchange(false)) return "";
  std::unique_ptr<char*, void (*)(void*)> symbols(
      backtrace_symbols(theirs.frames.data(), theirs.count), std::free);
  std::string result;
  // The first two frames are the handler and the kernel's trampoline.
  for (int i = 2; symbols && i < theirs.count; ++i) {
    absl::StrAppend(&result, "  at ", readable(symbols.get()[i]), "\n");
  }
  return result;
}

}  // namespace chimera::core
