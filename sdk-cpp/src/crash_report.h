// What a thread is running, for the report of a crash: SIGSEGV, SIGBUS, SIGABRT and the like name
// the workflow or activity and the frames that led there, and a stack overflow is called one. The
// handlers that were there before run afterwards, unless the process goes on (overflow_exit.h). So
// it does where an exception on a fiber would end it.
#ifndef CHIMERA_SDK_CPP_SRC_CRASH_REPORT_H_
#define CHIMERA_SDK_CPP_SRC_CRASH_REPORT_H_

#include <string>

#include "sdk-cpp/src/stack_pool.h"

namespace chimera::sdk {

// Once per process, and an alternative signal stack for the calling thread. Cheap when called
// again.
void prepare_crash_report();

// What this thread runs; all borrowed.
struct Running {
  const std::string* what = nullptr;  // "workflow Order (id 17, run ...)"; null: nothing of ours.
  const Stack* stack = nullptr;       // The fiber's; null: the thread's own.
  // Leaves the fiber for good; called where its stack has overflowed, on another one.
  void (*leave)() = nullptr;
  // The same for an exception that cannot go on to its handler; called by std::terminate().
  void (*leave_by_exception)() = nullptr;
};
// Returns what ran before, to be set again.
Running set_running(Running running);

// Of what runs on this thread; without a known stack, more than anybody asks for.
std::size_t stack_left();

// For the time of a call.
class RunningScope {
 public:
  explicit RunningScope(const std::string& what) : before_(set_running({&what})) {}
  ~RunningScope() { set_running(before_); }
  RunningScope(const RunningScope&) = delete;
  RunningScope& operator=(const RunningScope&) = delete;

 private:
  const Running before_;
};

// Reports on stderr that the stack of what runs was too small, with the caller's frames, and
// aborts.
[[noreturn]] void report_overflow();

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_CRASH_REPORT_H_
