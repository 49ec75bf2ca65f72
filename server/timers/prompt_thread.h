// Wakes the calling thread as near to its time as the system lets a program without privileges.
#ifndef CHIMERA_SERVER_TIMERS_PROMPT_THREAD_H_
#define CHIMERA_SERVER_TIMERS_PROMPT_THREAD_H_

namespace chimera::server {

// For a thread that sleeps until a deadline and then works for microseconds. No timer slack (Linux
// adds 50 us to each sleep), and a short time slice: since Linux 6.12 the scheduler lets a woken
// thread with a shorter slice run before those that compute. Its share of the CPU stays the same.
// What the system refuses is left as it is.
void be_woken_promptly();

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_TIMERS_PROMPT_THREAD_H_
