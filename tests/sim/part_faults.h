// PartFault, what a worker's part could do wrong. It is imitated at the seams of the real worker:
// between it and the network, its executor and its timers, to show that the simulation finds it.
#ifndef CHIMERA_TESTS_SIM_PART_FAULTS_H_
#define CHIMERA_TESTS_SIM_PART_FAULTS_H_

namespace chimera::sim {

enum class PartFault {
  kNone,
  kPollLost,            // A poller forgets a poll, and its slot, on an error.
  kLateTaskDropped,     // A poller drops the task of a poll that ends after it was stopped.
  kWorkLostAtShutdown,  // A lane drops work once the worker shuts down.
  kEagerActivityLost,   // Activities in the reply to a task's answer are not started.
  kLostAnswerTaken,     // An answer whose reply is lost counts as taken.
  kInlineTaskLost,      // The next task in the reply to a task's answer is forgotten.
  kTimerLost,           // A timer of the worker's never goes off.
  kSlotKept,            // The slot of a start without an eager task is not given back.
};

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_PART_FAULTS_H_
