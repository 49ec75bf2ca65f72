// Settings of Abseil's mutexes for the whole process.
#ifndef CHIMERA_CORE_BASE_MUTEXES_H_
#define CHIMERA_CORE_BASE_MUTEXES_H_

#include "absl/synchronization/mutex.h"

namespace chimera::base {

// Debian's Abseil looks for deadlocks at every lock, also in release builds: about 3 % of a busy
// worker's CPU. Debug builds of ours keep it.
inline void skip_deadlock_detection() {
#ifndef CHIMERA_DEV
  static const bool done =
      (absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore), true);
  static_cast<void>(done);
#endif
}

}  // namespace chimera::base

#endif  // CHIMERA_CORE_BASE_MUTEXES_H_
