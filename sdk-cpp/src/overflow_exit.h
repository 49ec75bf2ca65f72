// The way out for workflow code that has run out of stack: its fiber is left for good, and with it
// its run, so that the process need not die of it. Only where nothing but the workflow's own code
// is cut short: what the C library and others are at when the stack ends is let come to its end
// first, on a part of the guard, step by step. On x86-64, without sanitizers; elsewhere the process
// ends.
#ifndef CHIMERA_SDK_CPP_SRC_OVERFLOW_EXIT_H_
#define CHIMERA_SDK_CPP_SRC_OVERFLOW_EXIT_H_

#include "sdk-cpp/src/stack_pool.h"

namespace chimera::sdk {

// The program or library that holds this function has workflows. Any thread.
void note_workflow_code(const void* function);

// The calling thread can be led out: it gets a small stack for that. Cheap when called again.
void prepare_overflow_exit();

// In a signal handler, of code on that stack that touched its guard. True: once the handler has
// returned, `leave` is called as soon as that is safe, on another stack; it must not return. Most
// likely, that is: code that goes on to use up the rest of the guard comes here again, and gets
// false. `context` is the handler's third argument.
bool leave_overflowed_stack(void* context, const Stack& stack, void (*leave)());

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_OVERFLOW_EXIT_H_
