#include "core/base/mutexes.h"

#include "gtest/gtest.h"

namespace chimera::base {
namespace {

// Locks two mutexes in both orders, which Abseil's search takes for a deadlock to come.
void lock_in_both_orders() {
  absl::Mutex first, second;
  {
    absl::MutexLock a(&first);
    absl::MutexLock b(&second);
  }
  absl::MutexLock b(&second);
  absl::MutexLock a(&first);
}

#ifdef CHIMERA_DEV
TEST(MutexesTest, DebugBuildsSearchForDeadlocks) {
  skip_deadlock_detection();
  EXPECT_DEATH(lock_in_both_orders(), "deadlock");
}
#else
TEST(MutexesTest, TheReleaseBuildDoesNotSearchForDeadlocks) {
  skip_deadlock_detection();
  lock_in_both_orders();
}
#endif

}  // namespace
}  // namespace chimera::base
