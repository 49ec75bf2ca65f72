// The call stack of another thread of this process, for deadlock reports.
#ifndef CHIMERA_CORE_WORKER_THREAD_STACK_H_
#define CHIMERA_CORE_WORKER_THREAD_STACK_H_

#include <string>

#include <pthread.h>

namespace chimera::core {

// One line per frame, innermost first. Interrupts the thread with a real-time signal; empty when it
// does not answer within a second (a crowded machine may need most of it). One caller at a time
// gets an answer.
std::string stack_of(pthread_t thread);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_THREAD_STACK_H_
