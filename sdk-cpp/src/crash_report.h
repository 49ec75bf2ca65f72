// What a thread is running, for the report of a crash: SIGSEGV, SIGBUS, SIGABRT and the like name
// the workflow or activity, and a stack overflow of a workflow is called one. The handlers that
// were there before run afterwards.
#ifndef CHIMERA_SDK_CPP_SRC_CRASH_REPORT_H_
#define CHIMERA_SDK_CPP_SRC_CRASH_REPORT_H_

#include <string>

#include "sdk-cpp/src/stack_pool.h"

namespace chimera::sdk {

// Once per process, and an alternative signal stack for the calling thread. Cheap when called
// again.
void prepare_crash_report();

// On this thread; `what` is borrowed. Null: nothing of the user's runs. The stack is the fiber's,
// or null.
void set_running(const std::string* what, const Stack* stack);

// Reports on stderr that the workflow's stack was too small, and aborts.
[[noreturn]] void report_overflow(const std::string& what);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_CRASH_REPORT_H_
